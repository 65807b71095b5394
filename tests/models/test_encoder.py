"""The encoder's trace against transformers' own eager attention and outputs."""

import numpy as np
import pytest
import torch
from transformers import BertConfig, GPT2Config
from transformers.models.bert.modeling_bert import BertModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Model

from models import capture, registry, weights
from models.errors import CaptureError
from models.run import Run, perform

SENTENCES = ["Der Mann biss den Hund.", "Katze beißt Hund", "Roboter, Maschine, weil"]


@pytest.fixture(scope="module")
def eager():
    return weights.masked_language_model(registry.get("encoder").folder, attention="eager")


@pytest.mark.parametrize("text", SENTENCES)
def test_attention_and_states_equal_eager_transformers(eager, text):
    trace = perform(Run("encoder", text))
    ids = torch.tensor([[token.id for token in trace.tokens]])
    with torch.no_grad():
        output = eager.bert(ids, output_attentions=True, output_hidden_states=True)
    for layer, (weights_, hidden) in enumerate(zip(output.attentions, output.hidden_states[1:], strict=True)):
        assert np.abs(trace.attention.attention[layer] - weights_[0].numpy()).max() <= 1e-5
        assert np.abs(trace.states.hidden[layer] - hidden[0].numpy()).max() <= 1e-5
    assert np.abs(trace.states.embeddings - output.hidden_states[0][0].numpy()).max() <= 1e-5


@pytest.mark.parametrize("text", SENTENCES)
def test_softmax_of_the_scores_is_the_attention(text):
    attention = perform(Run("encoder", text)).attention
    expected = torch.from_numpy(attention.scores[:]).softmax(-1).numpy()
    assert np.abs(attention.attention - expected).max() <= 1e-5
    assert np.abs(attention.attention[:].sum(-1) - 1).max() <= 1e-5


def test_scores_are_the_products_of_queries_and_keys():
    attention = perform(Run("encoder", SENTENCES[0])).attention
    products = attention.queries @ attention.keys[:].swapaxes(-1, -2)
    assert np.abs(products * attention.scaling[:, None, None, None] - attention.scores).max() <= 1e-5
    assert attention.scaling == pytest.approx(attention.queries.shape[-1] ** -0.5)


def test_queries_are_those_of_the_layer(eager):
    trace = perform(Run("encoder", SENTENCES[0]))
    first = eager.bert.encoder.layer[0].attention.self
    with torch.no_grad():
        queries = first.query(torch.from_numpy(trace.states.embeddings))
    heads, units = trace.attention.queries.shape[1], trace.attention.queries.shape[3]
    expected = queries.view(-1, heads, units).transpose(0, 1).numpy()
    assert np.abs(trace.attention.queries[0] - expected).max() <= 1e-5


def test_a_causal_mask_is_exact():
    config = GPT2Config(vocab_size=50, n_positions=32, n_embd=24, n_layer=2, n_head=3)
    config._attn_implementation = capture.IMPLEMENTATION
    model = GPT2Model(config).eval()
    ids = torch.arange(7)[None]
    with torch.inference_mode(), capture.recording() as calls:
        model(ids)
        attention, check = capture.attention(calls)
    above = np.triu_indices(7, 1)
    assert (attention.attention[..., above[0], above[1]] == 0).all()
    assert np.isneginf(attention.scores[..., above[0], above[1]]).all()
    assert np.isfinite(attention.scores[..., *np.tril_indices(7)]).all()
    assert check.max_abs_error <= 1e-5
    model.set_attn_implementation("eager")
    with torch.no_grad():
        expected = model(ids, output_attentions=True).attentions
    for layer, weights_ in enumerate(expected):
        assert np.abs(attention.attention[layer] - weights_[0].numpy()).max() <= 1e-5


def test_no_recorded_call_is_a_clear_error():
    config = BertConfig(vocab_size=50, hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24)
    config._attn_implementation = "eager"  # goes past the recorder, as the code of some models does
    model = BertModel(config).eval()
    with torch.inference_mode(), capture.recording() as calls:
        model(torch.arange(5)[None])
        with pytest.raises(CaptureError, match="without calling the recorded function"):
            capture.attention(calls)


def test_recordings_of_two_threads_stay_apart():
    import threading

    lengths: dict[str, int] = {}

    def run(text: str) -> None:
        lengths[text] = perform(Run("encoder", text)).attention.attention.shape[-1]

    texts = [" ".join(["Hund"] * n) for n in range(1, 9)]
    threads = [threading.Thread(target=run, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lengths == {text: n + 2 for n, text in enumerate(texts, start=1)}
