"""Draws what each unit does at each word, for one run or two and their difference; several views show such values."""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from app import align
from app.messages import translate
from app.plotting import Panel, Plot, Scale, maps
from app.query import Query
from app.views import Cell, Table
from app.words import shortened, words
from models.trace import Trace


def drawing(
    query: Query, traces: Sequence[Trace], values: Sequence[np.ndarray], lines: Sequence[np.ndarray], scale: Scale, name: str
) -> tuple[Plot, Table]:
    """The plot and table of one array [tokens, units] and one line [tokens] per trace.

    `name` starts the keys of the texts: <name>.hover, <name>.bar.
    """
    labels = [[word.label for word in words(trace)] for trace in traces]
    hover = translate(query.lang, f"{name}.hover")
    panels = [
        Panel(panel_title(query, trace), value.T, [], [shortened(word) for word in label], scale, hover, line=line)
        for trace, value, line, label in zip(traces, values, lines, labels, strict=True)
    ]
    if len(traces) == 2 and values[0].shape[1] == values[1].shape[1]:
        partners = align.pairs(labels[0], labels[1], query.align)
        difference = np.full(values[0].shape, np.nan, np.float32)
        known = [place for place, partner in enumerate(partners) if partner is not None]
        difference[known] = values[1][[partners[place] for place in known]] - values[0][known]
        columns = [shortened(word) for word in labels[0]]
        panels.append(Panel(translate(query.lang, "difference.title"), difference.T, [], columns, "difference", hover))
    titles: dict[Scale, str] = {
        scale: translate(query.lang, f"{name}.bar"),
        "difference": translate(query.lang, "difference.bar"),
    }
    table = Table(
        columns=("column.model", "column.position", "column.word", "column.unit", "column.value"),
        rows=partial(all_rows, traces, labels, values),
        count=sum(value.size for value in values),
        brief_columns=("column.model", "column.position", "column.word", "column.mean", "column.smallest", "column.largest"),
        brief=partial(mean_rows, traces, labels, values),
    )
    return maps(panels, query.lang, "wide", titles), table


def panel_title(query: Query, trace: Trace) -> str:
    """What tells this run from the other: its model where two models read one sentence, else the sentence."""
    if query.vs_model is not None and query.vs_model != query.model:
        model = translate(query.lang, f"model.{trace.model}.title")
        return model if query.same_text else f"{model}: {trace.text}"
    return trace.text


def all_rows(
    traces: Sequence[Trace], labels: Sequence[Sequence[str]], values: Sequence[np.ndarray]
) -> Iterable[tuple[Cell, ...]]:
    """Every number: model, position, word, unit, value."""
    for trace, names, array in zip(traces, labels, values, strict=True):
        for position, row in enumerate(array.tolist()):
            for unit, value in enumerate(row, start=1):
                yield trace.model, position, names[position], unit, value


def mean_rows(
    traces: Sequence[Trace], labels: Sequence[Sequence[str]], values: Sequence[np.ndarray]
) -> Iterable[tuple[Cell, ...]]:
    """One row per word: mean, smallest and largest value over the units."""
    for trace, names, array in zip(traces, labels, values, strict=True):
        columns = (array.mean(1).tolist(), array.min(1).tolist(), array.max(1).tolist())
        for position, numbers in enumerate(zip(*columns, strict=True)):
            yield trace.model, position, names[position], *numbers
