"""Faithfulness: whether the words that a Transformer looks at are those that its answer hangs on."""

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from app import ablation
from app.answers import Answer, answering, answers, askable, asked_word, kind, outcome, place_label
from app.messages import Listed, Message, Strong, decimal, known, percent, say, translate
from app.plotting import Panel, Plot, cell, maps
from app.query import Choices, Places, Query, Value, layers
from app.views import Cell, Figure, Table, Term, View, model_title
from app.words import indexed, shortened
from models import faithfulness
from models.run import Run
from models.trace import Trace

COMPARED = ("gradient_input", "integrated_gradients", "erasure")
EVEN = "even"  # attention spread alike over all words: it has no order


def heads(trace: Trace) -> list[Value]:
    """All heads in one map, or one of them."""
    assert trace.attention is not None
    return ["all", *range(1, trace.attention.attention.shape[1] + 1)]


class FaithfulnessQuery(Query):
    """The words by each method, how well the methods agree, or what heads do; the word that is asked about."""

    text: str = Field("Wann fährt der nächste Zug nach Berlin?", description="the sentence")  # the methods disagree
    show: Literal["words", "agreement", "heads"] = "words"
    asked: Annotated[NonNegativeInt | None, Places(askable, answering, place_label)] = None
    head: Annotated[Literal["all"] | PositiveInt | None, Choices(heads)] = None
    layer: Annotated[PositiveInt | None, Choices(layers)] = None

    def runs(self) -> list[Run]:
        """The sentences with their attributions."""
        return [Run(run.model, run.text, "attributions", at=self.asked) for run in super().runs()]

    def idle(self) -> Container[str]:
        """Only where heads are switched off is there one to choose, and a layer only for a single one."""
        if self.show != "heads":
            return ("head", "layer", "align")
        return ("align",) if self.single else ("layer", "align")

    @property
    def single(self) -> tuple[int, int] | None:
        """Layer and head that are switched off alone, counted from 0."""
        if self.show != "heads" or not isinstance(self.head, int):
            return None
        return (self.layer or 1) - 1, self.head - 1


def figure(query: FaithfulnessQuery, traces: list[Trace]) -> Figure:
    """Methods down, words across; or Kendall's τ of each pair of methods; or heads switched off: all, or one."""
    found = answers(query, traces)
    summary = [message for answer in found for message in told(query, answer, alone=query.vs is None)]
    for model in dict.fromkeys(trace.model for trace in traces if query.vs is None):
        if standard := faithfulness.yardstick(model):
            share = percent(query.lang, standard["even_same_class"])
            begun = f"{model_title(model, query.lang)}: " if query.two_models else ""
            names = any(trace.labelling is not None for trace in traces if trace.model == model)
            key = "faithfulness.summary.even_elsewhere.names" if names else "faithfulness.summary.even_elsewhere"
            summary.append(say(key, model=begun, count=standard["sentences"], share=share))
    links = []
    if query.show == "heads" and not query.single:
        links = [link for answer in found for link in ablation.links(query, answer, "faithfulness")]
    return Figure(drawn(query, found), summary, table(query, found), links=links)


def drawn(query: FaithfulnessQuery, found: list[Answer]) -> Plot:
    """The picture asked for."""
    if query.single:
        return ablation.compared(query, found, *query.single)
    return {"words": weighed, "agreement": agreed, "heads": ablation.ablated}[query.show](query, found)


def told(query: FaithfulnessQuery, answer: Answer, *, alone: bool) -> Iterable[Message]:
    """What the model answers, what the picture says of that, and the answer of even attention; beside another sentence
    only where this answer is turned by it."""
    yield verdict(query, answer)
    answer = answer._replace(first="")  # said once
    if query.single:
        yield ablation.switched(query, answer, *query.single)
    else:
        yield from {"words": strongest, "agreement": orders, "heads": ablation.without}[query.show](query, answer)
    if alone or int(answer.worth.best(answer.worth.even)) != answer.worth.chosen:
        yield spread(query, answer)


def method(query: FaithfulnessQuery, name: str) -> str:
    """A method as people say it."""
    return term(name).message.text(query.lang)


def term(name: str) -> Term:
    """A method for a table."""
    if name.startswith("head_"):
        return Term(name, say("method.head", number=name.removeprefix("head_")))
    return Term(name, say(f"method.{name}"))


def short(query: FaithfulnessQuery, name: str) -> str:
    """A method as an axis names it."""
    key = f"method.{name}.short"
    return translate(query.lang, key) if known(query.lang, key) else method(query, name)


def weighed(query: FaithfulnessQuery, found: Sequence[Answer]) -> Plot:
    """Each row divided by the sum of its sizes, so that methods of different units share one scale."""
    panels = []
    for answer in found:
        total = np.abs(answer.values).sum(1, keepdims=True)
        shares = answer.values / np.where(total > 0, total, 1)
        hovers = [[hover(query, answer, row, place) for place in range(len(answer.words))]
                  for row in range(len(answer.methods))]  # fmt: skip
        panels.append(
            Panel(answer.title, shares, [short(query, name) for name in answer.methods],
                  [shortened(word.label) for word in answer.words], "signed", "%{hovertext}", answer.number,
                  [word.position for word in answer.words], hovers=hovers,
                  framed=[cell(answer.methods.index(name), place) for name, place in firsts(answer).items()])
        )  # fmt: skip
    return maps(panels, query.lang, "lanes", {"signed": translate(query.lang, "faithfulness.bar")})


def hover(query: FaithfulnessQuery, answer: Answer, row: int, place: int) -> str:
    """What a method gives a word: a share of the attention, or percentage points of the answer."""
    name, value = answer.methods[row], float(answer.values[row, place])
    key = "faithfulness.points" if name in COMPARED else "faithfulness.share"
    return translate(
        query.lang, key, method=method(query, name), word=answer.words[place].label,
        value=decimal(query.lang, 100 * value, 2),
    )  # fmt: skip


def with_even(values: np.ndarray) -> np.ndarray:
    """τ with one more method, even attention, whose τ is undefined."""
    return np.pad(values, (0, 1), constant_values=np.nan)


def agreed(query: FaithfulnessQuery, found: Sequence[Answer]) -> Plot:
    """τ of this sentence, and beside it the median of other sentences."""
    text = translate(query.lang, "faithfulness.tau.hover")
    panels = []
    for answer in found:
        names = [short(query, name) for name in (*answer.methods, EVEN)]
        panels.append(Panel(answer.title, with_even(taus(answer)), names, names, "signed", text, answer.number, ()))
    for answer in {answer.trace.model: answer for answer in found}.values():
        names = [short(query, name) for name in (*answer.methods, EVEN)]
        if standard := faithfulness.yardstick(answer.trace.model):
            title = translate(query.lang, "faithfulness.median", count=standard["sentences"])
            values = with_even(np.array(standard["median"], np.float32))
            panels.append(Panel(title, values, names, names, "signed", text, answer.number, ()))
    return maps(panels, query.lang, "lanes", {"signed": translate(query.lang, "faithfulness.tau")})


def taus(answer: Answer) -> np.ndarray:
    """Kendall's τ-b of each pair of methods, [methods, methods]; NaN where a method has no order."""
    return faithfulness.agreement(answer.trace).astype(np.float32)


def verdict(query: FaithfulnessQuery, answer: Answer) -> Message:
    """What the model answers to what it was asked."""
    asked, right, values = kind(answer.trace), "", {}
    if asked in ("label", "hidden"):
        values = {"word": Strong(asked_word(answer.trace))}
    if asked == "hidden":
        own = answer.trace.tokens[answer.worth.place].id
        right = ".right" if own == answer.worth.chosen else ""
        values |= {"own": Strong(percent(query.lang, float(answer.worth.outcomes[own])))}
    return say(
        f"faithfulness.summary.verdict.{asked}{right}", sentence=answer.first,
        name=Strong(outcome(query.lang, answer.trace, answer.worth.chosen)),
        share=Strong(percent(query.lang, answer.share)), **values,
    )  # fmt: skip


def strongest(query: FaithfulnessQuery, answer: Answer) -> Iterable[Message]:
    """The words that some method puts first, each with all methods that do."""
    agreed: dict[int, list[str]] = {}
    for name, place in firsts(answer).items():
        agreed.setdefault(place, []).append(method(query, name))
    told = [
        say("faithfulness.first", method=", ".join(names), word=Strong(indexed(answer.words, place)))
        for place, names in agreed.items()
    ]
    if len(answer.words) == 1:
        yield say("faithfulness.summary.only", sentence=answer.first, word=Strong(answer.words[0].label))
    else:
        key = "faithfulness.summary.words" if len(told) > 1 else "faithfulness.summary.agreed"
        yield say(key, sentence=answer.first, answers=Listed(told))


def firsts(answer: Answer) -> dict[str, int]:
    """Which word is first for each method that the summary names."""
    best = dict(zip(answer.methods, np.abs(answer.values).argmax(1).tolist(), strict=True))
    return {name: best[name] for name in ("mean", "rollout", *COMPARED)}


def orders(query: FaithfulnessQuery, answer: Answer) -> Iterable[Message]:
    """τ of the mean attention with each attribution, and where half of many sentences lie."""
    found, standard = taus(answer), faithfulness.yardstick(answer.trace.model)
    mean = answer.methods.index("mean")
    told = []
    for name in COMPARED:
        other = answer.methods.index(name)
        if np.isnan(value := float(found[mean, other])):
            continue
        parts = {"method": method(query, name), "tau": Strong(decimal(query.lang, value, 2))}
        if standard is None:
            told.append(say("faithfulness.one_tau", **parts))
        else:
            low, high = (decimal(query.lang, standard[end][mean][other], 2) for end in ("lower", "upper"))
            told.append(say("faithfulness.one_tau.among", **parts, low=low, high=high))
    if told:
        yield say("faithfulness.summary.tau", sentence=answer.first, taus=Listed(told))
    else:
        yield say("faithfulness.summary.no_order", sentence=answer.first)


def spread(query: FaithfulnessQuery, answer: Answer) -> Message:
    """What the model would answer with attention spread alike over all tokens that may be seen."""
    even, best = answer.worth.even, int(answer.worth.best(answer.worth.even))
    return say(
        "faithfulness.summary.even", sentence=answer.first,
        name=Strong(outcome(query.lang, answer.trace, best)),
        share=percent(query.lang, float(even[best])),
    )  # fmt: skip


def table(query: FaithfulnessQuery, found: list[Answer]) -> Table:
    """The numbers of the picture: words by method, τ by pair, probabilities by head, or outcomes with and without."""
    lines: partial[Iterable[tuple[Cell, ...]]]
    if query.show == "words":
        columns: tuple[str, ...] = (
            "column.model", "column.run", "column.method", "column.position", "column.word", "column.value",
        )  # fmt: skip
        lines, count = partial(word_rows, found), sum(answer.values.size for answer in found)
    elif query.show == "agreement":
        columns = ("column.model", "column.run", "column.method", "column.other", "column.tau", "column.lower",
                   "column.median", "column.upper")  # fmt: skip
        lines, count = partial(tau_rows, found), sum(len(answer.methods) ** 2 for answer in found)
    else:
        columns = ("column.model", "column.run", "column.layer", "column.head", "column.answer", "column.probability",
                   "column.without_head")  # fmt: skip
        if query.single:
            lines = partial(ablation.outcome_rows, found, *query.single)
            count = sum(len(ablation.likeliest(answer, *query.single)) for answer in found)
        else:
            columns = (*columns, "column.new_answer")
            lines = partial(ablation.head_rows, found)
            count = sum(ablation.changes(answer).size for answer in found)
    return Table(columns, lines, count, columns, lines)


def word_rows(found: list[Answer]) -> Iterable[tuple[Cell, ...]]:
    """What each method gives each word: attention, or a part of the probability."""
    for answer in found:
        for name, row in zip(answer.methods, answer.values.tolist(), strict=True):
            for word, value in zip(answer.words, row, strict=True):
                yield answer.trace.model, answer.number + 1, term(name), word.position, word.label, value


def tau_rows(found: list[Answer]) -> Iterable[tuple[Cell, ...]]:
    """τ of each pair of methods, and the quartiles of other sentences."""
    for answer in found:
        values: list[list[float]] = taus(answer).tolist()
        standard: dict[str, Any] = faithfulness.yardstick(answer.trace.model) or {}
        for row, name in enumerate(answer.methods):
            for column, other in enumerate(answer.methods):
                value = values[row][column]
                quartiles = (standard[end][row][column] if standard else None for end in ("lower", "median", "upper"))
                yield (
                    answer.trace.model, answer.number + 1, term(name), term(other), None if value != value else value,
                    *quartiles,
                )  # fmt: skip


VIEW = View(
    name="faithfulness",
    chapter="practice",
    place=4,
    query=FaithfulnessQuery,
    needs=frozenset({"attention"}),
    figure=figure,
    experiment="attributions",
    preferred=("encoder-intent", "encoder-entities", "encoder", "decoder"),
)
