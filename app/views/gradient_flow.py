"""Gradient flow: how much of a loss arrives at each earlier state, for the three recurrent networks in one figure."""

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveInt

from app.messages import Listed, Message, Strong, decimal, power, say, translate, valued
from app.plotting import Axis, Curve, Panel, chart, curve_names, maps
from app.query import LONG_TEXT, Choices, Query, QueryError
from app.views import Cell, Figure, Table, View, change_term, model_title
from app.words import indexed, shortened, words
from models.errors import InputError
from models.run import Change, Run
from models.tokenizer import tokenize
from models.trace import Gradient, Trace

MODELS = ("rnn", "lstm", "gru")
LONGEST = 256
ROOM = 0.15  # of the words' width: for the names of the curves, at the left, where they are farthest apart
GAP = 0.085  # of the height, between two of these names
CELL = len(MODELS)  # the series of ∂L/∂c
UNDERFLOW = "< 10⁻³⁸"  # what float32 makes 0


def layers(trace: Trace) -> range:
    """The layers of a run, counted from 1."""
    return range(1, len(gradient(trace).gradient_last) + 1)


def gradient(trace: Trace) -> Gradient:
    """What the experiment recorded."""
    assert trace.gradient is not None
    return trace.gradient


class GradientFlowQuery(Query):
    """Whose loss, at which layer, with which weights; the sentence may be repeated to lengthen the way."""

    text: str = Field(LONG_TEXT, description="the sentence")
    show: Literal["curves", "map"] = "curves"
    of: Literal["rnn", "lstm", "gru"] = "lstm"
    source: Literal["last", "sum"] = "last"
    layer: Annotated[PositiveInt | None, Choices(layers, standard=-1)] = None
    weights: Literal["trained", "initial"] = "trained"
    repeat: int = Field(1, ge=1, le=64)
    sigma: float | None = Field(None, ge=0.1, le=10)
    seed: int = Field(1, ge=1, le=1000)

    def runs(self) -> list[Run]:
        """The three networks with each sentence, or the one whose map is shown."""
        names = self.side_by_side(MODELS, (self.of,) if self.show == "map" else ())
        experiment = "gradient_map" if self.show == "map" else "gradients"
        return [
            Run(name, text, experiment, self.change(name)) for text in dict.fromkeys(self.repeated()) for name in names
        ]

    def idle(self) -> Container[str]:
        """One network has a map; where it is named, it is no choice of its own. σ is the RNN's, which then has learned
        weights; a seed is of initial ones. No difference is drawn."""
        mapped = self.show == "map"
        named = {self.model, self.vs_model} - {"", None}
        shown = named or ({self.of} if mapped else {*MODELS})
        alike = shown == {"rnn"} and self.sigma is not None
        unused = {
            "align": True, "of": not mapped or bool(self.model), "sigma": "rnn" not in shown, "weights": alike,
            "seed": alike or self.weights == "trained",
        }  # fmt: skip
        return {name for name, idle in unused.items() if idle}

    def change(self, name: str) -> Change | None:
        """What is done to the weights of this network."""
        if name == "rnn" and self.sigma is not None:
            return Change("spectral_norm", amount=self.sigma)
        return Change("initial_weights", self.seed) if self.weights == "initial" else None

    def repeated(self) -> list[str]:
        """The sentences as often as wanted; raises QueryError where that makes them too long."""
        found = []
        for text in self.texts():
            longer = " ".join([text] * self.repeat)
            if self.repeat > 1:
                try:
                    count = len(tokenize(text, LONGEST)) - 1
                except InputError:
                    return [text]  # the run itself says what is wrong with it
                if count * self.repeat + 1 > LONGEST:
                    most = max(1, (LONGEST - 1) // max(count, 1))
                    key = "gradient_flow.too_often" if most > 1 else "gradient_flow.too_often.once"
                    message = say(key, count=self.repeat, most=most, limit=LONGEST)
                    raise QueryError("too_often", "repeat", message, fix={"repeat": most})
            found.append(longer)
        return found


def figure(query: GradientFlowQuery, traces: list[Trace]) -> Figure:
    """Curves of the norm over the words on a log scale, or the map of who still feels whom."""
    return mapped(query, traces) if query.show == "map" else curves(query, traces)


def norms(query: GradientFlowQuery, trace: Trace, cell: bool = False) -> np.ndarray:
    """The norms at the query's layer and source, [tokens]; NaN where nothing can flow: at the last word."""
    part = gradient(trace)
    if cell:
        chosen = part.cell_gradient_last if query.source == "last" else part.cell_gradient_sum
    else:
        chosen = part.gradient_last if query.source == "last" else part.gradient_sum
    assert chosen is not None
    values: np.ndarray = chosen[(query.layer or 1) - 1].copy()
    values[values == 0] = np.nan
    return values


def curves(query: GradientFlowQuery, traces: list[Trace]) -> Figure:
    """One curve per network and sentence, ∂L/∂c of the LSTM beside it, and the bound where it holds."""
    drawn: list[Curve] = []
    texts = list(dict.fromkeys(trace.text for trace in traces))
    for trace in traces:
        run = run_title(query, trace, texts)
        for cell in (False, True) if gradient(trace).cell_gradient_last is not None else (False,):
            name = translate(query.lang, "gradient_flow.cell", run=run) if cell else run
            hover = f"{name}<br>{translate(query.lang, 'gradient_flow.hover')}"
            drawn.append(Curve(name, norms(query, trace, cell), series=CELL if cell else MODELS.index(trace.model),
                               dash="solid" if trace.text == texts[0] else "dash", hover=hover))  # fmt: skip
    values = np.concatenate([each.y for each in drawn])
    limits = (10 ** np.floor(np.log10(np.nanmin(values))), 10 ** np.ceil(np.log10(np.nanmax(values)) + 0.01))
    for trace in traces:
        if (limit := bound(query, trace)) is not None:
            limit[(limit > 10 * limits[1]) | (limit < limits[0] / 10)] = np.nan
            sigma = spectral_norm(query, trace)
            title = translate(query.lang, "gradient_flow.bound", sigma=decimal(query.lang, sigma, 2))
            once = all(each.name != title for each in drawn)  # σ is the network's, whatever it reads
            drawn.append(Curve(title, limit, series=0, dash="dot", kind="line", listed=once))
    labels = [[shortened(word.label) for word in words(trace)] for trace in traces if trace.model == traces[0].model]
    below = labels[1] if len(labels) > 1 and labels[1] != labels[0] else ()
    places = labels[0] + [""] * (len(below) - len(labels[0]))  # the longer sentence decides how many there are
    room = -0.5 - ROOM * len(places) * (len(texts) < 2)
    x = Axis("", places, below, words=range(len(labels[0])), limits=(room, len(places) - 0.5))
    y = Axis(
        translate(query.lang, f"gradient_flow.axis.{query.source}", layer=query.layer or 1), log=True, limits=limits
    )
    shown = [number for number, trace in enumerate(traces) if trace.model == traces[0].model]
    summary = list(summaries(query, traces, texts))
    ends = curve_names(drawn, y, GAP, first=True) if len(texts) < 2 else []
    return Figure(chart([*drawn, *ends], query.lang, x, y), summary, table(query, traces), token_runs=shown)


def run_title(query: GradientFlowQuery, trace: Trace, texts: Sequence[str]) -> str:
    """The network, and which sentence it read where there are two."""
    name = model_title(trace.model, query.lang)
    if trace.change and trace.change.startswith("spectral_norm"):
        name = translate(query.lang, "gradient_flow.scaled", model=name, sigma=decimal(query.lang, query.sigma or 0, 2))
    return name if len(texts) < 2 else translate(query.lang, f"run.{texts.index(trace.text) + 1}", model=name)


def spectral_norm(query: GradientFlowQuery, trace: Trace) -> float:
    """σ of the recurrent matrix of the chosen layer."""
    sizes = gradient(trace).spectral_norms
    assert sizes is not None
    return float(sizes[(query.layer or 1) - 1])


def bound(query: GradientFlowQuery, trace: Trace) -> np.ndarray | None:
    """σᵏ times the gradient where it enters, [tokens]: at most so much arrives k steps earlier (Pascanu et al. 2013).

    It holds within one layer of a tanh network: for the top layer, where a loss enters at one step only.
    """
    sizes = gradient(trace).spectral_norms
    if sizes is None or query.source != "last" or (query.layer or 1) != len(sizes):
        return None
    values = norms(query, trace)
    enters = len(values) - 2
    away = np.arange(enters, enters - len(values), -1)
    limit: np.ndarray = np.where(away < 0, np.nan, values[enters] * spectral_norm(query, trace) ** away.astype(float))
    return limit


def summaries(query: GradientFlowQuery, traces: Sequence[Trace], texts: Sequence[str]) -> Iterable[Message]:
    """For each sentence how much the gradient changes in each network, from the word where it enters to the first."""
    for number, text in enumerate(texts, start=1):
        found = [trace for trace in traces if trace.text == text]
        sentence = translate(query.lang, f"sentence.{number}") if len(texts) > 1 else ""
        labels = words(found[0])
        first, enters = (1 if len(labels) > 2 else 0), len(labels) - 2
        if first == enters:
            yield say("gradient_flow.summary.short", sentence=sentence)
            continue
        factors: dict[str, float] = {}
        for trace in found:
            values = norms(query, trace)
            factor = 0.0 if np.isnan(values[first]) else float(values[first] / values[enters])
            factors[run_title(query, trace, [text])] = factor
        shown = {name: power(query.lang, factor) if factor else UNDERFLOW for name, factor in factors.items()}
        told = [valued(*each) for each in shown.items()]
        yield say(
            "gradient_flow.summary", sentence=sentence, first=Strong(indexed(labels, first)),
            last=indexed(labels, enters), factors=Listed(told),
        )  # fmt: skip
        ranked = sorted(factors, key=lambda name: factors[name])
        least, most, numbers = ranked[0], ranked[-1], list(shown.values())
        if len(texts) == 1 and least != most and numbers.count(shown[least]) == numbers.count(shown[most]) == 1:
            yield say("gradient_flow.summary.ranked", least=least, most=most)


def mapped(query: GradientFlowQuery, traces: list[Trace]) -> Figure:
    """Losses down, states across: each row relative to its largest value."""
    panels = []
    texts = list(dict.fromkeys(trace.text for trace in traces))
    hover = translate(query.lang, "gradient_flow.map.hover")
    for run, trace in enumerate(traces):
        labels = [shortened(word.label) for word in words(trace)]
        title = trace.text
        if len({each.model for each in traces}) > 1:
            title = run_title(query, trace, [trace.text]) + (f" · {title}" if len(texts) > 1 else "")
        elif len(texts) == 1:
            title = run_title(query, trace, texts)
        panels.append(Panel(title, relative(query, trace), labels, labels, "share", hover, run, range(len(labels))))
    titles = translate(query.lang, "gradient_flow.map.bar", layer=query.layer or 1)
    plot = maps(panels, query.lang, "map", {"share": titles})
    return Figure(plot, list(summaries(query, traces, texts)), table(query, traces))


def relative(query: GradientFlowQuery, trace: Trace) -> np.ndarray:
    """The map at the chosen layer, each row divided by its largest value; NaN where nothing can flow."""
    found = gradient(trace).gradient_map
    assert found is not None
    values = found[(query.layer or 1) - 1].copy()
    values[np.triu_indices(len(values))] = np.nan
    shares: np.ndarray = values / np.maximum(np.nanmax(np.nan_to_num(values), axis=1, keepdims=True), 1e-38)
    return shares


def table(query: GradientFlowQuery, traces: list[Trace]) -> Table:
    """Every norm; on a page of a long text those of the chosen layer."""
    columns = (
        "column.model", "column.run", "column.change", "column.layer", "column.position", "column.word",
        "column.gradient_last", "column.gradient_sum", "column.cell_gradient",
    )  # fmt: skip
    lines = partial(rows, query, traces)
    return Table(columns, lines, sum(len(layers(t)) * len(t.tokens) for t in traces), columns, lines)


def rows(query: GradientFlowQuery, traces: list[Trace]) -> Iterable[tuple[Cell, ...]]:
    """Model, run, change, layer, position, word, both norms of ∂L/∂h, and that of ∂L/∂c from the chosen loss."""
    texts = list(dict.fromkeys(trace.text for trace in traces))
    for trace in traces:
        part = gradient(trace)
        cells = part.cell_gradient_last if query.source == "last" else part.cell_gradient_sum
        for layer in layers(trace):
            for word in words(trace):
                at = (layer - 1, word.position)
                cell = None if cells is None else float(cells[at])
                yield (
                    trace.model, texts.index(trace.text) + 1, change_term(trace), layer, word.position, word.label,
                    float(part.gradient_last[at]), float(part.gradient_sum[at]), cell,
                )  # fmt: skip


VIEW = View(
    name="gradient_flow",
    chapter="rnn",
    place=4,
    query=GradientFlowQuery,
    needs=frozenset({"hidden", "loss"}),
    figure=figure,
    preferred=MODELS,
    chooses_model=False,
)
