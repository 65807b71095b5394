"""The likeliest pieces by way of columns are those that sorting everything finds; losses are exact for large logits."""

import numpy as np
import pytest
import torch

from models import prediction
from models.trace import Prediction


@pytest.mark.parametrize("pieces", [5, 30, 200, 220, 221, 14_000, 30_522])
@pytest.mark.parametrize("tokens", [1, 7, 20])
def test_columns_find_what_sorting_finds(pieces: int, tokens: int) -> None:
    scores = torch.randn(tokens, pieces, generator=torch.Generator().manual_seed(pieces))
    scores[0, -10:] += 20  # the best side by side
    scores[tokens // 2, ::97] += 20
    scores[-1, :: max(1, pieces // prediction.SLICES)] += 20  # the best in one column
    ids = torch.randint(pieces, (tokens,), generator=torch.Generator().manual_seed(tokens))
    losses, places, shares = map(torch.from_numpy, prediction.read(scores, ids.numpy()))
    exact = scores.double().log_softmax(-1)
    expected = scores.topk(min(10, pieces))
    assert torch.equal(places, expected.indices)
    assert (shares - exact.gather(1, places).exp()).abs().max() <= 1e-6
    assert torch.allclose(losses[1:].double(), -exact[:-1].gather(1, ids[1:, None])[:, 0], rtol=0, atol=1e-5)
    assert torch.equal(losses[1:], -scores.log_softmax(1)[:-1].gather(1, ids[1:, None])[:, 0])  # to the last bit


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_equal_scores_and_no_numbers_have_their_places_too(value: float) -> None:
    losses, places, shares = prediction.read(torch.full((9, 400), value), np.arange(9))
    assert places.tolist() == [list(range(10))] * 9  # the first of equals
    if value == 0:
        assert np.allclose(shares, 1 / 400) and np.allclose(losses[1:], np.log(400))
    else:
        assert np.isnan(shares).all() and np.isnan(losses).all()


def test_scores_far_from_nothing_and_near_it_stand_side_by_side():
    scores = 3 * torch.randn(11, 400, generator=torch.Generator().manual_seed(2))
    scores += torch.tensor([0, 90, -90, 0, 1e4, -1e4, 59, -61, 0, 200, 0])[:, None]
    ids = torch.arange(11)
    losses, _, shares = prediction.read(scores, ids.numpy())
    exact = scores.double().log_softmax(-1)
    assert np.allclose(losses[1:], -exact[:-1].gather(1, ids[1:, None])[:, 0], rtol=0, atol=1e-5)
    assert np.allclose(shares, exact.exp().topk(10).values, rtol=0, atol=1e-6)


def test_losses_of_large_logits_are_those_of_double_precision():
    generator = torch.Generator().manual_seed(1)
    logits = 30 * torch.randn(12, 14_000, generator=generator) + 100
    ids = torch.randint(14_000, (12,), generator=generator)
    exact = -logits.double().log_softmax(-1)
    found: Prediction = prediction.predict(logits, ids, str)
    wanted = exact[:-1].gather(1, ids[1:, None])[:, 0]
    assert np.isnan(found.loss[0])
    assert (torch.from_numpy(found.loss[1:]).double() - wanted).abs().max() <= 1e-4  # of losses around 100 nats
    best = (-exact).exp().topk(10)
    assert (torch.from_numpy(np.asarray(found.probabilities)).double() - best.values).abs().max() <= 1e-6
    assert found.words[0][0] == str(best.indices[0, 0].item())


def test_logits_are_read_only_when_something_of_them_is_looked_at(monkeypatch):
    read, asked = prediction.read, []
    monkeypatch.setattr(prediction, "read", lambda *given: asked.append(len(given[0])) or read(*given))
    logits, ids = torch.randn(12, 300), torch.arange(12)
    found = prediction.predict(logits, ids, str)
    assert found.ids.shape == found.probabilities.shape == (12, 10) and found.loss.shape == (12,)
    assert found.loss.nbytes == logits.nbytes and not asked
    assert [float(each) for each in found.words[3]] == found.ids[3].tolist() == logits[3].topk(10).indices.tolist()
    assert np.nanmax(found.loss) > 0 and found.probabilities.dtype == np.float32 and asked == [12]


def test_a_long_text_is_read_in_parts_to_the_last_bit(monkeypatch):
    scores, ids = torch.randn(300, 400, generator=torch.Generator().manual_seed(3)), torch.arange(300)
    whole, made, once = scores.log_softmax(1), [], torch.log_softmax
    monkeypatch.setattr(torch, "log_softmax", lambda rows, axis: made.append(len(rows)) or once(rows, axis))
    losses, places, shares = map(torch.from_numpy, prediction.read(scores, ids.numpy()))
    assert torch.equal(losses[1:], -whole[:-1].gather(1, ids[1:, None])[:, 0])
    assert torch.equal(shares, torch.from_numpy(np.exp(whole.gather(1, places).numpy())))
    assert made == [128, 128, 44]  # of 512 tokens and 152,000 pieces at once they would take 300 MB


def test_what_is_certain_costs_nothing_without_a_sign():
    losses, _, _ = prediction.read(torch.tensor([[0.0, 200.0], [0.0, 1.0]]), np.array([1, 1]))
    assert losses[1] == 0 and not np.signbit(losses[1])
