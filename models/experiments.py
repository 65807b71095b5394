"""The experiments one can make with a model and a text; each is a function from a run to its trace."""

from collections.abc import Callable

from models import registry
from models.run import Run
from models.trace import Trace


def forward(run: Run) -> Trace:
    """The model reads the text once."""
    return registry.load(run.model).forward(run.text)


EXPERIMENTS: dict[str, Callable[[Run], Trace]] = {"forward": forward}
