"""The catalogue knows each model without loading it, and its traces carry just the fields it announces."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

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


def test_a_model_knows_how_many_bits_its_file_has_for_a_number(tmp_path):
    assert {tuple(model.bits) for model in registry.catalogue().values() if not model.source} == {(16,)}
    half, whole = torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2)
    save_file({"a": half, "b": half.half(), "c": whole, "d": torch.arange(2)}, tmp_path / "model.safetensors")
    assert replace(registry.get("gru"), place=tmp_path).bits == [16, 32]


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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("cannot read '/srv/models/hub/blobs/0a1b'", "cannot read '0a1b'"),
        ('"C:\\Users\\me\\model.safetensors" is cut', '"model.safetensors" is cut'),
        ("/srv/x/config.json: no 'q/k' in a/b, see https://example.org/a/b", "config.json: no 'q/k' in a/b, see https://example.org/a/b"),
    ],
)  # fmt: skip
def test_a_reason_names_no_folder_of_this_machine(said, told):
    assert registry.reason(ValueError(f"{said}\nand more")) == f"ValueError: {told}"


HEADER = b'{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}'


@pytest.mark.parametrize(
    ("numbers", "config", "whole"),
    [
        (b"", "{}", False),
        (b"\x10", "{}", False),
        (len(HEADER).to_bytes(8, "little") + HEADER[:9], "{}", False),
        (len(HEADER).to_bytes(8, "little") + HEADER, "{", False),
        (len(HEADER).to_bytes(8, "little") + HEADER, "{}", True),
    ],
)
def test_a_damaged_file_is_the_fault_of_its_model(tmp_path, numbers, config, whole):
    (tmp_path / "model.safetensors").write_bytes(numbers)
    (tmp_path / "config.json").write_text(config)
    model = registry.tried(replace(registry.get("lstm"), place=tmp_path))
    assert (not model.fault, model.parameters) == (whole, 2 * whole)


def test_a_failure_to_load_is_told(monkeypatch, caplog):
    def broken(_):
        raise OSError("no such file")

    model = registry.Model(name="broken", title="broken", family="none", fields=(), load=broken)
    monkeypatch.setitem(registry.catalogue(), "broken", model)
    with pytest.raises(ModelUnavailable, match="broken: no such file"):
        registry.load("broken")
    assert registry.status()["broken"] == "failed: OSError: no such file"
    assert caplog.messages == ["broken cannot be loaded: no such file"]
    assert registry.trouble("broken") == "OSError: no such file" and not registry.trouble("encoder")
