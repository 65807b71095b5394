"""Four lanes: how much each kind of model changes its mind at each word, and how far one word reaches."""

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import PositiveInt

from app.messages import Message, Strong, percent, say, translate
from app.plotting import Panel, maps
from app.query import Choices, Query, Value
from app.views import Cell, Figure, Table, View, model_title
from app.words import shortened, word_at, words
from models.errors import InputError
from models.run import Change, Run
from models.tokenizer import tokenize
from models.trace import Token, Trace

LANES = ("rnn", "lstm", "gru")
MODELS = (*LANES, "encoder", "decoder")
FROM, TO = "Mann", "war"  # the words of the sentence about the sceptical man


def lasting(tokens: Sequence[Token]) -> list[int]:
    """The places of the words of the text; of its marks where there is no word."""
    typed = [place for place, token in enumerate(tokens) if not token.special]
    return [place for place in typed if tokens[place].text.strip("#").isalnum()] or typed


def default(tokens: Sequence[Token], wanted: str, otherwise: int) -> int:
    """The place of the wanted word, else of the first or last."""
    found = lasting(tokens)
    return next((place for place in found if tokens[place].text == wanted), found[otherwise])


def places(trace: Trace) -> list[int]:
    """The places of all words."""
    return [place for place, token in enumerate(trace.tokens) if not token.special]


def place_label(trace: Trace, place: Value) -> str:
    """A word and its place."""
    return f"{place} · {shortened(word_at(trace, int(place)).label)}"


class FourLanesQuery(Query):
    """Which Transformer takes the fourth lane, which word is erased, and at which word one looks."""

    fourth: Literal["encoder", "decoder"] = "encoder"
    first: Annotated[
        PositiveInt | None,
        Choices(places, lambda trace: places(trace).index(default(trace.tokens, FROM, 0)), place_label),
    ] = None
    second: Annotated[
        PositiveInt | None,
        Choices(places, lambda trace: places(trace).index(default(trace.tokens, TO, -1)), place_label),
    ] = None

    def runs(self) -> list[Run]:
        """Each sentence through all lanes, once as it is and once with a word erased."""
        found = []
        for text in self.texts():
            for name in lanes(self):
                found += [Run(name, text), Run(name, text, change=Change("erased", self.erased(text)))]
        return found

    def idle(self) -> Container[str]:
        """Lanes that are named need no fourth. No difference is drawn."""
        return ("align", "fourth") if self.model else ("align",)

    def erased(self, text: str) -> int:
        """The place of the word that is erased; a place that the text does not have becomes its default."""
        try:
            tokens = tokenize(text, 256)
        except InputError:
            return 1  # the run itself says what is wrong with the text
        inside = self.first is not None and self.first < len(tokens)
        return self.first if inside and self.first else default(tokens, FROM, 0)


def steps(trace: Trace) -> np.ndarray:
    """‖h(t) − h(t−1)‖ in the last layer as a share of the largest of this run, [tokens]; 0 before the first word."""
    assert trace.states is not None and trace.states.hidden is not None
    sizes: np.ndarray = np.linalg.norm(np.diff(trace.states.hidden[-1], axis=0), axis=1)
    return np.concatenate([[0], sizes / sizes.max()]).astype(np.float32)


def reach(plain: Trace, erased: Trace) -> np.ndarray:
    """How much each word's last state changes when a word is erased: ‖h′ − h‖ ÷ (‖h′‖ + ‖h‖), from 0 to 1, [tokens]."""
    assert plain.states and erased.states and plain.states.hidden is not None and erased.states.hidden is not None
    ours, theirs = plain.states.hidden[-1], erased.states.hidden[-1]
    sizes = np.linalg.norm(ours, axis=1) + np.linalg.norm(theirs, axis=1)
    found: np.ndarray = np.linalg.norm(theirs - ours, axis=1) / np.maximum(sizes, 1e-12)
    return found.astype(np.float32)


def lanes(query: FourLanesQuery) -> list[str]:
    """The models from top to bottom."""
    return query.side_by_side(MODELS, (*LANES, query.fourth))


def lane_name(query: FourLanesQuery, name: str) -> str:
    """A model in one word."""
    return model_title(name, query.lang) if name in LANES else translate(query.lang, f"option.fourth.{name}")


def padded(rows: list[np.ndarray]) -> np.ndarray:
    """Lanes of unequal length as one map; an encoder's [SEP] has no partner in the others."""
    wide = np.full((len(rows), max(map(len, rows))), np.nan, np.float32)
    for number, row in enumerate(rows):
        wide[number, : len(row)] = row
    return wide


def figure(query: FourLanesQuery, traces: list[Trace]) -> Figure:
    """Lanes down, words across: how far the state moves at each word, and where erasing a word is felt."""
    count = 2 * len(lanes(query))
    names = [lane_name(query, name) for name in lanes(query)]
    panels, sentences, shown = [], [], []
    hover = translate(query.lang, "four_lanes.hover")
    for run, start in enumerate(range(0, len(traces), count)):
        plain, erased = traces[start : start + count : 2], traces[start + 1 : start + count : 2]
        longest = max(plain, key=lambda trace: len(trace.tokens))
        labels = [shortened(word.label) for word in words(longest)]
        word = labels[query.erased(longest.text)]
        moved, felt = (
            padded([steps(trace) for trace in plain]),
            padded([reach(*pair) for pair in zip(plain, erased, strict=True)]),
        )
        for values, key in ((moved, "moved"), (felt, "felt")):
            title = translate(query.lang, f"four_lanes.{key}", word=word, text=longest.text)
            panels.append(Panel(title, values, names, labels, "share", hover, run, range(len(labels))))
        sentences += list(summaries(query, longest, plain, felt))
        shown.append(start + count - 2)
    plot = maps(panels, query.lang, "lanes", {"share": translate(query.lang, "four_lanes.bar")})
    columns = (
        "column.model", "column.run", "column.position", "column.word", "column.distance", "column.step", "column.felt",
    )  # fmt: skip
    lines = partial(rows, traces, count)
    table = Table(columns, lines, sum(len(trace.tokens) for trace in traces) // 2, columns, lines)
    return Figure(plot, sentences, table, token_runs=shown)


def summaries(query: FourLanesQuery, longest: Trace, plain: list[Trace], felt: np.ndarray) -> Iterable[Message]:
    """How much the second word changes in each lane when the first is erased; whether words before that do."""
    first = query.erased(longest.text)
    second = query.second if query.second and query.second < len(longest.tokens) else default(longest.tokens, TO, -1)
    labels = words(longest)
    shares = [
        f"{lane_name(query, trace.model)} {percent(query.lang, float(row[second]))}"
        for trace, row in zip(plain, felt, strict=True) if not np.isnan(row[second])
    ]  # fmt: skip
    yield say(
        "four_lanes.summary",
        first=Strong(labels[first].label),
        second=Strong(labels[second].label),
        shares=Strong(", ".join(shares)),
    )
    before = felt[:, :first]
    backwards = [trace for trace, row in zip(plain, before, strict=True) if row.size and np.nanmax(row) > 1e-4]
    if backwards:
        models = ", ".join(lane_name(query, trace.model) for trace in backwards)
        key = "four_lanes.summary.backwards" if len(backwards) < len(plain) else "four_lanes.summary.all"
        yield say(key, models=models)
    elif before.size:
        yield say("four_lanes.summary.forwards")


def rows(traces: list[Trace], count: int) -> Iterable[tuple[Cell, ...]]:
    """For each lane and word the distance moved, its share of the run's largest, and the effect of the erased word."""
    for run, start in enumerate(range(0, len(traces), count), start=1):
        for place in range(start, start + count, 2):
            trace, erased = traces[place], traces[place + 1]
            assert trace.states is not None and trace.states.hidden is not None
            distances = np.linalg.norm(np.diff(trace.states.hidden[-1], axis=0, prepend=np.nan), axis=1).tolist()
            columns = (words(trace), distances, steps(trace).tolist(), reach(trace, erased).tolist())
            for word, distance, step, change in zip(*columns, strict=True):
                yield (
                    trace.model,
                    run,
                    word.position,
                    word.label,
                    None if np.isnan(distance) else distance,
                    step,
                    change,
                )


VIEW = View(
    name="four_lanes",
    chapter="lanes",
    place=1,
    query=FourLanesQuery,
    needs=frozenset({"hidden"}),
    figure=figure,
    preferred=MODELS,
    chooses_model=False,
)
