"""The catalogue knows each model without loading it, and its traces carry just the fields it announces."""

import subprocess
import sys

import pytest

from models import registry, weights
from models.errors import ModelUnavailable, UnknownModel
from models.families import encoder
from models.run import Run, perform


@pytest.mark.parametrize("name", registry.catalogue())
def test_traces_carry_the_announced_fields(name):
    writes = "target_ids" in registry.get(name).fields
    trace = perform(Run(name, "Der Mann biss den Hund", "translation_greedy" if writes else "forward"))
    found = {field for field, _, _ in trace.arrays() if not field.endswith("scaling")} - {"output_weights"}
    if trace.prediction:
        found = found - {"ids", "probabilities"} | {"predictions"}
    assert found == set(registry.get(name).fields)
    assert (trace.recurrence.gate_names if trace.recurrence else ()) == registry.get(name).gate_names


def test_a_model_without_weights_is_not_in_the_catalogue(monkeypatch, tmp_path):
    known = registry.catalogue()["gru"]
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    (tmp_path / "gru").mkdir()
    registry.catalogue.cache_clear()
    try:
        assert registry.catalogue() == {}
        (tmp_path / "gru" / "model.safetensors").touch()
        registry.catalogue.cache_clear()
        assert registry.catalogue() == {"gru": known}
    finally:
        registry.catalogue.cache_clear()


def test_snapshots_are_listed_by_their_steps(monkeypatch, tmp_path):
    for steps in (2000, 0, 100):
        (tmp_path / f"encoder@{steps}").mkdir()
    monkeypatch.setattr(encoder.tokenizer, "WEIGHTS", tmp_path)
    assert encoder.snapshots() == [0, 100, 2000]


def test_an_unknown_model_names_those_there_are():
    with pytest.raises(UnknownModel) as caught:
        registry.get("elmo")
    assert "lstm" in caught.value.values["models"]


def test_the_catalogue_needs_no_torch():
    code = (
        "import sys; from models import registry;"
        "[(m.parameters, m.hash) for m in registry.catalogue().values()]; registry.status();"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_parameters_are_those_of_the_loaded_model():
    for name in ("lstm", "encoder"):
        network = weights.read(registry.get(name).folder)
        assert registry.get(name).parameters == sum(p.numel() for p in network.parameters())


def test_status_says_loaded_after_loading():
    registry.load("gru")
    assert registry.status()["gru"] == "loaded"


def test_a_failure_to_load_is_told(monkeypatch):
    def broken(_):
        raise OSError("no such file")

    model = registry.Model(name="broken", title="broken", family="none", fields=(), load=broken)
    monkeypatch.setitem(registry.catalogue(), "broken", model)
    with pytest.raises(ModelUnavailable, match="broken: no such file"):
        registry.load("broken")
    assert registry.status()["broken"] == "failed: OSError: no such file"
    assert registry.trouble("broken") == "OSError: no such file" and not registry.trouble("encoder")
