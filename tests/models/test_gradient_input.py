"""Gradient × input of the six sentence classifiers: finite differences, and exact where a network is linear."""

import numpy as np
import pytest
import torch

from models import registry
from models.run import Change, Run, perform

TEXT = "Spiel bitte das neue Lied von Adele"
KINDS = ("bag_of_words", "feed_forward", "rnn", "lstm", "gru", "encoder")


def odds(logits, best):
    """ln(p/(1 − p)) in float64."""
    p = logits.double().softmax(-1)
    return (p[:, best] / (p.sum(1) - p[:, best])).log()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_slope_of_the_log_odds_along_each_word_vector(kind):
    """(f(x + h·x_t) − f(x − h·x_t)) / 2h is ∇f·x_t."""
    trace = perform(Run(f"{kind}-intent", TEXT, "gradient_input"))
    found, best = trace.slope.gradient_input, trace.slope.sloped
    assert best == int(trace.classification.class_probabilities.argmax())
    loaded = registry.load(f"{kind}-intent")
    vectors, step = torch.from_numpy(trace.states.inputs)[None], 0.02
    with torch.inference_mode():
        likely = loaded.scored(vectors)[0].softmax(-1).numpy()
        assert likely == pytest.approx(trace.classification.class_probabilities, abs=1e-6)
        for place, token in enumerate(trace.tokens):
            if token.special:
                assert np.isnan(found[place])
                continue
            ways = torch.cat([vectors, vectors])
            ways[:, place] *= torch.tensor([[1 + step], [1 - step]])
            up, down = odds(loaded.scored(ways), best).tolist()
            assert found[place] == pytest.approx((up - down) / (2 * step), abs=5e-3, rel=1e-2)


def test_for_a_bag_of_words_it_is_what_erasing_takes_from_the_logits():
    """Logits are linear in the vectors: tangent and erasure agree, once the smaller n of the erased mean is undone."""
    trace, loaded = perform(Run("bag_of_words-intent", TEXT, "gradient_input")), registry.load("bag_of_words-intent")
    count, bias = len(trace.tokens), loaded.network.head.bias.detach().double().numpy()

    def spread(run):
        """Logits without bias, from the probabilities of a real run; up to a number that all classes share."""
        found = np.log(perform(run).classification.class_probabilities.astype(np.float64)) - bias
        return found - found.mean()

    whole = spread(Run("bag_of_words-intent", TEXT))
    lost = np.array([
        whole - spread(Run("bag_of_words-intent", TEXT, change=Change("erased", place))) * (count - 1) / count
        for place in range(count)
    ])  # fmt: skip
    best, p = trace.slope.sloped, trace.classification.class_probabilities.astype(np.float64)
    others = np.where(np.arange(len(p)) == best, 0, p)
    expected = lost[:, best] - lost @ others / others.sum()
    assert trace.slope.gradient_input == pytest.approx(expected, abs=2e-3) and np.abs(expected).max() > 0.5


def test_a_feed_forward_network_has_no_slope_where_it_does_not_look():
    trace = perform(Run("feed_forward-intent", "Hund " * 20, "gradient_input"))
    assert (trace.slope.gradient_input[16:] == 0).all() and (trace.slope.gradient_input[:16] != 0).any()


@pytest.mark.parametrize("text", [TEXT, "weil", "Wie wird das Wetter morgen in Berlin?"])
def test_the_encoder_has_the_same_one_among_its_attributions(text):
    own, among = (perform(Run("encoder-intent", text, name)).slope for name in ("gradient_input", "attributions"))
    assert own.sloped == among.sloped
    assert own.gradient_input == pytest.approx(among.gradient_input, abs=1e-7, nan_ok=True)
