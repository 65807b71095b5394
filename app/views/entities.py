"""Entities: the names that four networks find in a sentence, word by word."""

from collections.abc import Iterable
from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field

from app.messages import Listed, Message, Strong, chance, in_quotes, say, translate, visible
from app.plotting import Panel, Scale, maps
from app.query import Query
from app.sentences import Sentence, begin, by_sentence, reader
from app.views import Cell, Figure, Mark, Marked, Table, View, network_title
from app.words import shortened
from models.run import Run
from models.trace import Entity, LabelledWord, Labelling, Trace

MODELS = tuple(f"{kind}-entities" for kind in ("rnn", "lstm", "gru", "encoder"))
CLASSES = ("PER", "LOC", "ORG", "OTH")
NAMED = 3  # words of a disagreement that the summary names


class EntitiesQuery(Query):
    """The labels, or how likely each word is a part of a name; without a sentence, one with names."""

    text: str = Field("Bayern München spielt in München.", description="the sentence")
    show: Literal["labels", "probabilities"] = "labels"

    def runs(self) -> list[Run]:
        """Each sentence through all networks; the encoder first, since it takes the shortest texts."""
        return [Run(name, text) for text in self.texts() for name in self.side_by_side(MODELS)[::-1]]

    def idle(self) -> tuple[str, ...]:
        """No difference is drawn here."""
        return ("align",)


def found_in(trace: Trace) -> Labelling:
    """What a network has labelled."""
    assert trace.labelling is not None
    return trace.labelling


def figure(query: EntitiesQuery, traces: list[Trace]) -> Figure:
    """Networks down, words across; a colour for each class, or the probability of being a part of a name."""
    found = by_sentence(query, traces)
    scale: Scale = "class" if query.show == "labels" else "share"
    panels = [panel(query, sentence, scale) for sentence in found]
    key = "entities.bar.labels" if query.show == "labels" else "entities.bar.probabilities"
    plot = maps(panels, query.lang, "lanes", {scale: translate(query.lang, key)})
    return Figure(
        plot,
        list(summaries(query, found)),
        table(found),
        token_runs=[sentence.start for sentence in found],
        marked=[marked(query, sentence, trace) for sentence in found for trace in sentence.traces],
    )


def panel(query: EntitiesQuery, sentence: Sentence, scale: Scale) -> Panel:
    """All networks on one sentence; a column is a whole word, linked to its first token."""
    columns = found_in(sentence.traces[-1]).words
    labels = [[word.label for word in found_in(trace).words] for trace in sentence.traces]
    if scale == "class":
        values = np.array([[class_of(label) for label in row] for row in labels], np.float32)
    else:
        values = np.stack([name_probabilities(trace) for trace in sentence.traces])
    return Panel(
        title=sentence.text,
        values=values,
        rows=[network_title(trace.model, query.lang) for trace in sentence.traces],
        columns=[shortened(written(sentence.text, word)) for word in columns],
        scale=scale,
        hover="%{hovertext}",
        run=sentence.number,
        positions=[word.token for word in columns],
        texts=[["–" if label == "O" else label for label in row] for row in labels] if scale == "class" else (),
        hovers=[[hover(query, trace, word) for word in found_in(trace).words] for trace in sentence.traces],
        classes=("–", *CLASSES) if scale == "class" else (),
    )


def class_of(label: str) -> int:
    """0 outside of names, else the number of the class: 1 for B-PER and I-PER."""
    return 0 if label == "O" else 1 + CLASSES.index(label[2:])


def written(text: str, part: LabelledWord | Entity) -> str:
    """The part of the sentence as typed, what cannot be seen marked."""
    return visible(text[part.start : part.end])


def name_probabilities(trace: Trace) -> np.ndarray:
    """How likely each word is a part of a name of any class: 1 − p(O), [words]."""
    labelling = found_in(trace)
    outside = labelling.label_probabilities[[word.token for word in labelling.words], labelling.label_names.index("O")]
    inside: np.ndarray = np.maximum(np.float32(0), 1 - outside)
    return inside


def label_probability(trace: Trace, word: LabelledWord) -> float:
    """How likely the network finds the label that the word got."""
    labelling = found_in(trace)
    return float(labelling.label_probabilities[word.token, labelling.label_names.index(word.label)])


def label_title(query: EntitiesQuery, label: str) -> str:
    """A class of names as people say it."""
    return translate(query.lang, f"entity.{label.split('-')[-1]}")


def hover(query: EntitiesQuery, trace: Trace, word: LabelledWord) -> str:
    """What a network says of a word."""
    return translate(
        query.lang, "entities.cell", network=network_title(trace.model, query.lang), word=written(trace.text, word),
        label=word.label, title=label_title(query, word.label),
        share=chance(query.lang, label_probability(trace, word)),
    )  # fmt: skip


def marked(query: EntitiesQuery, sentence: Sentence, trace: Trace) -> Marked:
    """The sentence as typed with the names that a network found; numbered where there are two."""
    parts, end = [], 0
    for entity in found_in(trace).entities:
        parts.append(Mark(trace.text[end : entity.start]))
        parts.append(Mark(trace.text[entity.start : entity.end], entity.name, label_title(query, entity.name)))
        end = entity.end
    network = network_title(trace.model, query.lang)
    named = network if query.vs is None else f"{sentence.number + 1} · {network}"
    return Marked(named, [*parts, Mark(trace.text[end:])])


def listed(query: EntitiesQuery, trace: Trace) -> str:
    """The names that a network found, each with its class."""
    names = (
        translate(query.lang, "entities.name", word=written(trace.text, entity), title=label_title(query, entity.name))
        for entity in found_in(trace).entities
    )
    return ", ".join(names) or translate(query.lang, "entities.none")


def summaries(query: EntitiesQuery, sentences: list[Sentence]) -> Iterable[Message]:
    """What is said of each sentence, or once that there is no name in either."""
    count = len(sentences[0].traces)
    named = any(found_in(trace).entities for each in sentences for trace in each.traces)
    if len(sentences) == 2 and count > 1 and not named:
        yield say("entities.summary.neither" if count > 2 else "entities.summary.neither.two", count=count)
        return
    for sentence in sentences:
        yield from summary(query, sentence)


def summary(query: EntitiesQuery, sentence: Sentence) -> Iterable[Message]:
    """What the networks found, in common or each; where those that read from the left differ from the encoder."""
    first = begin(query, sentence.number)
    answers: dict[str, list[str]] = {}
    for trace in sentence.traces:
        answers.setdefault(listed(query, trace), []).append(network_title(trace.model, query.lang))
    if len(sentence.traces) == 1:
        network = reader(query, sentence.number, sentence.traces[0].model)
        yield say("entities.summary.one", network=network, names=Strong(next(iter(answers))))
        return
    if not any(found_in(trace).entities for trace in sentence.traces):
        key = "entities.summary.nothing" if len(sentence.traces) > 2 else "entities.summary.nothing.two"
        yield say(key, sentence=first, count=len(sentence.traces))
        return
    if len(answers) == 1:
        key = "entities.summary.agree" if len(sentence.traces) > 2 else "entities.summary.agree.two"
        yield say(key, sentence=first, count=len(sentence.traces), names=Strong(next(iter(answers))))
        return
    told = [
        say("entities.answer", networks=", ".join(networks), names=Strong(names)) for names, networks in answers.items()
    ]
    yield say("entities.summary.differ", sentence=first, answers=Listed(told))
    differing = list(dict.fromkeys(differences(query, sentence))) if query.vs is None else []
    if differing:
        more = len(differing) - NAMED
        rest = translate(query.lang, "entities.more", count=more) if more > 0 else ""
        key = "entities.summary.encoder" if len(sentence.traces) > 2 else "entities.summary.encoder.two"
        yield say(key, words=Strong(", ".join(differing[:NAMED])), rest=rest)


def differences(query: EntitiesQuery, sentence: Sentence) -> Iterable[str]:
    """Each word that the encoder puts into another class than one of the networks that read from the left."""
    *from_left, encoder = sentence.traces
    if encoder.model != MODELS[-1]:  # it was not asked for
        return
    for place, word in enumerate(found_in(encoder).words[:-1]):  # nothing comes after the last
        if any(class_of(found_in(trace).words[place].label) != class_of(word.label) for trace in from_left):
            yield in_quotes(query.lang, written(encoder.text, word))


def table(sentences: list[Sentence]) -> Table:
    """Every word with its label in every network; in a brief one the names only."""
    columns = ("column.model", "column.run", "column.position", "column.word", "column.label", "column.probability",
               "column.name_probability")  # fmt: skip
    count = sum(len(found_in(trace).words) for sentence in sentences for trace in sentence.traces)
    brief = ("column.model", "column.run", "column.name", "column.label")
    return Table(columns, partial(rows, sentences), count, brief, partial(name_rows, sentences))


def rows(sentences: list[Sentence]) -> Iterable[tuple[Cell, ...]]:
    """One row for each word, network and sentence."""
    for sentence in sentences:
        for trace in sentence.traces:
            likely = name_probabilities(trace).tolist()
            for place, (word, share) in enumerate(zip(found_in(trace).words, likely, strict=True), start=1):
                shown, sure = written(trace.text, word), label_probability(trace, word)
                yield trace.model, sentence.number + 1, place, shown, word.label, sure, share


def name_rows(sentences: list[Sentence]) -> Iterable[tuple[Cell, ...]]:
    """One row for each name that a network found."""
    for sentence in sentences:
        for trace in sentence.traces:
            for entity in found_in(trace).entities:
                yield trace.model, sentence.number + 1, written(trace.text, entity), entity.name


VIEW = View(
    name="entities",
    chapter="practice",
    place=2,
    query=EntitiesQuery,
    needs=frozenset({"label_probabilities"}),
    figure=figure,
    preferred=MODELS,
    chooses_model=False,
)
