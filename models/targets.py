"""What a Transformer is asked about a text, and where it answers: a class, a word's label, a hidden or the next word.

The answer is read from the last state of one token, so that token's attention is the one that may have counted.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from models import registry, tokenizer
from models.entities import may_follow
from models.run import Change, Run
from models.trace import Labelling, Token, Trace, typed_places

if TYPE_CHECKING:
    from torch import Tensor

    from models.families.encoder import Transformer


class Target(NamedTuple):
    """A question: the token at `place` answers, with the outcome `chosen`; those at `counted` are asked about.

    `scored` gives the logits of all outcomes, [texts, outcomes], from word vectors [texts, tokens, units].
    """

    trace: Trace
    vectors: "Tensor"  # [1, tokens, units], as they enter
    place: int
    counted: list[int]
    chosen: int
    admissible: np.ndarray  # [outcomes], which of them the model may choose
    scored: "Callable[[Tensor], Tensor]"

    def probabilities(self, vectors: "Tensor") -> "Tensor":
        """Of all outcomes, [texts, outcomes]."""
        return self.scored(vectors).softmax(-1)


def target(run: Run) -> Target:
    """What the model of this run answers: of a word at `run.at`, if it is asked of words and there is one there.

    A classifier says a class at [CLS], a token classifier the label of a word; a language model says the next word at
    the last token, and an encoder without a task the word that [MASK] hides from it. A hidden word is not among those
    that are asked about, unless there is no other.
    """
    import torch

    loaded = cast("Transformer", registry.load(run.model))
    place = 0
    if loaded.head is not None:
        place = hidden_place(tokenizer.tokenize(run.text, loaded.model.longest, end=loaded.end), run.at)
        trace = loaded.forward(run.text, Change("masked", place))
    else:
        trace = loaded.forward(run.text)
    if trace.labelling is not None:
        place = labelled_place(trace.labelling, run.at)
    elif trace.prediction is not None:
        place = len(trace.tokens) - 1
    typed = typed_places(trace.tokens)
    others = [number for number in typed if number != place] if loaded.head is not None else typed
    assert trace.states is not None
    vectors = torch.from_numpy(trace.states.inputs)[None].clone()

    def scored(x: "Tensor") -> "Tensor":
        return loaded.scored(x, place)

    with torch.inference_mode():
        scores = scored(vectors)[0].numpy()
    admissible = np.ones(len(scores), bool) if trace.labelling is None else following(trace.labelling, place)
    chosen = int(np.where(admissible, scores, -np.inf).argmax())
    return Target(trace, vectors, place, others or typed, chosen, admissible, scored)


def following(labelling: Labelling, place: int) -> np.ndarray:
    """Which labels may follow the one before the word at this token, [labels]: I- goes on with its own name only."""
    number = next(number for number, word in enumerate(labelling.words) if word.token == place)
    before = labelling.words[number - 1].label if number else "O"
    return np.array([may_follow(label, before) for label in labelling.label_names])


def labelled_place(labelling: Labelling, at: int | None) -> int:
    """The token that decides the label of the word asked for; without one, of the first name, or else the first word.

    `at` is such a token.
    """
    places = [word.token for word in labelling.words]
    named = [word.token for word in labelling.words if word.label != "O"]
    return at if at in places else (named or places)[0]


def hidden_place(tokens: tuple[Token, ...], at: int | None) -> int:
    """The place that is hidden: the one asked for if there is a word, or else the last but one of the text."""
    typed = typed_places(tokens)
    return at if at in typed else typed[max(0, len(typed) - 2)]
