"""Party: the lecture's shares from its scores and temperature, mixtures, and a real head's numbers unchanged."""

import base64
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.address import read
from app.controls import offered
from app.options import settled
from app.query import QueryError
from app.render import plain
from app.views.party import LEAST, MOST, VIEW, PartyQuery, figure, invented, natural, real, softmax
from models.run import Run, perform

TEXT, OTHER = "Der Mann biss den Hund", "Der Hund biss den Mann"
MATCHES = st.floats(LEAST, MOST)


def draw(query, *traces):
    return figure(settled(query, traces[0]) if traces else query, list(traces))


def told(query, *traces):
    return " ".join(message.text(query.lang) for message in draw(query, *traces).summary)


def plotted(trace):
    packed = trace["z" if trace["type"] == "heatmap" else "y"]
    return np.frombuffer(base64.b64decode(packed["bdata"]), np.float32)


def test_the_lecture_begins_with_its_own_shares():
    query = PartyQuery()
    scores = [query.match1, query.match2, query.match3]
    exponents = [math.exp(score / math.sqrt(64)) for score in scores]
    shares = [100 * exponent / sum(exponents) for exponent in exponents]
    assert [round(share) for share in shares] == [5, 80, 15]
    assert invented(query).weights * 100 == pytest.approx(shares, abs=1e-9)
    assert "Tierärztin 80\u202f%, Hundetrainer 15\u202f%, Steuerberater 5\u202f%" in told(query)
    assert "Vet 80%, Dog trainer 15%, Tax adviser 5%" in told(query.changed(lang="en"))


def test_the_mixture_is_what_the_guests_say_by_their_shares():
    party = invented(PartyQuery())
    by_hand = [sum(a * v for a, v in zip(party.weights, column, strict=True)) for column in party.said.T.tolist()]
    assert party.mixture == pytest.approx(by_hand, abs=1e-9)
    assert party.said.sum(1) == pytest.approx(1) and party.mixture.sum() == pytest.approx(1)
    assert "Katzen 74\u202f%, Hunde 21\u202f%, Steuern 5\u202f%" in told(PartyQuery())
    plot = draw(PartyQuery()).plot
    assert [trace["type"] for trace in plot.data] == ["heatmap", "heatmap", "bar", "heatmap", "heatmap"]
    for trace, part in zip(plot.data, [party.matches, party.divided, party.weights, party.said.T, party.mixture],
                           strict=True):  # fmt: skip
        assert np.abs(plotted(trace) - np.ravel(part)).max() <= 1e-6
    assert list(plot.data[2]["text"]) == ["5\u202f%", "80\u202f%", "15\u202f%"]


@given(MATCHES, MATCHES, MATCHES, st.floats(0.5, 32))
def test_any_sliders_give_shares(first, second, third, temperature):
    query = PartyQuery(match1=first, match2=second, match3=third, temperature=temperature)
    party = invented(query)
    assert party.weights.sum() == pytest.approx(1) and (party.weights >= 0).all()
    ratio = math.exp((first - third) / temperature)
    assert party.weights[0] == pytest.approx(party.weights[2] * ratio, rel=1e-6)
    assert draw(query).plot.data


def test_cold_is_the_best_alone_and_hot_is_all_alike():
    cold, usual, hot = (invented(PartyQuery(temperature=t)).weights for t in (0.5, None, 32))
    assert cold[1] > 0.999 and cold.max() > usual.max() > hot.max() > 1 / 3
    assert "colder than 8:" in told(PartyQuery(lang="en", temperature=2))
    assert "hotter than 8:" in told(PartyQuery(lang="en", temperature=20))
    entropy = -(usual * np.log2(usual)).sum()
    assert f"as over {2**entropy:.1f} guests" in told(PartyQuery(lang="en"))


def test_softmax_gives_masked_guests_nothing():
    assert softmax(np.array([0.0, np.nan, math.log(3)])) == pytest.approx([0.25, 0, 0.75])
    assert softmax(np.array([1e4, 1e4])) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("model", ["encoder", "decoder", "translator"])
def test_a_real_party_is_the_heads_own_attention(model):
    trace = perform(Run(model, TEXT))
    query = settled(PartyQuery(guests="sentence", layer=2, head=3, looking=3), trace)
    party = real(query, trace, None)
    part = trace.attention
    assert np.array_equal(party.weights, part.attention[1, 2, 3])
    assert party.mixture == pytest.approx((part.attention[1, 2] @ part.values[1, 2])[3], abs=1e-6)
    assert party.temperature == natural(query, [trace]) == pytest.approx(part.keys.shape[-1] ** 0.5, rel=1e-6)
    stated = real(query.changed(temperature=party.temperature), trace, None)
    assert np.abs(stated.weights - party.weights).max() <= 1e-6
    assert np.array_equal(np.isnan(party.divided), part.attention[1, 2, 3] == 0)


def test_a_real_party_can_be_heated(make_attentive):
    trace = make_attentive("[CLS]", "a", "b", "c", causal=True)
    query = settled(PartyQuery(lang="en", guests="sentence", looking=2, temperature=5), trace)
    party = real(query, trace, None)
    raw = trace.attention.queries[-1, 0, 2] @ trace.attention.keys[-1, 0].T
    exponents = np.exp(raw[:3] / 5)
    assert party.weights == pytest.approx([*(exponents / exponents.sum()), 0], abs=1e-6)
    assert "hotter than 1.41:" in told(query, trace)
    added = trace.attention.scores + np.float32(0.5)
    biased = replace(trace, attention=replace(trace.attention, scores=added))
    assert real(query, biased, None).divided[:3] == pytest.approx(party.divided[:3] + 0.5, abs=1e-6)


def test_a_model_that_does_not_divide_says_so(make_attentive):
    trace = make_attentive("[CLS]", "a", "b")
    part = trace.attention
    scores = part.queries @ part.keys.swapaxes(-1, -2)
    other = replace(trace, attention=replace(part, scaling=np.ones(2, np.float32), scores=scores))
    assert "divides by 1, not by √d" in told(PartyQuery(lang="en", guests="sentence"), other)


def test_runs_only_where_a_model_is_asked():
    text, other = Run("encoder", TEXT), Run("encoder", OTHER)
    asked = PartyQuery(model="encoder", text=TEXT)
    assert asked.runs() == [] and "model" in asked.idle()
    assert asked.changed(vs=OTHER).runs() == [text, other]
    assert asked.changed(vs_model="decoder").runs() == [text, Run("decoder", TEXT)]
    for guests in ("both", "sentence"):
        assert asked.changed(guests=guests).runs() == [text]
        assert asked.changed(guests=guests, vs=OTHER).runs() == [text, other]
    assert "match1" in asked.changed(guests="sentence").idle() and "match1" not in asked.changed(guests="both").idle()


def test_what_would_change_nothing_is_not_offered():
    alone, comparing = PartyQuery(), PartyQuery(vs=OTHER)
    assert alone.withheld() == {} and alone.completed() is alone
    assert comparing.withheld() == {"guests": ("invented",)} and comparing.completed().guests == "both"
    assert PartyQuery(vs=OTHER, guests="sentence").completed().guests == "sentence"
    for query, names in ((alone, ["invented", "both", "sentence"]), (comparing.completed(), ["both", "sentence"])):
        control = next(each for each in offered(VIEW, query, [], "/de/party") if each["name"] == "guests")
        assert [each["value"] for each in control["options"]] == names
        assert sum(each["selected"] for each in control["options"]) == 1


def test_two_models_are_told_apart_in_words_that_a_person_would_say():
    query = settled(
        PartyQuery(lang="de", model="encoder", vs_model="decoder", text=TEXT), perform(Run("encoder", TEXT))
    )
    found = draw(query, *(perform(run) for run in query.runs()))
    told = plain(found.summary, "de")
    assert "· Schicht 4 · Kopf 1: „" in told and "Wort, das schaut" not in told and "—" not in told


def test_invented_and_real_guests_side_by_side():
    query = PartyQuery(lang="en", model="encoder", guests="both", temperature=2)
    drawn = draw(query, perform(Run("encoder", OTHER)))
    assert [stack["columns"] for stack in drawn.plot.panels["stacks"]] == [3 + 1.5, 7 + 1.5]
    words = [entry for entry in drawn.plot.tokens if entry["run"] == 0]
    assert [entry["axis"] for entry in words] == ["x2"]  # the words above the figure are those of the only run
    assert {row[0] for row in drawn.table.rows()} == {None, "encoder"}
    assert drawn.layers == [3]
    titles = " ".join(note["text"] for note in drawn.plot.layout["annotations"])
    assert "temperature 2 instead of 8: colder" in titles and "temperature 6.93 = √48" in titles
    three = draw(query.changed(vs=TEXT), *(perform(Run("encoder", text)) for text in (OTHER, TEXT)))
    assert [entry["run"] for entry in three.plot.tokens] == [2, 0, 1]


def test_the_same_word_asks_in_both_sentences():
    first, second = perform(Run("encoder", TEXT)), perform(Run("encoder", "Hund den biss Mann Der gestern"))
    query = settled(PartyQuery(lang="en", model="encoder", guests="sentence", vs="x", looking=2), first)
    sentences = [message.text("en") for message in draw(query, first, second).summary]
    assert len(sentences) == 2 and all("“Mann” listens most to" in sentence for sentence in sentences)
    assert "first sentence: “Mann”" in sentences[0] and "Second sentence: “Mann”" in sentences[1]


def test_a_sentence_of_ones_own_is_told_that_invented_guests_do_not_hear_it():
    query, hint = PartyQuery(lang="en", text=OTHER), "no part in this yet"
    assert hint in told(query) and "“words of the sentence”" in told(query)
    assert hint not in told(PartyQuery(lang="en"))
    assert hint not in told(query.changed(guests="both", model="encoder"), perform(Run("encoder", OTHER)))


def test_the_table_has_every_number():
    drawn = draw(PartyQuery(match2=10))
    rows = list(drawn.table.rows())
    assert len(rows) == drawn.table.count == 3 * 3 + 9 + 3
    party = invented(PartyQuery(match2=10))
    assert [row[-1] for row in rows if row[4] == "shares"] == party.weights.tolist()
    assert [row[-1] for row in rows if row[4] == "mixture"] == party.mixture.tolist()
    assert all(len(row) == len(drawn.table.columns) for row in rows)
    brief = list(drawn.table.brief())
    assert [row[5] for row in brief] == party.weights.tolist() and len(brief[0]) == len(drawn.table.brief_columns)


@pytest.mark.parametrize("stated", [b"match2=31", b"match1=-11", b"temperature=0", b"temperature=nan", b"match3=x"])
def test_what_no_slider_can_be_is_told(stated):
    with pytest.raises(QueryError) as caught:
        read(PartyQuery, stated, "de")
    assert caught.value.status == 422 and caught.value.field == stated.split(b"=")[0].decode()


@pytest.mark.parametrize("text", ["Hund", "🐕", "<b>&amp;", "Hund " * 300])
def test_invented_guests_need_no_text(client, text):
    answer = client.get("/de/party", params={"text": text})
    assert answer.status_code == 200 and "Tierärztin 80" in answer.text
    data = client.get("/en/party.json", params={"text": text}).json()
    assert (data["runs"], data["tokens"], data["check"]) == ([], [], None)
    assert "No model computes here" in client.get("/en/party", params={"text": text}).text


def test_sliders_are_one_form_that_carries_everything_along(client):
    page = client.get("/de/party", params={"text": TEXT, "match2": 12.5, "theme": "dark"}).text
    form = page[page.index('<form class="number sliders"') :]
    form = form[: form.index("</form>")]
    assert form.count('type="range"') == 4
    assert 'name="match2" min="-10.0" max="30.0" step="0.5" value="12.5" data-usual="22.0"' in form
    assert '<output for="control-match2" aria-live="off">12,5</output>' in form
    assert '<output for="control-temperature" aria-live="off">8,0' in form
    assert f'name="text" value="{TEXT}"' in form and 'name="theme" value="dark"' in form
    assert '<noscript><button type="submit">Zeigen</button></noscript>' in form
    query = page[page.index('id="form-state"') : page.index('id="offers"')]
    assert 'name="match2" value="12.5"' in query  # what is typed next keeps it
    sentence = client.get("/de/party", params={"text": TEXT, "guests": "sentence"}).text
    assert sentence.count('type="range" name=') == 1 and 'data-usual="6.9"' in sentence


def test_every_form_is_there_without_a_run(client):
    for form in ("json", "csv", "svg", "pdf", "png", "html"):
        assert client.get(f"/de/party.{form}").status_code == 200, form
    assert "[Party, Satzblick](" in client.get("/de/slides/party").text
    assert "Prüfsumme" not in client.get("/de/party").text and "Prüfsumme" not in client.get("/de/embed/party").text
    assert "Prüfsumme" in client.get("/de/party", params={"guests": "both"}).text
