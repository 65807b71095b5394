"""Speed: a recurrent network against a Transformer, both measured on this very server, and what the lecture says."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from app import measured, tradeoffs
from app.messages import Message, say, translate, whole
from app.pace import NEAR, TRANSFORMERS, Network, amount, rounded
from app.plotting import BESIDE, Axis, Curve, Plot, chart, curve_names
from app.query import Choices, Query, Value
from app.views import Cell, Figure, Table, View
from models.run import Run
from models.trace import Timing, Trace

MODELS = ("lstm", "decoder", "rnn", "gru", "encoder")
ATTEMPTS = 10  # a server measures no more often
FORMULA = 4096  # tokens up to which multiply–adds are counted: no clock is needed for that
MARKS = 3  # the series of what is said of sentences
ROOM = 0.22  # of the curves' width: for their names
NAMED = 0.4  # of the way to the next stem: how high above a stem its name stands
GAP = 0.13  # of the height, between two names: on a low slide too they shall not touch


def timing(trace: Trace) -> Timing:
    """What was measured."""
    assert trace.timing is not None
    return trace.timing


def attempts(trace: Trace) -> Sequence[Value]:
    """The measurements so far, and one more."""
    return range(min(timing(trace).attempt + 2, ATTEMPTS))


def attempt_label(trace: Trace, attempt: Value) -> Message:
    """The number of a measurement, or that one is made anew."""
    number = int(attempt)
    return say("option.again.made" if number <= timing(trace).attempt else "option.again.new", number=number + 1)


class SpeedQuery(Query):
    """What is compared, and which measurement; without a second model it is a network of the other kind."""

    show: Literal["time", "one_more", "memory", "operations", "ratios"] = "time"
    again: Annotated[
        Annotated[int, Field(ge=0, lt=ATTEMPTS)] | None,
        Choices(attempts, lambda trace: timing(trace).attempt, attempt_label),
    ] = Field(None, description="0, 1, 2 …: measured anew where this number has not been asked for yet")

    def idle(self) -> tuple[str, ...]:
        """No word is compared with another."""
        return ("align",)

    @property
    def networks(self) -> tuple[str, ...]:
        """Those compared."""
        other = self.vs_model or ("lstm" if self.model in TRANSFORMERS else "decoder")
        return tuple(dict.fromkeys((self.model, other)))

    def runs(self) -> list[Run]:
        """Both networks; of a sentence only the length is shown."""
        texts = dict.fromkeys(self.texts())
        return [Run(name, text, "timing", attempt=self.again or 0) for text in texts for name in self.networks]


def figure(query: SpeedQuery, traces: list[Trace]) -> Figure:
    """Curves over the length of the text, both axes logarithmic; or how many times as much the second one needs."""
    count = len(query.networks)
    networks = [Network.of(trace, query.lang) for trace in traces[:count]]
    sentences = traces[::count]
    draw, tell = {
        "time": (times, measured.times),
        "one_more": (one_more, measured.one_more),
        "memory": (memory, measured.memory),
        "operations": (operations, measured.operations),
        "ratios": (ratios, measured.ratios),
    }[query.show]
    summary = list(tell(query.lang, networks))
    table = Table(COLUMNS, partial(rows, networks), sum(len(network.lengths) for network in networks), COLUMNS)
    return Figure(
        draw(query, networks, sentences), summary, table, token_runs=range(0, len(traces), count),
        comparison=tradeoffs.table(query.lang, networks),
    )  # fmt: skip


def curve(query: SpeedQuery, network: Network, number: int, way: str, x: np.ndarray, y: np.ndarray) -> Curve:
    """One quantity of one network over the length of the text; the second of its curves is dashed."""
    name = translate(query.lang, f"speed.curve.{way}", network=network.title)
    unit = UNITS[query.show]
    hovers = [
        translate(query.lang, "speed.hover", name=name, tokens=whole(query.lang, int(tokens)),
                  value=amount(query.lang, float(value), unit))
        for tokens, value in zip(x, y, strict=True)
    ]  # fmt: skip
    return Curve(name, y, x, series=number, dash="solid" if way in FIRST else "dash", hovers=hovers)


def spread(number: int, x: np.ndarray, bounds: np.ndarray) -> Curve:
    """Upright strokes over the middle eight tenths of what was measured, [spread, lengths]."""
    gaps = np.full(len(x), np.nan)
    return Curve(
        "", np.stack([bounds[0], bounds[2], gaps], 1).ravel(), np.stack([x, x, gaps], 1).ravel(), series=number,
        kind="line", listed=False,
    )  # fmt: skip


def times(query: SpeedQuery, networks: list[Network], sentences: list[Trace]) -> Plot:
    """Milliseconds for the whole text, in one call and word by word."""
    curves, strokes = [], []
    for number, network in enumerate(networks):
        for way, found in (("whole", network.whole), ("words", network.words)):
            if found is not None:
                curves.append(curve(query, network, number, way, network.lengths, found[1]))
                strokes.append(spread(number, network.lengths, found))
    return plotted(query, curves, strokes, sentences)


def one_more(query: SpeedQuery, networks: list[Network], sentences: list[Trace]) -> Plot:
    """Milliseconds for the next word after so many; dashed, what reading everything again would cost a Transformer."""
    curves, strokes = [], []
    for number, network in enumerate(networks):
        if network.words is not None:
            curves.append(curve(query, network, number, "next", network.lengths, network.next[1]))
            strokes.append(spread(number, network.lengths, network.next))
        if network.transformer:
            curves.append(curve(query, network, number, "again", network.lengths, network.whole[1]))
            strokes.append(spread(number, network.lengths, network.whole))
    return plotted(query, curves, strokes, sentences)


def memory(query: SpeedQuery, networks: list[Network], sentences: list[Trace]) -> Plot:
    """Bytes kept of the text read, and of attention maps."""
    curves = []
    for number, network in enumerate(networks):
        way = "keys" if network.transformer else "state"
        curves.append(curve(query, network, number, way, network.lengths, network.timing.kept_bytes.astype(float)))
        if network.transformer:
            curves.append(
                curve(query, network, number, "maps", network.lengths, network.timing.map_bytes.astype(float))
            )
    return plotted(query, curves, [], sentences)


def operations(query: SpeedQuery, networks: list[Network], sentences: list[Trace]) -> Plot:
    """Multiply–adds by formula, beyond the measured lengths too; dashed, those for pairs of tokens."""
    x = np.array([length for power in range(12) if NEAR <= (length := 2**power * NEAR) <= FORMULA], float)
    curves = []
    for number, network in enumerate(networks):
        curves.append(curve(query, network, number, "all", x, np.array([network.operations(length) for length in x])))
        if network.transformer:
            curves.append(curve(query, network, number, "pairs", x, network.timing.quadratic * x**2))
    return plotted(query, curves, [], sentences)


def plotted(query: SpeedQuery, curves: list[Curve], strokes: list[Curve], sentences: list[Trace]) -> Plot:
    """The curves with their names at their ends, and a dotted line at the length of each sentence."""
    unit, (x, *_) = UNITS[query.show], [found.x for found in curves]
    assert x is not None
    values = np.concatenate([found.y for found in curves])
    low, high = float(values.min()) / 1.7, float(values.max()) * 3
    first = min(float(x[0]), *(len(trace.tokens) for trace in sentences)) * 0.9
    powers = [10.0**power for power in range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)]
    steps = [amount(query.lang, value, unit, 1) for value in powers]
    down = Axis(translate(query.lang, f"speed.axis.{query.show}"), steps, log=True, limits=(low, high), at=powers)
    title = translate(query.lang, "speed.axis.tokens")
    if unit == "ms":
        date = tradeoffs.date(query.lang, timing(sentences[0]), short=True)
        title = translate(query.lang, "speed.axis.measured", date=date)
    over = Axis(title, [whole(query.lang, int(length)) for length in x], log=True,
                limits=(first, float(x[-1]) * (float(x[-1]) / first) ** ROOM), at=x.tolist())  # fmt: skip
    return chart(
        [*strokes, *curves, *marks(query, sentences, (first, float(x[-1])), (low, high)),
         *curve_names(curves, down, GAP)],
        query.lang, over, down,
        height=460,
    )  # fmt: skip


def marks(
    query: SpeedQuery, sentences: list[Trace], lengths: tuple[float, float], values: tuple[float, float]
) -> Iterable[Curve]:
    """A dotted line for each length, its name near the top, below that of the one before, where there is more room."""
    (low, high), middle = values, (lengths[0] * lengths[1]) ** 0.5  # of a log axis
    for number, trace in enumerate(sentences, start=1):
        key = "speed.mark" if len(sentences) == 1 else "speed.mark.numbered"
        told = translate(query.lang, key, number=number, tokens=len(trace.tokens))
        hover = translate(query.lang, "speed.mark.hover", text=trace.text, tokens=len(trace.tokens))
        height = high / (high / low) ** (0.09 + 0.14 * (number - 1))
        left = len(trace.tokens) > middle
        text = "\n".join(line + BESIDE if left else BESIDE + line for line in told.splitlines())
        yield Curve(
            told, np.array([low, height, high]), np.full(3, len(trace.tokens)), series=MARKS, dash="dot", kind="line",
            texts=["", text, ""], places=["middle left" if left else "middle right"] * 3, hovers=[hover] * 3,
            listed=False,
        )  # fmt: skip


def ratios(query: SpeedQuery, networks: list[Network], _: list[Trace]) -> Plot:
    """Of each quantity, how many times as much the second network needs; left of 1 it needs less."""
    first, second = networks[0], networks[-1]
    found = tradeoffs.quantities(query.lang, first, second)[::-1]
    values = [quantity.ratio for quantity in found]
    least, most = min(1.0, *values), max(1.0, *values)
    room = (2 * most / least) ** 0.2  # for the numbers beside the points
    low, high = least / room if least < 1 else 1.0, most * room
    top, edge = len(found) - 0.2, np.array([low * (high / low) ** 0.002])
    names = [
        Curve("", np.array([height + NAMED]), edge, series=MARKS, kind="line", listed=False,
              texts=[BESIDE + translate(query.lang, "speed.ratio", title=quantity.title, both=quantity.both)],
              places=["middle right"])
        for height, quantity in enumerate(found)
    ]  # fmt: skip
    one = Curve("", np.array([-0.5, top]), np.ones(2), series=MARKS, dash="dot", kind="line", listed=False)
    date = tradeoffs.date(query.lang, first.timing, short=True)
    title = translate(query.lang, "speed.axis.ratios", first=first.title, second=second.title, date=date)
    powers = [10.0**power for power in range(-6, 7) if low <= 10.0**power <= high]
    over = Axis(title, [rounded(query.lang, power, 1) for power in powers], log=True, limits=(low, high), at=powers)
    curves = [*stems(query, first, 0, found), *stems(query, second, 1, found)]
    return chart(
        [one, *curves, *names], query.lang, over, Axis("", [BESIDE] * len(found), limits=(-0.5, top)), height=480
    )


def stems(query: SpeedQuery, network: Network, number: int, found: list[tradeoffs.Quantity]) -> Iterable[Curve]:
    """A line from 1 to each ratio that shows this network, the second if `number` is 1, to need more."""
    chosen = [(height, each.ratio) for height, each in enumerate(found) if (each.ratio >= 1) == bool(number)]
    if not chosen:
        return
    heights, values = np.array(chosen).T
    gaps = np.full(len(chosen), np.nan)
    across, up = (
        np.stack([np.ones(len(chosen)), values, gaps], 1).ravel(),
        np.stack([heights, heights, gaps], 1).ravel(),
    )
    texts = [f"{rounded(query.lang, value)} ×" for value in values.tolist()]
    name, place = (
        translate(query.lang, "speed.more", network=network.title),
        "middle right" if number else "middle left",
    )
    yield Curve("", up, across, series=number, kind="line", listed=False)
    yield Curve(
        name, heights, values, series=number, kind="points", places=[place] * len(texts),
        texts=[BESIDE + text if number else text + BESIDE for text in texts],
    )  # fmt: skip


def rows(networks: list[Network]) -> Iterable[tuple[Cell, ...]]:
    """One row for each network and length."""
    for network in networks:
        for place, length in enumerate(network.lengths.tolist()):
            low, median, high = network.whole[:, place].tolist()
            words = None if network.words is None else float(network.words[1, place])
            yield (
                network.name, length, median, low, high, words, float(network.next[1, place]),
                int(network.timing.kept_bytes[place]), int(network.timing.map_bytes[place]),
                int(network.operations(length)), int(network.timing.quadratic * length**2), network.parameters,
            )  # fmt: skip


COLUMNS = (
    "column.model", "column.tokens", "column.whole_ms", "column.whole_low", "column.whole_high", "column.words_ms",
    "column.next_ms", "column.kept_bytes", "column.map_bytes", "column.operations", "column.square",
    "column.parameters",
)  # fmt: skip
UNITS = {"time": "ms", "one_more": "ms", "memory": "bytes", "operations": "operations"}
FIRST = ("whole", "next", "state", "keys", "all")  # the solid curves
VIEW = View(
    name="speed",
    chapter="lanes",
    place=2,
    query=SpeedQuery,
    needs=frozenset({"hidden"}),
    figure=figure,
    experiment="timing",
    preferred=MODELS,
)
