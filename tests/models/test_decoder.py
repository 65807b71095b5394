"""The decoder's trace against transformers' own eager attention and outputs, on a small network of random numbers."""

import numpy as np
import pytest
import torch
from transformers.models.gpt2.configuration_gpt2 import GPT2Config
from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel

from models import capture
from models.errors import TooManyTokens
from models.families import decoder
from models.tokenizer import CLS, SEP, tokenizer

SENTENCES = ["Der Mann biss den Hund.", "Katze beißt Hund", "Roboter, Maschine, weil"]
(MODEL,) = decoder.MODELS


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    config = GPT2Config(
        vocab_size=tokenizer().get_vocab_size(), n_positions=256, n_embd=24, n_layer=3, n_head=2, bos_token_id=CLS,
        eos_token_id=SEP, initializer_range=0.3,
    )  # fmt: skip
    return GPT2LMHeadModel(config).eval().requires_grad_(False)


@pytest.fixture
def read(network):
    """Traces a text, with the attention recorded."""
    network.set_attn_implementation(capture.IMPLEMENTATION)
    return decoder.traced(MODEL, network).forward


@pytest.mark.parametrize("text", SENTENCES)
def test_attention_states_and_loss_equal_eager_transformers(network, read, text):
    trace = read(text)
    ids = torch.tensor([[token.id for token in trace.tokens]])
    network.set_attn_implementation("eager")
    with torch.no_grad():
        output = network(ids, labels=ids, output_attentions=True, output_hidden_states=True)
    for layer, (weights, hidden) in enumerate(zip(output.attentions, output.hidden_states[1:], strict=True)):
        assert np.abs(trace.attention.attention[layer] - weights[0].numpy()).max() <= 1e-5
        assert np.abs(trace.states.hidden[layer] - hidden[0].numpy()).max() <= 1e-5
    assert np.abs(trace.states.embeddings - output.hidden_states[0][0].numpy()).max() <= 1e-5
    assert trace.prediction.loss[1:].mean() == pytest.approx(float(output.loss), rel=1e-5)
    assert (trace.prediction.ids[:, 0] == output.logits[0].argmax(-1).numpy()).all()
    assert trace.check.max_abs_error <= 1e-5


def test_the_causal_mask_is_exact(read):
    attention = read(SENTENCES[0]).attention
    above = np.triu_indices(attention.attention.shape[-1], 1)
    assert (attention.attention[..., above[0], above[1]] == 0).all()
    assert np.isneginf(attention.scores[..., above[0], above[1]]).all()
    assert np.isfinite(attention.scores[..., *np.tril_indices(attention.attention.shape[-1])]).all()
    assert np.abs(attention.attention[:].sum(-1) - 1).max() <= 1e-5


def test_what_comes_later_changes_nothing(read):
    short, long = read("Der Mann biss"), read("Der Mann biss den Hund.")
    count = len(short.tokens)
    assert [token.text for token in short.tokens] == ["[CLS]", "Der", "Mann", "biss"]
    assert np.abs(short.states.hidden - long.states.hidden[:, :count]).max() <= 1e-5
    assert np.abs(short.prediction.loss[1:] - long.prediction.loss[1:count]).max() <= 1e-5


def test_embeddings_are_word_vectors_and_positions(read):
    states = read(SENTENCES[0]).states
    assert np.abs(states.inputs + states.positions - states.embeddings).max() <= 1e-6


def test_the_trace_carries_the_announced_fields(read):
    found = {field for field, _, _ in read(SENTENCES[0]).arrays()}
    found -= {"scaling", "output_weights", "ids", "probabilities"}
    assert found | {"predictions"} == set(MODEL.fields)


def test_more_than_its_positions_is_told(read):
    with pytest.raises(TooManyTokens) as caught:
        read("Hund " * 256)
    assert caught.value.values["count"] == 257
