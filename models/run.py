"""A run: one experiment on one model and one text, perhaps with one change; `perform` carries it out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from models.trace import Trace


class Change(Protocol):
    """What a run changes about its model; frozen, so that a run can be a key."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Run:
    """The key of everything computed: equal runs have equal traces."""

    model: str
    text: str
    experiment: str = "forward"
    change: Change | None = None


def perform(run: Run) -> "Trace":
    """Loads the model if need be and carries the experiment out; raises InputError for a text it cannot take."""
    from models import experiments

    return experiments.EXPERIMENTS[run.experiment](run)
