"""What four classifiers answer together: a fifth learns from it what a single label does not say.

Each is trained alone first. Source: Hinton, Vinyals & Dean (2015), Distilling the Knowledge in a Neural Network.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.training.cache import whole
from models.training.lesson import Job, Lesson
from models.training.loop import Recipe, fit

KINDS = ("rnn", "lstm", "gru", "encoder")


def answers(
    job: Job,
    recipe: Recipe,
    lesson_of: Callable[[Job, Recipe], Lesson[Any]],
    logits_of: Callable[[nn.Module, list[str]], Tensor],
    texts: list[str],
) -> Tensor:
    """The mean of the probabilities that the four give to each text, [texts, classes]; kept in the cache."""
    file = job.checkpoints / f"teachers_{recipe.seed}_{recipe.steps}.npy"
    if not file.exists():
        jobs = {job.checkpoints / f"teacher_{kind}.pt": replace(job, name=f"{kind}-intent") for kind in KINDS}
        said = []
        for checkpoint, one in jobs.items():
            torch.manual_seed(recipe.seed)
            lesson = lesson_of(one, recipe)
            fit(lesson.network, lesson.loss_of, lesson.batches_from, recipe, checkpoint)
            said.append(logits_of(lesson.network, texts).softmax(-1))
        with whole(file) as partial:
            np.save(partial, torch.stack(said).mean(0).numpy())
        for checkpoint in jobs:  # until here an interrupted run found in them what was learned
            checkpoint.unlink()
    return torch.from_numpy(np.load(file))
