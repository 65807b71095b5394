"""Faithfulness: rows are shares of what the methods give, sentences say numbers of this run, any text is answered."""

import base64
from functools import cache

import numpy as np
import pytest

from app import ablation
from app.options import settled
from app.views.faithfulness import FaithfulnessQuery, figure
from models import faithfulness
from models.run import Change, Run, perform

performed = cache(perform)  # the three pictures are of the same runs
TEXT = "Wie wird das Wetter morgen?"


def drawn(**stated):
    query = FaithfulnessQuery(**({"text": TEXT, "lang": "en", "model": "encoder-intent"} | stated))
    traces = [performed(run) for run in query.runs()]
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
    assert "weather" in said(found) and f"“{best}” (" in said(found)
    assert "erasure" in said(found).split(f"“{best}” (")[1].split(")")[0]
    assert "stays the same" in said(found) and "stays the same" not in said(drawn(vs="Spiel Musik")[2])  # two are long


def test_tau_stands_beside_the_median_of_many_sentences():
    _, traces, found = drawn(show="agreement")
    here, median = map(values, found.plot.data)
    assert here[:-1, :-1] == pytest.approx(faithfulness.agreement(traces[0]), abs=1e-6)
    assert np.isnan(here[-1]).all() and np.isnan(median[:, -1]).all()  # even attention has no order
    assert median[:-1, :-1] == pytest.approx(np.array(faithfulness.yardstick("encoder-intent")["median"]))
    tau, standard = here[4, 7], faithfulness.yardstick("encoder-intent")
    told = f"integrated gradients {tau:.2f} (elsewhere mostly {standard['lower'][4][7]:.2f} to "
    assert f"{told}{standard['upper'][4][7]:.2f})".replace("-", "−") in said(found)


def test_each_head_off_is_a_cell():
    _, traces, found = drawn(show="heads", text="Der Mann biss den Hund")
    worth, own = traces[0].attribution, traces[0].classification.class_probabilities
    assert worth.outcomes == pytest.approx(own, abs=1e-6)
    expected = 100 * (worth.head_off[..., worth.chosen] - own[worth.chosen])
    assert values(found.plot.data[0]) == pytest.approx(expected, abs=1e-4)
    layer, head = np.unravel_index(np.abs(expected).argmax(), expected.shape)
    assert f"layer {layer + 1}, head {head + 1}" in said(found)
    turned = int((worth.head_off.argmax(-1) != worth.chosen).sum())
    assert not turned and "none of the 16 heads changes the answer" in said(found)
    assert len(found.links) == 16 and found.links[6].query.head == 3 and found.links[6].query.layer == 2


def test_one_head_off_is_the_prediction_of_a_run_with_that_change():
    query, traces, found = drawn(show="heads", head=2, layer=3, text="Der Mann biss den Hund")
    after = perform(Run("encoder-intent", query.text, change=Change("head_off", 2, head=1))).classification
    before = traces[0].classification
    rows = list(found.table.rows())
    assert 2 <= len(rows) <= 8
    for _, _, layer, head, _, own, changed in rows:
        assert (layer, head) == (3, 2)
        place = int(np.abs(before.class_probabilities - own).argmin())
        assert own == pytest.approx(before.class_probabilities[place], abs=1e-5)
        assert changed == pytest.approx(after.class_probabilities[place], abs=1e-5)
    best = int(before.class_probabilities.argmax())
    turned = int(after.class_probabilities.argmax()) != best
    assert ("turns" in said(found)) is turned and f"{100 * after.class_probabilities[best]:.0f}%" in said(found)
    _, _, pair = drawn(show="heads", head=2, layer=3, vs="Spiel Musik")
    assert [values(panel).shape[0] for panel in pair.plot.data] == [2, 2]
    first = [row[5:] for row in pair.table.rows() if row[1] == 1]
    assert values(pair.plot.data[0]) == pytest.approx(np.array(first).T, abs=1e-6)


@pytest.mark.parametrize(
    ("model", "text", "told"),
    [
        ("encoder-entities", "Gestern traf Angela Merkel ihn.", "the label “B-PER (person)”"),
        ("encoder", "Der Mann biss den Hund", "“den” is hidden by [MASK]"),
        ("decoder", "Der Hund ist", "The decoder expects “"),
        ("encoder@500", "Der Mann biss den Hund", "is hidden by [MASK]"),
    ],
)
def test_each_model_is_asked_what_it_has_learned(model, text, told):
    query, (trace,), found = drawn(model=model, text=text)
    assert told in said(found)
    best = trace.attribution.outcomes[trace.attribution.chosen]
    assert f"({100 * best:.0f}%)" in said(found) or "(> 99%)" in said(found)
    own = faithfulness.weights(trace)
    assert values(found.plot.data[0]) == pytest.approx(own / np.abs(own).sum(1, keepdims=True), abs=1e-6)
    assert query.asked == trace.attribution.place
    if model == "encoder":
        assert "hidden: “den”" in found.plot.layout["annotations"][0]["text"]
        assert len(found.plot.layout["xaxis"]["ticktext"]) == 4  # the hidden word is none that could count


def test_another_word_can_be_asked_about():
    query, (trace,), found = drawn(model="encoder", text="Der Mann biss den Hund", asked=2)
    assert trace.attribution.place == 2 and "“Mann” is hidden" in said(found)
    own, beyond = (drawn(model="encoder-entities", text="Der Hund", asked=place) for place in (None, 7))
    assert beyond[0].asked == own[0].asked and (values(beyond[2].plot.data[0]) == values(own[2].plot.data[0])).all()
    query, traces, _ = drawn(model="encoder", text="Der Mann biss den Hund", asked=5, vs="Der Hund")
    assert [trace.attribution.place for trace in traces] == [5, 1]


def test_two_models_have_a_yardstick_each():
    _, traces, found = drawn(vs_model="encoder", show="agreement", text="Angela Merkel wohnt in Berlin.")
    titles = [note["text"] for note in found.plot.layout["annotations"]]
    assert len(titles) == 4 and titles[0] != titles[1] and said(found).count("other sentences") == 2
    assert values(found.plot.data[1])[:-1, :-1] == pytest.approx(faithfulness.agreement(traces[1]), abs=1e-6)
    elsewhere = drawn(model="encoder-entities", vs_model="encoder-intent", text="Der Hund")[2].summary[-2:]
    key = "faithfulness.summary.even_elsewhere"
    assert [message.key for message in elsewhere] == [f"{key}.names", key]


@pytest.mark.parametrize("model", ["encoder-intent", "encoder-entities", "encoder", "decoder"])
@pytest.mark.parametrize("show", ["words", "agreement", "heads"])
@pytest.mark.parametrize("text", ["weil", "!", "👩‍🚀", "Der Hund " * 20])
def test_any_text_is_answered(text, show, model):
    _, _, found = drawn(text=text, show=show, model=model)
    assert "nan" not in said(found)
    assert len(list(found.table.rows())) == found.table.count > 0
    if text == "weil" and show == "agreement":
        assert "There is no τ here" in said(found)


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("show", ["words", "agreement", "heads", "heads&head=2&layer=4"])
def test_pages(client, lang, show):
    for more in ("", "&vs=Spiel+Musik", "&model=decoder&vs_model=encoder"):
        assert client.get(f"/{lang}/faithfulness?text=Der+Mann&show={show}{more}").status_code == 200


def test_a_head_that_is_not_there_is_told(client):
    for wrong in ("head=5", "head=1&layer=9"):
        answer = client.get(f"/en/faithfulness?text=Der+Mann&show=heads&{wrong}")
        assert answer.status_code == 422 and "1, 2, 3, 4" in answer.text


def test_a_change_is_never_told_as_none():
    query = FaithfulnessQuery(lang="en")
    assert ablation.told_apart(query, 0.9, 0.4) == ("90%", "40%")
    assert ablation.told_apart(query, 0.992, 0.9899) == ("99.2%", "99.0%")
    assert ablation.told_apart(query, 0.5, 0.5) == ("50%", "50%")


def test_one_word_has_no_ranking_and_methods_that_agree_are_not_told_apart():
    assert "nothing to rank here, only “Hund”" in said(drawn(text="Hund")[2])
    assert "Most important by all methods: “der₂”" in said(
        drawn(text="Der Hund und der Hund, der der Hund ist", model="encoder")[2]
    ).replace("der₃", "der₂")


def test_a_hidden_word_that_is_guessed_is_not_compared_with_itself():
    found = said(drawn(text="Hund Hund Hund Hund Hund", model="encoder")[2])
    assert "likeliest there is this very word (8%)" in found and "itself gets" not in found


def test_nearly_certain_is_not_written_as_certain():
    query = FaithfulnessQuery(lang="en")
    assert ablation.told_apart(query, 0.99962, 0.9994) == ("99.96%", "99.94%")
    assert ablation.told_apart(query, 0.999987, 0.99996) == ("99.999%", "99.996%")
