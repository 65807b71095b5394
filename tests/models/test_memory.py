"""Probes: their arithmetic, what they are measured to know, and that they belong to their weights."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from models import memory, registry
from models.errors import ModelUnavailable
from models.run import Run, perform

TEXT = "Der Mann biss den Hund"
CELLS = ["rnn", "lstm", "gru"]


@pytest.mark.parametrize("name", CELLS)
def test_the_probability_is_that_of_the_right_word(name):
    trace = perform(Run(name, TEXT, "memory"))
    matrices = load_file(registry.get(name).folder / "memory.safetensors")["probes"].astype(np.float64)
    vectors = registry.load(name).network.vectors.weight.detach().numpy().astype(np.float64)
    hidden = np.asarray(trace.states.hidden)[-1].astype(np.float64)
    for k, place in ((0, 3), (1, 5), (3, 5)):
        scores = vectors @ (matrices[k].T @ hidden[place])
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        right = trace.tokens[place - k].id
        assert trace.memory.remembered[k, place] == pytest.approx(shares[right], abs=1e-4)
        assert trace.memory.named[k, place] == float(scores.argmax() == right)


@pytest.mark.parametrize("name", CELLS)
def test_where_no_word_stands_nothing_is_said(name):
    part = perform(Run(name, TEXT, "memory")).memory
    for k in range(len(part.remembered)):
        assert np.isnan(part.remembered[k, : k + 1]).all() and np.isfinite(part.remembered[k, k + 1 :]).all()


@pytest.mark.parametrize("name", CELLS)
def test_probes_know_more_than_the_most_frequent_word_and_less_with_distance(name):
    part = perform(Run(name, "weil", "memory")).memory
    assert (part.probe_accuracy[:5] > part.probe_baseline[:5]).all()
    assert part.probe_accuracy[0] > part.probe_accuracy[4] > part.probe_accuracy[16]


def test_probes_of_other_weights_are_refused(tmp_path, monkeypatch):
    shutil.copytree(registry.get("gru").folder, tmp_path / "gru")
    file = tmp_path / "gru" / "memory.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"weights": "00000000"}))
    monkeypatch.setattr("models.registry.WEIGHTS", tmp_path)
    memory.probes.cache_clear()
    with pytest.raises(ModelUnavailable, match="00000000"):
        memory.probes("gru")
    memory.probes.cache_clear()
