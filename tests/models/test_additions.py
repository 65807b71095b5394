"""What a layer adds: after W_O and after the feed-forward network, for every kind of model that is trained here."""

import numpy as np
import pytest
import torch
from torch import nn

from models import additions, capture, registry, weights
from models.run import Run, perform

TEXT = "Der Mann biss den Hund, weil er beißt."


def bert(folder):
    network = weights.masked_language_model(folder)
    layers = network.bert.encoder.layer
    return network, [(layer.attention.output.dense, layer.output.dense) for layer in layers]


def gpt2(folder):
    network = weights.next_word_model(folder)
    return network, [(layer.attn.c_proj, layer.mlp.c_proj) for layer in network.transformer.h]


def marian(folder):
    network = weights.translator(folder).network.get_encoder()
    return network, [(layer.self_attn.out_proj, layer.fc2) for layer in network.layers]


@pytest.fixture(scope="module", params=[("encoder", bert), ("decoder", gpt2), ("translator", marian)])
def both(request):
    """A trace, the modules W_O of each layer, and what the modules of an untouched model gave for the same tokens."""
    name, build = request.param
    trace = perform(Run(name, TEXT))
    network, modules = build(registry.get(name).folder)
    heard = {module: [] for pair in modules for module in pair}
    for module, outputs in heard.items():
        module.register_forward_hook(lambda _module, _given, output, kept=outputs: kept.append(output[0].numpy()))
    with torch.inference_mode():
        network(input_ids=torch.tensor([[token.id for token in trace.tokens]]))
    attention, feed_forward = (np.concatenate([heard[pair[place]] for pair in modules]) for place in (0, 1))
    return trace, [pair[0] for pair in modules], attention, feed_forward


def test_what_attention_adds_is_what_the_module_gave(both):
    trace, _, attention, _ = both
    assert trace.attention.attention_output.shape == attention.shape == trace.states.hidden.shape
    assert np.abs(trace.attention.attention_output - attention).max() <= 1e-5


def test_what_the_feed_forward_network_adds_is_what_the_module_gave(both):
    trace, _, _, feed_forward = both
    assert trace.attention.feed_forward.shape == feed_forward.shape == trace.states.hidden.shape
    assert np.abs(trace.attention.feed_forward - feed_forward).max() <= 1e-5


def test_the_heads_and_the_bias_together_are_what_attention_adds(both):
    trace, projections, attention, _ = both
    part = trace.attention
    biases = np.stack([projection.bias.detach().numpy() for projection in projections])
    heads = np.asarray(part.attention) @ np.asarray(part.values) @ np.asarray(part.output_weights)
    assert np.abs(heads.sum(1) + biases[:, None] - attention).max() <= 1e-5
    units = part.values.shape[-1]
    given = torch.zeros(len(trace.tokens), units * part.attention.shape[1])
    given[:, 2 * units : 3 * units] = torch.from_numpy(part.attention[1, 2] @ part.values[1, 2])
    with torch.no_grad():
        alone = (projections[1](given) - projections[1].bias).numpy()
    assert np.abs(heads[1, 2] - alone).max() <= 1e-5


def test_nothing_is_kept_twice():
    part = perform(Run("encoder", TEXT)).attention
    assert part.output_weights.nbytes == part.scores.nbytes == 0
    assert part.attention_output.nbytes == part.feed_forward.nbytes == 4 * np.asarray(part.feed_forward).size


class Layer(nn.Module):
    """A layer with feed-forward networks, several as a mixture of experts has; `asked` of them have a say. What
    attention and feed-forward network give may be scaled before it is added, what is mixed be gated before W_O."""

    def __init__(self, experts=1, asked=None, attention=1.0, feed_forward=1.0, gate=1.0):
        super().__init__()
        self.asked, self.scales, self.gate = asked or experts, (attention, feed_forward), gate
        self.projection = nn.Linear(8, 8)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(8, 12), nn.Linear(12, 8)) for _ in range(experts))
        self.first, self.between, self.last = (nn.LayerNorm(8) for _ in range(3))

    def forward(self, input_ids):
        state = self.first(nn.functional.one_hot(input_ids, 8).float())
        heads = state.view(1, -1, 2, 4).transpose(1, 2)
        attention = (heads @ heads.mT).softmax(-1)
        calls = capture._calls.get()
        if calls is not None:
            calls.append(capture.Call(heads, heads, heads, None, 1.0, attention))
        mixed = self.gate * (attention @ heads).transpose(1, 2).reshape(1, -1, 8)
        state = state + self.scales[0] * self.projection(mixed)
        given = self.between(state)
        added = sum(expert(given) for expert in self.experts[: self.asked])
        self.last(state + self.scales[1] * added)
        return added


@pytest.mark.parametrize(
    ("stated", "attention", "feed_forward"),
    [({}, True, True), ({"experts": 2}, True, False), ({"experts": 2, "asked": 1}, True, False),
     ({"feed_forward": 0.5}, True, False), ({"attention": 0.5}, False, False), ({"gate": 0.5}, False, False)],
)  # fmt: skip
def test_only_what_is_added_as_it_stands_is_shown_as_added(stated, attention, feed_forward):
    torch.manual_seed(3)
    network = Layer(**stated)
    additions.attach(network)
    with torch.inference_mode(), capture.recording() as calls:
        added = network(torch.arange(5)[None])
        part, _ = capture.attention(calls)
    assert (part.attention_output is not None) == (part.output_weights is not None) == attention
    assert (part.feed_forward is not None) == feed_forward
    if feed_forward:
        assert part.attention_output.shape == (1, 5, 8)
        assert np.array_equal(part.feed_forward[0], added[0].numpy())


def test_a_network_that_shows_no_attention_is_left_as_it_is():
    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.vectors, self.unused = nn.Embedding(5, 8), nn.Linear(16, 8)

        def forward(self, input_ids):
            return self.vectors(input_ids)

    network = Bag()
    additions.attach(network)
    assert not any(module._forward_hooks for module in network.modules())
