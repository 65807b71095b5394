"""What a language model expects after each token: the whole distribution, so that any temperature can be had of it."""

from dataclasses import replace

from models import registry
from models.run import Run
from models.trace import Expectation, Trace


def trace(run: Run) -> Trace:
    """The text's trace with log p of every piece after every token; the model reads from left to right."""
    import torch

    from models.families.encoder import Transformer
    from models.families.recurrent import Recurrent

    loaded = registry.load(run.model)
    whole = loaded.forward(run.text)
    ids = torch.tensor([token.id for token in whole.tokens])
    with torch.inference_mode():
        if isinstance(loaded, Transformer):
            logits = loaded.call(ids[None])[1]
        else:
            assert isinstance(loaded, Recurrent)
            logits = loaded.call(ids)[2]
        assert logits is not None
        found = logits.log_softmax(-1)
    return replace(whole, expectation=Expectation(log_probabilities=found.numpy()))
