"""Four lanes: steps and reach are distances between states, and only the encoder looks back."""

import base64

import numpy as np
import pytest

from app.messages import translate
from app.options import settled
from app.plotting.colours import ACCENT
from app.views.four_lanes import FourLanesQuery, figure, reach, steps
from models import registry
from models.run import Change, perform

TEXT = "Der Mann, der sehr skeptisch ist und gestern spät gekommen ist, war da."


def drawn(**stated):
    query = FourLanesQuery(**({"text": TEXT, "lang": "en"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


def shown(trace):
    shape = [int(size) for size in trace["z"]["shape"].split(",")]
    return np.frombuffer(base64.b64decode(trace["z"]["bdata"]), np.float32).reshape(shape)


def test_the_sceptical_man_is_erased_and_missed_at_the_verb():
    query, traces, found = drawn()
    tokens = [token.text for token in traces[0].tokens]
    assert (tokens[query.first], tokens[query.second]) == ("Mann", "war")
    assert [trace.model for trace in traces] == [name for name in ("rnn", "lstm", "gru", "encoder") for _ in range(2)]
    assert traces[1].change == str(Change("erased", query.first))
    framed = [shape for shape in found.plot.json()["layout"]["shapes"] if shape["line"]["color"] == ACCENT["light"]]
    assert [(one["xref"], one["y0"], one["y1"], one["x0"]) for one in framed] == [("x2", -0.5, 3.5, query.second - 0.5)]
    moved, felt = map(shown, found.plot.data)
    hidden = np.asarray(registry.load("gru").forward(TEXT).states.hidden)[-1]
    sizes = np.sqrt(((hidden[1:] - hidden[:-1]) ** 2).sum(1))
    assert moved[2, 1 : len(tokens)] == pytest.approx(sizes / sizes.max(), abs=1e-4)
    ours, theirs = (np.asarray(trace.states.hidden)[-1, query.second] for trace in traces[2:4])
    expected = np.linalg.norm(ours - theirs) / (np.linalg.norm(ours) + np.linalg.norm(theirs))
    assert felt[1, query.second] == pytest.approx(expected, abs=1e-6)
    assert f"LSTM {100 * expected:.0f}%" in found.summary[0].text("en").replace("\u202f", "")
    named = [label.replace("\u202f", "") for label in found.plot.layout["yaxis2"]["ticktext"]]
    assert (
        named[1] == f"<b>LSTM {100 * expected:.0f}%</b>" and found.plot.layout["yaxis"]["ticktext"][1] == "<b>LSTM</b>"
    )
    assert np.nanmax(felt[:3, : query.first]) < 1e-5 < np.nanmax(felt[3, : query.first])
    assert "Encoder" in found.summary[1].text("en")


def test_lanes_of_two_sentences_share_one_range_and_have_a_difference():
    query, traces, found = drawn(text="Der Mann biss den Hund", vs="Hund den biss Mann Der")
    assert len(found.plot.data) == 6 and len(traces) == 16
    assert [trace["coloraxis"] for trace in found.plot.data] == 2 * ["coloraxis", "coloraxis", "coloraxis2"]
    assert [traces[place].text for place in found.token_runs] == [query.text, query.vs]
    assert "“Mann”" in found.summary[0].text("en")
    for first, second, change in (map(shown, found.plot.data[:3]), map(shown, found.plot.data[3:])):
        partners = [0, 5, 4, 3, 2, 1, 6]  # [CLS] Der Mann biss den Hund [SEP]
        np.testing.assert_allclose(change, second[:, partners] - first, atol=1e-7)
        assert np.isnan(change[:3, 6]).all() and np.isfinite(change[3]).all()


@pytest.mark.parametrize(("align", "place", "word"), [("word", 5, "Mann"), ("position", 2, "Hund")])
@pytest.mark.parametrize("first", [None, 2])
def test_in_the_second_sentence_the_partner_is_erased_and_named(first, align, place, word):
    query, traces, found = drawn(text="Der Mann biss den Hund", vs="Der Hund biss den Mann", align=align, first=first)
    assert {trace.change for trace in traces[9::2]} == {str(Change("erased", place))}
    titles = [note["text"] for note in found.plot.layout["annotations"]]
    assert titles[4] == f"Effect when “{word}” is missing"
    felt = shown(found.plot.data[4])
    assert np.nanmax(felt[:3, :place]) < 1e-5 < np.nanmin(felt[:3, place])
    assert f"Without “{word}”" in found.summary[2].text("en")


def test_what_holds_of_both_sentences_is_said_once():
    *_, found = drawn(text="Der Mann biss den Hund", vs="Der Hund biss den Mann")
    assert [message.key for message in found.summary] == [
        "four_lanes.summary", "four_lanes.summary.backwards", "four_lanes.summary.earlier",
    ]  # fmt: skip
    told = [message.text("en") for message in found.summary]
    assert told[0].startswith("First sentence: Without “Mann”") and told[2].startswith(
        "Second sentence: Without “Mann”"
    )
    assert drawn()[2].summary[0].text("en").startswith("Without “Mann”")


def test_of_a_word_before_the_erased_one_its_place_is_told():
    *_, found = drawn(text="Der Mann biss den Hund", vs="Der Hund biss den Mann", lang="de")
    assert "bei „Hund“: RNN" in found.summary[0].text("de")
    assert "bei „Hund“, das davor steht: RNN 0" in found.summary[2].text("de")


@pytest.mark.parametrize("text", ["weil", "!", "👩‍🚀", "Der Hund " * 100])
def test_any_text_has_a_word_to_erase(text):
    _, traces, found = drawn(text=text)
    assert all(np.isfinite(steps(trace)).all() for trace in traces)
    assert 0 <= reach(*traces[:2]).min() and reach(*traces[:2]).max() <= 1
    assert found.summary


def test_a_place_beyond_the_second_sentence_becomes_its_own_default():
    _, traces, found = drawn(first=12, second=14, vs="Der Mann kam")
    assert traces[9].change == str(Change("erased", 2))
    assert len(found.summary) == 3


def test_that_nothing_before_changes_is_said_only_where_there_is_something_before():
    keys = [[message.key for message in drawn(model="gru", first=place)[2].summary] for place in (1, 2)]
    assert keys == [["four_lanes.summary"], ["four_lanes.summary", "four_lanes.summary.forwards"]]


@pytest.mark.parametrize("view", ["four_lanes", "order", "entities"])
def test_no_lead_counts_networks_since_fewer_may_be_chosen(view):
    told = [translate(lang, f"{view}.lead").lower().split() for lang in ("de", "en")]
    assert not {"vier", "vieren", "acht", "four", "eight"} & {word for words in told for word in words}


def test_one_other_lane_is_not_the_others():
    *_, found = drawn(text="Der Mann biss den Hund", model="rnn", vs_model="encoder")
    assert found.summary[1].text("en").endswith("The other lane reads from left to right only.")
