"""The classes that a classifier finds in a text: the likeliest, those so far after each word, what words are worth."""

import numpy as np

from app.messages import Lang, say
from app.views import Term
from app.words import Word, words
from models.trace import Classification, Trace


def said(trace: Trace) -> Classification:
    """What a classifier said."""
    assert trace.classification is not None
    return trace.classification


def answer(trace: Trace) -> tuple[int, float]:
    """The class that a network finds likeliest, and how likely."""
    best = int(said(trace).class_probabilities.argmax())
    return best, float(said(trace).class_probabilities[best])


def class_term(trace: Trace, place: int) -> Term:
    """A class for a table."""
    name = said(trace).class_names[place]
    return Term(name, say(f"class.{name}"))


def class_name(lang: Lang, trace: Trace, place: int) -> str:
    """A class as people say it."""
    return class_term(trace, place).message.text(lang)


def so_far(trace: Trace) -> np.ndarray:
    """What a recurrent network holds likely after each token, [tokens, classes]."""
    progress = said(trace).class_progress
    assert progress is not None
    return progress


def typed(trace: Trace) -> list[Word]:
    """The words of the text, without the model's own tokens: the same for all networks."""
    return [word for word in words(trace) if word.kind != "special"]


def contributions(trace: Trace) -> np.ndarray:
    """What each word of the text is worth to the likeliest class, [words], as the run has measured it.

    Its probability loses so many percentage points when the word is erased; or gradient × input of its log-odds.
    """
    places, (best, _) = [word.position for word in typed(trace)], answer(trace)
    if trace.slope is not None:
        sloped: np.ndarray = trace.slope.gradient_input[places]
        return sloped
    assert trace.erasure is not None
    lost: np.ndarray = said(trace).class_probabilities[best] - trace.erasure.erased_probabilities[places, best]
    return 100 * lost
