"""Pipeline: one text through a whole Transformer, to what the model says in the end, whatever its head is."""

from contextlib import suppress
from dataclasses import replace

from models import registry
from models.errors import CaptureError
from models.run import Run
from models.trace import Trace


def trace(run: Run) -> Trace:
    """The text's trace with what comes out: a language model's next words, an encoder's fillings, a translation.

    A classifier's trace has its classes as it is; a model without a head says nothing, nor one that cannot write.
    """
    from models.families.encoder import Transformer

    loaded = registry.load(run.model)
    if "cross_attention" in registry.get(run.model).fields:
        from models import translating

        with suppress(CaptureError):
            return translating.trace(replace(run, experiment="translation_greedy"))
    if isinstance(loaded, Transformer) and loaded.head is not None:
        from models import masked

        return masked.trace(run)
    return loaded.forward(run.text)
