"""The words nearest to each word of a text, by the cosines of their vectors."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from models import registry
from models.run import Run
from models.trace import Neighbourhood, Trace

if TYPE_CHECKING:
    from models.families.word_vectors import Table

COUNT = 10


def trace(run: Run) -> Trace:
    """The words looked up, each with its nearest; an unknown word has none."""
    table = cast("Table", registry.load(run.model))
    found = table.forward(run.text)
    vectors = table.vectors
    shape = (len(found.tokens), COUNT)
    cosines = np.full(shape, np.nan, np.float32)
    near = np.zeros((*shape, vectors.vectors.shape[1]), np.float32)
    names: list[tuple[str, ...]] = []
    for place, token in enumerate(found.tokens):
        neighbours = vectors.nearest(token.text, COUNT) if vectors.row(token.text) is not None else []
        names.append(tuple(neighbour.word for neighbour in neighbours))
        for rank, neighbour in enumerate(neighbours):
            cosines[place, rank] = neighbour.cosine
            near[place, rank] = vectors.vectors[vectors.rows[neighbour.word]]
    part = Neighbourhood(neighbours=tuple(names), neighbour_cosines=cosines, neighbour_vectors=near)
    return replace(found, neighbourhood=part)
