"""Both ways of reading reach the same states; what is counted and kept agrees with torch's counter and the arrays."""

import numpy as np
import pytest
import torch
from torch import nn

from models import registry
from models.reading import Cost, counted, disagreement, prepared, reader
from models.timing import NETWORKS

RECURRENT, TRANSFORMERS = ("rnn", "lstm", "gru"), ("encoder", "decoder")
UNITS, LAYERS, HEADS = 192, {"rnn": 2, "lstm": 2, "gru": 2, "encoder": 4, "decoder": 4}, 4
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
FLOAT = 4  # bytes


@pytest.fixture(scope="module")
def readers():
    return {name: reader(name, prepared(64)) for name in NETWORKS}


def test_the_text_is_german_and_as_long_as_asked():
    ids = prepared(256)
    assert ids.shape == (256,) and len(set(ids.tolist())) > 80 and ids[:8].equal(prepared(8))


@pytest.mark.parametrize("name", [*RECURRENT, "decoder"])
def test_word_by_word_leads_to_the_states_of_one_call(readers, name):
    with torch.inference_mode():
        whole = readers[name].at_once(20)
        words = torch.cat([state for _, state in zip(range(20), readers[name].word_by_word(), strict=False)])
        assert whole.shape == (20, UNITS) and (words - whole).abs().max() < 1e-4
        assert disagreement(readers[name], 20) == pytest.approx(float((words - whole).abs().max()), abs=1e-7)


def test_an_encoder_cannot_go_on(readers):
    assert readers["encoder"].word_by_word is None


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_timed_is_what_the_pages_show(name):
    text = "Der Mann biss den Hund"
    trace = registry.load(name).forward(text)
    again = reader(name, torch.tensor([token.id for token in trace.tokens]))
    with torch.inference_mode():
        states = again.at_once(len(trace.tokens)).numpy()
    assert np.abs(states - np.asarray(trace.states.hidden)[-1]).max() < 1e-5


@pytest.mark.parametrize("name", TRANSFORMERS)
@pytest.mark.parametrize("tokens", [1, 7, 64])
def test_torch_counts_as_many_multiply_adds_as_the_formula(readers, name, tokens):
    with torch.inference_mode():
        assert counted(readers[name], tokens) == readers[name].cost.of(tokens)
    assert readers[name].cost == Cost(LAYERS[name] * 12 * UNITS**2, LAYERS[name] * 2 * UNITS)


@pytest.fixture
def plain():
    """Recurrent layers as single products, which torch can count."""
    torch._C._set_mkldnn_enabled(False)
    yield
    torch._C._set_mkldnn_enabled(True)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("tokens", [1, 7, 64])
def test_torch_counts_recurrent_networks_too_where_they_are_not_fused(readers, name, tokens):
    with torch.inference_mode():
        assert counted(readers[name], tokens) == readers[name].cost.of(tokens)
    assert readers[name].cost == Cost(LAYERS[name] * GATES[name] * 2 * UNITS**2, 0)


def test_a_wrong_formula_is_noticed(readers):
    wrong = readers["encoder"].__class__(**{**vars(readers["encoder"]), "cost": Cost(1_769_472, 1_535)})
    with torch.inference_mode():
        assert disagreement(readers["encoder"], 64) == 0 < disagreement(wrong, 64)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("tokens", [1, 9, 64])
def test_what_is_kept_has_the_size_of_its_arrays(readers, name, tokens):
    with torch.inference_mode():
        kept = readers[name].kept(tokens)
    if name in RECURRENT:
        assert kept == (LAYERS[name] * UNITS * FLOAT * (2 if name == "lstm" else 1), 0)
    else:
        assert kept.state == LAYERS[name] * 2 * tokens * UNITS * FLOAT
        assert kept.maps == LAYERS[name] * HEADS * tokens**2 * FLOAT


def test_a_decoder_keeps_what_its_cache_holds(readers):
    from transformers import DynamicCache

    body = registry.load("decoder").network.transformer
    cache = DynamicCache(config=body.config)
    with torch.inference_mode():
        body(input_ids=prepared(30)[None], cache=cache, use_cache=True)
        held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
        assert readers["decoder"].kept(30).state == held


def test_the_core_is_the_network_without_its_word_vectors(readers):
    assert sum(numbers.numel() for numbers in readers["lstm"].core.parameters()) == 2 * 4 * (2 * UNITS**2 + 2 * UNITS)
    assert not any(isinstance(module, nn.Embedding) for each in readers.values() for module in each.core.modules())
