"""What a Transformer says in the end, at each token of its text: a next word, a filling, a class, a name, English."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.classes import answer, class_name, class_term
from app.messages import Lang, Message, Strong, percent, say, translate, visible
from app.views import Term
from app.words import indexed, words, written
from models.trace import Trace

Kind = Literal["next", "filled", "class", "name", "english", "written", "none"]
KINDS: tuple[Kind, ...] = ("next", "filled", "class", "name", "english", "written", "none")


@dataclass(frozen=True)
class Said:
    """What is said at a token, how probable the model finds it, and the token's place; `term` is its name in tables,
    where the text is no piece of a vocabulary."""

    place: int
    text: str
    share: float
    term: Term | None = None


def outputs(trace: Trace, lang: Lang) -> tuple[Kind, Sequence[Said]]:
    """What kind of model this is by what it says, and all that it says."""
    found: dict[Kind, tuple[object, Callable[[Trace, Lang], Iterable[Said]]]] = {
        "english": (trace.written if trace.model == "translator" else None, steps),
        "written": (trace.written, steps),
        "filled": (trace.filling, filled),
        "class": (trace.classification, classes),
        "name": (trace.labelling, names),
        "next": (trace.prediction, following),
    }
    for kind, (part, make) in found.items():
        if part is not None:
            return kind, list(make(trace, lang))
    return "none", ()


def following(trace: Trace, _lang: Lang) -> Iterable[Said]:
    """The likeliest next word after each token."""
    assert trace.prediction is not None
    for place, pieces in enumerate(trace.prediction.words):
        yield Said(place, visible(pieces[0]), float(trace.prediction.probabilities[place, 0]))


def filled(trace: Trace, _lang: Lang) -> Iterable[Said]:
    """What the model puts in a token's place with it hidden."""
    assert trace.filling is not None
    for place, pieces in enumerate(trace.filling.words):
        if pieces:
            yield Said(place, pieces[0], float(trace.filling.masked_probabilities[place, 0]))


def classes(trace: Trace, lang: Lang) -> Iterable[Said]:
    """The likeliest class, which is read off the first token."""
    best, share = answer(trace)
    yield Said(0, class_name(lang, trace, best), share, class_term(trace, best))


def names(trace: Trace, lang: Lang) -> Iterable[Said]:
    """The kind of name that a word is part of."""
    labelling = trace.labelling
    assert labelling is not None
    for word in labelling.words:
        if word.label != "O":
            share = labelling.label_probabilities[word.token, labelling.label_names.index(word.label)]
            name = word.label.split("-")[-1]
            yield Said(word.token, translate(lang, key := f"entity.{name}"), float(share), Term(name, say(key)))


def steps(trace: Trace, _lang: Lang) -> Iterable[Said]:
    """Each written piece at the token that its step looks at most, by the mean head of the last layer."""
    assert trace.written is not None and trace.decoding is not None
    looked = trace.decoding.cross_attention[-1].mean(0)
    for step, word in enumerate(written(trace)):
        if not trace.written.words[step].special:
            yield Said(int(looked[step].argmax()), word.label, float(trace.written.target_probabilities[step]))


def told(trace: Trace, lang: Lang) -> Message:
    """What comes out, in a sentence: the last next word, the surest filling, the class, the names, the translation."""
    kind, said = outputs(trace, lang)
    if trace.written is not None:
        sentence = Strong(trace.written.sentence or "–")
        if kind == "english":
            return say("pipeline.summary.english", english=sentence)
        return say("pipeline.summary.written", sentence=sentence)
    if not said:
        return say("pipeline.summary.no_name" if kind == "name" else "pipeline.summary.none")
    if kind == "name":
        marked = (f"{words(trace)[each.place].label} ({each.text})" for each in said)
        return say("pipeline.summary.name", names=Strong(", ".join(marked)))
    best = said[-1] if kind == "next" else max(said, key=lambda each: (each.text.isalpha(), each.share))
    return say(
        f"pipeline.summary.{kind}", word=indexed(words(trace), best.place), output=Strong(best.text),
        share=percent(lang, best.share),
    )  # fmt: skip


def cells(trace: Trace, lang: Lang, longest: int) -> tuple[Kind, list[str], list[str]]:
    """For each token what stands in its cell, cut to so many letters, and what is said of it on hover."""
    kind, said = outputs(trace, lang)
    count = len(trace.tokens)
    texts: list[list[str]] = [[] for _ in range(count)]
    hovers: list[list[str]] = [[] for _ in range(count)]
    for each in said:
        texts[each.place].append(each.text)
        hovers[each.place].append(
            translate(lang, f"pipeline.hover.{kind}", word=words(trace)[each.place].label, output=each.text,
                      share=percent(lang, each.share))
        )  # fmt: skip
    joined = [" ".join(parts) for parts in texts]
    cut = [text if len(text) <= longest else text[: longest - 1] + "…" for text in joined]
    nothing = translate(lang, "pipeline.hover.none")
    return kind, cut, ["\n".join(parts) or nothing for parts in hovers]


def probabilities(trace: Trace, lang: Lang) -> tuple[list[str], list[float]]:
    """What is said at each token, and how probable it is; "" and NaN where nothing is."""
    _, said = outputs(trace, lang)
    texts, shares = [""] * len(trace.tokens), np.full(len(trace.tokens), np.nan)
    for each in said:
        texts[each.place] = each.term or f"{texts[each.place]} {each.text}".strip()
        shares[each.place] = each.share
    return texts, shares.tolist()
