"""Memory: which earlier words a linear probe still reads in a recurrent network's state."""

from collections.abc import Iterable
from functools import partial
from typing import Literal

import numpy as np

from app import units
from app.messages import Listed, Message, Strong, percent, quotations, say, translate, valued
from app.plotting import Axis, Curve, Panel, cell, chart, maps
from app.query import Query
from app.views import Cell, Figure, Table, View, model_title
from app.words import indexed, shortened, words
from models.run import Run
from models.trace import Memory, Trace

MODELS = ("rnn", "lstm", "gru")
SHOWN = (1, 4, 8)  # steps back whose accuracy the summary names


class MemoryQuery(Query):
    """This sentence, or how often the probes are right on other text."""

    show: Literal["sentence", "curves"] = "sentence"

    def runs(self) -> list[Run]:
        """The runs of the sentence, or for their curves the three networks, or the two that are compared."""
        if self.show == "curves":
            shown = MODELS if self.vs_model is None else dict.fromkeys((self.model, self.vs_model))
            return [Run(name, self.text, "memory") for name in shown]
        return [Run(run.model, run.text, "memory") for run in super().runs()]

    def idle(self) -> tuple[str, ...]:
        """No difference is drawn here."""
        return ("align",)


def memory(trace: Trace) -> Memory:
    """What the experiment recorded."""
    assert trace.memory is not None
    return trace.memory


def figure(query: MemoryQuery, traces: list[Trace]) -> Figure:
    """Steps back down, words across; or the accuracy over the steps back."""
    return curves(query, traces) if query.show == "curves" else mapped(query, traces)


def mapped(query: MemoryQuery, traces: list[Trace]) -> Figure:
    """How likely the probe finds the right word, for each word read and each number of steps back."""
    panels, summary = [], []
    for run, trace in enumerate(traces):
        labels = [shortened(word.label) for word in words(trace)]
        deep = min(len(memory(trace).remembered), len(labels) - 1)
        steps = [
            translate(query.lang, "memory.steps", steps=step) if step else translate(query.lang, "memory.itself")
            for step in range(deep)
        ]
        values = memory(trace).remembered[:deep]
        hover = translate(query.lang, "memory.hover")
        framed = [cell(step, len(labels) - 1) for step in known(trace)]
        panels.append(
            Panel(units.panel_title(query, trace), values, steps, labels, "share", hover, run, range(len(labels)),
                  framed=framed)
        )  # fmt: skip
        summary += list(summaries(query, traces, run))
    plot = maps(panels, query.lang, "lanes", {"share": translate(query.lang, "memory.bar")})
    return Figure(plot, summary, table(traces))


def known(trace: Trace) -> list[int]:
    """How many steps before the last word the probe names the right one."""
    column = memory(trace).named[1:, len(trace.tokens) - 1]
    return [step for step, right in enumerate(column, start=1) if right == 1]


def summaries(query: MemoryQuery, traces: list[Trace], run: int) -> Iterable[Message]:
    """Which words the probes still name after the last one, and how often they are right elsewhere."""
    trace, name = traces[run], units.run_name(query, traces, run)
    labels, last = words(trace), len(trace.tokens) - 1
    possible = int(np.isfinite(memory(trace).named[1:, last]).sum())
    if not possible:
        yield say("memory.summary.short", model=name)
    elif steps := known(trace):
        said = quotations(query.lang, [indexed(labels, last - step) for step in steps])
        yield say(
            "memory.summary" if possible > 1 else "memory.summary.only",
            model=name,
            last=indexed(labels, last),
            known=Strong(said),
            count=str(len(steps)),
            possible=str(possible),
        )
    else:
        key = "memory.summary.none" if possible > 1 else "memory.summary.none.only"
        yield say(key, model=name, last=indexed(labels, last), possible=str(possible))


def shares(query: MemoryQuery, accuracy: np.ndarray) -> str:
    """How often one is right, some steps back."""
    return ", ".join(percent(query.lang, float(accuracy[step])) for step in SHOWN)


def curves(query: MemoryQuery, traces: list[Trace]) -> Figure:
    """Accuracy on text that nobody learned from, over the steps back, beside always naming the most frequent word."""
    drawn, told = [], []
    for trace in traces:
        series = MODELS.index(trace.model)
        name, found = model_title(trace.model, query.lang), memory(trace)
        hover = f"{name}<br>{translate(query.lang, 'memory.curve.hover')}"
        drawn.append(Curve(name, found.probe_accuracy, series=series, hover=hover))
        told.append(valued(name, shares(query, found.probe_accuracy)))
    baseline = memory(traces[0]).probe_baseline
    summary = [
        say("memory.summary.curves", steps=", ".join(map(str, SHOWN)), shares=Listed(told)),
        say("memory.summary.baseline", share=Strong(shares(query, baseline))),
    ]
    drawn.append(Curve(translate(query.lang, "memory.baseline"), baseline, series=5, dash="dot", kind="line"))
    x = Axis(translate(query.lang, "memory.axis.steps"))
    plot = chart(drawn, query.lang, x, Axis(translate(query.lang, "memory.axis.accuracy"), limits=(0, 1.02)))
    return Figure(plot, summary, table(traces), token_runs=[0])


def table(traces: list[Trace]) -> Table:
    """Every probability."""
    columns = (
        "column.model", "column.run", "column.position", "column.word", "column.steps", "column.earlier",
        "column.probability", "column.named", "column.accuracy",
    )  # fmt: skip
    count = sum(int(np.isfinite(memory(trace).remembered).sum()) for trace in traces)
    return Table(columns, partial(rows, traces), count, columns, partial(rows, traces))


def rows(traces: list[Trace]) -> Iterable[tuple[Cell, ...]]:
    """Model, run, the word read, how many steps back, the word there, its probability, and whether it was named."""
    for run, trace in enumerate(traces, start=1):
        labels, found = words(trace), memory(trace)
        for step, place in zip(*np.nonzero(np.isfinite(found.remembered)), strict=True):
            k, t = int(step), int(place)
            yield (
                trace.model, run, t, labels[t].label, k, labels[t - k].label, float(found.remembered[k, t]),
                int(found.named[k, t]), float(found.probe_accuracy[k]),
            )  # fmt: skip


VIEW = View(
    name="memory",
    chapter="rnn",
    place=5,
    query=MemoryQuery,
    needs=frozenset({"hidden", "loss"}),
    figure=figure,
    preferred=("lstm", "gru", "rnn"),
    only_preferred=True,  # these have probes
)
