"""A run: one experiment on one model and one text; `perform` carries it out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.trace import Trace


@dataclass(frozen=True)
class Run:
    """The key of everything computed: equal runs have equal traces."""

    model: str
    text: str
    experiment: str = "forward"


def perform(run: Run) -> "Trace":
    """Loads the model if need be and carries the experiment out; raises InputError for a text it cannot take."""
    from models import experiments

    return experiments.EXPERIMENTS[run.experiment](run)
