"""What one training is made of: the job that somebody asked for, and the lesson that a kind of model makes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from models.tokenizer import WEIGHTS

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Job:
    """What to train from which corpora; `checkpoints` keeps what a run needs to go on, `weights` gets the result.

    `steps` replaces the recipe's number of updates unless it is 0; `go_on` starts from the weights that are there;
    `from_scratch` lets a model learn alone what it otherwise takes over from a pre-trained one; `units` is how wide a
    recurrent network or a Transformer is (word vectors and the classifiers without order have a width of their own).
    """

    name: str
    corpora: Path
    checkpoints: Path = Path("checkpoints")
    weights: Path = WEIGHTS
    steps: int = 0
    go_on: bool = False
    from_scratch: bool = False
    units: int = 192


def nothing() -> None:
    """The start of a model whose random numbers are as good as any."""


@dataclass(frozen=True)
class Lesson(Generic[Batch]):
    """A network and what it learns from, as the training loop wants it.

    `loss_of` gives the mean loss of a batch and how many tokens it had; `batches_from(n)` the batches from number n on;
    `config` is written beside the weights; `start` replaces random numbers by better ones before a run from nothing;
    `keeps` says which tensors go into the file.
    """

    network: nn.Module
    config: dict[str, Any]
    loss_of: Callable[[Batch], tuple[Tensor, int]]
    batches_from: Callable[[int], Iterator[Batch]]
    start: Callable[[], None] = nothing
    keeps: Callable[[str], bool] = lambda _: True
