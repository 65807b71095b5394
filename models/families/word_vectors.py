"""The word vectors: a table of whole words, learned by skip-gram; a word's vector is the same in every sentence."""

from typing import TYPE_CHECKING

import numpy as np

from models.errors import EmptyText, TooManyTokens
from models.registry import Model
from models.trace import Check, States, Token, Trace

if TYPE_CHECKING:
    from models.word_vectors import WordVectors

UNKNOWN = -1  # the id of a word that is not in the table


class Table:
    """The vectors in memory; `vectors` also gives cosines and nearest words."""

    def __init__(self, model: Model, vectors: "WordVectors"):
        self.model = model
        self.vectors = vectors

    def forward(self, text: str) -> Trace:
        """Looks each word up; an unknown one has the id −1 and a vector of zeros."""
        from models.word_vectors import WORD

        found = list(WORD.finditer(text))
        if not found:
            raise EmptyText()
        if len(found) > self.model.longest:
            kept = found[self.model.longest - 1].end()
            raise TooManyTokens(count=len(found), limit=self.model.longest, characters=kept)
        rows = [self.vectors.row(match[0]) for match in found]
        ids = [UNKNOWN if row is None else row for row in rows]
        tokens = tuple(
            Token(match[0], id_, *match.span(), special=False) for match, id_ in zip(found, ids, strict=True)
        )
        inputs = np.where(np.array(ids)[:, None] == UNKNOWN, np.float32(0), self.vectors.vectors[ids])
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=Check(0.0, "NumPy"),
            states=States(inputs=inputs, embeddings=inputs),
        )


def load(model: Model) -> Table:
    """Reads words and vectors into memory."""
    from models import weights

    return Table(model, weights.word_vectors(model.folder))


MODELS = [
    Model(
        name="word_vectors",
        title="model.word_vectors.title",
        family="word_vectors",
        fields=("inputs", "embeddings"),
        load=load,
    )
]
