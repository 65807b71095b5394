"""Memory: the map holds the probes' probabilities, the curves their accuracy elsewhere, the sentence what is named."""

import base64

import numpy as np
import pytest

from app.messages import percent
from app.options import settled
from app.plotting.colours import ACCENT
from app.views.memory import MemoryQuery, figure
from models.run import perform


def drawn(**stated):
    query = MemoryQuery(**({"text": "Der Mann biss den Hund", "model": "lstm", "lang": "en"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


def values(trace, name):
    flat = np.frombuffer(base64.b64decode(trace[name]["bdata"]), np.float32)
    shape = trace[name].get("shape")
    return flat.reshape([int(size) for size in shape.split(",")]) if shape else flat


def test_the_map_is_what_the_probes_say():
    _, traces, found = drawn()
    assert np.array_equal(values(found.plot.data[0], "z"), traces[0].memory.remembered[:5], equal_nan=True)
    part, tokens = traces[0].memory, [token.text for token in traces[0].tokens]
    known = [tokens[5 - k] for k in range(1, 5) if part.named[k, 5]]
    said = found.summary[0].text("en")
    assert all(f"“{word}”" in said for word in known) and ("of 4" in said or "none of the 4" in said)


def test_the_curves_are_of_other_text():
    _, traces, found = drawn(show="curves")
    assert [trace.model for trace in traces] == ["rnn", "lstm", "gru"]
    for trace, curve in zip(traces, found.plot.data, strict=False):
        assert np.array_equal(values(curve, "y"), trace.memory.probe_accuracy)
    networks, guessing = found.summary
    assert all(f"{name} " in networks.text("en") for name in ("RNN", "LSTM", "GRU"))
    assert found.plot.data[3]["line"]["dash"] == "dot"
    shares = [percent("en", float(traces[0].memory.probe_baseline[step])) for step in (1, 4, 8)]
    assert "Without any memory" in guessing.text("en") and all(share in guessing.text("en") for share in shares)
    for trace in traces:  # a word back is remembered; what is named eight back, guessing names as well
        excess = trace.memory.probe_accuracy - trace.memory.probe_baseline
        assert excess[1] > 0.2 and abs(excess[8]) < 0.02


@pytest.mark.parametrize("text", ["weil", "👩‍🚀", "Der Hund " * 100])
def test_any_text_has_a_figure(text):
    _, _, found = drawn(text=text)
    assert found.summary and all("nan" not in sentence.text("de") for sentence in found.summary)


@pytest.mark.parametrize(("text", "key"), [("Hund", "short"), ("Der Hund", "only"), ("Der Hund bellt", "")])
def test_one_word_before_the_last_is_not_told_as_several(text, key):
    said = drawn(text=text)[2].summary[0].key.removeprefix("memory.summary").replace(".none", "")
    assert said.removeprefix(".") == key


def test_two_models_share_one_range():
    _, traces, found = drawn(vs_model="rnn")
    assert {trace["coloraxis"] for trace in found.plot.data} == {"coloraxis"} and len(found.summary) == 2
    assert [trace.model for trace in traces] == ["lstm", "rnn"]


def test_what_the_probes_name_after_the_last_word_is_framed():
    _, (trace,), found = drawn()
    framed = [shape for shape in found.plot.json()["layout"]["shapes"] if shape["line"]["color"] == ACCENT["light"]]
    last = len(trace.tokens) - 1
    right = [step for step, named in enumerate(trace.memory.named[:, last]) if step and named == 1]
    assert right and [(shape["y0"] + 0.5, shape["x0"] + 0.5) for shape in framed] == [(step, last) for step in right]
