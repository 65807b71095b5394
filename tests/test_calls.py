"""The bench's sentences have as many tokens as asked for, and its calls are those of models that the views offer."""

import pytest

from app import views
from app.calls import LOOPED, PROBES, VIEWS, Sentences
from models.run import Run, perform


def test_each_view_is_measured_with_models_that_it_offers():
    for view, models in VIEWS.items():
        assert {name.removeprefix(PROBES) for name in models} <= set(views.catalogue()[view].models), view
    assert set(LOOPED) <= set(VIEWS)


@pytest.mark.parametrize("view", ["attention_map", "next_word", "gates", "classification"])
def test_a_sentence_has_so_many_tokens_and_is_new(view):
    sentences = Sentences(seed=7)
    found = [sentences.new(view, 12) for _ in range(20)]
    assert len(set(found)) == 20
    model = VIEWS[view][-1 if view != "classification" else 2]  # the first two read no [CLS]
    assert {len(perform(Run(model, sentence)).tokens) for sentence in found[:3]} == {12}


def test_equal_seeds_give_equal_sentences():
    first, second, other = (Sentences(seed).new("gates", 32) for seed in (1, 1, 2))
    assert first == second != other


@pytest.mark.parametrize("view", ["gates", "gradient_flow"])
def test_a_call_takes_time(view):
    sentences = Sentences(seed=3)
    assert sentences.call(view, sentences.new(view, 8)) > 0
