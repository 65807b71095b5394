"""Order: how far apart two sentences of the same words are for each network, measured by unrelated sentences."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from app import align
from app.messages import Lang, Listed, Message, Strong, bound, decimal, power, quotations, say, translate, valued
from app.plotting import Axis, Curve, Panel, Plot, chart, maps
from app.query import Query
from app.transforms import Transform, made_by, reversed_words, swapped_nouns
from app.views import Cell, Figure, Table, View, change_term, network_title
from app.words import shortened, words
from models.run import Change, Run
from models.trace import Sentence, Trace, typed_places
from models.window import WINDOW

BASELINES = ("bag_of_words-intent", "feed_forward-intent")
MODELS = (*BASELINES, "rnn", "lstm", "gru", "encoder", "decoder")
PLACELESS = Run("encoder", "", change=Change("no_positions"))
ROUNDING = 1e-5  # a distance below this, where it is not 0, is what adding in another order costs
WINDOWED = "feed_forward-intent"
GROUND = 0.45  # how far the ground of unrelated sentences reaches from the middle of its bar
LISTED = 6  # cut words that the summary names
COMPARED: dict[Transform | None, str] = {
    "swap": "order.summary.swap", "reverse": "order.summary.reverse", None: "order.summary.pair",
}  # fmt: skip
NAMED = 0.5  # times the yardstick: from here on two sentences are called different


class OrderQuery(Query):
    """Whole sentences, or each word; without a second sentence it is the first one with its nouns swapped, or where it
    has no two, turned round."""

    show: Literal["sentences", "each_word"] = "sentences"

    def idle(self) -> tuple[str, ...]:
        """Whole sentences need no partners."""
        return () if self.show == "each_word" else ("align",)

    @property
    def second(self) -> str:
        """What the sentence is compared with."""
        return self.vs or swapped_nouns(self.text) or reversed_words(self.text)

    def runs(self) -> list[Run]:
        """Both sentences through all networks; the encoder first, since it takes the shortest texts."""
        names = self.side_by_side(MODELS)[::-1]
        changes: list[tuple[str, Change | None]] = [(name, None) for name in names]
        changes += [(name, PLACELESS.change) for name in names if name == PLACELESS.model]
        changes.sort(key=lambda each: each != ("encoder", None))
        return [Run(name, text, "distances", change) for text in (self.text, self.second) for name, change in changes]


class Pair(NamedTuple):
    """One network's two runs."""

    title: str
    first: Trace
    second: Trace

    @property
    def distance(self) -> float:
        """Of the two sentence vectors, Euclidean."""
        return float(np.linalg.norm(vectors(self.first).sentence_vector - vectors(self.second).sentence_vector))

    @property
    def yardstick(self) -> tuple[float, float, float]:
        """The median of unrelated sentences, and between what 95 % of them lie."""
        low, middle, high = np.quantile(vectors(self.first).unrelated, (0.025, 0.5, 0.975)).tolist()
        return middle, low, high

    @property
    def ratio(self) -> float:
        """The distance in units of the yardstick."""
        return self.distance / self.yardstick[0]


def vectors(trace: Trace) -> Sentence:
    """What a run says of its sentence."""
    assert trace.sentence is not None
    return trace.sentence


def paired(query: OrderQuery, traces: Sequence[Trace]) -> list[Pair]:
    """The runs by network, in the order of the lecture."""
    half = len(traces) // 2
    found = []
    for first, second in zip(traces[:half], traces[half:], strict=True):
        title = network_title(first.model, query.lang)
        if first.change:
            title = translate(query.lang, "order.placeless", network=title)
        found.append(Pair(title, first, second))
    return sorted(found, key=lambda pair: (MODELS.index(pair.first.model), pair.first.change is not None))


def figure(query: OrderQuery, traces: list[Trace]) -> Figure:
    """A bar for each network, 1 being as far as unrelated sentences; or networks down, words across."""
    pairs = paired(query, traces)
    plot = bars(query, pairs) if query.show == "sentences" else lanes(query, pairs)
    half = len(traces) // 2
    return Figure(plot, list(summary(query, pairs)), table(pairs), token_runs=(0, half))


def bars(query: OrderQuery, pairs: list[Pair]) -> Plot:
    """The distances in units of the yardstick."""
    ratios = np.array([pair.ratio for pair in pairs], np.float32)
    sentences = translate(query.lang, "order.axis.sentences", first=query.text, second=query.second)
    hovers = [
        translate(query.lang, "order.hover", sentences=sentences, network=pair.title,
                  distance=decimal(query.lang, pair.distance, 4), median=decimal(query.lang, pair.yardstick[0], 2),
                  low=decimal(query.lang, pair.yardstick[1], 2), high=decimal(query.lang, pair.yardstick[2], 2))
        for pair in pairs
    ]  # fmt: skip
    texts = [shown(query, pair) for pair in pairs]
    spread = np.array([[limit / pair.yardstick[0] for limit in pair.yardstick[1:]] for pair in pairs], np.float32)
    top = 1.15 * max(1.0, float(ratios.max()), float(spread.max()) / 1.1)
    one = np.ones(2, np.float32)
    bands = [(place - GROUND, place + GROUND, low, high) for place, (low, high) in enumerate(spread.tolist())]
    return chart(
        [
            Curve(translate(query.lang, "order.bar"), ratios, kind="bar", texts=texts, hovers=hovers),
            Curve(translate(query.lang, "order.one"), one, np.array([-0.5, len(pairs) - 0.5]), series=1, dash="dash",
                  kind="line"),
        ],
        query.lang,
        Axis("", ticks=[named(query, pair) for pair in pairs]),
        Axis(translate(query.lang, "order.axis"), limits=(0, top)),
        bands=bands,
    )  # fmt: skip


def named(query: OrderQuery, pair: Pair) -> str:
    """A network as an axis names it."""
    return translate(query.lang, "order.placeless.short") if pair.first.change else pair.title


def shown(query: OrderQuery, pair: Pair) -> str:
    """A distance over its bar; what is exactly 0 is said so."""
    if pair.distance == 0:
        return "0"
    return bound(pair.distance) if pair.distance < ROUNDING else small(query.lang, pair.ratio)


def small(lang: Lang, ratio: float) -> str:
    """A ratio with two decimals; what is something is not written as nothing."""
    return decimal(lang, ratio, 2) if ratio >= 0.005 else power(lang, ratio)


def lanes(query: OrderQuery, pairs: list[Pair]) -> Plot:
    """How far each word's state moves, in units of the states of unrelated words; grey: no partner."""
    typed, _ = partners(query, pairs[-1])
    columns = [shortened(words(pairs[-1].first)[place].label) for place in typed]
    values = np.array([moved(query, pair) for pair in pairs], np.float32)
    scaled = values / max(1.0, float(np.nanmax(values, initial=0)))
    hovers = [
        [
            translate(query.lang, "order.word_hover", network=pair.title, word=column,
                      ratio="–" if np.isnan(value) else decimal(query.lang, float(value), 2))
            for column, value in zip(columns, row, strict=True)
        ]
        for pair, row in zip(pairs, values, strict=True)
    ]  # fmt: skip
    texts = [["" if np.isnan(value) else decimal(query.lang, float(value), 2) for value in row] for row in values]
    title = translate(query.lang, "order.axis.sentences", first=query.text, second=query.second)
    names = [named(query, pair) for pair in pairs]
    panel = Panel(
        title, scaled, names, columns, "share", "%{hovertext}", 0, typed, texts=texts if len(columns) <= 12 else (),
        hovers=hovers,
    )  # fmt: skip
    most = decimal(query.lang, max(1.0, float(np.nanmax(values, initial=0))), 2)
    return maps([panel], query.lang, "lanes", {"share": translate(query.lang, "order.words_bar", most=most)})


def partners(query: OrderQuery, pair: Pair) -> tuple[list[int], list[int | None]]:
    """The typed tokens of the first sentence, and the place of each one's partner in the second, if it has one."""
    typed, others = (typed_places(trace.tokens) for trace in (pair.first, pair.second))
    labels = [[trace.tokens[place].text for place in places]
              for trace, places in ((pair.first, typed), (pair.second, others))]  # fmt: skip
    found = align.pairs(labels[0], labels[1], query.align)
    return typed, [None if place is None else others[place] for place in found]


def moved(query: OrderQuery, pair: Pair) -> list[float]:
    """How far each word's state lies from its partner's, in units of unrelated words; NaN without a partner, and
    where the window cuts one of them off."""
    seen = WINDOW if pair.first.model == WINDOWED else max(len(pair.first.tokens), len(pair.second.tokens))
    unit = float(np.median(vectors(pair.first).unrelated_words))
    first, second = vectors(pair.first).word_states, vectors(pair.second).word_states
    return [
        float("nan")
        if other is None or max(place, other) >= seen
        else float(np.linalg.norm(first[place] - second[other])) / unit
        for place, other in zip(*partners(query, pair), strict=True)
    ]


def summary(query: OrderQuery, pairs: list[Pair]) -> Iterable[Message]:
    """Which networks cannot tell the sentences apart, which can, and what the fixed window cuts or pads."""
    if query.second == query.text:
        yield say("order.summary.same" if query.vs else "order.summary.alone")
    else:
        yield say(COMPARED[made_by(query.text, query.second)], second=query.second)
    exact = [pair.title for pair in pairs if pair.distance == 0]
    rounded = [pair for pair in pairs if 0 < pair.distance < ROUNDING]
    seeing = sorted((pair for pair in pairs if pair.distance >= ROUNDING), key=lambda pair: -pair.ratio)
    if exact:
        yield say("order.summary.exact", networks=Strong(", ".join(exact)))
    if rounded:
        yield say(
            "order.summary.rounded", networks=Strong(", ".join(pair.title for pair in rounded)),
            most=bound(max(pair.distance for pair in rounded)),
        )  # fmt: skip
    if seeing:
        told = [valued(pair.title, small(query.lang, pair.ratio)) for pair in seeing]
        yield say("order.summary.seeing", networks=Listed(told, ", "))
    for pair in pairs:
        if pair.first.model == WINDOWED:
            yield from windowed(query, pair)


def windowed(query: OrderQuery, pair: Pair) -> Iterable[Message]:
    """What the fixed window cuts off each sentence, or with how many zeros it fills up."""
    traces = (pair.first, pair.second)
    lost = [[word.label for word in words(trace)[WINDOW:]] for trace in traces]
    empty = [max(0, WINDOW - len(trace.tokens)) for trace in traces]
    if all(empty) and empty[0] != empty[1]:
        yield say("order.summary.padded.two", window=WINDOW, first=empty[0], second=empty[1])
        return
    alike = lost[0] == lost[1] and empty[0] == empty[1]
    for number in range(1 if alike else 2):
        first = "" if alike else translate(query.lang, f"sentence.{number + 1}")
        if lost[number]:
            told = quotations(query.lang, lost[number], LISTED)
            yield say("order.summary.cut", sentence=first, window=WINDOW, cut=len(lost[number]), words=Strong(told))
        elif empty[number]:
            yield say("order.summary.padded", sentence=first, window=WINDOW, padded=empty[number])


def table(pairs: list[Pair]) -> Table:
    """Each network's distance as it is, its yardstick, and both divided."""
    columns = (
        "column.model", "column.change", "column.apart", "column.unrelated", "column.unrelated_low",
        "column.unrelated_high", "column.ratio",
    )  # fmt: skip
    lines = partial(rows, pairs)
    return Table(columns, lines, len(pairs), columns, lines)


def rows(pairs: list[Pair]) -> Iterable[tuple[Cell, ...]]:
    """One row for each network."""
    for pair in pairs:
        yield pair.first.model, change_term(pair.first), pair.distance, *pair.yardstick, pair.ratio


VIEW = View(
    name="order",
    chapter="order",
    place=1,
    query=OrderQuery,
    needs=frozenset({"inputs"}),
    figure=figure,
    preferred=MODELS,
    chooses_model=False,
)
