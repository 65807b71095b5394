"""Erasure: what a classifier finds when a token is missing; one run of its own for each token of the text."""

from dataclasses import replace
from typing import cast

import numpy as np

from models import registry
from models.errors import TooManyTokens
from models.run import Change, Run
from models.trace import Erasure, Trace, typed_places

LONGEST = 64  # tokens, and so many runs


def trace(run: Run) -> Trace:
    """The whole text's trace and what is left of its classes without each token; raises TooManyTokens."""
    loaded = cast(registry.Changeable, registry.load(run.model))
    whole = loaded.forward(run.text)
    assert whole.classification is not None
    places = typed_places(whole.tokens)
    if len(places) > LONGEST:
        end = whole.tokens[places[LONGEST - 1]].end
        raise TooManyTokens(count=len(places), limit=LONGEST, characters=end)
    found = np.full((len(whole.tokens), len(whole.classification.class_names)), np.nan, np.float32)
    for place in places:
        said = loaded.forward(run.text, Change("erased", place)).classification
        assert said is not None
        found[place] = said.class_probabilities
    return replace(whole, erasure=Erasure(erased_probabilities=found))
