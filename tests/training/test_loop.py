from dataclasses import replace
from functools import partial

import pytest
import torch

from models.recurrence import RecurrentLanguageModel
from models.tokenizer import tokenizer
from models.training import language, loop, recurrent, text
from models.training.faults import Fault
from models.training.loop import Recipe, fit

RECIPE = Recipe(steps=8, batch_tokens=48, learning_rate=1e-2, warmup=2)


class Interrupted(Exception):
    """Somebody pressed a key."""


@pytest.fixture
def texts(corpora_folder, tmp_path):
    return text.read(corpora_folder, tmp_path / "cache")


def trained(texts, checkpoint, recipe=RECIPE, at_step=lambda _: None):
    """A tiny GRU after its training, and how that went."""
    torch.manual_seed(recipe.seed)
    model = RecurrentLanguageModel("gru", tokenizer().get_vocab_size(), units=8, layers=1)
    loss = partial(recurrent.next_piece_loss, model, language.frequencies(texts, len(model.bias)))
    batches = partial(text.batches, texts, recipe.seed, recipe.batch_tokens, 0)
    return model, fit(model, loss, batches, recipe, checkpoint, at_step)


def equal(one, other):
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_training_changes_the_weights_and_counts_what_it_read(texts, tmp_path):
    steps = []
    model, progress = trained(texts, tmp_path / "gru.pt", at_step=lambda progress: steps.append(progress.step))
    torch.manual_seed(RECIPE.seed)
    assert not equal(model, RecurrentLanguageModel("gru", len(model.bias), units=8, layers=1))
    assert steps == list(range(9))
    assert progress.step == 8
    assert [step for step, _ in progress.curve] == list(range(1, 9))
    assert 0 < progress.tokens <= 8 * 48
    assert not model.training


def test_more_training_lowers_the_loss(texts, tmp_path):
    model, _ = trained(texts, tmp_path / "gru.pt", Recipe(steps=60, batch_tokens=64, learning_rate=3e-2, warmup=5))
    frequency = language.frequencies(texts, len(model.bias))
    batch = next(text.batches(texts, 1, 64))
    untrained = RecurrentLanguageModel("gru", len(model.bias), units=8, layers=1)
    torch.manual_seed(1)
    before = recurrent.next_piece_loss(untrained, frequency, batch)[0]
    torch.manual_seed(1)
    assert recurrent.next_piece_loss(model, frequency, batch)[0] < 0.8 * before


def test_an_interrupted_run_ends_with_exactly_the_same_weights(texts, tmp_path, monkeypatch):
    def interrupt(progress):
        if progress.step == 5:
            raise Interrupted

    monkeypatch.setattr(loop, "SAVE_EVERY", 0)
    whole, _ = trained(texts, tmp_path / "whole.pt")
    with pytest.raises(Interrupted):
        trained(texts, tmp_path / "parted.pt", at_step=interrupt)
    steps = []
    parted, progress = trained(texts, tmp_path / "parted.pt", at_step=lambda progress: steps.append(progress.step))
    assert steps[0] == 5
    assert progress.step == 8
    assert equal(whole, parted)


def test_a_finished_run_is_not_trained_again(texts, tmp_path):
    model, progress = trained(texts, tmp_path / "gru.pt")
    again, same = trained(texts, tmp_path / "gru.pt")
    assert equal(model, again)
    assert same.tokens == progress.tokens


def test_a_run_of_another_recipe_does_not_go_on(texts, tmp_path):
    trained(texts, tmp_path / "gru.pt")
    with pytest.raises(Fault, match=r"gru.pt is what another run left .* \(steps 8, now 4; warmup 2, now 1\): give"):
        trained(texts, tmp_path / "gru.pt", replace(RECIPE, steps=4, warmup=1))


def test_batches_go_on_where_they_were_left(texts):
    several = text.batches(texts, 1, 48)
    expected = [next(several) for _ in range(7)]
    left = text.batches(texts, 1, 48, start=5)
    for batch in expected[5:]:
        assert (next(left) == batch).all()
