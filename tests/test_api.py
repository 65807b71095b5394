"""Traces as JSON and npz: the arrays exactly, undefined values as null, only what was asked for."""

import io
import json

import numpy as np
import pytest

from app import api, views
from app.api import EmbedQuery, TraceQuery, fields_json, finite
from app.query import QueryError
from models import registry
from models.trace import Prediction

TEXT = "Der Hund"


def ask(client, **parameters):
    response = client.get("/api/v1/trace", params={"model": "lstm", "text": TEXT} | parameters)
    assert response.status_code == 200, response.text
    return response


@pytest.mark.parametrize("name", registry.catalogue())
def test_a_trace_has_every_announced_field_with_its_shape(client, name):
    told = ask(client, model=name).json()
    model = registry.get(name)
    assert list(told)[:6] == ["model", "text", "tokens", "gate_names", "fields", "check"]
    assert (told["model"], told["text"], told["gate_names"]) == (name, TEXT, list(model.gate_names))
    assert set(told["fields"]) == set(model.fields)
    for field in told["fields"].values():
        assert list(field) == ["axes", "shape", "dtype", "data"]
        assert len(field["axes"]) == len(field["shape"])
        assert list(np.shape(field["data"]))[: len(field["shape"])] == field["shape"]
        for axis, size in zip(field["axes"], field["shape"], strict=True):
            assert axis != "tokens" or size == len(told["tokens"])
    assert told["check"]["max_abs_error"] <= 1e-5
    if "hidden" in model.fields:  # a table of words has no sign of its own
        first = told["tokens"][0]
        assert first == {"text": "[CLS]", "id": 2, "start": 0, "end": 0, "special": True}


def test_offsets_point_into_the_text(client):
    for token in ask(client, text="Straße, süß!").json()["tokens"][1:]:
        assert "Straße, süß!"[token["start"] : token["end"]] == token["text"].removeprefix("##")


def test_json_and_npz_hold_the_same_numbers(client):
    told = ask(client).json()
    with np.load(io.BytesIO(ask(client, format="npz").content)) as packed:
        for name, field in told["fields"].items():
            if name == "predictions":
                continue
            expected = np.array([np.nan if x is None else x for x in np.ravel(np.array(field["data"], object))])
            assert np.array_equal(np.ravel(packed[name]), expected.astype(np.float32), equal_nan=True)
        probabilities = [[entry["probability"] for entry in row] for row in told["fields"]["predictions"]["data"]]
        assert packed["probabilities"].tolist() == pytest.approx(np.array(probabilities))
        named = {"tokens", "gate_names", "ids", "probabilities"}
        assert set(packed.files) == set(told["fields"]) - {"predictions"} | named


def test_only_the_fields_asked_for(client):
    assert list(ask(client, fields=" hidden , loss,").json()["fields"]) == ["hidden", "loss"]
    with np.load(io.BytesIO(ask(client, fields="gates", format="npz").content)) as packed:
        assert packed.files == ["tokens", "gate_names", "gates"]


@pytest.mark.parametrize("model", ["lstm", "encoder", "lstm-intent", "encoder-entities", "translator"])
def test_npz_names_what_stands_at_the_places_of_its_axes(client, model):
    told = ask(client, model=model).json()
    with np.load(io.BytesIO(ask(client, model=model, format="npz").content)) as packed:
        assert packed["tokens"].tolist() == [token["text"] for token in told["tokens"]]
        for name in ("gate_names", "class_names", "label_names"):
            assert packed[name].tolist() == told[name] if told.get(name) else name not in packed.files
        fields = told["fields"].values()
        axes = dict(pair for field in fields for pair in zip(field["axes"], field["shape"], strict=True))
        written = [token["text"] for token in told.get("target_tokens", [])]
        assert packed["target_tokens"].tolist() == written if written else "target_tokens" not in packed.files
        for name, axis in (("gate_names", "gates"), ("class_names", "classes"), ("label_names", "labels")):
            assert name not in packed.files or axes.get(axis, len(packed[name])) == len(packed[name])


def test_the_loss_of_the_first_token_is_null(client):
    data = ask(client, fields="loss").json()["fields"]["loss"]["data"]
    assert data[0] is None and all(value > 0 for value in data[1:])


def test_what_compares_is_ignored_here(client):
    plain = ask(client).json()
    for more in ({"vs": "Katze", "vs_model": "gru"}, {"vs": ""}, {"vs_from": "swap"}, {"theme": "blue", "layer": "x"}):
        assert ask(client, **more).json() == plain
    assert client.get("/oembed", params={"url": "/de/gates", "text": "", "vs_from": "x"}).status_code == 200


def test_an_unknown_field_is_told_with_those_there_are(make_recurrent):
    with pytest.raises(QueryError) as caught:
        api.answer(TraceQuery(fields="hidden,attention"), make_recurrent(model="gru"))
    assert (caught.value.code, caught.value.field) == ("unknown_field", "fields")
    assert "attention" in caught.value.message.text("en") and "hidden" in caught.value.message.text("en")


def test_masked_scores_are_null_and_the_rest_exact(make_attentive):
    trace = make_attentive(causal=True)
    body, media = api.answer(TraceQuery(fields="scores,attention"), trace)
    told = json.loads(body)["fields"]
    assert media == "application/json"
    assert told["scores"]["axes"] == ["layers", "heads", "tokens", "tokens"]
    assert told["scores"]["shape"] == [2, 3, 4, 4]
    for layer, head, row, column in np.ndindex(2, 3, 4, 4):
        value = told["scores"]["data"][layer][head][row][column]
        assert (value is None) == (column > row)
        assert value is None or np.float32(value) == trace.attention.scores[layer, head, row, column]
    assert np.array_equal(np.array(told["attention"]["data"], np.float32), trace.attention.attention)


def test_finite_arrays_are_not_copied():
    values = np.ones((2, 2), np.float32)
    assert finite(values) is values
    assert finite(np.array([1, np.nan, -np.inf, np.inf])) == [1, None, None, None]


def test_predictions_are_words_with_their_probabilities(make_recurrent):
    trace = make_recurrent("[CLS]", "a", model="lstm")
    guess = Prediction(
        loss=np.array([np.nan, 1.5], np.float32),
        ids=np.array([[3, 4], [5, 6]]),
        probabilities=np.array([[0.5, 0.25], [0.75, 0.125]], np.float32),
        written={3: "der", 4: "die", 5: "Hund", 6: "##e"}.__getitem__,
    )
    object.__setattr__(trace, "prediction", guess)
    field = fields_json(trace, ["predictions"])["predictions"]
    assert (field["axes"], field["shape"]) == (("tokens", "ranks"), (2, 2))
    assert field["data"][1][0] == {"text": "Hund", "id": 5, "probability": 0.75}


def test_models_say_what_they_are(client):
    told = client.get("/api/v1/models").json()["models"]
    assert [entry["name"] for entry in told] == list(registry.catalogue())
    for entry in told:
        assert {"name", "title", "family", "parameters", "fields", "views"} <= set(entry)
        assert entry["parameters"] == registry.get(entry["name"]).parameters > 0
        assert ("hidden_states" in entry["views"]) == ("hidden" in entry["fields"])
        assert not entry["title"].startswith("model.")


def test_views_say_which_models_they_take_and_their_options(client):
    told = {entry["name"]: entry for entry in client.get("/api/v1/views").json()["views"]}
    assert {"name", "title", "models", "options"} <= set(told["gates"])
    assert told["gates"]["models"][:2] == ["lstm", "gru"] and told["attention_map"]["models"][0] == "encoder"
    stages = told["attention_map"]["options"]["properties"]["stage"]["enum"]
    assert stages == ["raw", "scaled", "masked", "softmax", "rollout"]
    assert list(told) == list(views.catalogue())


def test_an_embed_says_what_its_frame_changes():
    assert EmbedQuery().parameters() == {}
    assert EmbedQuery(bg="transparent", scale=1.5, controls=True).parameters() == {
        "bg": "transparent",
        "scale": 1.5,
        "controls": 1,
    }
