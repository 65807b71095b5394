"""The decoder: a GPT-2 that guesses each next word and looks back only."""

from typing import TYPE_CHECKING

from models.families.encoder import FIELDS, Transformer
from models.families.recurrent import next_word
from models.registry import Model

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel


def traced(model: Model, network: "GPT2LMHeadModel") -> Transformer:
    """A GPT-2 that is asked for its guesses; it keeps no keys and values for a next call."""
    network.config.use_cache = False
    tables = network.transformer
    return Transformer(model, network, tables.wte, tables.wpe, next_word, end=False)


def load(model: Model) -> Transformer:
    """Reads the weights into memory."""
    from models import capture, weights

    return traced(model, weights.next_word_model(model.folder, attention=capture.IMPLEMENTATION))


MODELS = [
    Model(
        name="decoder",
        title="model.decoder.title",
        family="decoder",
        fields=(*FIELDS, "loss", "predictions"),
        load=load,
    )
]
