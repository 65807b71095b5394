"""Attributions agree with independent computations: own sums, hooks, single runs, and weights set to zero by hand."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from models import registry
from models.errors import TooManyTokens
from models.run import Change, Run, perform

TEXTS = [
    "Der Mann biss den Hund",
    "Wie wird das Wetter morgen in Berlin?",
    "Spiel bitte das neue Lied von Adele und mach danach das Licht aus",
    "Weck mich um sieben",
    "weil",
]


def made(text):
    trace = perform(Run("encoder-intent", text, "attributions"))
    ids = torch.tensor([[token.id for token in trace.tokens]])
    places = [place for place, token in enumerate(trace.tokens) if not token.special]
    return trace, registry.load("encoder-intent"), ids, places


def probability(network, **given):
    return network(**given).logits.softmax(-1)[0]


@pytest.mark.parametrize("text", TEXTS)
def test_integrated_gradients_are_a_riemann_sum_and_complete(text):
    trace, loaded, ids, places = made(text)
    chosen = trace.attribution.chosen
    vectors = loaded.words(ids)
    nothing = vectors.clone()
    nothing[0, places] = 0
    steps, total = 400, torch.zeros_like(vectors)
    for step in range(steps):
        x = (nothing + (step + 0.5) / steps * (vectors - nothing)).requires_grad_()
        total += torch.autograd.grad(probability(loaded.network, inputs_embeds=x)[chosen], x)[0]
    own = ((vectors - nothing) * total / steps).sum(-1)[0].numpy()
    assert trace.attribution.integrated_gradients[places] == pytest.approx(own[places], abs=2e-4)
    with torch.inference_mode():
        full = float(probability(loaded.network, input_ids=ids)[chosen])
        empty = float(probability(loaded.network, inputs_embeds=nothing)[chosen])
    assert trace.attribution.baseline == pytest.approx(empty, abs=1e-6)
    summed = float(np.nansum(trace.attribution.integrated_gradients))
    assert abs(summed - (full - empty)) <= 1e-3 * abs(full - empty)
    assert trace.attribution.incomplete <= 1e-3 * abs(full - empty)


@pytest.mark.parametrize("text", TEXTS)
def test_gradient_times_input_is_that_of_a_hooked_forward(text):
    trace, loaded, ids, places = made(text)
    kept = []

    def hook(_module, _inputs, output):
        kept.append(output.detach().requires_grad_())
        return kept[0]

    handle = loaded.words.register_forward_hook(hook)
    try:
        likely = probability(loaded.network, input_ids=ids)
    finally:
        handle.remove()
    likely[trace.attribution.chosen].backward()
    expected = (kept[0].grad * kept[0].detach())[0].sum(-1).numpy()
    assert trace.attribution.gradient_input[places] == pytest.approx(expected[places], abs=1e-5)
    assert np.isnan(trace.attribution.gradient_input[[0, -1]]).all()


@pytest.mark.parametrize("text", TEXTS)
def test_erasures_of_a_batch_are_those_of_single_runs(text):
    trace, _, _, places = made(text)
    chosen = trace.attribution.chosen
    full = trace.classification.class_probabilities[chosen]
    for place in places:
        left = perform(Run("encoder-intent", text, change=Change("erased", place))).classification
        expected = full - left.class_probabilities[chosen]
        assert trace.attribution.erasure[place] == pytest.approx(expected, abs=1e-5)


def test_a_head_is_off_when_its_columns_of_the_output_matrix_are_zero():
    trace, loaded, ids, _ = made(TEXTS[0])
    for layer, head in ((0, 0), (1, 3), (3, 2)):
        network = deepcopy(loaded.network)
        dense = network.bert.encoder.layer[layer].attention.output.dense
        with torch.inference_mode():
            dense.weight.view(192, 4, 48)[:, head] = 0
            expected = probability(network, input_ids=ids).numpy()
        assert trace.attribution.head_off[layer, head] == pytest.approx(expected, abs=1e-5)
        single = perform(Run("encoder-intent", TEXTS[0], change=Change("head_off", layer, head=head)))
        assert single.classification.class_probabilities == pytest.approx(expected, abs=1e-5)
        assert single.change == f"head_off({layer}, {head})"
        assert single.check.max_abs_error < 1e-5


def test_attention_is_even_when_no_query_asks_for_anything():
    trace, loaded, ids, _ = made(TEXTS[0])
    network = deepcopy(loaded.network)
    with torch.inference_mode():
        for layer in network.bert.encoder.layer:
            layer.attention.self.query.weight.zero_()
            layer.attention.self.query.bias.zero_()
        expected = probability(network, input_ids=ids).numpy()
    assert trace.attribution.even == pytest.approx(expected, abs=1e-5)
    single = perform(Run("encoder-intent", TEXTS[0], change=Change("even_attention")))
    assert single.classification.class_probabilities == pytest.approx(expected, abs=1e-5)


def test_a_change_leaves_no_trace():
    before = perform(Run("encoder-intent", TEXTS[1])).classification.class_probabilities
    perform(Run("encoder-intent", TEXTS[1], change=Change("head_off", 0, head=0)))
    assert (perform(Run("encoder-intent", TEXTS[1])).classification.class_probabilities == before).all()


def test_a_text_that_is_too_long_says_how_long_it_may_be():
    with pytest.raises(TooManyTokens):
        perform(Run("encoder-intent", "Hund " * 300, "attributions"))
