"""Trains a model: python -m models.training.train MODEL --corpora FOLDER; interrupted, the same command goes on.

Another model is another entry in TRAININGS; one that goes through the training loop needs a recipe and a function
that makes a Lesson of a Job and that recipe.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from safetensors.torch import load_file

from models.tokenizer import TOKENIZER_FILE, WEIGHTS
from models.training import (
    classification,
    decoder,
    encoder,
    entities,
    outcome,
    recurrent,
    tokenizer,
    translator,
    word_vectors,
)
from models.training.faults import told
from models.training.lesson import Job, Lesson
from models.training.loop import Progress, Recipe, fit

SEED_OF_NEXT_RUN = 100  # apart from the run before, so that it meets other batches in another order


def network(
    lesson_of: Callable[[Job, Recipe], Lesson[Any]], recipe: Recipe, job: Job, snapshots: tuple[int, ...] = ()
) -> None:
    """A network from its start, or the weights of the run before, to its files; `snapshots` are kept on the way."""
    folder = job.weights / job.name
    before = outcome.runs(folder) if job.go_on else []
    recipe = replace(recipe, seed=recipe.seed + SEED_OF_NEXT_RUN * len(before))
    if job.steps:
        recipe = replace(recipe, steps=job.steps, warmup=min(recipe.warmup, job.steps // 4))
    torch.manual_seed(recipe.seed)
    lesson = lesson_of(job, recipe)
    if job.go_on:
        stored = load_file(folder / "model.safetensors")
        lesson.network.load_state_dict({name: value.float() for name, value in stored.items()}, strict=False)
    else:
        lesson.start()

    def keep(progress: Progress) -> None:
        if progress.step in snapshots and progress.step < recipe.steps and not job.go_on:
            outcome.write(lesson, recipe, progress, job.weights / f"{job.name}@{progress.step}")

    checkpoint = job.checkpoints / f"{job.name}{'-from-scratch' if job.from_scratch else ''}.pt"
    progress = fit(lesson.network, lesson.loss_of, lesson.batches_from, recipe, checkpoint, keep)
    outcome.write(lesson, recipe, progress, folder, job.go_on)
    checkpoint.unlink(missing_ok=True)  # the run is over; the next one starts from the weights or anew


def pieces(job: Job) -> None:
    """The shared tokenizer, unless there is one: another would make all weights useless."""
    if not TOKENIZER_FILE.exists():
        tokenizer.train(job.corpora)


TRAININGS: dict[str, Callable[[Job], None]] = {  # in the order in which they need each other
    "tokenizer": pieces,
    "word_vectors": word_vectors.train,
    "lstm": partial(network, partial(recurrent.lesson, cell="lstm"), recurrent.RECIPE),
    "gru": partial(network, partial(recurrent.lesson, cell="gru"), recurrent.RECIPE),
    "rnn": partial(network, partial(recurrent.lesson, cell="rnn"), recurrent.RECIPE),
    "encoder": partial(network, encoder.lesson, encoder.RECIPE, snapshots=encoder.SNAPSHOTS),
    "decoder": partial(network, decoder.lesson, decoder.RECIPE),
    "translator": partial(network, translator.lesson, translator.RECIPE),
    **{name: partial(network, classification.lesson, recipe) for name, recipe in classification.RECIPES.items()},
    **{name: partial(network, entities.lesson, recipe) for name, recipe in entities.RECIPES.items()},
}


@told()
def train(
    model: Annotated[str, typer.Argument(help=f"one of {', '.join(TRAININGS)}, or all")],
    corpora: Annotated[Path, typer.Option(help="the folder of the corpora (see models/training/README.md)")],
    checkpoints: Annotated[Path, typer.Option(help="where an interrupted run goes on from")] = Path("checkpoints"),
    steps: Annotated[int, typer.Option(help="instead of the recipe's number of updates; 0: the recipe's")] = 0,
    go_on: Annotated[bool, typer.Option(help="start from the weights in the repository")] = False,
    from_scratch: Annotated[bool, typer.Option(help="fine-tuned models without what they go on from")] = False,
    weights: Annotated[Path, typer.Option(help="where to write the result")] = WEIGHTS,
) -> None:
    """Trains one model, or all in their order, and writes weights, configuration and learning curve."""
    if model != "all" and model not in TRAININGS:
        raise typer.BadParameter(f"There is no model '{model}'; there are {', '.join(TRAININGS)}.")
    for name in TRAININGS if model == "all" else [model]:
        TRAININGS[name](Job(name, corpora, checkpoints, weights, steps, go_on, from_scratch))


if __name__ == "__main__":
    typer.run(train)
