"""Embedding space: typed words as points beside their nearest neighbours, the cosines between them, or one word's own
vector beside its states in two sentences."""

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import Literal, NamedTuple, Self

import numpy as np
from pydantic import Field

from app import contexts
from app.messages import Message, Strong, decimal, percent, quotations, say, translate, visible
from app.plotting import Axis, Curve, Panel, Plot, chart, label_places, maps
from app.query import Query, QueryError
from app.views import Cell, Figure, Table, View
from app.words import shortened
from models.run import Run
from models.trace import Trace

MOST = 150  # neighbours in one plane
MARGIN = 0.12  # around all points, as a share of the plane
WORDS = "Roboter, Maschine, weil"
BANKS = ("Ich sitze auf der Bank am Fluss.", "Ich bringe mein Geld zur Bank.")


class EmbeddingSpaceQuery(Query):
    """What to show of the words, and how many neighbours each has in the plane."""

    text: str = Field(WORDS, description="the words, or a sentence")
    show: Literal["plane", "cosines", "contexts"] = "plane"
    neighbours: int = Field(5, ge=0, le=10, description="nearest words of each word")

    def completed(self) -> Self:
        """Words without a sentence have no contexts: two sentences of the lecture stand in for the standard words."""
        if self.show == "contexts" and self.vs is None and self.text == WORDS:
            return self.changed(text=BANKS[0], vs=BANKS[1])
        return self

    def runs(self) -> list[Run]:
        """The same runs, with the neighbours of each word; the encoder's too, where contexts are shown. Raises
        QueryError where these have no second sentence."""
        if self.show != "contexts":
            return [Run(run.model, run.text, "neighbours") for run in super().runs()]
        if self.vs is None:
            raise QueryError("no_second_sentence", "text", say("error.no_second_sentence"))
        return contexts.runs(self.model, self.texts())

    def idle(self) -> Container[str]:
        """No difference is drawn here, and only the plane has neighbours by number."""
        return ("align",) if self.show == "plane" else ("align", "neighbours")


class Point(NamedTuple):
    """A word: its run and place there, and its vector brought to length 1."""

    word: str
    run: int
    place: int
    direction: np.ndarray


def unit(vector: np.ndarray) -> np.ndarray:
    """A vector brought to length 1."""
    found: np.ndarray = vector / np.linalg.norm(vector)
    return found


def known(traces: Sequence[Trace]) -> list[Point]:
    """The words of all runs that have a vector, each vector once; signs are none."""
    found: dict[int, Point] = {}
    for run, trace in enumerate(traces):
        assert trace.states is not None
        for place, token in enumerate(trace.tokens):
            if token.id >= 0 and any(map(str.isalnum, token.text)):
                found.setdefault(token.id, Point(token.text, run, place, unit(trace.states.inputs[place])))
    return list(found.values())


def near(traces: Sequence[Trace], points: Sequence[Point], count: int) -> list[tuple[Point, Point, float]]:
    """Each word with each of its neighbours and their cosine."""
    found = []
    for point in points:
        part = traces[point.run].neighbourhood
        assert part is not None
        for rank, word in enumerate(part.neighbours[point.place][:count]):
            neighbour = Point(word, point.run, point.place, unit(part.neighbour_vectors[point.place, rank]))
            found.append((point, neighbour, float(part.neighbour_cosines[point.place, rank])))
    return found


def figure(query: EmbeddingSpaceQuery, traces: list[Trace]) -> Figure:
    """Near words stand near; or a table of all cosines; or a word in two sentences. Raises QueryError where no word is
    known, or none is in both sentences."""
    if query.show == "contexts":
        return contexts.figure(query, traces)
    points = known(traces)
    if not points:
        raise QueryError("no_known_word", "text", say("error.no_known_word"))
    count = min(query.neighbours, MOST // len(points))
    neighbours = near(traces, points, count) if query.show == "plane" else []
    directions = np.stack([point.direction for point in points])
    cosines = directions @ directions.T
    summary = list(summaries(query.lang, points, cosines))
    if query.show == "plane":
        plot, share = plane(query, points, neighbours)
        if share:  # a point has no variance
            summary.append(say("embedding_space.summary.plane", share=percent(query.lang, share)))
        if count < query.neighbours:
            key = "embedding_space.summary.fewer" if count > 1 else "embedding_space.summary.fewer.one"
            summary.append(say(key, count=str(count)))
    else:
        plot = heatmap(query, points, cosines)
    missing = {token.text for trace in traces for token in trace.tokens if token.id < 0}
    if missing:
        told = quotations(query.lang, [visible(word) for word in sorted(missing)])
        summary.append(say("embedding_space.summary.unknown", words=told))
    lines = list(rows(traces, points, cosines, neighbours))
    columns = ("column.model", "column.run", "column.word", "column.other_word", "column.cosine")
    return Figure(plot, summary, Table(columns, partial(iter, lines), len(lines), columns, partial(iter, lines)))


def plane(
    query: EmbeddingSpaceQuery, points: Sequence[Point], neighbours: Sequence[tuple[Point, Point, float]]
) -> tuple[Plot, float]:
    """The two main directions (PCA) of the words shown, and the share of their variance that these have."""
    typed = {point.word for point in points}
    count = len(neighbours) // len(points)  # the nearest of each word before the next: they find room for their labels
    ranked = [each for rank in range(count) for _, each, _ in neighbours[rank::count]]
    others = list({each.word: each for each in reversed(ranked) if each.word not in typed}.values())[::-1]
    shown = [*points, *others]
    vectors = np.stack([point.direction for point in shown])
    centred = vectors - vectors.mean(0)
    left, sizes, _ = np.linalg.svd(np.vstack([centred, np.zeros_like(centred[:1])]), full_matrices=False)
    sizes, left = np.append(sizes, 0.0), np.pad(left, ((0, 0), (0, 1)))  # one word alone has one direction at most
    signs = np.sign(left[np.abs(left).argmax(0), range(left.shape[1])])
    places = (left * signs * sizes)[:-1, :2].astype(np.float32)
    total = float((sizes**2).sum())
    shares = [float(size**2) / total if total > 1e-9 else 0.0 for size in sizes[:2]]
    low, high = places.min(0), places.max(0)
    room = MARGIN * np.maximum(high - low, 0.2)
    low, high = low - room, high + room
    labels = [shortened(visible(point.word)) for point in shown]
    beside = label_places(places, labels, low, high)
    curves = []
    kinds = (("words", True, 0, 1), ("others", True, 1, 3), ("near", False, 0, 0), ("near_others", False, 1, 2))
    groups = [
        (key, own, [at for at, point in enumerate(shown) if (at < len(points), point.run) == (own, run)], series)
        for key, own, run, series in kinds
    ]
    for key, own, members, series in groups:
        if members:
            curves.append(Curve(
                translate(query.lang, f"embedding_space.{key}"), places[members, 1], places[members, 0], series,
                kind="points", strong=own, texts=[labels[place] if beside[place] else "" for place in members],
                hovers=[labels[place] for place in members],
                places=[beside[place] or "top center" for place in members],
            ))  # fmt: skip
    axes = [
        Axis(translate(query.lang, "embedding_space.axis", number=axis + 1, share=percent(query.lang, shares[axis])),
             limits=(float(low[axis]), float(high[axis])))
        for axis in range(2)
    ]  # fmt: skip
    return chart(curves, query.lang, *axes, height=560, square=True), min(1.0, sum(shares))


def heatmap(query: EmbeddingSpaceQuery, points: Sequence[Point], cosines: np.ndarray) -> Plot:
    """The cosine of each two words."""
    labels = [shortened(visible(point.word)) for point in points]
    panel = Panel(
        translate(query.lang, "embedding_space.cosines"), cosines.astype(np.float32), labels, labels, "signed",
        translate(query.lang, "embedding_space.hover"), 0, [point.place for point in points],
    )  # fmt: skip
    return maps([panel], query.lang, "map", {"signed": translate(query.lang, "embedding_space.bar")})


def summaries(lang: Literal["de", "en"], points: Sequence[Point], cosines: np.ndarray) -> Iterable[Message]:
    """Which two words are nearest to each other, and which are farthest apart."""
    if len(points) == 1:
        yield say("embedding_space.summary.one", word=Strong(visible(points[0].word)))
        return
    one, other = np.triu_indices(len(points), 1)
    found = cosines[one, other]
    ends = {"nearest": int(found.argmax()), "farthest": int(found.argmin())}
    for key, at in ends.items() if len(found) > 1 else (("pair", 0),):
        yield say(
            f"embedding_space.summary.{key}", first=Strong(visible(points[one[at]].word)),
            second=Strong(visible(points[other[at]].word)), cosine=Strong(decimal(lang, float(found[at]), 2)),
        )  # fmt: skip


def rows(
    traces: Sequence[Trace], points: Sequence[Point], cosines: np.ndarray,
    neighbours: Sequence[tuple[Point, Point, float]],
) -> Iterable[tuple[Cell, ...]]:  # fmt: skip
    """Model, run, a word, another, their cosine: of the typed words, then of each with its neighbours."""
    for one, point in enumerate(points):
        for other in range(one, len(points)):
            yield traces[0].model, point.run + 1, point.word, points[other].word, float(cosines[one, other])
    for point, neighbour, cosine in neighbours:
        yield traces[0].model, point.run + 1, point.word, neighbour.word, cosine


VIEW = View(
    name="embedding_space",
    chapter="words",
    place=2,
    query=EmbeddingSpaceQuery,
    needs=frozenset({"inputs"}),
    figure=figure,
    experiment="neighbours",
    preferred=("word_vectors",),
)
