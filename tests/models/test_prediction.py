"""The likeliest pieces by way of columns are those that sorting everything finds; losses are exact for large logits."""

import numpy as np
import pytest
import torch

from models import prediction
from models.trace import Prediction


@pytest.mark.parametrize("pieces", [5, 30, 219, 220, 221, 14_000, 30_522])
def test_columns_find_what_sorting_finds(pieces):
    scores = torch.randn(7, pieces, generator=torch.Generator().manual_seed(pieces))
    scores[0, -10:] += 20  # the best side by side, in the part that fills no column where there is one
    scores[1, ::97] += 20
    scores[2, :: max(1, pieces // prediction.SLICES)] += 20  # the best in one column
    values, places, sums = map(torch.from_numpy, prediction.likeliest(scores.numpy(), 10))
    expected = scores.topk(min(10, pieces))
    assert torch.equal(values, expected.values) and torch.equal(places, expected.indices)
    assert torch.allclose(sums + values[:, :1], scores.logsumexp(1, keepdim=True), rtol=1e-6)


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
