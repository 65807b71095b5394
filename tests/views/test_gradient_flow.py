"""Gradient flow: the curves are the norms, the bound stands where it holds, sentences follow the numbers."""

import base64

import numpy as np
import pytest

from app.messages import power
from app.options import settled
from app.query import LONG_TEXT, QueryError
from app.views.gradient_flow import LONGEST, GradientFlowQuery, bound, figure, norms, run_title
from models.run import Change, perform
from models.tokenizer import tokenize

TEXT = "Der Mann biss den Hund"


def drawn(**stated):
    query = GradientFlowQuery(**({"text": TEXT, "lang": "en"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


def values(trace, name="y"):
    flat = np.frombuffer(base64.b64decode(trace[name]["bdata"]), np.float32)
    shape = trace[name].get("shape")
    return flat.reshape([int(size) for size in shape.split(",")]) if shape else flat


def test_three_networks_and_the_cell_in_one_figure():
    query, traces, found = drawn()
    names = [trace["name"] for trace in found.plot.data]
    assert names[:2] == ["RNN", "LSTM"] and "c" in names[2] and names[3] == "GRU"
    assert values(found.plot.data[0])[:-1] == pytest.approx(traces[0].gradient.gradient_last[1, :-1])
    assert values(found.plot.data[2])[:-1] == pytest.approx(traces[1].gradient.cell_gradient_last[1, :-1])
    assert found.plot.layout["yaxis"]["type"] == "log"
    ratio = traces[1].gradient.gradient_last[1, 1] / traces[1].gradient.gradient_last[1, 4]
    told = "".join(sentence.text("en") for sentence in found.summary)
    assert f"LSTM {power('en', float(ratio))};" in told and told.count("“Der”") == 1


def test_the_bound_stands_only_where_it_holds():
    query, traces, found = drawn()
    limit, sizes = bound(query, traces[0]), traces[0].gradient
    assert (sizes.gradient_last[1, :5] <= limit[:5] * (1 + 1e-5)).all()
    assert [trace["line"]["dash"] for trace in found.plot.data if "line" in trace].count("dot") == 1
    for other in ({"source": "sum"}, {"layer": 1}):
        query, traces, _ = drawn(**other)
        assert bound(query, traces[0]) is None
    assert bound(drawn()[0], drawn()[1][1]) is None  # the LSTM


def test_sigma_is_for_the_rnn_alone():
    query, traces, found = drawn(sigma=1.5, weights="initial")
    assert [trace.change for trace in traces] == ["spectral_norm(1.5)", "initial_weights(1)", "initial_weights(1)"]
    assert "σ = 1.50" in found.summary[0].text("en")


def test_what_would_change_nothing_is_not_offered():
    def idle(**stated):
        return set(GradientFlowQuery(text=TEXT, **stated).idle())

    assert idle() == {"align", "of", "seed"} and idle(weights="initial") == {"align", "of"}
    assert idle(show="map") == {"align", "sigma", "seed"}
    assert idle(show="map", of="rnn", sigma=2, weights="initial") == {"align", "weights", "seed"}
    assert idle(model="lstm") == {"align", "of", "sigma", "seed"} == idle(model="lstm", repeat=64)


def test_a_map_is_relative_to_each_rows_largest_value():
    query, traces, found = drawn(show="map", of="gru")
    shown = values(found.plot.data[0], "z")
    raw = traces[0].gradient.gradient_map[1]
    assert shown[4, :4] == pytest.approx(raw[4, :4] / raw[4].max(), rel=1e-5)
    assert np.isnan(shown[np.triu_indices(6)]).all()


def test_a_sentence_can_be_repeated_until_it_is_too_long():
    query, traces, _ = drawn(repeat=3)
    assert len(traces[0].tokens) == 16
    assert query.runs()[0].change is None
    with pytest.raises(QueryError) as error:
        GradientFlowQuery(text=TEXT, repeat=60).runs()
    assert error.value.fix == {"repeat": 51} and "51" in error.value.message.text("de")
    assert len(tokenize(GradientFlowQuery(text=TEXT, repeat=51).runs()[0].text, 300)) == LONGEST
    with pytest.raises(QueryError) as error:
        GradientFlowQuery(text="Der Hund ist da", repeat=64).runs()  # one token too long
    assert error.value.fix == {"repeat": 63}


@pytest.mark.parametrize("text", ["weil", "👩‍🚀", "Der Hund " * 100])
@pytest.mark.parametrize("show", ["curves", "map"])
def test_any_text_has_a_figure(text, show):
    _, _, found = drawn(text=text, show=show)
    assert all("nan" not in sentence.text("de") for sentence in found.summary)


def test_two_sentences_share_the_axis():
    query, traces, found = drawn(vs="Den Hund biss der große Mann")
    assert len(traces) == 6 and len(found.token_runs) == 2 and len(found.summary) == 2
    axis = found.plot.layout["xaxis"]["ticktext"]
    assert "Der" in axis[1] and "Den" in axis[1] and axis[6].startswith("<b></b>")
    for own, message in zip((traces[:3], traces[3:]), found.summary, strict=True):
        factors = [float(norms(query, trace)[1] / norms(query, trace)[-2]) for trace in own]
        assert [part.values["value"] for part in message.values["factors"].parts] == [power("en", f) for f in factors]
    dashes = [trace["line"]["dash"] for trace in found.plot.data[:8]]
    assert dashes == ["solid"] * 4 + ["dash"] * 4


def test_a_sentence_beside_itself_is_drawn_once():
    query, traces, found = drawn(vs=TEXT)
    assert [trace.model for trace in traces] == ["rnn", "lstm", "gru"]
    assert len(found.plot.data) == len(drawn()[2].plot.data)
    assert found.summary[0].text("en").count("RNN") == 1


def test_most_and_least_are_those_of_the_factors():
    for stated in ({}, {"text": LONG_TEXT}, {"text": LONG_TEXT, "weights": "initial"}, {"sigma": 0.3}):
        query, traces, found = drawn(**stated)
        factors = {run_title(query, trace, [trace.text]): norms(query, trace)[1] / norms(query, trace)[-2]
                   for trace in traces}  # fmt: skip
        most, least = max(factors, key=factors.get), min(factors, key=factors.get)
        assert found.summary[1].text("en") == f"In proportion, most arrives in the {most}, least in the {least}."
    assert len(drawn(model="lstm")[2].summary) == 1


def test_the_sentence_follows_the_weights():
    plain, scaled = drawn()[2].summary[0].text("de"), drawn(sigma=0.3)[2].summary[0].text("de")
    assert plain.split(":")[1] != scaled.split(":")[1]
    assert str(Change("spectral_norm", amount=0.3)) == "spectral_norm(0.3)"


def test_curves_are_named_where_they_begin_and_two_sentences_in_a_legend():
    plot = drawn()[2].plot
    named = {trace["name"]: trace for trace in plot.data if trace.get("meta", {}).get("label")}
    assert set(named) == {trace["name"] for trace in plot.data} and not plot.layout["showlegend"]
    assert {tuple(trace["textposition"]) for trace in named.values()} == {("middle left",)}
    assert plot.layout["xaxis"]["range"][0] < plot.layout["meta"]["unnamed"][0] == -0.5
    two = drawn(vs="Der Hund biss den Mann")[2].plot
    assert two.layout["showlegend"] and two.layout["xaxis"]["range"][0] == -0.5


def test_two_signs_and_cls_are_no_way_back():
    _, traces, found = drawn(text="?!")
    assert len(traces[0].tokens) == 3 and "three typed tokens" in found.summary[0].text("en")


@pytest.mark.parametrize(("text", "clear"), [("Der Mann biss den Hund", False), ("Hund bellt", True)])
def test_networks_are_ranked_only_where_their_numbers_differ_as_they_stand_there(text, clear):
    _, _, found = drawn(text=text, weights="initial", sigma=2)
    numbers = [part.values["value"] for part in found.summary[0].values["factors"].parts]
    assert (len(set(numbers)) == 3) == clear == (found.summary[-1].key == "gradient_flow.summary.ranked")
