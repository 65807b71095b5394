"""Loss per step: the bars are the model's own losses, the line their sum, and a wipe is a run of its own."""

import base64

import numpy as np
import pytest
import torch

from app.options import settled
from app.plotting.colours import SERIES
from app.render import checked
from app.views.loss_per_step import LossPerStepQuery, figure
from models import registry
from models.run import Change, perform

TEXT = "Der Mann biss den Hund"


def drawn(**stated):
    query = LossPerStepQuery(**({"text": TEXT, "model": "lstm", "lang": "en"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


def values(trace):
    return np.frombuffer(base64.b64decode(trace["y"]["bdata"]), np.float32)


@pytest.mark.parametrize(("unit", "base"), [("bits", 2), ("nats", np.e)])
def test_bars_are_the_cross_entropy_of_the_whole_network(unit, base):
    _, traces, found = drawn(unit=unit)
    loaded = registry.load("lstm")
    ids = torch.tensor([token.id for token in traces[0].tokens])
    with torch.inference_mode():
        logits = loaded.network.logits(loaded.network(ids[None]))[0]
        expected = torch.nn.functional.cross_entropy(logits[:-1], ids[1:], reduction="none").numpy() / np.log(base)
    bars, line = found.plot.data
    assert values(bars)[1:] == pytest.approx(expected, abs=1e-4)
    assert values(line)[1:] == pytest.approx(np.cumsum(expected), abs=1e-3)
    assert np.isnan(values(bars)[0]) and line["yaxis"] == "y2"
    assert bars["text"] == ["", *(f"{loss:.1f}" for loss in values(bars)[1:])]
    assert not any(bar.get("text") for bar in drawn(vs="Der Hund")[2].plot.data)


def test_a_wiped_memory_is_drawn_beside_the_whole_one():
    query, traces, found = drawn(reset=2)
    assert query.runs()[1].change == Change("reset_after", 2)
    whole, wiped = values(found.plot.data[0]), values(found.plot.data[2])
    assert wiped[1:4] == pytest.approx(whole[1:4], abs=1e-4) and wiped[4] != pytest.approx(whole[4], abs=1e-2)
    cost = np.nansum(wiped) - np.nansum(whole)
    said = found.summary[1].text("en")
    assert f"{abs(cost):.2f}" in said and ("more" in said) == (cost > 0)
    assert found.token_runs == [0] and {row[2] for row in found.table.rows()} == {None, "reset_after(2)"}


def test_the_sum_of_one_run_is_seen_before_its_bars():
    bars, line = drawn()[2].plot.data
    assert (bars["marker"]["color"], line["line"]["color"]) == SERIES[:2]  # blue, orange


def test_two_sums_differ_without_their_colours():
    first, second = drawn(vs="Hund den biss Mann Der")[2].plot.data[1::2]
    assert first["line"]["dash"] != second["line"]["dash"]


def test_two_sentences_and_a_wipe_are_four_runs():
    _, traces, found = drawn(reset=2, vs="Hund den biss Mann Der")
    assert [trace.change for trace in traces] == [None, "reset_after(2)"] * 2
    assert found.token_runs == [0, 2] and len(found.summary) == 4
    assert "first" in found.summary[0].text("en") and "Second" in found.summary[2].text("en")
    assert all("expected" not in message.text("en") for message in found.summary)
    assert found.plot.layout["xaxis"]["ticktext"][1] == "<b>Der</b><br>Hund"
    bars, sums = found.plot.data[::2], found.plot.data[1::2]
    assert not {bar["marker"]["color"] for bar in bars} & {line["line"]["color"] for line in sums}
    assert len({(line["line"]["color"], line["line"]["dash"]) for line in sums}) == len(bars) == 4
    assert [bar["name"] for bar in bars] == ["Sentence 1", "Sentence 1, wiped", "Sentence 2", "Sentence 2, wiped"]


def test_the_unit_does_not_decide_what_counts_as_a_difference():
    text = "Ich sitze auf der Bank am Fluss."
    told = [drawn(text=text, model="rnn", reset=2, unit=unit)[2].summary[1].key for unit in ("bits", "nats")]
    assert told[0] == told[1]


def test_hover_tells_what_was_expected():
    _, traces, found = drawn(lang="de")
    prediction = traces[0].prediction
    said = found.plot.data[0]["hovertext"][3]
    assert "biss" in said and f"erwartet: „{prediction.words[2][0]}“ " in said and "<br>" in said


def test_a_transformer_has_no_memory_to_wipe():
    query = LossPerStepQuery(text=TEXT, model="decoder", reset=2)
    assert [run.change for run in query.runs()] == [None]


def test_the_sentence_follows_the_weights():
    _, _, lstm = drawn(model="lstm")
    _, _, rnn = drawn(model="rnn")
    assert lstm.summary[0].text("de") != rnn.summary[0].text("de").replace("RNN", "LSTM")


def test_two_models_are_named_and_wiped_only_where_they_are():
    names = [trace["name"] for trace in drawn(vs_model="rnn")[2].plot.data]
    assert names[0] == "LSTM" and not any("ipe" in name for name in names)
    assert any("memory wiped" in trace["name"] for trace in drawn(vs_model="rnn", reset=2)[2].plot.data)


@pytest.mark.parametrize("model", ["lstm", "decoder"])
def test_the_losses_are_those_of_the_function_that_the_page_names(model):
    _, (trace,), found = drawn(model=model)
    assert checked([trace], found, "de") == "direkt aus torch.log_softmax, nicht nachgerechnet"
    assert checked([trace], found, "en") == "straight from torch.log_softmax, not recomputed"
    assert np.array_equal(values(found.plot.data[0]), trace.prediction.loss / np.float32(np.log(2)), equal_nan=True)


def test_below_each_word_of_one_run_stands_what_was_expected():
    _, (trace,), found = drawn()
    ticks = found.plot.layout["xaxis"]["ticktext"]
    guesses = [guesses[0] for guesses in trace.prediction.words]
    assert [tick.split("<br>")[1] for tick in ticks[1:]] == guesses[: len(ticks) - 1]
    assert not found.plot.layout["showlegend"] and found.plot.layout["yaxis2"]["title"]["text"].startswith("dotted")


def test_what_was_likeliest_was_not_less_expected_than_itself():
    _, traces, found = drawn(text="Ich habe")
    worst = int(np.nanargmax(traces[0].prediction.loss))
    assert traces[0].prediction.words[worst - 1][0] == traces[0].tokens[worst].text == "Ich"
    assert "although it was the likeliest there" in found.summary[0].text("en")


def test_one_word_is_not_the_most_surprising():
    (message,) = drawn(text="Hund")[2].summary
    assert message.key == "loss_per_step.summary.one" and message.values["total"] == "16.6"
