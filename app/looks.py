"""Which look of a run an attention view shows: of a text at itself, of a decoder at what it writes, or across."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Literal

import numpy as np

from app.messages import Message, Strong, in_quotes, say
from app.query import Choices, Query
from app.views import model_title
from app.words import Word, words, written
from models import registry
from models.run import Run
from models.shapes import Array
from models.trace import Trace

PARTS = ("encoder", "decoder", "cross")
EXPERIMENTS = {"decoder": "decoder", "cross": "across"}


def parts(trace: Trace) -> Sequence[str]:
    """The parts of an encoder–decoder that can be shown; a model of one part has none to choose from."""
    return PARTS if writes(trace.model) else ()


def writes(name: str) -> bool:
    """Whether a model has a decoder that looks across."""
    return name in registry.catalogue() and "cross_attention" in registry.get(name).fields


class LookQuery(Query):
    """Which part of an encoder–decoder is shown; the text of its decoder is what it writes greedily."""

    part: Annotated[Literal["encoder", "decoder", "cross"] | None, Choices(parts, anew=True)] = None

    def runs(self) -> list[Run]:
        """The same runs; those of an encoder–decoder write where its decoder is asked for."""
        experiment = EXPERIMENTS.get(self.part or "", "forward")
        return [replace(run, experiment=experiment) if writes(run.model) else run for run in super().runs()]


@dataclass(frozen=True)
class Look:
    """Who looks (rows) at whom (columns), [layers, heads, rows, columns]; of some models only `attention` is known."""

    trace: Trace
    attention: Array
    scores: Array | None
    queries: Array
    keys: Array
    scaling: np.ndarray
    across: bool

    @cached_property
    def rows(self) -> tuple[Word, ...]:
        """Those who look."""
        return written(self.trace) if self.across else self.columns

    @cached_property
    def columns(self) -> tuple[Word, ...]:
        """Those who are looked at."""
        return words(self.trace)


def look(trace: Trace) -> Look:
    """What a run shows of its attention."""
    if (own := trace.attention) is not None:
        return Look(trace, own.attention, own.scores, own.queries, own.keys, own.scaling, False)
    assert trace.decoding is not None
    over = trace.decoding
    return Look(
        trace, over.cross_attention, over.cross_scores, over.cross_queries, over.cross_keys, over.cross_scaling, True
    )


def told(query: LookQuery, traces: Sequence[Trace]) -> Iterable[Message]:
    """Whose look it is where that is not plain, and what is not known of it; a sentence for each model."""
    for name in dict.fromkeys(trace.model for trace in traces):
        model, own = model_title(name, query.lang), [trace for trace in traces if trace.model == name]
        if query.part in EXPERIMENTS and writes(name):
            texts = [trace.written.sentence if trace.written else trace.text for trace in own]
            told = " / ".join(in_quotes(query.lang, text) for text in dict.fromkeys(texts))
            yield say(f"looks.{query.part}", sentences=Strong(told))
        if own[0].check.reported:
            yield say("looks.reported", model=model)
