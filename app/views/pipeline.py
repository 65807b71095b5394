"""Pipeline: a Transformer step by step, from tokens to what it says, with how much each step adds to each word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Literal

import numpy as np
from pydantic import PositiveInt

from app import outputs, views
from app.attended import AttentionMapQuery
from app.messages import Listed, Message, Strong, decimal, percent, say, translate
from app.options import fitted
from app.plotting import Kind, Panel, axes_of, maps
from app.query import Choices, Query, layers
from app.units import run_name, run_title
from app.views import Cell, Figure, Link, Table, View
from app.views.hidden_states import HiddenStatesQuery
from app.words import indexed, shortened, words
from models import registry
from models.run import Run
from models.trace import Trace

STEPS = ("tokens", "words", "positions", "attention", "feed_forward", "layers", "output")
PARTS = ("attention", "feed_forward", "layer")
FEW = 12  # so many words leave room for a whole piece in a cell
LONG, SHORT = 8, 5  # letters of a piece in a cell, with few words and with many


class PipelineQuery(Query):
    """The steps once, with one layer's two; or every layer."""

    show: Literal["steps", "layers"] = "steps"
    layer: Annotated[PositiveInt | None, Choices(layers, standard=0)] = None

    def runs(self) -> list[Run]:
        """The same runs, with what comes out."""
        return [Run(run.model, run.text, "pipeline") for run in super().runs()]

    def idle(self) -> Sequence[str]:
        """No difference is drawn; all layers at once need no choice."""
        return ("align",) if self.show == "steps" else ("align", "layer")


@dataclass(frozen=True)
class Stream:
    """The states of a run on their way, [layers + 1, tokens, units], and what is added to them on it.

    Lengths are Euclidean, [tokens]; a share is that of what is added in the lengths of both, 0.5 where they are alike.
    """

    trace: Trace
    states: np.ndarray

    @classmethod
    def of(cls, trace: Trace) -> "Stream":
        """The way through all layers, from what enters the first."""
        assert trace.states is not None and trace.states.hidden is not None
        return cls(trace, np.stack([trace.states.embeddings, *np.asarray(trace.states.hidden)]))

    def before(self, layer: int) -> np.ndarray:
        """The lengths of the states that enter a layer, counted from 0."""
        return lengths(self.states[layer])

    def added(self, part: str, layer: int) -> np.ndarray:
        """The lengths of what a layer's attention adds, or its feed-forward network, or how far the layer leads."""
        if part == "layer":
            return lengths(self.states[layer + 1] - self.states[layer])
        attention = self.trace.attention
        assert attention is not None and attention.attention_output is not None and attention.feed_forward is not None
        return lengths((attention.attention_output if part == "attention" else attention.feed_forward)[layer])

    def share(self, part: str, layer: int) -> np.ndarray:
        """The share of what a part of a layer adds."""
        return shares(self.before(layer), self.added(part, layer))

    def cosine(self, first: int, last: int) -> np.ndarray:
        """Between the states before one layer and after another, [tokens]."""
        one, other = self.states[first], self.states[last + 1]
        found: np.ndarray = (one * other).sum(1) / np.maximum(lengths(one) * lengths(other), np.finfo(np.float32).tiny)
        return found

    @cached_property
    def words(self) -> np.ndarray:
        """The lengths of the word vectors."""
        assert self.trace.states is not None
        return lengths(self.trace.states.inputs)

    @cached_property
    def positions(self) -> np.ndarray | None:
        """The lengths of the position vectors, where there are such."""
        assert self.trace.states is not None
        return None if self.trace.states.positions is None else lengths(self.trace.states.positions)

    @property
    def whole(self) -> np.ndarray:
        """The share of all that the layers together have added."""
        return shares(self.before(0), lengths(self.states[-1] - self.states[0]))

    @property
    def depth(self) -> int:
        """How many layers there are."""
        return len(self.states) - 1


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Euclidean, of [tokens, units]."""
    found: np.ndarray = np.linalg.norm(vectors, axis=1)
    return found


def shares(before: np.ndarray, added: np.ndarray) -> np.ndarray:
    """‖Δ‖ ÷ (‖x‖ + ‖Δ‖): 0 where nothing is added, near 1 where next to nothing was there before."""
    found: np.ndarray = added / np.maximum(before + added, np.finfo(np.float32).tiny)
    return found


def figure(query: PipelineQuery, traces: list[Trace]) -> Figure:
    """Steps down and words across; or layers down, with a panel each for attention, feed-forward, and both."""
    streams = [Stream.of(trace) for trace in traces]
    draw = stepwise if query.show == "steps" else layerwise
    panels = [panel for run, stream in enumerate(streams) for panel in draw(query, run, stream)]
    kind: Kind = "table" if query.show == "steps" else "lanes"
    plot = maps(panels, query.lang, kind, {"share": translate(query.lang, "pipeline.bar")})
    links = [link for run, stream in enumerate(streams) for link in onward(query, run, stream)]
    summary = [each for run, stream in enumerate(streams) for each in told(query, traces, run, stream)]
    return Figure(plot, summary, table(query, streams), links=links if query.show == "steps" else ())


def stepwise(query: PipelineQuery, run: int, stream: Stream) -> Iterable[Panel]:
    """One panel: a row for each step, in the cells this run's numbers; the colour is how much a step adds."""
    trace, lang = stream.trace, query.lang
    layer = (fitted(query, trace).layer or 1) - 1
    labels = [word.label for word in words(trace)]
    few = len(labels) <= FEW
    kind, said, hovers = outputs.cells(trace, lang, LONG if few else SHORT)
    added = [
        None if stream.positions is None else shares(stream.words, stream.positions),
        stream.share("attention", layer), stream.share("feed_forward", layer), stream.whole,
    ]  # fmt: skip
    none = np.zeros(len(labels), np.float32)
    values = np.stack([none, none, *(none if row is None else row for row in added), none]).astype(np.float32)
    numbers = [["–"] * len(labels) if row is None else [percent(lang, share) for share in row] for row in added]
    ids, sizes = [str(token.id) for token in trace.tokens], [decimal(lang, size, 1) for size in stream.words]
    if few:
        ids = [translate(lang, "pipeline.id", id=each) for each in ids]
    about = [*(hover(query, stream, step, layer) for step in STEPS[:-1]), hovers]
    rows = [translate(lang, f"pipeline.step.{step}", layer=layer + 1, layers=stream.depth) for step in STEPS[:-1]]
    rows.append(translate(lang, f"pipeline.output.{kind}"))
    columns = [shortened(label) for label in labels]
    yield Panel(
        run_title(query, trace), values, rows, columns, "share", "%{hovertext}", run, range(len(columns)),
        texts=[ids, sizes, *numbers, said], hovers=about,
    )  # fmt: skip


def hover(query: PipelineQuery, stream: Stream, step: str, layer: int) -> list[str]:
    """What is said of each word at a step."""
    lang, labels = query.lang, [word.label for word in words(stream.trace)]
    if step == "tokens":
        return [
            translate(lang, "pipeline.hover.tokens", word=label, id=token.id, piece=token.text)
            for label, token in zip(labels, stream.trace.tokens, strict=True)
        ]
    units = stream.states.shape[2]
    if step == "words":
        return [
            translate(lang, "pipeline.hover.words", word=label, units=units, length=decimal(lang, size, 2))
            for label, size in zip(labels, stream.words, strict=True)
        ]
    if step == "positions":
        if stream.positions is None:
            return [translate(lang, "pipeline.hover.placeless")] * len(labels)
        before, added = stream.words, stream.positions
    elif step == "layers":
        before, added = stream.before(0), lengths(stream.states[-1] - stream.states[0])
    else:
        before, added = stream.before(layer), stream.added(step, layer)
    cosines = stream.cosine(0, stream.depth - 1)
    return [
        translate(lang, f"pipeline.hover.{step}", word=label, before=decimal(lang, size, 2), layer=layer + 1,
                  added=decimal(lang, more, 2), layers=stream.depth, cosine=decimal(lang, cosine, 2))
        for label, size, more, cosine in zip(labels, before, added, cosines, strict=True)
    ]  # fmt: skip


def layerwise(query: PipelineQuery, run: int, stream: Stream) -> Iterable[Panel]:
    """Three panels of layers down and words across: what attention adds, the feed-forward network, and both in all."""
    lang, labels = query.lang, [word.label for word in words(stream.trace)]
    rows = [translate(lang, "pipeline.layer", layer=layer + 1) for layer in range(stream.depth)]
    columns = [shortened(label) for label in labels]
    for part in PARTS:
        values = np.stack([stream.share(part, layer) for layer in range(stream.depth)]).astype(np.float32)
        hovers = [
            [
                translate(lang, f"pipeline.hover.{'layers' if part == 'layer' else part}", word=label,
                          before=decimal(lang, size, 2), added=decimal(lang, more, 2), layer=layer + 1,
                          layers=layer + 1, cosine=decimal(lang, cosine, 2))
                for label, size, more, cosine in zip(
                    labels, stream.before(layer), stream.added(part, layer), stream.cosine(layer, layer), strict=True
                )
            ]
            for layer in range(stream.depth)
        ]  # fmt: skip
        texts = [[percent(lang, share) for share in row] for row in values.tolist()] if len(labels) <= FEW else ()
        name = translate(lang, f"pipeline.part.{part}")
        if query.comparing:
            name = f"{name} · {run_title(query, stream.trace)}"
        yield Panel(
            name, values, rows, columns, "share", "%{hovertext}", run, range(len(columns)), texts=texts, hovers=hovers
        )  # fmt: skip


def onward(query: PipelineQuery, run: int, stream: Stream) -> Iterable[Link]:
    """From each step to the view that shows it, where that takes this model or needs none."""
    trace, lang = stream.trace, query.lang
    kind, _ = outputs.outputs(trace, lang)
    last = {"next": "next_word", "filled": "next_word", "class": "classification", "name": "entities",
            "english": "translation", "written": "translation"}.get(kind, "hidden_states")  # fmt: skip
    target = dict(zip(STEPS, ("tokens", "embedding_space", "positions", "attention_map", "pipeline", "hidden_states",
                              last), strict=True))  # fmt: skip
    for row, step in enumerate(STEPS):
        view = views.catalogue().get(target[step])
        shared = step in ("tokens", "words") and not registry.get(trace.model).source  # the same in all our models
        if view is None or (step == "positions" and stream.positions is None):
            continue
        if not (shared or trace.model in view.models):
            continue
        stated: dict[str, str | int | None] = {"lang": lang, "text": trace.text, "theme": query.theme}
        if trace.model in view.models and view.chooses_model:
            stated["model"] = trace.model
        kinds: dict[str, type[Query]] = {"attention_map": AttentionMapQuery, "hidden_states": HiddenStatesQuery}
        if step == "attention":
            stated["layer"] = fitted(query, trace).layer
        if step == "feed_forward":
            kinds["pipeline"], stated["show"] = PipelineQuery, "layers"
        on = kinds.get(target[step], Query).model_construct(**stated)  # type: ignore[arg-type]
        label = say("pipeline.link", step=say(f"pipeline.step_name.{step}"), view=say(f"{target[step]}.title"))
        box = (-0.5, row - 0.5, len(trace.tokens) - 0.5, row + 0.5)
        yield Link(target[step], on, label, run_title(query, trace), axes_of(run), box)


def told(query: PipelineQuery, traces: list[Trace], run: int, stream: Stream) -> Iterable[Message]:
    """What is moved how far, by which part of a layer, and what comes out; of two sentences the last is left to the
    picture."""
    lang, labels = query.lang, words(stream.trace)
    typed = [word.position for word in labels if word.kind != "special"]
    name = run_name(query, traces, run)
    if query.show == "layers":
        means = [[float(stream.share(part, layer)[typed].mean()) for part in PARTS] for layer in range(stream.depth)]
        listed = [
            say("pipeline.listed", layer=layer + 1, attention=Strong(percent(lang, attention)),
                feed_forward=Strong(percent(lang, feed_forward)))
            for layer, (attention, feed_forward, _) in enumerate(means)
        ]  # fmt: skip
        yield say("pipeline.summary.layers", model=name, layers=Listed(listed))
        moves = np.stack([stream.share("layer", layer) for layer in range(stream.depth)])[:, typed]
        layer, word = (int(place) for place in np.unravel_index(moves.argmax(), moves.shape))
        turn = decimal(lang, float(stream.cosine(layer, layer)[typed[word]]), 2)
        yield say("pipeline.summary.farthest", word=Strong(indexed(labels, typed[word])), layer=layer + 1, cosine=turn)
        return
    layer = (fitted(query, stream.trace).layer or 1) - 1
    parts = {part: Strong(percent(lang, float(stream.share(part, layer)[typed].mean()))) for part in PARTS[:2]}
    key = "pipeline.summary" if query.vs is None else "pipeline.summary.beside"
    yield say(
        key, model=name, tokens=len(labels), units=stream.states.shape[2], layers=stream.depth,
        layer=layer + 1, **parts,
    )  # fmt: skip
    cosines = stream.cosine(0, stream.depth - 1)
    far = min(typed, key=lambda place: cosines[place])
    key = "pipeline.summary.moved" if len(typed) > 1 else "pipeline.summary.moved.one"
    yield say(key, word=Strong(indexed(labels, far)), cosine=Strong(decimal(lang, cosines[far], 2)))
    if query.vs is None:
        yield outputs.told(stream.trace, lang)


def table(query: PipelineQuery, streams: Sequence[Stream]) -> Table:
    """All lengths, for each word and layer."""
    columns = (
        "column.model", "column.run", "column.position", "column.word", "column.word_length", "column.position_length",
        "column.layer", "column.before", "column.attention_adds", "column.feed_forward_adds", "column.layer_moves",
        "column.cosine", "column.output", "column.probability",
    )  # fmt: skip
    lines = partial(rows, query, streams)
    return Table(columns, lines, sum(stream.depth * len(stream.trace.tokens) for stream in streams), columns, lines)


def rows(query: PipelineQuery, streams: Sequence[Stream]) -> Iterable[tuple[Cell, ...]]:
    """One row for each word and layer."""
    for run, stream in enumerate(streams, start=1):
        said, likely = outputs.probabilities(stream.trace, query.lang)
        for layer in range(stream.depth):
            before, cosine = stream.before(layer), stream.cosine(layer, layer)
            parts = [stream.added(part, layer) for part in PARTS]
            for word in words(stream.trace):
                place = word.position
                at = None if stream.positions is None else float(stream.positions[place])
                yield (
                    stream.trace.model, run, place, word.label, float(stream.words[place]), at, layer + 1,
                    float(before[place]), *(float(part[place]) for part in parts), float(cosine[place]),
                    said[place] or None, likely[place] if said[place] else None,
                )  # fmt: skip


VIEW = View(
    name="pipeline",
    chapter="transformer",
    place=1,
    query=PipelineQuery,
    needs=frozenset({"hidden", "attention_output", "feed_forward"}),
    figure=figure,
    preferred=("encoder", "decoder", "translator"),
)
