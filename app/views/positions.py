"""Positions: the vectors for the places, how alike they are, and what a Transformer makes of an order without them."""

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import PositiveInt

from app import reordered
from app.attended import heads
from app.messages import Message, Strong, bound, decimal, say, translate, whole
from app.plotting import Axis, Curve, Kind, Panel, Plot, chart, maps
from app.query import Choices, Layer, Query
from app.reordered import ranged
from app.transforms import reversed_words, same_words
from app.units import run_title
from app.views import Cell, Figure, Table, View, model_title
from app.words import shortened, words
from models.positions import frequencies, identity_error, products
from models.run import Change, Run
from models.trace import Positional, Trace, typed_places

NEAR = {"vectors": 32, "products": 24}  # places shown at first, if the text has no more tokens
OFF = Change("no_positions")
TAILS = (0.1, 0.9)  # between these quantiles lie 80 % of the pairs of a distance


class PositionsQuery(Query):
    """Which picture; how many places, and how two vectors are compared; whose attention, with positions or without."""

    show: Literal["vectors", "products", "curve", "permuted"] = "vectors"
    extent: Literal["near", "all"] = "near"
    measure: Literal["product", "cosine"] = "product"
    positions: Literal["off", "on"] = "off"
    layer: Layer = None
    head: Annotated[Literal["mean"] | PositiveInt, Choices(heads)] = "mean"

    @property
    def second(self) -> str:
        """The words in another order: the second sentence where it has the same words, else the first turned round."""
        return self.vs if self.vs is not None and same_words(self.text, self.vs) else reversed_words(self.text)

    def runs(self) -> list[Run]:
        """The same runs with the whole table; or each model over both orders, with positions and without."""
        if self.show != "permuted":
            return [Run(run.model, run.text, "positions") for run in super().runs()]
        models = [self.model] + [self.vs_model] * self.two_models
        texts = (self.text, self.second)
        return [Run(str(name), text, change=change) for name in models for change in (None, OFF) for text in texts]

    def idle(self) -> Container[str]:
        """Each picture has its own options; nothing is aligned, since no difference of vectors is drawn."""
        used = {"vectors": ("extent",), "products": ("extent", "measure"), "curve": ("measure",),
                "permuted": ("positions", "layer", "head")}[self.show]  # fmt: skip
        return {"align", "extent", "measure", "positions", "layer", "head"} - set(used)


def positional(trace: Trace) -> Positional:
    """The table of a run's model."""
    assert trace.positional is not None
    return trace.positional


def figure(query: PositionsQuery, traces: list[Trace]) -> Figure:
    """Units down and places across; places against places; products over distances; or attention in both orders."""
    return {"vectors": vectors, "products": alike, "curve": curve, "permuted": reordered.drawing}[query.show](
        query, traces
    )


def shown(query: PositionsQuery, trace: Trace) -> tuple[np.ndarray, list[str]]:
    """The vectors [places, units] that are drawn, and what the places are called: the text's words, then numbers."""
    table = positional(trace).position_table
    if query.extent == "near":
        table = table[: max(NEAR[query.show], len(trace.tokens))]
    labels = [shortened(word.label) for word in words(trace)]
    return table, labels + [str(place) for place in range(len(labels), len(table))]


def vectors(query: PositionsQuery, traces: list[Trace]) -> Figure:
    """Each column is the vector of a place."""
    hover = translate(query.lang, "positions.vectors.hover")
    panels = []
    for run, trace in enumerate(traces):
        table, labels = shown(query, trace)
        panels.append(
            Panel(run_title(query, trace), table.T, [], labels, "signed", hover, run, range(len(trace.tokens)),
                  numbers=waves(table.shape[1]) if positional(trace).sinusoidal else ())
        )  # fmt: skip
    plot = coloured(query, panels, "wide")
    columns = ("column.model", "column.run", "column.position", "column.unit", "column.value")
    brief = ("column.model", "column.run", "column.position", "column.length")
    count = sum(shown(query, trace)[0].size for trace in traces)
    numbers = Table(columns, partial(unit_rows, query, traces), count, brief, partial(length_rows, query, traces))
    return Figure(plot, list(lengths(query, traces)), numbers)


def waves(units: int) -> list[str]:
    """What the units of sinusoidal vectors are called: all sines stand before all cosines."""
    return [f"{unit} ({'sin' if unit <= units // 2 else 'cos'})" for unit in range(1, units + 1)]


def coloured(query: PositionsQuery, panels: Sequence[Panel], kind: Kind) -> Plot:
    """The panels on the range of all places but the first: a learned vector of place 0 would make the others pale."""
    bar = f"positions.bar.{'vectors' if query.show == 'vectors' else query.measure}"
    most = max(float(np.abs(panel.values).max()) for panel in panels)
    others = max(float(np.abs(panel.values[kind == "map" :, 1:]).max(initial=0)) for panel in panels)
    said = translate(query.lang, bar)
    if others < most:
        said = translate(query.lang, "positions.bar.first", bar=said, most=decimal(query.lang, most, 2))
    return ranged(maps(panels, query.lang, kind, {"signed": said}), "coloraxis", others or 1.0)


def lengths(query: PositionsQuery, traces: list[Trace]) -> Iterable[Message]:
    """How many vectors there are, how long beside the word vectors, and that a word has no say in them."""
    for trace in {each.model: each for each in traces}.values():
        table = positional(trace).position_table
        sizes, units = np.linalg.norm(table, axis=1), table.shape[1]
        assert trace.states is not None
        typed = typed_places(trace.tokens)
        word = decimal(query.lang, float(np.linalg.norm(trace.states.inputs[typed], axis=1).mean()), 2)
        name = model_title(trace.model, query.lang)
        if positional(trace).sinusoidal:
            longest = 2 * np.pi / frequencies(units)[-1]
            yield say(
                "positions.summary.sinusoidal", model=name, places=len(table), waves=Strong(str(units // 2)),
                shortest=decimal(query.lang, 2 * np.pi, 1), longest=whole(query.lang, round(longest)),
                length=decimal(query.lang, float(sizes[0]), 2), word=word,
            )  # fmt: skip
        else:
            yield say(
                "positions.summary.learned", model=name, places=len(table), units=units,
                first=Strong(decimal(query.lang, float(sizes[0]), 2)),
                length=Strong(decimal(query.lang, float(sizes[1:].mean()), 2)), word=word,
            )  # fmt: skip
    yield from tail(query, traces)


def tail(query: PositionsQuery, traces: list[Trace]) -> Iterable[Message]:
    """How many of the places are drawn, and what a second sentence changes."""
    counts = {len(positional(trace).position_table) for trace in traces}
    if query.show != "curve" and (drawn := len(shown(query, traces[0])[0])) < min(counts):
        key = "positions.summary.near" if len(counts) == 1 else "positions.summary.near.each"
        yield say(key, shown=drawn, places=min(counts))
    if len({trace.text for trace in traces}) > 1 and len({trace.model for trace in traces}) == 1:
        yield say("positions.summary.same")


def compared(query: PositionsQuery, table: np.ndarray) -> np.ndarray:
    """PE(p)·PE(q), or the cosine of the two, of a table [places, units]: float64[places, places]."""
    found = products(table)
    if query.measure == "cosine":
        sizes = np.sqrt(np.diagonal(found))
        found = found / np.maximum(np.outer(sizes, sizes), np.finfo(np.float32).tiny)
    return found


def alike(query: PositionsQuery, traces: list[Trace]) -> Figure:
    """Each cell compares the vectors of two places."""
    hover = translate(query.lang, f"positions.{query.measure}.hover")
    panels, drawn = [], []
    for run, trace in enumerate(traces):
        table, labels = shown(query, trace)
        drawn.append(compared(query, table))
        panels.append(
            Panel(run_title(query, trace), drawn[-1].astype(np.float32), labels, labels, "signed", hover, run,
                  range(len(trace.tokens)))
        )  # fmt: skip
    plot = coloured(query, panels, "map")
    columns = ("column.model", "column.run", "column.position", "column.other_position", "column.value")
    brief = ("column.model", "column.run", "column.position", "column.nearest_position", "column.largest")
    rows, few = partial(pair_rows, traces, drawn), partial(nearest_rows, traces, drawn)
    numbers = Table(columns, rows, sum(each.size for each in drawn), brief, few)
    return Figure(plot, [*by_distance(query, traces), *tail(query, traces)], numbers)


def spread(query: PositionsQuery, trace: Trace) -> np.ndarray:
    """Mean, lower and upper tail, smallest and largest over all pairs so far apart: float64[5, distances]."""
    found = compared(query, positional(trace).position_table)
    pairs = [np.diagonal(found, away) for away in range(len(found))]
    return np.array([[pair.mean(), *np.quantile(pair, TAILS), pair.min(), pair.max()] for pair in pairs]).T


def by_distance(query: PositionsQuery, traces: list[Trace]) -> Iterable[Message]:
    """Whether the product depends on nothing but the distance, and how it falls."""
    for trace in {each.model: each for each in traces}.values():
        name, table = model_title(trace.model, query.lang), positional(trace).position_table
        found = spread(query, trace)
        own, near, far = (decimal(query.lang, found[0, away], 2) for away in (0, 1, 8))
        key = "positions.summary.falls.product" if query.measure == "product" else "positions.summary.falls.cosine"
        yield say(key, model=name, own=own, near=Strong(near), far=Strong(far))
        if positional(trace).sinusoidal:
            yield say("positions.summary.identity", error=Strong(bound(identity_error(table))))
        else:
            low, high = (decimal(query.lang, round(found[line, 1], 2) + 0.0, 2) for line in (1, 2))
            yield say("positions.summary.spread", low=low, high=high)


def curve(query: PositionsQuery, traces: list[Trace]) -> Figure:
    """The mean over all pairs of places so far apart, and between which values 80 % of the pairs lie."""
    curves = []
    models = {each.model: each for each in traces}
    for series, trace in enumerate(models.values()):
        found, name = spread(query, trace), model_title(trace.model, query.lang)
        hovers = [
            translate(query.lang, "positions.hover.curve", model=name, distance=away, pairs=found.shape[1] - away,
                      mean=decimal(query.lang, mean, 3), low=decimal(query.lang, low, 3),
                      high=decimal(query.lang, high, 3))
            for away, (mean, low, high, *_) in enumerate(found.T)
        ]  # fmt: skip
        right = query.measure == "product" and series > 0  # products of two models are of different size
        curves.append(Curve(name, found[0], series=series, kind="line", hovers=hovers, right=right))
        for line in () if positional(trace).sinusoidal else (1, 2):  # there all pairs of a distance are alike
            label = translate(query.lang, "positions.tails", model=name)
            curves.append(
                Curve(label, found[line], series=series, dash="dot", kind="line", listed=line == 1, right=right)
            )  # fmt: skip
    across = Axis(translate(query.lang, "positions.axis.distance"))
    axes = [translate(query.lang, f"positions.axis.{query.measure}")] * 2
    if two := any(each.right for each in curves):
        axes = [model_title(name, query.lang) for name in models]
    plot = chart(curves, query.lang, across, Axis(axes[0]), right=Axis(axes[1]) if two else None)
    columns = ("column.model", "column.away", "column.pairs", "column.mean", "column.tenth", "column.ninetieth",
               "column.smallest", "column.largest")  # fmt: skip
    lines = partial(distance_rows, query, list(models.values()))
    count = sum(len(positional(trace).position_table) for trace in models.values())
    numbers = Table(columns, lines, count, columns, lines)
    return Figure(plot, [*by_distance(query, traces), *tail(query, traces)], numbers)


def unit_rows(query: PositionsQuery, traces: list[Trace]) -> Iterable[tuple[Cell, ...]]:
    """Model, run, place, unit, value."""
    for run, trace in enumerate(traces, start=1):
        for place, vector in enumerate(shown(query, trace)[0].tolist()):
            for unit, value in enumerate(vector, start=1):
                yield trace.model, run, place, unit, value


def length_rows(query: PositionsQuery, traces: list[Trace]) -> Iterable[tuple[Cell, ...]]:
    """Model, run, place, length of its vector."""
    for run, trace in enumerate(traces, start=1):
        for place, size in enumerate(np.linalg.norm(shown(query, trace)[0], axis=1).tolist()):
            yield trace.model, run, place, size


def pair_rows(traces: Sequence[Trace], drawn: Sequence[np.ndarray]) -> Iterable[tuple[Cell, ...]]:
    """Model, run, place, other place, their product."""
    for run, (trace, found) in enumerate(zip(traces, drawn, strict=True), start=1):
        for place, row in enumerate(found.tolist()):
            for other, value in enumerate(row):
                yield trace.model, run, place, other, value


def nearest_rows(traces: Sequence[Trace], drawn: Sequence[np.ndarray]) -> Iterable[tuple[Cell, ...]]:
    """Model, run, place, the other place most like it, their product."""
    for run, (trace, found) in enumerate(zip(traces, drawn, strict=True), start=1):
        others = np.where(np.eye(len(found), dtype=bool), -np.inf, found)
        for place, other in enumerate(others.argmax(1).tolist()):
            yield trace.model, run, place, other, float(found[place, other])


def distance_rows(query: PositionsQuery, traces: list[Trace]) -> Iterable[tuple[Cell, ...]]:
    """Model, distance, pairs, mean, tails, smallest, largest."""
    for trace in traces:
        found = spread(query, trace)
        for away, numbers in enumerate(found.T.tolist()):
            yield trace.model, away, found.shape[1] - away, *numbers


VIEW = View(
    name="positions",
    chapter="attention",
    place=5,
    query=PositionsQuery,
    needs=frozenset({"positions", "scores", "attention", "hidden"}),
    figure=figure,
    preferred=("translator", "encoder", "decoder"),
)
