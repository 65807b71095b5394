"""Attributions agree with independent computations: own sums, hooks, single runs, and weights set to zero by hand."""

from copy import deepcopy
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import torch

from models import faithfulness, registry
from models.entities import may_follow
from models.errors import TooManyTokens
from models.run import Change, Run, perform
from models.tokenizer import MASK
from models.trace import Trace

TEXTS = [
    "Der Mann biss den Hund",
    "Wie wird das Wetter morgen in Berlin?",
    "Spiel bitte das neue Lied von Adele und mach danach das Licht aus",
    "Weck mich um sieben",
    "weil",
]


ASKED = [("encoder-intent", text) for text in TEXTS] + [
    (model, text)
    for model in ("encoder-entities", "encoder", "decoder")
    for text in ("Angela Merkel wohnt in Berlin.", "Der Mann biss den", "weil")
]


class Bare(NamedTuple):
    """A run and the bare network behind it; `answered` gives probabilities [texts, outcomes] of what it is given."""

    trace: Trace
    network: torch.nn.Module
    words: torch.nn.Embedding
    ids: torch.Tensor
    places: list[int]

    @property
    def chosen(self):
        return self.trace.attribution.chosen

    def answered(self, network=None, **given):
        network, place = network or self.network, self.trace.attribution.place
        if (head := registry.load(self.trace.model).head) is not None:
            return head(network(**given).last_hidden_state[:, place]).softmax(-1)
        logits = network(**given).logits
        return (logits if logits.ndim == 2 else logits[:, place]).softmax(-1)

    @property
    def vectors(self):
        """The word vectors of the text, and those with everything erased that is asked about."""
        full = self.words(self.ids).detach()
        nothing = full.clone()
        nothing[0, self.places] = 0
        return full, nothing


@cache
def made(model, text, at=None):
    trace, loaded = perform(Run(model, text, "attributions", at=at)), registry.load(model)
    ids = torch.tensor([[token.id for token in trace.tokens]])
    places = [place for place, token in enumerate(trace.tokens) if not token.special]
    if model == "encoder":
        hidden = places[max(0, len(places) - 2)] if at is None else at
        assert trace.attribution.place == hidden
        ids[0, hidden] = MASK
        places = [place for place in places if place != hidden] or places
    if model == "decoder":
        assert trace.attribution.place == len(trace.tokens) - 1
    return Bare(trace, loaded.network, loaded.words, ids, places)


@pytest.mark.parametrize(("model", "text"), ASKED)
def test_the_answer_is_that_of_the_bare_network(model, text):
    bare = made(model, text)
    with torch.inference_mode():
        expected = bare.answered(input_ids=bare.ids)[0].numpy()
    assert bare.trace.attribution.outcomes == pytest.approx(expected, abs=1e-5)
    assert bare.trace.attribution.counted == tuple(bare.places)
    if model != "encoder-entities":  # there a label may not follow
        assert bare.chosen == expected.argmax()


@pytest.mark.parametrize(("model", "text"), ASKED)
def test_integrated_gradients_are_a_riemann_sum_and_complete(model, text):
    bare = made(model, text)
    vectors, nothing = bare.vectors
    steps = 400
    way = ((torch.arange(steps) + 0.5) / steps)[:, None, None]
    x = (nothing + way * (vectors - nothing)).requires_grad_()
    (slopes,) = torch.autograd.grad(bare.answered(inputs_embeds=x)[:, bare.chosen].sum(), x)
    own = ((vectors - nothing)[0] * slopes.mean(0)).sum(-1).numpy()
    worth = bare.trace.attribution
    assert worth.integrated_gradients[bare.places] == pytest.approx(own[bare.places], abs=2e-4)
    with torch.inference_mode():
        full = float(bare.answered(input_ids=bare.ids)[0, bare.chosen])
        empty = float(bare.answered(inputs_embeds=nothing)[0, bare.chosen])
    assert worth.baseline == pytest.approx(empty, abs=1e-6)
    summed = float(np.nansum(worth.integrated_gradients))
    assert abs(summed - (full - empty)) <= 1e-3 * abs(full - empty)
    assert worth.incomplete <= 1e-3 * abs(full - empty)


@pytest.mark.parametrize(("model", "text"), ASKED)
def test_gradient_times_input_is_that_of_a_hooked_forward(model, text):
    bare = made(model, text)
    kept = []

    def hook(_module, _inputs, output):
        kept.append(output.detach().requires_grad_())
        return kept[0]

    handle = bare.words.register_forward_hook(hook)
    try:
        likely = bare.answered(input_ids=bare.ids)[0]
    finally:
        handle.remove()
    likely[bare.chosen].backward()
    expected = (kept[0].grad * kept[0].detach())[0].sum(-1).numpy()
    row = faithfulness.methods(4).index("gradient_input")
    assert faithfulness.weights(bare.trace)[row] == pytest.approx(expected[bare.places], abs=1e-5)
    others = [place for place in range(len(bare.trace.tokens)) if place not in bare.places]
    assert np.isnan(bare.trace.slope.gradient_input[others]).all() and len(others) >= 1


@pytest.mark.parametrize("text", TEXTS)
def test_erasures_of_a_batch_are_those_of_single_runs(text):
    bare = made("encoder-intent", text)
    for place in bare.places:
        left = perform(Run("encoder-intent", text, change=Change("erased", place))).classification
        expected = bare.trace.attribution.outcomes[bare.chosen] - left.class_probabilities[bare.chosen]
        assert bare.trace.attribution.erasure[place] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("model", "text"), ASKED[len(TEXTS) :])
def test_erasures_of_a_batch_are_those_of_single_calls(model, text):
    bare = made(model, text)
    for place in bare.places:
        erased = bare.vectors[0].clone()
        erased[0, place] = 0
        with torch.inference_mode():
            left = float(bare.answered(inputs_embeds=erased)[0, bare.chosen])
        expected = bare.trace.attribution.outcomes[bare.chosen] - left
        assert bare.trace.attribution.erasure[place] == pytest.approx(expected, abs=1e-5)


def test_what_is_asked_is_the_word_that_the_run_names():
    trace = perform(Run("encoder-entities", "Angela Merkel wohnt in Berlin.", "attributions", at=5))
    names = trace.labelling.label_names
    assert trace.attribution.place == 5 and names[trace.attribution.chosen] == "B-LOC"
    assert perform(Run("encoder-entities", "Berlin", "attributions", at=99)).attribution.place == 1
    bare = made("encoder", "Der Mann biss den Hund", at=5)
    attention = np.asarray(bare.trace.attention.attention)
    network = deepcopy(bare.network)
    network.set_attn_implementation("eager")
    with torch.inference_mode():
        expected = network(input_ids=bare.ids, output_attentions=True).attentions
    for layer, found in zip(expected, attention, strict=True):
        assert found == pytest.approx(layer[0].numpy(), abs=1e-5)  # of the text with [MASK], not of the text


def test_a_head_is_off_when_its_columns_of_the_output_matrix_are_zero():
    bare = made("encoder-intent", TEXTS[0])
    for layer, head in ((0, 0), (1, 3), (3, 2)):
        network = deepcopy(bare.network)
        dense = network.bert.encoder.layer[layer].attention.output.dense
        with torch.inference_mode():
            dense.weight.view(192, 4, 48)[:, head] = 0
            expected = bare.answered(network, input_ids=bare.ids)[0].numpy()
        assert bare.trace.attribution.head_off[layer, head] == pytest.approx(expected, abs=1e-5)
        single = perform(Run("encoder-intent", TEXTS[0], change=Change("head_off", layer, head=head)))
        assert single.classification.class_probabilities == pytest.approx(expected, abs=1e-5)
        assert single.change == f"head_off({layer}, {head})"
        assert single.check.max_abs_error < 1e-5


def test_a_decoders_head_is_off_when_its_rows_of_the_output_matrix_are_zero():
    bare = made("decoder", "Der Mann biss den")
    for layer, head in ((0, 1), (2, 3)):
        network = deepcopy(bare.network)
        with torch.inference_mode():
            network.transformer.h[layer].attn.c_proj.weight.view(4, 48, 192)[head] = 0
            expected = bare.answered(network, input_ids=bare.ids)[0].numpy()
        assert bare.trace.attribution.head_off[layer, head] == pytest.approx(expected, abs=1e-5)


def test_a_label_that_may_not_follow_is_no_answer():
    """In this sentence the likeliest label of “City” is one that only goes on with a name, and no name goes before."""
    labels = labels_of("encoder-entities")
    for text in ("Ancient City , die Altstadt der Insel .", "Der alte Main fließt"):
        trace = perform(Run("encoder-entities", text))
        for number, word in enumerate(trace.labelling.words):
            worth = perform(Run("encoder-entities", text, "attributions", at=word.token)).attribution
            before = trace.labelling.words[number - 1].label if number else "O"
            allowed = [may_follow(label, before) for label in labels]
            assert worth.admissible.tolist() == allowed
            assert labels[worth.chosen] == word.label == labels[int(worth.best(worth.outcomes))]
            assert all(allowed[best] for best in worth.best(worth.head_off).ravel())


def labels_of(name):
    return perform(Run(name, "Hund")).labelling.label_names


def test_even_attention_of_a_decoder_does_not_look_ahead():
    bare = made("decoder", "Der Mann biss den")
    network = deepcopy(bare.network)
    with torch.inference_mode():
        for block in network.transformer.h:
            block.attn.c_attn.weight[:, :192] = 0  # no query asks for anything
            block.attn.c_attn.bias[:192] = 0
        expected = bare.answered(network, input_ids=bare.ids)[0].numpy()
    assert bare.trace.attribution.even == pytest.approx(expected, abs=1e-5)


def test_attention_is_even_when_no_query_asks_for_anything():
    bare = made("encoder-intent", TEXTS[0])
    network = deepcopy(bare.network)
    with torch.inference_mode():
        for layer in network.bert.encoder.layer:
            layer.attention.self.query.weight.zero_()
            layer.attention.self.query.bias.zero_()
        expected = bare.answered(network, input_ids=bare.ids)[0].numpy()
    assert bare.trace.attribution.even == pytest.approx(expected, abs=1e-5)
    single = perform(Run("encoder-intent", TEXTS[0], change=Change("even_attention")))
    assert single.classification.class_probabilities == pytest.approx(expected, abs=1e-5)


def test_a_change_leaves_no_trace():
    before = perform(Run("encoder-intent", TEXTS[1])).classification.class_probabilities
    perform(Run("encoder-intent", TEXTS[1], change=Change("head_off", 0, head=0)))
    assert (perform(Run("encoder-intent", TEXTS[1])).classification.class_probabilities == before).all()


def test_a_text_that_is_too_long_says_how_long_it_may_be():
    with pytest.raises(TooManyTokens):
        perform(Run("encoder-intent", "Hund " * 300, "attributions"))
