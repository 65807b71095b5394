"""The training loop that every model here goes through: plain torch, seeded, resumable, with a learning curve."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from tqdm import tqdm

from models.training.cache import whole
from models.training.faults import Fault

Batch = TypeVar("Batch")

SAVE_EVERY = 180  # seconds
CURVE_POINTS = 100  # of a whole run


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to train; the learning rate rises linearly, then falls to zero along a half cosine."""

    steps: int
    batch_tokens: int
    learning_rate: float
    warmup: int = 300
    weight_decay: float = 0.01
    clip: float = 1.0  # largest norm of the gradient
    seed: int = 1


@dataclass
class Progress:
    """What a run has behind it: the next step, seconds and tokens spent, and the smoothed loss along the way."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    curve: list[tuple[int, float]] = field(default_factory=list)


def fit(
    model: nn.Module,
    loss_of: Callable[[Batch], tuple[Tensor, int]],
    batches_from: Callable[[int], Iterator[Batch]],
    recipe: Recipe,
    checkpoint: Path,
    at_step: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Trains the model in place; goes on from the checkpoint if there is one, a Fault if that is of another recipe.

    `loss_of` gives the mean loss of a batch and how many tokens it had; `batches_from(n)` the batches from number n on;
    `at_step` is called before each step and after the last (for snapshots).
    """
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.98), fused=True
    )
    half_cosine = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.steps + 1, pct_start=min(0.5, recipe.warmup / recipe.steps),
        cycle_momentum=False,
    )  # fmt: skip
    progress = load_checkpoint(checkpoint, model, optimizer, half_cosine, recipe) if checkpoint.exists() else Progress()
    model.train()
    last = saved = time.monotonic()
    smooth = progress.curve[-1][1] if progress.curve else None
    bar = tqdm(total=recipe.steps, initial=progress.step, desc=checkpoint.stem, unit="step", mininterval=10)
    for batch in batches_from(progress.step):
        at_step(progress)
        if progress.step >= recipe.steps:
            break
        torch.manual_seed(recipe.seed * 1_000_003 + progress.step)
        loss, tokens = loss_of(batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        half_cosine.step()

        progress.step += 1
        progress.tokens += tokens
        smooth = loss.item() if smooth is None else 0.99 * smooth + 0.01 * loss.item()
        if progress.step % max(1, recipe.steps // CURVE_POINTS) == 0:
            progress.curve.append((progress.step, round(smooth, 4)))
        now = time.monotonic()
        progress.seconds += now - last
        last = now
        if now - saved > SAVE_EVERY or progress.step == recipe.steps:
            saved = now
            save_checkpoint(checkpoint, model, optimizer, half_cosine, recipe, progress)
        bar.set_postfix_str(f"loss {smooth:.3f}, {progress.tokens / 1e6:.2f} M tokens", refresh=False)
        bar.update()
    bar.close()
    model.eval()
    return progress


def save_checkpoint(
    file: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    recipe: Recipe,
    progress: Progress,
) -> None:
    """Writes all that a run needs to go on; a cut while writing leaves the file before it whole."""
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "recipe": asdict(recipe),
        "progress": vars(progress),
    }
    with whole(file) as partial:
        torch.save(state, partial)


def load_checkpoint(
    file: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    recipe: Recipe,
) -> Progress:
    """Sets model, optimizer and schedule to where a run was cut off, and gives how far it had come."""
    state: dict[str, Any] = torch.load(file, weights_only=True)
    before = state.get("recipe", {})
    if other := [f"{name} {before.get(name)}, now {value}" for name, value in asdict(recipe).items()
                 if before.get(name) != value]:  # fmt: skip
        raise Fault(
            f"{file} is what another run left when it was interrupted ({'; '.join(other)}): give that run's command "
            "again, remove the file, or name another folder with --checkpoints."
        )
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return Progress(**state["progress"])
