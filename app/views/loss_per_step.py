"""Loss per step: how surprised a language model is at each word, and what it costs to wipe its memory."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Annotated, Literal

import numpy as np
from pydantic import NonNegativeInt

from app import units
from app.messages import (
    Lang,
    Message,
    Strong,
    chance,
    decimal,
    decimals,
    in_quotes,
    percent,
    percents,
    say,
    translate,
    visible,
)
from app.plotting import Axis, Curve, Dash, chart
from app.query import Places, Query, Value
from app.views import Cell, Figure, Ranked, Table, View, change_term
from app.words import indexed, place_label, shortened, words
from models import registry, tokenizer
from models.run import Change, Run
from models.trace import Prediction, Trace

GUESSES = 5
EXPECTED = 8  # up to so many tokens, the likeliest guess stands below each word
LEAST_BITS = 0.05  # a smaller difference is not called one

Guesses = list[Ranked]  # of one run, after each token the likeliest, with their probabilities


def places(trace: Trace) -> Sequence[int]:
    """After which words the memory can be wiped so that it changes a guess; 0 stands for never.

    The word behind has been guessed by then: what changes are the guesses from the one after that on.
    """
    forgets = registry.get(trace.model).family == "recurrent"
    return range(max(1, len(trace.tokens) - 2)) if forgets else (0,)


def reset_label(trace: Trace, place: Value) -> str:
    """A word and its place."""
    return "–" if place == 0 else place_label(trace, place)


class LossPerStepQuery(Query):
    """In which unit, and after which word the memory is wiped (0: never)."""

    reset: Annotated[NonNegativeInt | None, Places(places, label=reset_label)] = None
    unit: Literal["bits", "nats"] = "bits"

    def runs(self) -> list[Run]:
        """Each run, and the same with its memory wiped where that is asked for."""
        found = []
        for run in super().runs():
            found.append(run)
            model = registry.catalogue().get(run.model)
            place = self.wiped(run.text)
            if place and model and model.family == "recurrent":
                found.append(Run(run.model, run.text, change=Change("reset_after", place)))
        return found

    def wiped(self, text: str) -> int | None:
        """After which token of this text the memory is wiped: a guess must change by it, in the first text too."""
        place = self.reset or 0
        return place if 0 < place < min(len(tokenizer.pieces(each)) for each in (self.text, text)) - 1 else None

    def idle(self) -> tuple[str, ...]:
        """No difference is drawn here."""
        return ("align",)


def prediction(trace: Trace) -> Prediction:
    """What a run expected at each token."""
    assert trace.prediction is not None
    return trace.prediction


def losses(query: LossPerStepQuery, trace: Trace) -> np.ndarray:
    """−log p of each token, [tokens]; NaN at the first."""
    return prediction(trace).loss / np.float32(np.log(2) if query.unit == "bits" else 1)


def figure(query: LossPerStepQuery, traces: list[Trace]) -> Figure:
    """A bar for each word, the running sum as a line on an axis of its own; the five best guesses on hover."""
    plain = [number for number, trace in enumerate(traces) if trace.change is None]
    curves, sums, guesses = [], [], [guessed(trace, query.lang) for trace in traces]
    several = len(traces) > 1  # else the axes say what they measure, and no legend is needed
    for number, trace in enumerate(traces):
        loss, name = losses(query, trace), curve_name(query, traces, number)
        texts, hovers = bar_texts(query, loss, len(traces)), hover_texts(query, trace, guesses[number])
        curves.append(Curve(name, loss, series=number, kind="bar", texts=texts, hovers=hovers, listed=several))
        total = np.nancumsum(loss)
        total[0] = np.nan
        title = translate(query.lang, "loss_per_step.sum", run=name)
        colour, dash = sum_look(traces, number)
        curves.append(Curve(title, total, series=colour, kind="line", dash=dash, right=True, listed=several))
        sums.append(float(total[-1]))
    labels = [[shortened(word.label) for word in words(traces[number])] for number in plain]
    below = labels[1] if len(labels) > 1 and labels[1] != labels[0] else ()
    expected = not several and len(labels[0]) <= EXPECTED
    if expected:
        below = ["", *(shortened(likeliest.found[0][0]) for likeliest in guesses[0][: len(labels[0]) - 1])]
    if len(below) > len(labels[0]):  # the longer sentence decides how many places there are
        labels[0] += [""] * (len(below) - len(labels[0]))
    title = translate(query.lang, "loss_per_step.axis.expected") if expected else ""
    x = Axis(title, labels[0], below, words=range(len(words(traces[0]))))
    unit = translate(query.lang, f"option.unit.{query.unit}")
    measured = "" if several else ".alone"
    y = Axis(translate(query.lang, f"loss_per_step.axis{measured}", unit=unit))
    right = Axis(
        translate(query.lang, f"loss_per_step.axis.sum{measured}", unit=unit), limits=(0, 1.05 * max(*sums, 1e-6))
    )
    plot = chart(curves, query.lang, x, y, right=right)
    told = list(summaries(query, traces, sums, guesses))
    return Figure(plot, told, table(query, traces, guesses), given_by="torch.log_softmax", token_runs=plain)


def sum_look(traces: list[Trace], number: int) -> tuple[int, Dash]:
    """The colour and dashes of a running sum: no bar has its colour, else the line is lost before the bar.

    The second of two runs has longer dashes. Of four, a sentence's two sums have one colour, and the wiped one these.
    """
    if len(traces) == 1:
        return 1, "dot"
    if len(traces) == 2:
        return number + 2, "dash" if number else "dot"
    plain = sum(trace.change is None for trace in traces[: number + 1])
    return len(traces) + plain - 1, "dash" if traces[number].change else "dot"


def curve_name(query: LossPerStepQuery, traces: list[Trace], number: int) -> str:
    """What a run is called in the legend: by its sentence, in short where each of two has four curves."""
    trace = traces[number]
    if len(traces) > 2 and query.vs_model is None:
        sentence = sum(trace.change is None for trace in traces[: number + 1])
        key = "loss_per_step.sentence" if trace.change is None else "loss_per_step.sentence.wiped"
        return translate(query.lang, key, number=sentence)
    name = units.panel_title(query, trace, ("reset",)) if query.vs_model else trace.text
    return name if trace.change is None else translate(query.lang, "loss_per_step.wiped", run=name)


def bar_texts(query: LossPerStepQuery, loss: np.ndarray, runs: int) -> list[str]:
    """The numbers over the bars, where there is room for them."""
    if runs > 1 or len(loss) > 16:
        return []
    return ["" if np.isnan(value) else decimal(query.lang, float(value), 1) for value in loss]


def hover_texts(query: LossPerStepQuery, trace: Trace, guessed: Guesses) -> list[str]:
    """Each word's loss and probability, and what the model had rather expected; nothing for the first."""
    lang, text = query.lang, translate(query.lang, "loss_per_step.hover")
    costs = decimals(lang, losses(query, trace).tolist(), 2)
    after = zip(words(trace)[1:], costs[1:], shares(trace)[1:], guessed, strict=False)
    return [
        "",
        *(
            text.format(word=word.label, guesses=guesses.said, share=chance(lang, share), loss=cost)
            for word, cost, share, guesses in after
        ),
    ]


def shares(trace: Trace) -> list[float]:
    """The probability of each word; NaN for the first."""
    found: list[float] = np.exp(-prediction(trace).loss).tolist()
    return found


def guessed(trace: Trace, lang: Lang) -> Guesses:
    """What a run expects after each token: the five likeliest."""
    part = prediction(trace)
    ids, shares = part.ids[:, :GUESSES], part.probabilities[:, :GUESSES].ravel()
    ranks, flat = ids.shape[1], ids.ravel().tolist()
    guesses = {id_: visible(part.written(id_)) for id_ in set(flat)}
    quoted = {id_: in_quotes(lang, guess) for id_, guess in guesses.items()}
    found = list(zip(map(guesses.__getitem__, flat), shares.tolist(), strict=True))
    told = list(chain.from_iterable(zip(map(quoted.__getitem__, flat), percents(lang, shares), strict=True)))
    line = ", ".join(["%s %s"] * ranks)
    return [
        Ranked(found[at : at + ranks], line % tuple(told[2 * at : 2 * (at + ranks)]))
        for at in range(0, len(flat), ranks)
    ]


def summaries(
    query: LossPerStepQuery, traces: list[Trace], sums: list[float], guesses: list[Guesses]
) -> Iterable[Message]:
    """The most surprising word of each run and its sum; what a wipe cost, in the numbers of these runs."""
    unit = translate(query.lang, f"option.unit.{query.unit}")
    before, sentence, plain = 0.0, -1, [trace for trace in traces if trace.change is None]
    for trace, total, guessed in zip(traces, sums, guesses, strict=True):
        sentence += trace.change is None
        wiped = query.wiped(trace.text)
        if trace.change is not None:
            assert wiped is not None
            cost = total - before
            bits = cost if query.unit == "bits" else cost / np.log(2)
            key = "same" if abs(bits) < LEAST_BITS else "worse" if cost > 0 else "better"
            yield say(
                f"loss_per_step.summary.{key}", word=Strong(indexed(words(trace), wiped)),
                cost=Strong(decimal(query.lang, abs(cost), 2)), unit=unit,
            )  # fmt: skip
            continue
        name = units.run_name(query, plain, sentence)
        before, worst = total, int(np.nanargmax(prediction(trace).loss))
        guess, share = guessed[worst - 1].found[0]
        key = "loss_per_step.summary.wiped" if wiped else "loss_per_step.summary"
        if len(trace.tokens) == 2:
            key = "loss_per_step.summary.one"
        elif not wiped and guess == visible(trace.tokens[worst].text):
            key = "loss_per_step.summary.expected"
        yield say(
            key, model=name,
            word=Strong(indexed(words(trace), worst)),
            share=Strong(chance(query.lang, shares(trace)[worst])), guess=guess,
            guess_share=percent(query.lang, share), total=Strong(decimal(query.lang, total, 1)), unit=unit,
        )  # fmt: skip
        if query.reset and not wiped:
            yield say("loss_per_step.summary.unwiped", place=query.reset)


def table(query: LossPerStepQuery, traces: list[Trace], guesses: list[Guesses]) -> Table:
    """Every word with its loss, the sum so far, its probability and the five best guesses."""
    columns = (
        "column.model", "column.run", "column.change", "column.position", "column.word", "column.loss", "column.sum",
        "column.probability", "column.guesses",
    )  # fmt: skip
    count = sum(len(trace.tokens) - 1 for trace in traces)
    made = partial(rows, query, traces, guesses)
    return Table(columns, made, count, columns, made)


def rows(query: LossPerStepQuery, traces: list[Trace], guesses: list[Guesses]) -> Iterable[tuple[Cell, ...]]:
    """One row per word and run."""
    for run, (trace, guessed) in enumerate(zip(traces, guesses, strict=True), start=1):
        loss = losses(query, trace)
        numbers = zip(loss.tolist(), np.nancumsum(loss).tolist(), shares(trace), strict=True)
        for word, (own, total, probability) in list(zip(words(trace), numbers, strict=True))[1:]:
            change, likeliest = change_term(trace), guessed[word.position - 1]
            yield trace.model, run, change, word.position, word.label, own, total, probability, likeliest


VIEW = View(
    name="loss_per_step",
    chapter="rnn",
    place=3,
    query=LossPerStepQuery,
    needs=frozenset({"loss", "predictions"}),
    figure=figure,
    preferred=("lstm", "gru", "rnn", "decoder"),
)
