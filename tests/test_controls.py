"""Controls: every option that changes the picture, its choices as the run has them, each with its address."""

import pytest

from app import controls, views
from app.attended import AttentionMapQuery
from app.options import settled
from app.views.gates import GatesQuery

ATTENTION = views.catalogue()["attention_map"]
GATES = views.catalogue()["gates"]


@pytest.fixture
def attention(make_attentive):
    """A settled query of the attention map and its run."""
    trace = make_attentive("[CLS]", "Der", "Hund", "[SEP]")
    return settled(AttentionMapQuery(text=trace.text, model="encoder"), trace), [trace]


def offered(view, query, traces):
    return {control["name"]: control for control in controls.offered(view, query, traces, f"/de/{view.name}")}


def test_controls_offer_what_the_run_has_and_lead_there(attention):
    query, traces = attention
    found = offered(ATTENTION, query, traces)
    assert list(found) == ["model", "vs_model", "show", "layer", "head", "stage", "special"]
    layers = found["layer"]["options"]
    assert [option["value"] for option in layers] == [1, 2]
    assert [option["selected"] for option in layers] == [False, True]
    assert "layer=1" in layers[0]["url"] and layers[0]["url"].startswith("/de/attention_map?text=")
    assert [option["value"] for option in found["head"]["options"]] == ["mean", 1, 2, 3]
    assert found["head"]["options"][0]["label"] == "Mittel"


def test_matching_is_offered_only_where_two_sentences_are_compared(attention):
    query, traces = attention
    assert "align" in offered(ATTENTION, query.changed(vs="Hund"), traces)


def test_models_are_offered_where_there_are_several_and_start_anew(make_recurrent):
    trace = make_recurrent(model="lstm")
    found = offered(GATES, settled(GatesQuery(model="lstm", gate="output", layer=1), trace), [trace])
    assert [option["value"] for option in found["model"]["options"]] == GATES.models
    assert GATES.models[:2] == ["lstm", "gru"]
    assert [option["value"] for option in found["vs_model"]["options"]] == ["", *GATES.models]
    other = found["model"]["options"][1]["url"]
    assert "model=gru" in other and "gate=" not in other and "layer=" not in other
    assert "vs_model" not in found["vs_model"]["options"][0]["url"]


def test_an_embed_keeps_its_frame_in_every_control(attention):
    query, traces = attention
    for control in controls.offered(ATTENTION, query, traces, "/de/embed/attention_map", {"bg": "transparent"}):
        assert all(option["url"].endswith("&bg=transparent") for option in control["options"])


def test_an_option_without_fixed_choices_is_a_field_that_carries_the_rest_along():
    view = views.catalogue()["next_word"]
    query = view.query(text="a & b", model="decoder", vs="Hund", temperature=0.5)
    found = {
        control["name"]: control for control in controls.offered(view, query, [], "/de/next_word", {"bg": "solid"})
    }
    field = found["temperature"]
    assert (field["kind"], field["value"], field["least"], field["most"]) == ("number", 0.5, 0.1, 3)
    assert (field["step"], found["k"]["step"]) == ("any", "1")
    assert field["range"] == "0,1–3"  # as one writes it in the page's language
    assert dict(field["hidden"]) == {"text": "a & b", "vs": "Hund", "model": "decoder", "bg": "solid"}


def test_what_changes_nothing_is_no_control(make_attentive):
    query, traces = AttentionMapQuery(model="encoder", stage="rollout", vs="Hund"), [make_attentive()]
    assert "head" not in offered(ATTENTION, query, traces)
    assert "head" in offered(ATTENTION, query.changed(stage="softmax"), traces)
    view = views.catalogue()["next_word"]  # two sentences, and no difference
    assert "align" not in offered(view, view.query(model="decoder", vs="Hund"), [])


def test_choices_are_escaped_and_share_the_start_of_their_addresses():
    choices = [
        {"value": value, "label": f'{value} · <i> & "co"', "selected": value == 2, "url": f"/de/x?text=a&reset={value}"}
        for value in (1, 2)
    ]
    assert controls.option_rows(choices, "/de/x?text=a") == (
        '<option value="1" data-rest="&amp;reset=1">1 · &lt;i&gt; &amp; &#34;co&#34;</option>\n'
        '<option value="2" data-rest="&amp;reset=2" selected>2 · &lt;i&gt; &amp; &#34;co&#34;</option>'
    )
