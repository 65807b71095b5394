"""A run: one experiment on one model and one text; `perform` carries it out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from models.trace import Trace


LONG = ("attributions", "timing")  # experiments that may take seconds
AT_A_TOKEN = ("reset_after", "erased", "masked")  # changes of which `at` is a token


@dataclass(frozen=True)
class Change:
    """What is done to a model before it runs.

    reset_after: its memory is wiped after token `at`; erased: the word vector of token `at` is zero; spectral_norm: the
    recurrent matrices are scaled to the largest singular value `amount`; initial_weights: as before any training, from
    the seed `at`; head_off: the attention head `head` of layer `at` (both counted from 0) gives nothing;
    even_attention: every token looks alike at all tokens that it may see, in every head; no_positions: a Transformer's
    vectors for the places are zero; masked: [MASK] stands in place of token `at`, or before [SEP] where that is token
    `at`.
    """

    kind: Literal[
        "reset_after", "erased", "spectral_norm", "initial_weights", "no_positions", "head_off", "even_attention",
        "masked",
    ]  # fmt: skip
    at: int = 0
    amount: float = 0.0
    head: int = 0

    def __str__(self) -> str:
        if self.kind == "head_off":
            return f"{self.kind}({self.at}, {self.head})"
        if self.kind == "no_positions":
            return self.kind
        return f"{self.kind}({self.amount:g})" if self.kind == "spectral_norm" else f"{self.kind}({self.at})"


def changed(change: Change | None, tokens: int, *kinds: str) -> dict[str, int]:
    """The token that a change is about, by its kind; raises ValueError for one that is not among these kinds, or about
    a token that a text of so many does not have."""
    if change and change.kind not in kinds:
        raise ValueError(f"{change} cannot be done to this model; possible: {', '.join(kinds) or 'no change'}")
    if change and change.kind in AT_A_TOKEN and not 0 <= change.at < tokens:
        raise ValueError(f"{change}: the text has tokens 0 to {tokens - 1}")
    return {change.kind: change.at} if change else {}


@dataclass(frozen=True)
class Run:
    """The key of everything computed: equal runs have equal traces; what is measured anew is another `attempt`.

    `at` is the token that an experiment asks about, where it asks about one; None leaves that to the experiment.
    """

    model: str
    text: str
    experiment: str = "forward"
    change: Change | None = None
    attempt: int = 0
    at: int | None = None

    @property
    def long(self) -> bool:
        """Whether it may take seconds: who has many runs to carry out lets no other wait for it."""
        return self.experiment in LONG


def perform(run: Run) -> "Trace":
    """Loads the model if need be and carries the experiment out; raises InputError for a text it cannot take.

    An experiment that does not exist, or that cannot be made with this model or this change, is a ValueError.
    """
    from models import experiments

    return experiments.required(run).make(run)
