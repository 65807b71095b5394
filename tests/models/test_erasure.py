"""Erasure: every row is what a run of its own finds, and padding or zeros are what erases."""

import numpy as np
import pytest
import torch

from models import registry
from models.errors import TooManyTokens
from models.run import Change, Run, perform
from models.tokenizer import PAD

TEXT = "Wie wird das Wetter in München?"
KINDS = ("bag_of_words", "feed_forward", "rnn", "lstm", "gru", "encoder")


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_is_a_run_with_that_token_erased(kind):
    trace = perform(Run(f"{kind}-intent", TEXT, "erasures"))
    rows = trace.erasure.erased_probabilities
    for place, token in enumerate(trace.tokens):
        if token.special:
            assert np.isnan(rows[place]).all()
            continue
        single = perform(Run(f"{kind}-intent", TEXT, change=Change("erased", place))).classification
        assert rows[place] == pytest.approx(single.class_probabilities, abs=1e-6)
        assert rows[place].sum() == pytest.approx(1, abs=1e-5)


def test_a_bag_of_words_does_without_the_word():
    trace = perform(Run("bag_of_words-intent", TEXT, "erasures"))
    network = registry.load("bag_of_words-intent").network
    ids = [token.id for token in trace.tokens]
    for place in range(len(ids)):
        left = torch.tensor([ids[:place] + ids[place + 1 :]])
        expected = network(left).softmax(-1)[0].numpy()
        assert trace.erasure.erased_probabilities[place] == pytest.approx(expected, abs=1e-5)


def test_a_recurrent_network_reads_a_vector_of_zeros():
    trace = perform(Run("gru-intent", TEXT, "erasures"))
    network = registry.load("gru-intent").network
    vectors = network.vectors(torch.tensor([[token.id for token in trace.tokens]])).clone()
    vectors[0, 4] = 0
    with torch.inference_mode():
        expected = network.logits(network.layers(vectors)[0])[0, -1].softmax(-1).numpy()
    assert trace.erasure.erased_probabilities[4] == pytest.approx(expected, abs=1e-5)


def test_a_feed_forward_network_reads_padding():
    trace = perform(Run("feed_forward-intent", TEXT, "erasures"))
    ids = torch.tensor([[token.id for token in trace.tokens]])
    ids[0, 2] = PAD
    expected = registry.load("feed_forward-intent").network(ids).softmax(-1)[0].numpy()
    assert trace.erasure.erased_probabilities[2] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("model", ["lstm", "encoder", "feed_forward-intent"])
def test_an_erased_word_is_looked_up_all_the_same(model):
    whole, erased = perform(Run(model, TEXT)).states, perform(Run(model, TEXT, change=Change("erased", 2))).states
    assert (erased.inputs == whole.inputs).all() and erased.inputs[2].any()
    assert model == "encoder" or not erased.embeddings[2].any()


def test_too_long_a_text_is_refused_with_its_length():
    with pytest.raises(TooManyTokens) as refused:
        perform(Run("lstm-intent", "Hund " * 70, "erasures"))
    assert refused.value.values["count"] == 70 and refused.value.values["limit"] == 64
