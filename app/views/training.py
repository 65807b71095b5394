"""Training: the same sentence at every snapshot of the encoder, from random weights to the finished model."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import PositiveInt

from app import units
from app.attended import AttentionMapQuery, Map, difference, heads, mapped
from app.messages import Message, Strong, decimal, in_quotes, percent, power, say, translate, whole
from app.plotting import Axis, Curve, Dash, Panel, Plot, Scale, chart, maps
from app.query import Choices, Places, Query, layers
from app.sentences import begin
from app.views import Cell, Figure, Ranked, Table, View
from app.views.attention_map import panel
from app.words import place_label, shortened, words
from models import record, registry
from models.run import Run
from models.trace import Filling, Trace, typed_places

PIECES = 14_000  # in the vocabulary
LAYER, HEAD = 3, 3  # a head that has learned to look at one word each
FIRST = 10  # where zero updates stand on the log axis
IN_CELL = 9  # characters of a guess in a cell
SCARCE = 0.01  # a smaller share has two decimals; less than a hundredth of this is written as a power of ten


def snapshots() -> dict[str, int]:
    """The encoder's snapshots in the order of its training, itself last, each with its number of updates."""
    found = {name: int(name.removeprefix("encoder@")) for name in registry.snapshots("encoder")}
    encoder = registry.catalogue().get("encoder")
    if encoder and (trained := record.training(encoder.folder)):
        found["encoder"] = int(trained["steps"])
    return dict(sorted(found.items(), key=lambda one: one[1]))


def hidden_places(trace: Trace) -> list[int]:
    """The words that were hidden from the model, one at a time."""
    return [int(place) for place in np.flatnonzero(np.isfinite(filling(trace).masked_loss))]


class TrainingQuery(Query):
    """What is shown of the snapshots; layer and head of the attention; the word that is hidden."""

    show: Literal["attention", "guesses", "loss"] = "attention"
    layer: Annotated[PositiveInt | None, Choices(layers, standard=LAYER - 1)] = None
    head: Annotated[Literal["mean"] | PositiveInt | None, Choices(heads, standard=HEAD)] = None
    word: Annotated[
        PositiveInt | None, Places(hidden_places, lambda trace: max(0, len(hidden_places(trace)) - 2), place_label)
    ] = None

    def runs(self) -> list[Run]:
        """Each sentence through all snapshots, first to last."""
        return [Run(name, text, "masked") for text in self.texts() for name in self.side_by_side(list(snapshots()))]

    def idle(self) -> tuple[str, ...]:
        """Attention has a layer and a head and a difference, a guess has a word."""
        return ("word",) if self.show == "attention" else ("layer", "head", "align")


class Sentence(NamedTuple):
    """The runs of one sentence, first snapshot first, its number, and the word that is hidden in it."""

    number: int
    traces: list[Trace]
    word: int

    @property
    def text(self) -> str:
        """What was typed."""
        return self.traces[0].text

    @property
    def hidden_word(self) -> str:
        """The hidden word as it stands in the figure."""
        return words(self.traces[0])[self.word].label


def filling(trace: Trace) -> Filling:
    """What a snapshot put in place of the hidden words."""
    assert trace.filling is not None
    return trace.filling


def figure(query: TrainingQuery, traces: list[Trace]) -> Figure:
    """One map with a frame for each snapshot; or guesses down and snapshots across; or the loss over the updates."""
    steps = [snapshots()[name] for name in query.side_by_side(list(snapshots()))]
    sentences = []
    for number, start in enumerate(range(0, len(traces), len(steps))):
        own = traces[start : start + len(steps)]
        possible = hidden_places(own[0])
        standard = possible[max(0, len(possible) - 2)]
        sentences.append(Sentence(number, own, query.word if query.word in possible else standard))
    draw = {"attention": framed, "guesses": guessed, "loss": lost}[query.show]
    plot = draw(query, sentences, steps)
    summary = [message for sentence in sentences for message in summaries(query, sentence, steps)]
    last = [len(steps) * (sentence.number + 1) - 1 for sentence in sentences]
    return Figure(plot, summary, table(query, sentences, steps), token_runs=last)


def step_name(query: TrainingQuery, steps: int) -> str:
    """What a snapshot is called: the updates of its weights that lie behind it."""
    return translate(query.lang, "training.step", steps=whole(query.lang, steps))


def when(query: TrainingQuery, steps: int) -> Message:
    """When a snapshot was taken, within a sentence."""
    return say("training.after", steps=whole(query.lang, steps)) if steps else say("training.untrained")


def attention(query: TrainingQuery, trace: Trace) -> Map:
    """The chosen layer and head of one snapshot, shares of the words among themselves."""
    asked = AttentionMapQuery(lang=query.lang, layer=query.layer or LAYER, head=query.head or HEAD)
    return mapped(asked, trace)


def framed(query: TrainingQuery, sentences: list[Sentence], steps: list[int]) -> Plot:
    """The map before training and the one at the player's step; of two sentences both at that step, and their
    difference."""
    frames = [frame(query, sentences, steps, step) for step in range(len(steps))]
    plot = frames[-1]
    if len(steps) == 1:
        return plot
    fixed = 1 if len(sentences) == 1 else 0  # the map before training stands still
    data = plot.data[:fixed]
    for step, one in enumerate(frames):
        shown = {"visible": step == len(frames) - 1, "meta": {"frame": step}}
        data += [trace | shown for trace in one.data[fixed:]]
    layout = dict(plot.layout)
    if "coloraxis2" in layout:
        largest = max(one.layout["coloraxis2"]["cmax"] for one in frames)
        layout["coloraxis2"] = layout["coloraxis2"] | {"cmin": -largest, "cmax": largest}
    return replace(plot, data=data, layout=layout, playback=[step_name(query, each) for each in steps])


def frame(query: TrainingQuery, sentences: list[Sentence], steps: list[int], step: int) -> Plot:
    """The maps that are seen at one step; beside a single sentence's the first one, where there are more."""
    hover = translate(query.lang, "attention_map.hover")
    first = sentences[0]
    drawn = [attention(query, sentence.traces[step]) for sentence in sentences]
    titles = [sentence.text for sentence in sentences]
    if len(steps) == 1:
        titles = [f"{step_name(query, steps[0])} · {title}" for title in titles]
    elif len(sentences) == 1:
        drawn.insert(0, attention(query, first.traces[0]))
        begun = when(query, steps[0]).text(query.lang)
        titles = [f"{begun}: {first.text}", translate(query.lang, "training.panel.then", text=first.text)]
    panels = [
        panel(title, one, one.values, "share", hover, sentence.number)
        for title, one, sentence in zip(titles, drawn, sentences if len(sentences) == 2 else [first] * 2, strict=False)
    ]
    if len(sentences) == 2:
        change = difference(AttentionMapQuery(align=query.align), *drawn)
        panels.append(panel(units.difference_title(query, change), drawn[0], change, "difference", hover, 0))
    scales: dict[Scale, str] = {
        "share": translate(query.lang, "attention_map.bar.softmax"),
        "difference": translate(query.lang, "difference.bar"),
    }
    return maps(panels, query.lang, "map", scales)


def right(sentence: Sentence) -> list[float]:
    """The probability of the hidden word at each snapshot."""
    return [float(np.exp(-filling(trace).masked_loss[sentence.word])) for trace in sentence.traces]


def guesses(trace: Trace, place: int) -> list[tuple[str, float]]:
    """The likeliest pieces at a hidden place with their probabilities."""
    found = filling(trace)
    return list(zip(found.words[place], found.masked_probabilities[place].tolist(), strict=True))


def fitting(guess: str) -> str:
    """As much of a guess as a cell has room for; the whole is told on hover."""
    return guess if len(guess) <= IN_CELL else guess[: IN_CELL - 1] + "…"


def share(query: TrainingQuery, value: float, scarce: bool = False) -> str:
    """A probability that may be very small; `scarce` where it stands beside one that is."""
    if value < SCARCE / 100 or scarce:
        return power(query.lang, value)
    return percent(query.lang, value, 2 if value < SCARCE else 0)


def guessed(query: TrainingQuery, sentences: list[Sentence], steps: list[int]) -> Plot:
    """Five guesses and the right word down, snapshots across."""
    columns = [whole(query.lang, step) for step in steps]
    panels = []
    for sentence in sentences:
        found = [guesses(trace, sentence.word) for trace in sentence.traces]
        own = right(sentence)
        values = np.array([*zip(*([share for _, share in each] for each in found), strict=True), own], np.float32)
        texts = [[fitting(each[rank][0]) for each in found] for rank in range(len(found[0]))]
        texts.append([share(query, value) for value in own])
        hovers = [
            [f"{in_quotes(query.lang, each[rank][0])}: {share(query, each[rank][1])}" for each in found]
            for rank in range(len(found[0]))
        ]
        hovers.append([f"{in_quotes(query.lang, sentence.hidden_word)}: {share(query, value)}" for value in own])
        rows = [f"{rank}." for rank in range(1, len(found[0]) + 1)] + [shortened(sentence.hidden_word)]
        title = translate(query.lang, "training.hidden", text=sentence.text, word=sentence.hidden_word)
        panels.append(
            Panel(title, values, rows, columns, "share", "%{hovertext}", sentence.number, (), texts=texts,
                  hovers=hovers)
        )  # fmt: skip
    return maps(panels, query.lang, "lanes", {"share": translate(query.lang, "training.bar")})


def mean_loss(trace: Trace) -> float:
    """−log p of a hidden word, mean over the words: the pseudo-log-likelihood for each word, in nats."""
    return float(np.nanmean(filling(trace).masked_loss))


def lost(query: TrainingQuery, sentences: list[Sentence], steps: list[int]) -> Plot:
    """The mean loss of the hidden words over the updates, and that of the chosen word alone."""
    x = np.array([max(step, FIRST) for step in steps], np.float32)
    curves = []
    for sentence in sentences:
        mean = np.array([mean_loss(trace) for trace in sentence.traces], np.float32)
        one = np.array([filling(trace).masked_loss[sentence.word] for trace in sentence.traces], np.float32)
        name = translate(query.lang, "training.hidden", text=sentence.text, word=sentence.hidden_word)
        drawn: tuple[tuple[str, np.ndarray, Dash], ...] = ((sentence.text, mean, "solid"), (name, one, "dot"))
        for title, values, dash in drawn:
            hovers = [
                translate(query.lang, "training.point", step=step_name(query, step),
                          loss=decimal(query.lang, float(value), 2), name=title)
                for step, value in zip(steps, values, strict=True)
            ]  # fmt: skip
            curves.append(Curve(title, values, x, sentence.number, dash, hovers=hovers, walked=True))
    highest = max(float(np.nanmax(curve.y)) for curve in curves)
    even = translate(query.lang, "training.even", pieces=whole(query.lang, PIECES))
    ends = np.array([FIRST / 1.5, 1.5 * max(steps[-1], FIRST)], np.float32)
    curves.append(Curve(even, np.full(2, np.log(PIECES), np.float32), ends, series=5, dash="dash", kind="line"))
    across = Axis(translate(query.lang, "training.axis.steps"), ticks=[whole(query.lang, step) for step in steps],
                  at=x.tolist(), log=True, limits=(float(ends[0]), float(ends[1])))  # fmt: skip
    up = Axis(translate(query.lang, "training.axis.loss"), limits=(0, 1.08 * max(highest, float(np.log(PIECES)))))
    return replace(chart(curves, query.lang, across, up), playback=[step_name(query, step) for step in steps])


def summaries(query: TrainingQuery, sentence: Sentence, steps: list[int]) -> Iterable[Message]:
    """What the picture shows: how sharp the attention has become, the guesses for the hidden word, or the mean loss."""
    first = begin(query, sentence.number)
    start, end = attention(query, sentence.traces[0]), attention(query, sentence.traces[-1])
    one = ".one" if len(steps) == 1 else ""
    said: dict[str, str | int | Message] = {
        "sentence": first,
        "start": when(query, steps[0]),
        "end": when(query, steps[-1]),
    }
    if query.show == "attention" and len(end.rows) == 1:
        yield say("training.summary.alone", sentence=first)
    elif query.show == "attention":
        sharp = [Strong(percent(query.lang, float(each.values.max(1).mean()))) for each in (start, end)]
        yield say(
            f"training.summary.attention{one}", **said, before=sharp[0], even=percent(query.lang, 1 / len(end.rows)),
            after=sharp[1],
        )  # fmt: skip
    elif query.show == "guesses":
        own, (guess, best) = right(sentence), guesses(sentence.traces[-1], sentence.word)[0]
        scarce = max(own[0], own[-1]) < SCARCE and min(own[0], own[-1]) < SCARCE / 100  # both in one notation
        before, after = (share(query, value, scarce) for value in (own[0], own[-1]))
        yield say(
            f"training.summary.word{one}", **said, word=Strong(sentence.hidden_word), before=before,
            after=Strong(after), guess=guess, share=percent(query.lang, best),
        )  # fmt: skip
    else:
        losses = [decimal(query.lang, mean_loss(sentence.traces[place]), 2) for place in (0, -1)]
        yield say(f"training.summary.loss{one}", **said, before=losses[0], after=Strong(losses[1]),
                  even=decimal(query.lang, float(np.log(PIECES)), 2))  # fmt: skip
    typed, asked = typed_places(sentence.traces[0].tokens), hidden_places(sentence.traces[0])
    if len(asked) < len(typed):
        yield say("training.summary.sampled", count=len(asked), total=len(typed))


def table(query: TrainingQuery, sentences: list[Sentence], steps: list[int]) -> Table:
    """Every word at every snapshot: where it looks most, how likely it is where it is hidden, and five guesses."""
    columns = ("column.model", "column.run", "column.updates", "column.position", "column.word", "column.looked_at",
               "column.largest", "column.loss", "column.probability", "column.guesses")  # fmt: skip
    count = sum(len(attention(query, sentence.traces[0]).rows) for sentence in sentences) * len(steps)
    brief = ("column.model", "column.run", "column.updates", "column.loss")
    return Table(columns, partial(rows, query, sentences, steps), count, brief, partial(brief_rows, sentences, steps))


def rows(query: TrainingQuery, sentences: list[Sentence], steps: list[int]) -> Iterable[tuple[Cell, ...]]:
    """One row for each word, snapshot and sentence."""
    for sentence in sentences:
        for trace, step in zip(sentence.traces, steps, strict=True):
            found = attention(query, trace)
            best = found.values.argmax(1).tolist()
            for number, word in enumerate(found.rows):
                loss: float = float(filling(trace).masked_loss[word.position])
                known = loss == loss
                yield (
                    trace.model, sentence.number + 1, step, word.position, word.label, found.rows[best[number]].label,
                    float(found.values[number, best[number]]), loss if known else None,
                    float(np.exp(-loss)) if known else None, Ranked(guesses(trace, word.position)) if known else None,
                )  # fmt: skip


def brief_rows(sentences: list[Sentence], steps: list[int]) -> Iterable[tuple[Cell, ...]]:
    """The mean loss at each snapshot."""
    for sentence in sentences:
        for trace, step in zip(sentence.traces, steps, strict=True):
            yield trace.model, sentence.number + 1, step, mean_loss(trace)


VIEW = View(
    name="training",
    chapter="practice",
    place=3,
    query=TrainingQuery,
    needs=frozenset({"attention"}),
    figure=figure,
    preferred=tuple(snapshots()),
    chooses_model=False,
)
