"""Faithfulness: whether the words that an encoder looks at are those that its answer hangs on."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from app.messages import Message, Strong, decimal, known, percent, say, signed, translate
from app.plotting import Panel, Plot, Scale, maps
from app.query import Query
from app.views import Cell, Figure, Table, View
from app.words import Word, shortened, words
from models import faithfulness
from models.run import Run
from models.trace import Attribution, Classification, Trace

COMPARED = ("gradient_input", "integrated_gradients", "erasure")
EVEN = "even"  # attention spread alike over all words: it has no order


class FaithfulnessQuery(Query):
    """The words by each method, how well the methods agree, or what each head does."""

    show: Literal["words", "agreement", "heads"] = "words"

    def runs(self) -> list[Run]:
        """The sentences with their attributions."""
        return [Run(run.model, run.text, "attributions") for run in super().runs()]

    def idle(self) -> tuple[str, ...]:
        """No difference is drawn here."""
        return ("align",)


class Sentence(NamedTuple):
    """One run: its number, how the summary begins where there are two, its words, and what each method gives them."""

    number: int
    first: str
    trace: Trace
    words: list[Word]
    values: np.ndarray  # [methods, words]
    methods: tuple[str, ...]

    @property
    def said(self) -> Classification:
        """What the encoder answered."""
        assert self.trace.classification is not None
        return self.trace.classification

    @property
    def worth(self) -> Attribution:
        """What the words and heads are worth to that answer."""
        assert self.trace.attribution is not None
        return self.trace.attribution

    @property
    def share(self) -> float:
        """The probability of the chosen class."""
        return float(self.said.class_probabilities[self.worth.chosen])


def figure(query: FaithfulnessQuery, traces: list[Trace]) -> Figure:
    """Methods down, words across; or Kendall's τ of each pair of methods; or layers down, heads across."""
    found = []
    for number, trace in enumerate(traces):
        assert trace.attention is not None
        first = "" if len(traces) == 1 else translate(query.lang, f"sentence.{number + 1}")
        typed = [word for word in words(trace) if word.kind != "special"]
        names = faithfulness.methods(trace.attention.attention.shape[1])
        found.append(Sentence(number, first, trace, typed, faithfulness.weights(trace), names))
    draw = {"words": weighed, "agreement": agreed, "heads": ablated}[query.show]
    tell = {"words": strongest, "agreement": orders, "heads": without}[query.show]
    summary = [
        message
        for sentence in found
        for message in (verdict(query, sentence), *tell(query, sentence), spread(query, sentence))
    ]
    if standard := faithfulness.yardstick(traces[0].model):
        summary.append(
            say(
                "faithfulness.summary.even_elsewhere", count=standard["sentences"],
                share=percent(query.lang, standard["even_same_class"]),
            )
        )  # fmt: skip
    return Figure(draw(query, found), summary, table(query, found))


def method(query: FaithfulnessQuery, name: str) -> str:
    """A method as people say it."""
    if name.startswith("head_"):
        return translate(query.lang, "method.head", number=name.removeprefix("head_"))
    return translate(query.lang, f"method.{name}")


def short(query: FaithfulnessQuery, name: str) -> str:
    """A method as an axis names it."""
    key = f"method.{name}.short"
    return translate(query.lang, key) if known(query.lang, key) else method(query, name)


def class_name(query: FaithfulnessQuery, sentence: Sentence, place: int) -> str:
    """A class as people say it."""
    return translate(query.lang, f"class.{sentence.said.class_names[place]}")


def weighed(query: FaithfulnessQuery, found: list[Sentence]) -> Plot:
    """Each row divided by the sum of its sizes, so that methods of different units share one scale."""
    panels = []
    for sentence in found:
        total = np.abs(sentence.values).sum(1, keepdims=True)
        shares = sentence.values / np.where(total > 0, total, 1)
        hovers = [[hover(query, sentence, row, place) for place in range(len(sentence.words))]
                  for row in range(len(sentence.methods))]  # fmt: skip
        panels.append(
            Panel(sentence.trace.text, shares, [short(query, name) for name in sentence.methods],
                  [shortened(word.label) for word in sentence.words], "signed", "%{hovertext}", sentence.number,
                  [word.position for word in sentence.words], hovers=hovers)
        )  # fmt: skip
    return maps(panels, query.lang, "lanes", {"signed": translate(query.lang, "faithfulness.bar")})


def hover(query: FaithfulnessQuery, sentence: Sentence, row: int, place: int) -> str:
    """What a method gives a word: a share of the attention, or percentage points of the class."""
    name, value = sentence.methods[row], float(sentence.values[row, place])
    key = "faithfulness.points" if name in COMPARED else "faithfulness.share"
    return translate(
        query.lang, key, method=method(query, name), word=sentence.words[place].label,
        value=decimal(query.lang, 100 * value, 2),
    )  # fmt: skip


def with_even(values: np.ndarray) -> np.ndarray:
    """τ with one more method, even attention, whose τ is undefined."""
    return np.pad(values, (0, 1), constant_values=np.nan)


def agreed(query: FaithfulnessQuery, found: list[Sentence]) -> Plot:
    """τ of this sentence, and beside it the median of other sentences."""
    names = [short(query, name) for name in (*found[0].methods, EVEN)]
    text = translate(query.lang, "faithfulness.tau.hover")
    panels = [
        Panel(sentence.trace.text, with_even(taus(sentence)), names, names, "signed", text, sentence.number, ())
        for sentence in found
    ]
    if standard := faithfulness.yardstick(found[0].trace.model):
        title = translate(query.lang, "faithfulness.median", count=standard["sentences"])
        values = with_even(np.array(standard["median"], np.float32))
        panels.append(Panel(title, values, names, names, "signed", text, 0, ()))
    return maps(panels, query.lang, "lanes", {"signed": translate(query.lang, "faithfulness.tau")})


def taus(sentence: Sentence) -> np.ndarray:
    """Kendall's τ-b of each pair of methods, [methods, methods]; NaN where a method has no order."""
    return faithfulness.agreement(sentence.trace).astype(np.float32)


def changes(sentence: Sentence) -> np.ndarray:
    """What happens to p of the chosen class without each head, [layers, heads]."""
    changed: np.ndarray = sentence.worth.head_off[..., sentence.worth.chosen] - np.float32(sentence.share)
    return changed


def ablated(query: FaithfulnessQuery, found: list[Sentence]) -> Plot:
    """Layers down, heads across: percentage points that the class gains or loses without that head."""
    text = translate(query.lang, "faithfulness.heads.hover")
    panels = []
    for sentence in found:
        values = 100 * changes(sentence)
        layers, heads = values.shape
        rows = [translate(query.lang, "faithfulness.layer", number=number) for number in range(1, layers + 1)]
        columns = [translate(query.lang, "method.head", number=number) for number in range(1, heads + 1)]
        panels.append(
            Panel(
                sentence.trace.text,
                values,
                rows,
                columns,
                "difference",
                text,
                sentence.number,
                (),
                texts=[[signed(query.lang, value, 1) for value in row] for row in values.tolist()],
            )
        )
    titles: dict[Scale, str] = {"difference": translate(query.lang, "faithfulness.bar.heads")}
    return maps(panels, query.lang, "lanes", titles)


def verdict(query: FaithfulnessQuery, sentence: Sentence) -> Message:
    """What the encoder answers."""
    return say(
        "faithfulness.summary.verdict", sentence=sentence.first,
        name=Strong(class_name(query, sentence, sentence.worth.chosen)),
        share=Strong(percent(query.lang, sentence.share)),
    )  # fmt: skip


def strongest(query: FaithfulnessQuery, sentence: Sentence) -> Iterable[Message]:
    """The word that each method puts first."""
    best = np.abs(sentence.values).argmax(1)
    named = {name: sentence.words[place].label for name, place in zip(sentence.methods, best.tolist(), strict=True)}
    answers = "; ".join(
        translate(query.lang, "faithfulness.first", method=method(query, name), word=named[name])
        for name in ("mean", "rollout", *COMPARED)
    )
    yield say("faithfulness.summary.words", sentence=sentence.first, answers=Strong(answers))


def orders(query: FaithfulnessQuery, sentence: Sentence) -> Iterable[Message]:
    """τ of the mean attention with each attribution, and where half of many sentences lie."""
    found, standard = taus(sentence), faithfulness.yardstick(sentence.trace.model)
    mean = sentence.methods.index("mean")
    told = []
    for name in COMPARED:
        other = sentence.methods.index(name)
        if np.isnan(value := float(found[mean, other])):
            continue
        parts = {"method": method(query, name), "tau": decimal(query.lang, value, 2)}
        if standard is None:
            told.append(translate(query.lang, "faithfulness.one_tau", **parts))
        else:
            low, high = (decimal(query.lang, standard[end][mean][other], 2) for end in ("lower", "upper"))
            told.append(translate(query.lang, "faithfulness.one_tau.among", **parts, low=low, high=high))
    if told:
        yield say("faithfulness.summary.tau", sentence=sentence.first, taus=Strong("; ".join(told)))
    else:
        yield say("faithfulness.summary.no_order", sentence=sentence.first)


def without(query: FaithfulnessQuery, sentence: Sentence) -> Iterable[Message]:
    """The head that the answer hangs on most, and how many turn the answer into another."""
    values = changes(sentence)
    layer, head = np.unravel_index(np.abs(values).argmax(), values.shape)
    answers = sentence.worth.head_off.argmax(-1)
    yield say(
        "faithfulness.summary.head", sentence=sentence.first, layer=int(layer) + 1, head=int(head) + 1,
        name=class_name(query, sentence, sentence.worth.chosen), before=percent(query.lang, sentence.share),
        after=Strong(percent(query.lang, sentence.share + float(values[layer, head]))),
        turned=int((answers != sentence.worth.chosen).sum()), total=values.size,
    )  # fmt: skip


def spread(query: FaithfulnessQuery, sentence: Sentence) -> Message:
    """What the encoder would answer with attention spread alike over all tokens."""
    even = sentence.worth.even
    return say(
        "faithfulness.summary.even", sentence=sentence.first,
        name=Strong(class_name(query, sentence, int(even.argmax()))), share=percent(query.lang, float(even.max())),
    )  # fmt: skip


def table(query: FaithfulnessQuery, found: list[Sentence]) -> Table:
    """The numbers of the picture: words by method, τ by pair, or probabilities by head."""
    if query.show == "words":
        columns: tuple[str, ...] = (
            "column.model", "column.run", "column.method", "column.position", "column.word", "column.value",
        )  # fmt: skip
        lines, count = partial(word_rows, found), sum(sentence.values.size for sentence in found)
    elif query.show == "agreement":
        columns = ("column.model", "column.run", "column.method", "column.other", "column.tau", "column.lower",
                   "column.median", "column.upper")  # fmt: skip
        lines, count = partial(tau_rows, found), sum(len(sentence.methods) ** 2 for sentence in found)
    else:
        columns = ("column.model", "column.run", "column.layer", "column.head", "column.class", "column.probability",
                   "column.without", "column.answer")  # fmt: skip
        lines, count = partial(head_rows, query, found), sum(changes(sentence).size for sentence in found)
    return Table(columns, lines, count, columns, lines)


def word_rows(found: list[Sentence]) -> Iterable[tuple[Cell, ...]]:
    """What each method gives each word: attention, or a part of the probability."""
    for sentence in found:
        for name, row in zip(sentence.methods, sentence.values.tolist(), strict=True):
            for word, value in zip(sentence.words, row, strict=True):
                yield sentence.trace.model, sentence.number + 1, name, word.position, word.label, value


def tau_rows(found: list[Sentence]) -> Iterable[tuple[Cell, ...]]:
    """τ of each pair of methods, and the quartiles of other sentences."""
    for sentence in found:
        values: list[list[float]] = taus(sentence).tolist()
        standard: dict[str, Any] = faithfulness.yardstick(sentence.trace.model) or {}
        for row, name in enumerate(sentence.methods):
            for column, other in enumerate(sentence.methods):
                value = values[row][column]
                quartiles = (standard[end][row][column] if standard else None for end in ("lower", "median", "upper"))
                yield (
                    sentence.trace.model, sentence.number + 1, name, other, None if value != value else value,
                    *quartiles,
                )  # fmt: skip


def head_rows(query: FaithfulnessQuery, found: list[Sentence]) -> Iterable[tuple[Cell, ...]]:
    """The chosen class with and without each head, and what the answer is without it."""
    for sentence in found:
        chosen = class_name(query, sentence, sentence.worth.chosen)
        for (layer, head), change in np.ndenumerate(changes(sentence)):
            answer = class_name(query, sentence, int(sentence.worth.head_off[layer, head].argmax()))
            yield (
                sentence.trace.model, sentence.number + 1, layer + 1, head + 1, chosen, sentence.share,
                sentence.share + float(change), answer,
            )  # fmt: skip


VIEW = View(
    name="faithfulness",
    chapter="practice",
    place=4,
    query=FaithfulnessQuery,
    needs=frozenset({"attention", "class_probabilities"}),
    figure=figure,
    preferred=("encoder-intent",),
)
