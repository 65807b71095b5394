"""Draws what each unit does at each word, for one run or two and their difference; several views show such values."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from app import align
from app.messages import known, translate
from app.options import choice_label, fitted, run_choices
from app.plotting import Panel, Plot, Scale, maps
from app.query import Query
from app.views import Cell, Table, model_title
from app.words import shortened, words
from models.shapes import Array
from models.trace import Trace


def hidden(trace: Trace) -> Array:
    """The states of a run after each layer, [layers, tokens, units]."""
    assert trace.states is not None and trace.states.hidden is not None
    return trace.states.hidden


def drawing(
    query: Query,
    traces: Sequence[Trace],
    values: Sequence[np.ndarray],
    lines: Sequence[np.ndarray],
    scales: Sequence[Scale],
    named: Sequence[str],
    name: str,
    order: np.ndarray | None = None,
    peaks: Sequence[Sequence[int]] = ((), ()),
) -> tuple[Plot, Table]:
    """The plot and table of one array [tokens, units], on one of the scales, and one line [tokens] per trace.

    `named` says what each line is, beside the title, since a slide has neither options nor help. `name` starts the keys
    of the texts: <name>.hover, <name>.bar. `order` are the units from top to bottom, counted from 0; without it they
    stand as the model has them. `peaks` are the words of each run that the summary names for their place on its line.
    """
    labels = [[word.label for word in words(trace)] for trace in traces]
    columns = [[shortened(word) for word in label] for label in labels]
    hover = translate(query.lang, f"{name}.hover")
    shown = slice(None) if order is None else order
    numbers = () if order is None else tuple((order + 1).tolist())
    said = translate(query.lang, "option.line")
    titles = [f"{panel_title(query, trace)} · {said}: {line}" for trace, line in zip(traces, named, strict=True)]
    panels = [
        Panel(title, value.T[shown], [], columns[run], scale, hover, run, range(len(columns[run])), line, peaks[run],
              numbers)
        for run, (title, value, line, scale) in enumerate(zip(titles, values, lines, scales, strict=True))
    ]  # fmt: skip
    if len(traces) == 2 and traces[0].model == traces[1].model:  # units of different models have nothing in common
        change, line = difference(query, labels, values, lines)
        panels.append(
            Panel(difference_title(query, change), change.T[shown], [], columns[0], "difference", hover, 0,
                  range(len(columns[0])), line, (), numbers)
        )  # fmt: skip
    bars: dict[Scale, str] = {
        scale: translate(query.lang, bar if known(query.lang, bar := f"{name}.bar.{scale}") else f"{name}.bar")
        for scale in scales
    } | {
        "difference": translate(query.lang, "difference.bar"),
    }
    plot = replace(maps(panels, query.lang, "wide", bars), playback=max(labels, key=len))
    return plot, table(traces, labels, values)


def difference(
    query: Query, labels: Sequence[Sequence[str]], values: Sequence[np.ndarray], lines: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Second run minus first, values and line, in the first run's order; NaN where a word has no partner."""
    partners = align.pairs(labels[0], labels[1], query.align)
    change = np.full(values[0].shape, np.nan, np.float32)
    line = np.full(len(partners), np.nan, np.float32)
    kept = [place for place, partner in enumerate(partners) if partner is not None]
    theirs = [partner for partner in partners if partner is not None]
    change[kept] = values[1][theirs] - values[0][kept]
    line[kept] = lines[1][theirs] - lines[0][kept]
    return change, line


def panel_title(query: Query, trace: Trace, known_already: Container[str] = ()) -> str:
    """What tells this run from the other: its model where two models read one sentence, with its choices but those that
    the figure says already, else the sentence."""
    if not query.two_models:
        return trace.text
    parts = [model_title(trace.model, query.lang)]
    for name in run_choices(type(query)):
        if name in known_already or (value := getattr(fitted(query, trace), name)) is None:
            continue
        parts.append(
            f"{translate(query.lang, f'option.{name}')} {value}"
            if isinstance(value, int)
            else choice_label(name, value, query.lang)
        )
    if not query.one_sentence:
        parts.append(trace.text)
    return " · ".join(parts)


def run_title(query: Query, trace: Trace) -> str:
    """The sentence, and the model where there are two."""
    if not query.two_models:
        return trace.text
    return f"{model_title(trace.model, query.lang)} · {trace.text}"


def difference_title(query: Query, difference: np.ndarray) -> str:
    """What the colours of a difference mean, the grey of words without a partner included."""
    return translate(query.lang, "difference.title.partial" if np.isnan(difference).any() else "difference.title")


def run_name(query: Query, traces: Sequence[Trace], number: int) -> str:
    """What a summary begins with of a run: its model, and which sentence it read where there are two; the second time
    not the model again."""
    model = model_title(traces[number].model, query.lang)
    if query.one_sentence:
        return model
    if number and traces[number].model == traces[0].model:
        return translate(query.lang, "run.again")
    return translate(query.lang, f"run.{number + 1}", model=model)


def table(traces: Sequence[Trace], labels: Sequence[Sequence[str]], values: Sequence[np.ndarray]) -> Table:
    """Every number; in a brief one a line for each word."""
    return Table(
        ("column.model", "column.run", "column.position", "column.word", "column.unit", "column.value"),
        partial(all_rows, traces, labels, values),
        sum(value.size for value in values),
        ("column.model", "column.run", "column.position", "column.word", "column.mean", "column.smallest",
         "column.largest"),
        partial(mean_rows, traces, labels, values),
    )  # fmt: skip


def all_rows(
    traces: Sequence[Trace], labels: Sequence[Sequence[str]], values: Sequence[np.ndarray]
) -> Iterable[tuple[Cell, ...]]:
    """Every number: model, run, position, word, unit, value."""
    for run, (trace, names, array) in enumerate(zip(traces, labels, values, strict=True), start=1):
        for position, row in enumerate(array.tolist()):
            for unit, value in enumerate(row, start=1):
                yield trace.model, run, position, names[position], unit, value


def mean_rows(
    traces: Sequence[Trace], labels: Sequence[Sequence[str]], values: Sequence[np.ndarray]
) -> Iterable[tuple[Cell, ...]]:
    """One row per word: mean, smallest and largest value over the units."""
    for run, (trace, names, array) in enumerate(zip(traces, labels, values, strict=True), start=1):
        columns = (array.mean(1).tolist(), array.min(1).tolist(), array.max(1).tolist())
        for position, numbers in enumerate(zip(*columns, strict=True)):
            yield trace.model, run, position, names[position], *numbers
