"""Answers: what a Transformer was asked, what it answered, and how people call that; of runs with attributions."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from app.classes import class_term
from app.messages import Lang, say, translate, visible
from app.query import Query, Value
from app.views import Term, model_title
from app.words import Word, shortened, words
from models import faithfulness, tokenizer
from models.trace import Attribution, Trace, typed_places

Kind = Literal["class", "label", "next", "hidden"]


class Answer(NamedTuple):
    """One run: its number, how the summary begins where there are two, its words, and what each method gives them."""

    number: int
    first: str
    title: str
    trace: Trace
    words: list[Word]
    values: np.ndarray  # [methods, words]
    methods: tuple[str, ...]

    @property
    def worth(self) -> Attribution:
        """What the words and heads are worth to the answer."""
        return worth(self.trace)

    @property
    def share(self) -> float:
        """The probability of the answer."""
        return float(self.worth.outcomes[self.worth.chosen])


def answers(query: Query, traces: Sequence[Trace]) -> list[Answer]:
    """The runs as answers."""
    found = []
    for number, trace in enumerate(traces):
        assert trace.attention is not None
        names = faithfulness.methods(trace.attention.attention.shape[1])
        found.append(
            Answer(
                number, begin(query, traces, number), title(query, trace), trace, counted(trace),
                faithfulness.weights(trace), names,
            )
        )  # fmt: skip
    return found


def begin(query: Query, traces: Sequence[Trace], number: int) -> str:
    """Says which run is meant where there are two."""
    if len(traces) == 1:
        return ""
    if query.one_sentence:
        return f"{model_title(traces[number].model, query.lang)}: "
    return translate(query.lang, f"sentence.{number + 1}")


def title(query: Query, trace: Trace) -> str:
    """What was typed and which word of it was hidden; and which model where there are two."""
    text = trace.text
    if kind(trace) == "hidden":
        text = translate(query.lang, "training.hidden", text=text, word=asked_word(trace))
    if not query.two_models:
        return text
    return f"{model_title(trace.model, query.lang)} · {text}"


def counted(trace: Trace) -> list[Word]:
    """The words that are asked about."""
    labels, place = list(words(trace)), worth(trace).place
    if kind(trace) == "hidden":
        labels[place] = labels[place]._replace(label="[MASK]")
    return [labels[number] for number in worth(trace).counted]


def worth(trace: Trace) -> Attribution:
    """What the words and heads of a run are worth."""
    assert trace.attribution is not None
    return trace.attribution


def kind(trace: Trace) -> Kind:
    """What the model was asked for, as its trace says: a class, a word's label, the next word or a hidden one."""
    if trace.classification is not None:
        return "class"
    if trace.labelling is not None:
        return "label"
    return "hidden" if trace.prediction is None else "next"


def outcome_term(trace: Trace, number: int) -> str:
    """An answer for a table: a class or label as the model names it, else a piece of the vocabulary."""
    if trace.classification is not None:
        return class_term(trace, number)
    if trace.labelling is not None:
        label = trace.labelling.label_names[number]
        kind = say(f"entity.{label.split('-')[-1]}")
        return Term(label, kind if label == "O" else say("answer.label", label=label, kind=kind))
    piece = tokenizer.piece(number)
    return Term(piece, say("answer.end")) if number == tokenizer.SEP else piece


def outcome(lang: Lang, trace: Trace, number: int) -> str:
    """An answer as people say it."""
    found = outcome_term(trace, number)
    return found.message.text(lang) if isinstance(found, Term) else found


def short_outcome(lang: Lang, trace: Trace, number: int) -> str:
    """An answer as an axis names it."""
    if trace.labelling is not None and trace.labelling.label_names[number] != "O":
        return trace.labelling.label_names[number]
    return tokenizer.piece(number) if kind(trace) in ("hidden", "next") else outcome(lang, trace, number)


def whole_word(trace: Trace, place: int) -> str:
    """A word that can be asked about: all of it for a label, else the token."""
    if trace.labelling is not None:
        word = next(word for word in trace.labelling.words if word.token == place)
        return visible(trace.text[word.start : word.end])
    return words(trace)[place].label


def asked_word(trace: Trace) -> str:
    """The word that was asked about."""
    return whole_word(trace, worth(trace).place)


def askable(trace: Trace) -> Sequence[int]:
    """The tokens at which this model can be asked: words for labels and hidden words; else one place only."""
    if trace.labelling is not None:
        return [word.token for word in trace.labelling.words]
    if kind(trace) == "hidden":
        return typed_places(trace.tokens)
    return [worth(trace).place]


def answering(trace: Trace) -> int:
    """Which of them was asked."""
    return askable(trace).index(worth(trace).place)


def place_label(trace: Trace, place: Value) -> str:
    """A word and its place; a label is that of the whole word."""
    return f"{place} · {shortened(whole_word(trace, int(place)))}"
