"""Order: distances against the networks themselves; who is blind to the order, and that exactly."""

import base64
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import views
from app.views import order
from app.views.order import BASELINES, MODELS, OrderQuery, paired
from models import registry
from models.run import Run, perform

TEXT = "Der Mann biss den Hund"
PLACELESS = ("encoder", "no_positions")


def drawn(**stated):
    query = OrderQuery(**({"text": TEXT} | stated))
    traces = [perform(run) for run in query.runs()]
    return query, traces, views.catalogue()["order"].figure(query, traces)


def rows_of(**stated):
    figure = drawn(**stated)[2]
    columns = [column.removeprefix("column.") for column in figure.table.columns]
    return {(row[0], row[1]): dict(zip(columns, row, strict=True)) for row in figure.table.rows()}


def test_the_second_sentence_has_the_nouns_swapped_or_is_the_reversal():
    query, traces, found = drawn()
    assert {trace.text for trace in traces} == {TEXT, "Der Hund biss den Mann"}
    assert found.summary[0].text("de") == "Verglichen mit „Der Hund biss den Mann“ (Nomen getauscht)."
    nounless, _, told = drawn(text="Gestern war es kalt.")
    assert nounless.second == "kalt es war Gestern."
    assert told.summary[0].text("en") == "Compared with “kalt es war Gestern.” (the words in reverse)."
    assert "(" not in drawn(vs="Der Mann schläft")[2].summary[0].text("de")
    assert len(traces) == 2 * (len(MODELS) + 1) and query.runs()[0].model == "encoder"


def test_the_bag_is_exactly_blind_and_the_others_see():
    rows = rows_of(vs="Der Hund biss den Mann")
    assert rows["bag_of_words-intent", None]["apart"] == 0.0
    assert 0 <= rows[PLACELESS]["apart"] <= 1e-5
    for name in set(MODELS) - {"bag_of_words-intent"}:
        assert rows[name, None]["ratio"] > 0.05, name


def test_the_numbers_are_the_networks_own():
    rows = rows_of(vs="Der Hund biss den Mann")
    for name in ("rnn", "lstm", "gru", "decoder"):
        last = [np.asarray(registry.load(name).forward(text).states.hidden[-1])[-1]
                for text in (TEXT, "Der Hund biss den Mann")]  # fmt: skip
        assert rows[name, None]["apart"] == pytest.approx(float(np.linalg.norm(last[0] - last[1])), rel=1e-5)


def test_the_yardstick_is_the_median_of_unrelated_sentences():
    query, traces, _ = drawn()
    for pair in paired(query, traces):
        found = pair.first.sentence.unrelated
        assert len(found) == 200 and (found > 0).all()
        middle, low, high = pair.yardstick
        assert low <= middle <= high and middle == pytest.approx(float(np.median(found)))
        assert pair.ratio == pytest.approx(pair.distance / middle)


WORDS = st.lists(st.sampled_from("Der Mann Hund biss den Katze schläft heute nicht Tom 😀 lacht ,".split()), min_size=1,
                 max_size=12)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(WORDS, st.randoms(use_true_random=False))
def test_any_permutation_is_the_same_bag_and_the_same_to_an_encoder_without_positions(typed, dice):
    other = list(typed)
    dice.shuffle(other)
    query = OrderQuery(text=" ".join(typed), vs=" ".join(other))
    blind = [run for run in query.runs() if run.change or run.model == "bag_of_words-intent"]
    traces = [perform(run) for run in blind]
    pairs = {pair.first.model: pair for pair in paired(query, traces)}
    assert pairs["bag_of_words-intent"].distance == 0.0
    assert pairs["encoder"].distance <= 1e-5


def test_the_window_cuts_and_pads():
    words = random.Random(3).choices(["Hund", "Mann", "Haus", "Tom"], k=20)
    same = [*words[:16], *words[:15:-1]]
    rows = rows_of(text=" ".join(words), vs=" ".join(same))
    assert rows["feed_forward-intent", None]["apart"] == 0.0
    assert "schneidet 4 ab" in " ".join(message.text("de") for message in drawn(text=" ".join(words))[2].summary)
    assert "11 von 16" in " ".join(message.text("de") for message in drawn()[2].summary)
    two = drawn(vs="Der Mann biss den großen Hund")[2].summary
    assert [message.text("de") for message in two if "Fenster" in message.text("de")][0].endswith("im zweiten.")
    assert sum("Fenster" in message.text("de") for message in two) == 1


def test_word_vectors_do_not_move_and_states_do():
    figure = drawn(vs="Der Hund biss den Mann", show="each_word")[2]
    texts = figure.plot.data[0]["text"]
    assert all(set(row) == {"0,00"} for row in texts[: len(BASELINES)])
    assert all(float(cell.replace(",", ".")) > 0 for cell in texts[2][1:])


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("show", ["sentences", "each_word"])
@pytest.mark.parametrize("second", [None, "Es regnet.", TEXT, "Hund"])
def test_pages(client, lang, show, second):
    pair = "" if second is None else f"&vs={second}"
    assert client.get(f"/{lang}/order?text={TEXT}&show={show}{pair}").status_code == 200


def test_the_same_sentence_twice_is_nowhere_apart():
    assert all(row["apart"] == 0 for row in rows_of(vs=TEXT).values())


def test_the_spread_of_unrelated_sentences_is_the_ground_behind_each_bar():
    query, traces, figure = drawn()
    pairs = paired(query, traces)
    for theme in ("light", "dark"):
        grounds = figure.plot.json(theme)["layout"]["shapes"]
        assert [(ground["x0"] + ground["x1"]) / 2 for ground in grounds] == pytest.approx(range(len(pairs)))
        for ground, pair in zip(grounds, pairs, strict=True):
            unrelated = pair.first.sentence.unrelated
            found = np.quantile(unrelated, (0.025, 0.975)) / np.median(unrelated)
            assert (ground["y0"], ground["y1"]) == pytest.approx(tuple(found), rel=1e-5) and ground["layer"] == "below"
        assert figure.plot.layout["yaxis"]["range"][1] > max(ground["y1"] for ground in grounds)


def test_what_the_window_cuts_is_named_and_grey():
    words = "eins zwei drei vier fünf sechs sieben acht neun zehn der die das und oder Hund Katze Mann"
    tokens = perform(Run("feed_forward-intent", words)).tokens
    _, _, figure = drawn(text=words, vs=words, show="each_word", lang="de")
    told = " ".join(message.text("de") for message in figure.summary)
    cut = [token.text for token in tokens[16:]]
    assert len(cut) >= 2 and f"schneidet {len(cut)} ab" in told and all(f"„{word}“" in told for word in cut)
    values = np.frombuffer(base64.b64decode(figure.plot.data[0]["z"]["bdata"]), np.float32).reshape(8, len(tokens))
    assert np.isnan(values[1]).tolist() == [place >= 16 for place in range(len(tokens))]
    assert not np.isnan(np.delete(values, 1, axis=0)).any()


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize(
    ("second", "told"), [("Hund", ["cut", "padded"]), ("Mann " * 18, ["cut", "cut"]), ("Hund " * 18, ["cut"])]
)
def test_each_of_two_windows_is_told_where_they_differ(lang, second, told):
    _, _, figure = drawn(text="Hund " * 18, vs=second, lang=lang)
    windows = [message for message in figure.summary if message.key.endswith(("cut", "padded"))]
    assert [message.key.removeprefix("order.summary.") for message in windows] == told
    assert all(bool(message.values["sentence"]) == (len(told) == 2) for message in windows)


def test_a_network_is_told_as_blind_or_rounding_or_seeing_and_never_as_two_of_these():
    query, traces, figure = drawn(vs="Der Hund biss den Mann")
    values = {message.key.rpartition(".")[2]: message.values.get("networks") for message in figure.summary}
    told = [*values["exact"].split(", "), *values.get("rounded", "").split(", ")]
    told += [part.values["name"] for part in values["seeing"].parts]
    assert sorted(filter(None, told)) == sorted(pair.title for pair in paired(query, traces))


@pytest.mark.parametrize(("stated", "key"), [({"text": "Hund und Hund"}, "alone"), ({"vs": TEXT}, "same")])
def test_a_sentence_is_not_compared_with_itself(stated, key):
    assert drawn(**stated)[2].summary[0].key == f"order.summary.{key}"


def test_what_is_told_apart_is_not_written_as_nothing():
    assert [order.small("de", ratio) for ratio in (0.24, 0.005, 0.0049)] == ["0,24", "0,01", "4,9·10⁻³"]
