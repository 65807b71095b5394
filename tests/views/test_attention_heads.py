"""Attention heads: kinds by their definitions, in the order asked for, each tile a way to its map."""

import math
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from app.looks import look
from app.messages import LANGUAGES, translate
from app.options import settled
from app.views.attention_heads import BROAD, KINDS, MOSTLY, PLACES, AttentionHeadsQuery, figure, kind, masks, surveyed

WORDS = ("[CLS]", "a", "b", "c", "[SEP]")
ROWS = {  # three heads of the first layer, three of the second, whose kinds are plain to see
    "previous": [[1, 0, 0, 0, 0], [0.9, 0.1, 0, 0, 0], [0, 0.8, 0.2, 0, 0], [0, 0, 0.7, 0.3, 0], [0, 0, 0, 0.6, 0.4]],
    "next": [[0, 1, 0, 0, 0], [0, 0, 0.5, 0.5, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0.2, 0.8], [0, 0.5, 0, 0.5, 0]],
    "same": [[1, 0, 0, 0, 0], [0, 0.5, 0, 0.5, 0], [0.25, 0, 0.5, 0, 0.25], [0, 0.25, 0, 0.75, 0], [0, 0, 0, 0, 1]],
    "first": [[0.2, 0.8, 0, 0, 0], [1, 0, 0, 0, 0], [0.5, 0, 0, 0, 0.5], [0.9, 0, 0, 0.1, 0], [1, 0, 0, 0, 0]],
    "broad": np.full((5, 5), 0.2),
    "mixed": [[0, 0, 0.5, 0.5, 0], [0, 0, 0, 0, 1], [0.5, 0, 0, 0, 0.5], [0, 0.5, 0, 0, 0.5], [0.5, 0, 0.5, 0, 0]],
}
NAMED = list(ROWS)


@pytest.fixture
def trace(make_attentive):
    made = make_attentive(*WORDS)
    rows = np.array([np.array(row, np.float32) for row in ROWS.values()]).reshape(2, 3, 5, 5)
    assert rows.sum(-1) == pytest.approx(np.ones((2, 3, 5)))
    return replace(made, attention=replace(made.attention, attention=rows))


def draw(query, *traces):
    return figure(settled(query, traces[0]), list(traces))


def column(drawn, name):
    place = drawn.table.columns.index(f"column.{name}")
    return [row[place] for row in drawn.table.rows()]


def test_each_head_is_of_the_kind_it_was_made_to_be(trace):
    heads, _ = surveyed(trace)
    assert [head.kind for head in heads] == NAMED
    assert [(head.layer, head.head) for head in heads] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]


def test_the_check_is_of_the_clearest_layer_and_says_so(client, trace):
    drawn = draw(AttentionHeadsQuery(), trace)
    assert list(drawn.layers) == [0] and drawn.sampled  # 0.8 on average before it, in the first layer
    found = client.get("/de/attention_heads", params={"text": "Der Mann biss den Hund"}).text
    layer, head = re.search(r"Am deutlichsten ist Schicht (\d), Kopf (\d)", found).groups()
    assert f"geprüft gegen transformers, Schicht {layer}: Abweichung" in found


def test_the_shares_are_means_over_the_words_that_have_the_place(trace):
    drawn = draw(AttentionHeadsQuery(), trace)
    assert column(drawn, "previous")[0] == pytest.approx((0.9 + 0.8 + 0.7 + 0.6) / 4)
    assert column(drawn, "next")[1] == pytest.approx((1 + 0.5 + 1 + 0.8) / 4)
    assert column(drawn, "same")[2] == pytest.approx((1 + 0.5 + 0.5 + 0.75 + 1) / 5)
    assert column(drawn, "first")[3] == pytest.approx((0.2 + 1 + 0.5 + 0.9 + 1) / 5)
    for name in PLACES:
        expected = []
        for attention in trace.attention.attention.reshape(6, 5, 5).astype(float):
            ways = {
                "previous": [attention[i][i - 1] for i in range(1, 5)],
                "next": [attention[i][i + 1] for i in range(4)],
                "same": [attention[i][i] for i in range(5)],
                "first": [row[0] for row in attention],
            }
            expected.append(sum(ways[name]) / len(ways[name]))
        assert column(drawn, name) == pytest.approx(expected)


def test_entropy_is_in_bits_and_the_mean_of_the_rows(trace):
    drawn = draw(AttentionHeadsQuery(), trace)
    expected = [
        sum(-value * math.log2(value) for value in attention.ravel().tolist() if value > 0) / 5
        for attention in trace.attention.attention.reshape(6, 5, 5)
    ]
    assert column(drawn, "entropy") == pytest.approx(expected, abs=1e-5)
    assert column(drawn, "entropy")[4] == pytest.approx(math.log2(5))
    assert column(drawn, "entropy")[5] == pytest.approx(0.8)  # four rows of one bit, one of none


@pytest.mark.parametrize(
    ("entropy", "even", "shares", "expected"),
    [
        (1.0, 2.0, (0.51, 0.2, 0.1, 0.1), "previous"),
        (1.0, 2.0, (0.5, 0.2, 0.1, 0.1), "mixed"),  # more than half, not half
        (1.0, 2.0, (0.6, 0.2, 0.1, 0.7), "first"),  # the larger of two
        (2.0, 2.0, (0.1, 0.1, 0.6, 0.1), "same"),  # a place before breadth
        (1.81, 2.0, (0.2, 0.2, 0.2, 0.2), "broad"),
        (1.79, 2.0, (0.2, 0.2, 0.2, 0.2), "mixed"),
        (0.0, 0.0, (math.nan, math.nan, 1.0, 1.0), "same"),
    ],
)
def test_a_kind_is_given_beyond_its_threshold(entropy, even, shares, expected):
    assert kind(entropy, even, shares) == expected


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_states_the_thresholds(lang):
    text = translate(lang, "attention_heads.read").replace("\u202f", "").replace("\xa0", "").replace(" ", "")
    assert f"{MOSTLY:.0%}" in text and f"{BROAD:.0%}" in text


def test_a_causal_model_is_broad_where_it_looks_evenly_at_what_it_may_see(make_attentive):
    made = make_attentive(*WORDS, causal=True)
    rows = np.tri(5, dtype=np.float32) / np.arange(1, 6, dtype=np.float32)[:, None]
    even = np.broadcast_to(rows, made.attention.attention.shape).copy()
    heads, drawn = surveyed(replace(made, attention=replace(made.attention, attention=even)))
    assert {head.kind for head in heads} == {"broad"}
    assert heads[0].entropy == pytest.approx((1 + math.log2(3) + 2 + math.log2(5)) / 5)
    assert heads[0].shares[1] == 0
    assert np.array_equal(drawn[0] == 1, np.triu(np.ones((5, 5), bool), 1))  # grey


def test_a_share_of_zero_is_masked_only_where_the_scores_say_so(make_attentive):
    made = make_attentive(*WORDS)
    assert masks(look(made), 0) is None
    made.attention.attention[0, 0, 1, 2] = 0  # too small for a float, not masked
    assert masks(look(made), 0) is None
    made.attention.scores[0, 0, 1, 2] = -np.inf
    assert np.argwhere(masks(look(made), 0)).tolist() == [[0, 1, 2]]


def test_one_token_has_nothing_before_or_after(make_attentive):
    drawn = draw(AttentionHeadsQuery(), make_attentive("a"))
    assert set(column(drawn, "previous")) == {None} and set(column(drawn, "same")) == {1.0}
    assert "nan" not in " ".join(link.label.text("de") for link in drawn.links)


def order(drawn):
    return list(zip(column(drawn, "layer"), column(drawn, "head"), strict=True))


def test_the_order_is_that_of_layer_entropy_or_kind(trace):
    assert order(draw(AttentionHeadsQuery(), trace)) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    entropies = column(draw(AttentionHeadsQuery(sort="entropy"), trace), "entropy")
    assert entropies == sorted(entropies) and len(set(entropies)) > 1
    backwards = replace(
        trace, attention=replace(trace.attention, attention=trace.attention.attention[::-1, ::-1].copy())
    )
    drawn = draw(AttentionHeadsQuery(lang="en", sort="kind"), backwards)
    assert order(drawn) == [(2, 3), (2, 2), (2, 1), (1, 3), (1, 2), (1, 1)]
    assert column(drawn, "kind") == list(KINDS)
    captions = [note["text"] for note in drawn.plot.layout["annotations"] if note.get("name") == "caption"]
    assert captions == ["2·3 previous 75%", "2·2 next 82%", "2·1 itself 75%", "1·3 first 72%", "1·2 broad", "1·1 mixed"]


def test_two_sentences_in_one_model_keep_the_places_of_the_heads(trace):
    turned = replace(trace, attention=replace(trace.attention, attention=trace.attention.attention[:, ::-1].copy()))
    drawn = draw(AttentionHeadsQuery(lang="en", text="a b c", vs="c b a", sort="entropy"), trace, turned)
    assert order(drawn)[:6] == order(drawn)[6:]
    assert drawn.summary[-1].text("en") == "2 of 6 heads are of the same kind both times."  # the middle ones
    assert drawn.summary[0].text("en").startswith("6 heads, in both sentences: 1\u00a0×\u00a0previous")


def test_one_sentence_says_how_many_of_which_kind_and_the_clearest(trace):
    said = [message.text("en") for message in draw(AttentionHeadsQuery(lang="en"), trace).summary]
    kinds = ("previous word", "next word", "same word", "first token", "broad", "mixed")
    assert said[0].endswith(", ".join(f"1\u00a0×\u00a0{kind}" for kind in kinds) + ".")
    assert said[1] == "The clearest is layer 1, head 2: on average 82% of its attention goes to the next word."


def test_each_tile_leads_to_its_map_with_the_sentences(trace):
    drawn = draw(AttentionHeadsQuery(text="a b c", vs="c & a", theme="dark", sort="kind"), trace, trace)
    assert len(drawn.links) == 12
    for link, (layer, head) in zip(drawn.links, order(drawn), strict=True):
        address = link.query.address("/de/attention_map")
        assert parse_qs(urlsplit(address).query) == {
            "text": ["a b c"], "vs": ["c & a"], "theme": ["dark"], "layer": [str(layer)], "head": [str(head)],
            "special": ["shown"],
        }  # fmt: skip
    first, last = drawn.links[0], drawn.links[-1]
    assert first.axes == ("x", "y") and last.axes == ("x2", "y2")
    x0, y0, x1, y1 = first.box
    assert -0.5 < x0 < 0 < x1 < 0.5 and (x0 + x1) / 2 == 0 == (y0 + y1) / 2


def test_a_second_models_tiles_show_that_model_first(trace):
    query = AttentionHeadsQuery(lang="en", text="a", vs="b", model="encoder", vs_model="encoder-intent")
    drawn = draw(query, trace, replace(trace, model="encoder-intent"))
    assert len(drawn.summary) == 2  # which head is the same in two models nobody knows
    assert drawn.summary[0].text("en").startswith("Encoder (BERT, 4 × 4), first sentence: 6 heads, 1\u00a0×\u00a0prev")
    links = drawn.links
    assert (links[0].query.model, links[0].query.vs_model, links[0].query.text) == ("encoder", "encoder-intent", "a")
    assert (links[6].query.model, links[6].query.vs_model, links[6].query.text) == ("encoder-intent", "encoder", "b")


def test_the_links_are_in_the_page_without_scripts_and_in_the_json(client):
    page = client.get("/de/attention_heads?text=Hund+%26+Katze").text
    assert page.count('href="/de/attention_map?text=Hund+%26+Katze&amp;model=encoder&amp;layer=') == 16
    told = client.get("/en/attention_heads.json?text=Hund").json()
    assert len(told["figure"]["links"]) == 16 and len(told["figure"]["data"]) == 1
    assert client.get(told["figure"]["links"][5]["url"]).status_code == 200
    embed = client.get("/en/embed/attention_heads?text=Hund&scale=1.5").text
    assert 'href="/en/embed/attention_map?text=Hund&amp;model=encoder&amp;layer=1&amp;head=2' in embed
    assert "scale=1.5" in embed.split('data-box="')[1].split("href=")[1]


@pytest.mark.parametrize("text", ["a", "🙂", "Hund " * 254])
@pytest.mark.parametrize("sort", ["layer", "entropy", "kind"])
def test_any_input_gets_an_answer(client, text, sort):
    answer = client.get("/de/attention_heads", params={"text": text, "sort": sort})
    assert answer.status_code == 200 and 'class="figure-data"' in answer.text
