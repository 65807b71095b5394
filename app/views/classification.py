"""Classification: what six networks, from a bag of words to an encoder, take the same sentence for."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field

from app.classes import answer, class_name, class_term, contributions, said, so_far, typed
from app.messages import Listed, Message, Strong, decimal, percent, say, signed, translate
from app.plotting import Panel, Plot, Scale, cell, maps
from app.query import Query
from app.sentences import Sentence, begin, by_sentence, reader
from app.views import Cell, Figure, Table, View, network_title
from app.words import indexed, shortened, words
from models.run import Run
from models.trace import Trace

MODELS = tuple(f"{kind}-intent" for kind in ("bag_of_words", "feed_forward", "rnn", "lstm", "gru", "encoder"))
RECURRENT = MODELS[2:5]
SHOWN = 8  # classes with a place of their own; the others are one
UNSURE = 0.5  # a likeliest class below this is called unsure
LEAST = {"erasure": 0.5, "gradient_input": 0.1}  # a smaller effect of a word is not called one: points, log-odds


class ClassificationQuery(Query):
    """All networks, one of them word by word, or what each word does in all of them."""

    text: str = Field("Mach die Musik leiser.", description="the sentence")  # the networks disagree
    show: Literal["models", "progress", "words"] = "models"
    of: Literal["rnn", "lstm", "gru"] = "lstm"
    by: Literal["erasure", "gradient_input"] = "erasure"

    def runs(self) -> list[Run]:
        """Each sentence through all networks, or through the one that is followed.

        The encoder comes first: it takes the shortest texts, so that its complaint is the one that helps.
        """
        names = self.side_by_side(MODELS)
        if self.show == "progress":
            names = self.side_by_side(RECURRENT, [f"{self.of}-intent"])
        measured = {"erasure": "erasures", "gradient_input": "gradient_input"}[self.by]
        experiment = measured if self.show == "words" else "forward"
        return [Run(name, text, experiment) for text in self.texts() for name in names[::-1]]

    def idle(self) -> Container[str]:
        """Only word by word it is one network that is shown, if none is named, and only the worth of words is measured
        in two ways. No difference is drawn."""
        one = self.show == "progress" and not self.model
        return ("align", *(() if one else ("of",)), *(() if self.show == "words" else ("by",)))


def figure(query: ClassificationQuery, traces: list[Trace]) -> Figure:
    """Networks down and classes across; or classes down, words across; or networks down, words across."""
    found = by_sentence(query, traces)
    draw = {"models": compared, "progress": followed, "words": weighed}[query.show]
    plot = draw(query, found)
    tell = {"models": verdicts, "progress": turning, "words": effects}[query.show]
    summary = [message for sentence in found for message in tell(query, sentence)]
    shown = [sentence.start + len(sentence.traces) - 1 for sentence in found]
    return Figure(plot, summary, table(query, found), [-1] * len(traces), token_runs=shown)


def likeliest(rows: Sequence[np.ndarray]) -> list[int]:
    """The classes that reach the highest probabilities in any of these [..., classes], at most SHOWN of them."""
    highest = np.vstack(rows).max(0)
    return [int(place) for place in np.argsort(-highest, kind="stable")[:SHOWN]]


def gathered(values: np.ndarray, kept: list[int]) -> np.ndarray:
    """The kept classes of [..., classes], and the sum of the others behind them."""
    return np.column_stack([values[:, kept], np.delete(values, kept, axis=1).sum(1)])


def class_labels(query: ClassificationQuery, trace: Trace, kept: list[int]) -> list[str]:
    """The names of the kept classes, and of the sum of the others."""
    others = len(said(trace).class_names) - len(kept)
    return [*(class_name(query.lang, trace, place) for place in kept),
            translate(query.lang, "classification.others", count=others)]  # fmt: skip


def compared(query: ClassificationQuery, found: list[Sentence]) -> Plot:
    """Networks down, classes across; the same classes for both sentences."""
    values = [np.stack([said(trace).class_probabilities for trace in sentence.traces]) for sentence in found]
    kept = likeliest(values)
    labels = class_labels(query, found[0].traces[0], kept)
    networks = [network_title(trace.model, query.lang) for trace in found[0].traces]
    hover = translate(query.lang, "classification.hover")
    panels = [
        Panel(
            sentence.text,
            gathered(each, kept),
            networks,
            labels,
            "share",
            hover,
            sentence.number,
            (),
            framed=[cell(row, kept.index(best)) for row, best in enumerate(each.argmax(1).tolist()) if best in kept],
        )
        for sentence, each in zip(found, values, strict=True)
    ]
    return maps(panels, query.lang, "lanes", {"share": translate(query.lang, "classification.bar")})


def followed(query: ClassificationQuery, found: list[Sentence]) -> Plot:
    """Classes down, words across: what a recurrent network holds likely after each word."""
    shown = [(sentence.number, trace) for sentence in found for trace in sentence.traces]
    kept = likeliest([so_far(trace) for _, trace in shown])
    labels = class_labels(query, found[0].traces[0], kept)
    hover = translate(query.lang, "classification.progress.hover")
    panels, steps = [], []
    for number, trace in shown:
        tokens = [word.label for word in words(trace)]
        steps.append(tokens)
        columns = [shortened(token) for token in tokens]
        title = trace.text if len(found[0].traces) == 1 else f"{network_title(trace.model, query.lang)} · {trace.text}"
        values = gathered(so_far(trace), kept).T
        panels.append(Panel(title, values, labels, columns, "share", hover, number, range(len(columns))))
    plot = maps(panels, query.lang, "lanes", {"share": translate(query.lang, "classification.bar")})
    return replace(plot, playback=max(steps, key=len))


def weighed(query: ClassificationQuery, found: list[Sentence]) -> Plot:
    """Networks down, words across: what each word is worth to each network."""
    hover = translate(query.lang, f"classification.words.hover.{query.by}")
    digits = 1 if query.by == "erasure" else 2
    panels = []
    for sentence in found:
        columns = typed(sentence.traces[0])
        labels = [shortened(word.label) for word in columns]
        values = np.stack([contributions(trace) for trace in sentence.traces])
        networks = [network_title(trace.model, query.lang) for trace in sentence.traces]
        positions = [word.position for word in columns]
        panels.append(
            Panel(sentence.text, values, networks, labels, "difference", hover, sentence.number, positions,
                  texts=[[signed(query.lang, value, digits) for value in row] for row in values.tolist()])
        )  # fmt: skip
    titles: dict[Scale, str] = {"difference": translate(query.lang, f"classification.bar.{query.by}")}
    return maps(panels, query.lang, "lanes", titles)


def verdicts(query: ClassificationQuery, sentence: Sentence) -> Iterable[Message]:
    """What each network decides and how surely, whether they agree, and which of them are unsure."""
    answers: dict[str, list[str]] = {}
    found: dict[str, float] = {}
    for trace in sentence.traces:
        (best, share), network = answer(trace), network_title(trace.model, query.lang)
        answers.setdefault(class_name(query.lang, trace, best), []).append(f"{network} {percent(query.lang, share)}")
        found[network] = share
    first = begin(query, sentence.number)
    if len(answers) == 1:
        (name, shares), *_ = answers.items()
        key = {1: "classification.summary.one", 2: "classification.summary.both"}.get(
            len(sentence.traces), "classification.summary.agree"
        )
        yield say(key, sentence=first, name=Strong(name), shares=", ".join(shares))
    else:
        told = [
            say("classification.answer", name=Strong(name), shares=", ".join(shares))
            for name, shares in answers.items()
        ]
        yield say("classification.summary.differ", sentence=first, answers=Listed(told))
    yield from unsure(query, found, len(said(sentence.traces[0]).class_names))


def unsure_of(share: float) -> bool:
    """Whether a share lies below the threshold as it is written, in whole percent."""
    return round(100 * share) < round(100 * UNSURE)


def unsure(query: ClassificationQuery, shares: dict[str, float], count: int) -> Iterable[Message]:
    """Which networks are, with the shares of their likeliest among so many classes."""
    networks = [network for network, share in shares.items() if unsure_of(share)]
    if networks:
        threshold = percent(query.lang, UNSURE)
        yield say("classification.summary.unsure", models=", ".join(networks), threshold=threshold, count=count)


def turning(query: ClassificationQuery, sentence: Sentence) -> Iterable[Message]:
    """From which word on the class that wins in the end is ahead for good, and what it was before any word."""
    for trace in sentence.traces:
        yield from turned(query, sentence, trace)


def turned(query: ClassificationQuery, sentence: Sentence, trace: Trace) -> Iterable[Message]:
    """The same of one network."""
    progress, labels = so_far(trace), words(trace)
    best = progress.argmax(1)
    wrong = np.flatnonzero(best != best[-1])
    since, share = int(wrong[-1]) + 1 if len(wrong) else 0, float(progress[-1].max())
    shared = {
        "model": reader(query, sentence.number, trace.model),
        "name": Strong(class_name(query.lang, trace, int(best[-1]))),
        "share": Strong(percent(query.lang, share)),
    }  # fmt: skip
    if since == 0:
        yield say("classification.summary.always", **shared)
    else:
        key = "classification.summary.since" if since < len(best) - 1 else "classification.summary.last"
        yield say(
            key, **shared, word=Strong(indexed(labels, since)),
            then=percent(query.lang, float(progress[since].max())),
            before=class_name(query.lang, trace, int(best[since - 1])),
        )  # fmt: skip
    yield from unsure(query, {network_title(trace.model, query.lang): share}, progress.shape[1])


def effects(query: ClassificationQuery, sentence: Sentence) -> Iterable[Message]:
    """The word that is worth most to the answer of each network, or that none of them is worth anything much.

    Of several networks only the word is said; the numbers of all stand in the picture and in the table.
    """
    told, still, agreed = [], [], dict[int, list[str]]()
    for trace in sentence.traces:
        values, network = contributions(trace), network_title(trace.model, query.lang)
        most = int(np.abs(values).argmax())
        if abs(values[most]) < LEAST[query.by]:
            still.append(network)
            continue
        agreed.setdefault(most, []).append(network)
        (best, share), worth = answer(trace), float(values[most])
        told.append(
            say(
                f"classification.effect.{query.by}", network=network, word=Strong(indexed(typed(trace), most)),
                name=class_name(query.lang, trace, best), share=percent(query.lang, share),
                without=percent(query.lang, share - worth / 100), nats=signed(query.lang, worth, 2),
            )
        )  # fmt: skip
    first = begin(query, sentence.number)
    if len(sentence.traces) > 1:
        told = [
            say(
                "classification.effect.word",
                word=Strong(indexed(typed(sentence.traces[0]), place)),
                networks=", ".join(networks),
            )
            for place, networks in agreed.items()
        ]
    if told:
        yield say(f"classification.summary.{query.by}", sentence=first, effects=Listed(told))
    if still:
        least = decimal(query.lang, LEAST[query.by], 1)
        yield say(
            f"classification.summary.still.{query.by}",
            sentence="" if told else first,
            models=", ".join(still),
            least=least,
        )


def table(query: ClassificationQuery, found: list[Sentence]) -> Table:
    """All numbers of the picture; in a brief one the likeliest class of each row of words."""
    traces = [trace for sentence in found for trace in sentence.traces]
    classes = len(said(traces[0]).class_names)
    if query.show == "models":
        columns: tuple[str, ...] = ("column.model", "column.run", "column.class", "column.probability")
        lines = partial(class_rows, found)
        return Table(columns, lines, len(traces) * classes, columns, lines)
    columns = ("column.model", "column.run", "column.position", "column.word", "column.class", "column.probability")
    if query.show == "words":
        worths = ("column.without", "column.contribution") if query.by == "erasure" else ("column.gradient_input",)
        columns, lines = (*columns, *worths), partial(word_rows, query, found)
        return Table(columns, lines, sum(len(typed(trace)) for trace in traces), columns, lines)
    brief = partial(progress_rows, found, True)
    count = sum(len(trace.tokens) * classes for trace in traces)
    return Table(columns, partial(progress_rows, found, False), count, columns, brief)


def class_rows(found: list[Sentence]) -> Iterable[tuple[Cell, ...]]:
    """Every class of every network."""
    for sentence in found:
        for trace in sentence.traces:
            for place, probability in enumerate(said(trace).class_probabilities.tolist()):
                yield trace.model, sentence.number + 1, class_term(trace, place), probability


def progress_rows(found: list[Sentence], brief: bool) -> Iterable[tuple[Cell, ...]]:
    """Every class after every word, or the likeliest only."""
    for number, trace in ((sentence.number + 1, trace) for sentence in found for trace in sentence.traces):
        for word, row in zip(words(trace), so_far(trace), strict=True):
            for place in [int(row.argmax())] if brief else range(len(row)):
                yield trace.model, number, word.position, word.label, class_term(trace, place), float(row[place])


def word_rows(query: ClassificationQuery, found: list[Sentence]) -> Iterable[tuple[Cell, ...]]:
    """Every word in every network: the likeliest class, where the word is erased also without it, and its worth."""
    for sentence in found:
        for trace in sentence.traces:
            best, share = answer(trace)
            name = class_term(trace, best)
            for word, worth in zip(typed(trace), contributions(trace).tolist(), strict=True):
                told = (share - worth / 100, worth / 100) if query.by == "erasure" else (worth,)
                yield trace.model, sentence.number + 1, word.position, word.label, name, share, *told


VIEW = View(
    name="classification",
    chapter="practice",
    place=1,
    query=ClassificationQuery,
    needs=frozenset({"class_probabilities"}),
    figure=figure,
    preferred=MODELS,
    chooses_model=False,
)
