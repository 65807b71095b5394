"""What a model expects after each token, or in place of a hidden one: the whole distribution, for any temperature."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models import registry
from models.run import Change, Run
from models.shapes import Layers
from models.tokenizer import MASK
from models.trace import Expectation, Token, Trace

if TYPE_CHECKING:
    from torch import Tensor

    from models.families.encoder import Transformer


def trace(run: Run) -> Trace:
    """The text's trace with log p of every piece after every token, where the model reads from left to right.

    An encoder's run says which token is `masked`: log p of every piece in its place; all other rows are NaN.
    """
    from models.families.encoder import Transformer
    from models.families.recurrent import Recurrent

    loaded = registry.load(run.model)
    assert isinstance(loaded, Transformer | Recurrent)
    masks = run.change is not None and run.change.kind == "masked"
    if masks != (registry.get(run.model).family == "encoder"):
        raise ValueError("of an encoder, and of no other, expectations need Change('masked', token)")
    if run.change is not None:
        assert isinstance(loaded, Transformer)
        return replace(filled(loaded, loaded.forward(run.text), run.change), change=str(run.change))
    return loaded.forward(run.text, read_out=everything)


def everything(logits: "Tensor", _tokens: Sequence[Token]) -> dict[str, Any]:
    """The whole distribution after each token, [tokens, pieces]; a row is made when it is looked at."""
    rows = Layers(lambda place: logits[place].log_softmax(-1).numpy(), tuple(logits.shape), logits.nbytes)
    return {"expectation": Expectation(log_probabilities=rows)}


def filled(loaded: "Transformer", whole: Trace, change: Change) -> Trace:
    """An encoder's trace with what it expects at one token with that hidden.

    At [SEP], and beyond it, [MASK] is put before [SEP] instead: what would stand behind the text.
    """
    import torch

    from models import masked

    ids = [token.id for token in whole.tokens]
    end = len(ids) - 1
    place = min(change.at, end)
    if place == end:
        ids.insert(end, MASK)
    with torch.inference_mode():
        logs = masked.logits(loaded, torch.tensor(ids), torch.tensor([place])).log_softmax(-1)[0].numpy()
    found = np.full((len(whole.tokens), len(logs)), np.nan, np.float32)
    found[place] = logs
    return replace(whole, expectation=Expectation(log_probabilities=found))
