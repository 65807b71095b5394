"""Who looks at whom: the values of an attention map, at each stage from Q·Kᵀ to the softmax or over all layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import PositiveInt

from app import align
from app.looks import LookQuery, look
from app.query import Choices, Layer
from app.words import Word
from models.faithfulness import rollout
from models.trace import Trace

SHARES = ("softmax", "rollout")  # the stages whose rows sum to 1


def heads(trace: Trace) -> Sequence[str | int]:
    """The mean over the heads, and each head of a layer."""
    return ["mean", *range(1, look(trace).attention.shape[1] + 1)]


def stages(trace: Trace) -> Sequence[str]:
    """The stages that are known of a run; what looks across at another text cannot be rolled out."""
    found = look(trace)
    before = () if found.scores is None else ("raw", "scaled", "masked")
    return (*before, "softmax") if found.across else (*before, *SHARES)


class AttentionMapQuery(LookQuery):
    """Part, kind of picture, layer, head, how far the computation has come, and what happens to [CLS] and [SEP]."""

    show: Literal["map", "lines"] = "map"
    layer: Layer = None
    head: Annotated[Literal["mean"] | PositiveInt, Choices(heads)] = "mean"
    stage: Annotated[
        Literal["raw", "scaled", "masked", "softmax", "rollout"],
        Choices(stages, standard=lambda trace: stages(trace).index("softmax")),
    ] = "softmax"
    special: Literal["renormalised", "hidden", "shown"] = "renormalised"

    @property
    def lined(self) -> bool:
        """Whether looks are lines, which only shares can be: a score may be negative."""
        return self.show == "lines" and self.stage in SHARES

    def idle(self) -> tuple[str, ...]:
        """The rollout has the mean over the heads in every layer; scores are no lines, and lines have no difference."""
        idle = {"head": self.stage == "rollout", "show": self.stage not in SHARES, "align": self.lined}
        return tuple(name for name, is_idle in idle.items() if is_idle)


@dataclass(frozen=True)
class Map:
    """What is drawn of one run: values [rows, columns], who looks at whom; `lost` is the share of hidden tokens."""

    trace: Trace
    rows: Sequence[Word]
    columns: Sequence[Word]
    values: np.ndarray
    lost: float

    @property
    def across(self) -> bool:
        """Whether what looks is another text than what is looked at."""
        return self.trace.attention is None

    @property
    def alone(self) -> bool:
        """Whether there is but one word, which can only look at itself."""
        return len(self.columns) == 1 and not self.across

    @cached_property
    def free(self) -> np.ndarray:
        """Which rows see more than one column, [rows]; one that sees but itself looks there whatever the model does."""
        seen: np.ndarray = np.count_nonzero(self.values, axis=1) > 1
        return seen


def staged(query: AttentionMapQuery, trace: Trace) -> np.ndarray:
    """The chosen layer's heads at the chosen stage, averaged where asked for: [tokens, tokens], masked is NaN."""
    found = look(trace)
    layer = (query.layer or 1) - 1
    if query.stage == "rollout":
        return rollout([found.attention[each].mean(axis=0) for each in range(layer + 1)])
    head = slice(None) if query.head == "mean" else slice(query.head - 1, query.head)
    if query.stage == "softmax":
        values = found.attention[layer, head]
    elif query.stage == "masked":
        assert found.scores is not None
        values = np.where(np.isneginf(found.scores[layer, head]), np.nan, found.scores[layer, head])
    else:
        values = found.queries[layer, head] @ found.keys[layer, head].swapaxes(-1, -2)
        if query.stage == "scaled":
            values = values * found.scaling[layer]
    mean: np.ndarray = values.mean(axis=0)
    return mean


def mapped(query: AttentionMapQuery, trace: Trace) -> Map:
    """The values to draw, with special tokens shown, left out, or left out and their share given to the others."""
    values, found = staged(query, trace), look(trace)
    rows, columns = ([word.position for word in side if word.kind != "special"] for side in (found.rows, found.columns))
    if query.special == "shown" or not rows or not columns:
        return Map(trace, found.rows, found.columns, values, 0.0)
    shown = values.take(rows, axis=0).take(columns, axis=1)
    lost = float(1 - shown.sum(1).mean()) if query.stage in SHARES else 0.0
    if query.special == "renormalised" and query.stage in SHARES:
        shown = shown / np.maximum(shown.sum(1, keepdims=True), np.finfo(np.float32).tiny)
    return Map(trace, [found.rows[place] for place in rows], [found.columns[place] for place in columns], shown, lost)


def difference(query: AttentionMapQuery, first: Map, second: Map) -> np.ndarray:
    """Second minus first where both words of a cell have a partner, else NaN; in the first run's order."""
    mine, theirs = zip(
        matched(query, first.rows, second.rows), matched(query, first.columns, second.columns), strict=True
    )
    values = np.full(first.values.shape, np.nan, np.float32)
    values[np.ix_(*mine)] = second.values[np.ix_(*theirs)] - first.values[np.ix_(*mine)]
    return values


def matched(query: AttentionMapQuery, first: Sequence[Word], second: Sequence[Word]) -> tuple[list[int], list[int]]:
    """The places of the first words that have a partner, and the places of those partners."""
    found = partners(first, second, query.align)
    known = [place for place, partner in enumerate(found) if partner is not None]
    return known, [partner for partner in found if partner is not None]


def partners(first: Sequence[Word], second: Sequence[Word], how: align.Align = "word") -> list[int | None]:
    """For each of the first words the place of its partner among the second, or None."""
    return align.pairs([word.label for word in first], [word.label for word in second], how)


def highest(values: np.ndarray) -> tuple[int, int]:
    """Row and column of the largest value."""
    row, column = np.unravel_index(np.nanargmax(values), values.shape)
    return int(row), int(column)


def of_choice(map_: Map) -> np.ndarray:
    """The values of the rows that have a choice; all of them where none has."""
    some = map_.free.any() and not map_.free.all()
    return np.where(map_.free[:, None], map_.values, -1) if some else map_.values


def of_others(map_: Map) -> np.ndarray:
    """The values but what each word has of itself."""
    return np.where(np.eye(len(map_.rows), dtype=bool), -1, map_.values)


def telling(first: Map, second: Map) -> list[tuple[int, int]]:
    """Row and column, in each run, of the shared word that tells most and of what it looks at; empty without one.

    A word that looks elsewhere the second time tells more, and more so the harder it looks both times; one that has
    no choice tells least.
    """
    looked_at = partners(first.columns, second.columns)
    found: list[tuple[int, int]] = []
    most = (False, False, -1.0)
    for row, other in enumerate(partners(first.rows, second.rows)):
        if other is None or (first.alone and second.alone):
            continue
        mine, theirs = int(first.values[row].argmax()), int(second.values[other].argmax())
        moved = looked_at[mine] != theirs
        choice = bool(first.free[row] and second.free[other])
        weight = (choice, moved, float(first.values[row, mine] * second.values[other, theirs]))
        if weight > most:
            most, found = weight, [(row, mine), (other, theirs)]
    return found
