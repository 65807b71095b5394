"""An experiment says which models and changes it takes, and refuses others in a sentence before it computes."""

import pytest

from models import errors, registry
from models.experiments import EXPERIMENTS
from models.run import Change, Run, perform

TEXT = "Der Mann biss den Hund"
SOME = ("rnn", "lstm", "encoder", "decoder", "translator", "word_vectors", "bag_of_words-intent", "gru-intent",
        "encoder-intent", "encoder-entities")  # fmt: skip
QUICK = EXPERIMENTS.keys() - {"timing"}  # seconds


@pytest.mark.parametrize("name", sorted(QUICK))
def test_an_experiment_takes_the_models_that_it_says(name):
    for model in SOME:
        fits = EXPERIMENTS[name].fits(registry.get(model))
        change = Change("masked", 1) if name == "expectations" and model == "encoder" else None
        run = Run(model, TEXT, name, change)
        if fits:
            assert perform(run).parts()
        else:
            with pytest.raises(ValueError, match=f"^{name} cannot be made with {model}; it can with ") as refused:
                perform(run)
            assert model not in str(refused.value).partition("; ")[2].removeprefix("it can with ").split(", ")


def test_a_measurement_takes_its_networks_only():
    assert [model for model in registry.catalogue() if EXPERIMENTS["timing"].fits(registry.get(model))] == [
        "decoder", "encoder", "rnn", "lstm", "gru",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (Run("lstm", TEXT, "gradient"), "there is no experiment 'gradient'; there are: forward, .*gradients"),
        (Run("lstm", TEXT, "memory", Change("erased", 1)), r"memory cannot be made with the change erased\(1\)"),
        (Run("encoder", TEXT, "expectations"), "expectations need Change"),
        (Run("decoder", TEXT, "expectations", Change("masked", 1)), "expectations need Change"),
        (Run("lstm", TEXT, change=Change("head_off", 0)), "cannot be done to this model; possible: reset_after, era"),
        (Run("lstm", TEXT, change=Change("reset_after", 99)), r"reset_after\(99\): the text has tokens 0 to 5"),
        (Run("gru-intent", TEXT, change=Change("erased", -1)), r"erased\(-1\): the text has tokens 0 to 5"),
        (Run("bag_of_words-intent", TEXT, change=Change("erased", 5)), r"the text has tokens 0 to 4"),
        (Run("encoder", TEXT, change=Change("masked", 7)), "the text has tokens 0 to 6"),
        (Run("encoder", TEXT, change=Change("head_off", 4)), "layers 0 to 3, each with heads 0 to 3"),
        (Run("decoder", TEXT, change=Change("head_off", 0, head=-1)), "layers 0 to 3, each with heads 0 to 3"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_told(run, said):
    with pytest.raises(ValueError, match=said):
        perform(run)


@pytest.mark.parametrize(
    ("model", "text", "kind", "said"),
    [
        ("lstmm", TEXT, errors.UnknownModel, "there is no model 'lstmm'; there are: decoder, encoder"),
        ("lstm", " ", errors.EmptyText, "there is no word in the text"),
        ("gru", "Hund " * 300, errors.TooManyTokens, "301 tokens, at most 256 are possible; its first 1274 characters"),
    ],
)
def test_a_wrong_input_is_told_in_a_sentence(model, text, kind, said):
    with pytest.raises(kind, match=said):
        perform(Run(model, text))
