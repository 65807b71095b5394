"""Faithfulness: rows are shares of what the methods give, sentences say numbers of this run, any text is answered."""

import base64

import numpy as np
import pytest

from app.query import settled
from app.views.faithfulness import FaithfulnessQuery, figure
from models import faithfulness
from models.run import perform

TEXT = "Wie wird das Wetter morgen?"


def drawn(**stated):
    query = FaithfulnessQuery(**({"text": TEXT, "lang": "en", "model": "encoder-intent"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


def values(trace):
    shape = [int(size) for size in trace["z"]["shape"].split(",")]
    return np.frombuffer(base64.b64decode(trace["z"]["bdata"]), np.float32).reshape(shape)


def said(found):
    return " ".join(message.text("en") for message in found.summary)


def test_each_row_is_what_a_method_gives_divided_by_its_sum():
    _, traces, found = drawn()
    own = faithfulness.weights(traces[0])
    assert values(found.plot.data[0]) == pytest.approx(own / np.abs(own).sum(1, keepdims=True), abs=1e-6)
    best = [token.text for token in traces[0].tokens][1 + int(np.abs(own[-1]).argmax())]
    assert "weather" in said(found) and f"erasure: “{best}”" in said(found)


def test_tau_stands_beside_the_median_of_many_sentences():
    _, traces, found = drawn(show="agreement")
    here, median = map(values, found.plot.data)
    assert here[:-1, :-1] == pytest.approx(faithfulness.agreement(traces[0]), abs=1e-6)
    assert np.isnan(here[-1]).all() and np.isnan(median[:, -1]).all()  # even attention has no order
    assert median[:-1, :-1] == pytest.approx(np.array(faithfulness.yardstick("encoder-intent")["median"]))
    tau = here[4, 7]
    assert f"integrated gradients {tau:.2f}".replace("-", "−") in said(found)


def test_each_head_off_is_a_cell():
    _, traces, found = drawn(show="heads", text="Der Mann biss den Hund")
    worth, own = traces[0].attribution, traces[0].classification.class_probabilities
    expected = 100 * (worth.head_off[..., worth.chosen] - own[worth.chosen])
    assert values(found.plot.data[0]) == pytest.approx(expected, abs=1e-4)
    layer, head = np.unravel_index(np.abs(expected).argmax(), expected.shape)
    assert f"layer {layer + 1}, head {head + 1}" in said(found)
    turned = int((worth.head_off.argmax(-1) != worth.chosen).sum())
    assert f"{turned} of the 16" in said(found)


@pytest.mark.parametrize("show", ["words", "agreement", "heads"])
@pytest.mark.parametrize("text", ["weil", "!", "👩‍🚀", "Der Hund " * 50])
def test_any_text_is_answered(text, show):
    _, _, found = drawn(text=text, show=show)
    assert "nan" not in said(found)
    assert len(list(found.table.rows())) == found.table.count
    if text == "weil" and show == "agreement":
        assert "no order" in said(found)


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("show", ["words", "agreement", "heads"])
def test_pages(client, lang, show):
    for more in ("", "&vs=Spiel+Musik"):
        assert client.get(f"/{lang}/faithfulness?text=Der+Mann&show={show}{more}").status_code == 200
