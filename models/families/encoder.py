"""The encoder: a BERT that fills masked words and reads the whole sentence at once, traced by models.capture."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from models import tokenizer
from models.registry import Model
from models.trace import Check, States, Trace

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import BertForMaskedLM, BertModel
    from transformers.modeling_outputs import BaseModelOutput


class Encoder:
    """A BERT in memory."""

    def __init__(self, model: Model, network: "BertForMaskedLM"):
        self.model = model
        self.bert: BertModel = network.bert

    def forward(self, text: str) -> Trace:
        """Reads [CLS], the text and [SEP] at once."""
        import torch

        from models import capture

        tokens = tokenizer.tokenize(text, self.model.longest, end=True)
        ids = torch.tensor([[token.id for token in tokens]])
        with torch.inference_mode(), capture.recording() as calls:
            output = self.call(ids)
            attention, error = capture.attention(calls)
            table = self.bert.embeddings
            inputs, positions = table.word_embeddings(ids[0]), table.position_embeddings.weight[: len(tokens)]
        embeddings, *layers = (state[0].numpy() for state in output.hidden_states or ())
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=Check(error, "transformers"),
            states=States(
                inputs=inputs.numpy(), positions=positions.numpy(), embeddings=embeddings, hidden=np.stack(layers)
            ),
            attention=attention,
        )

    def call(self, ids: "Tensor") -> "BaseModelOutput":
        """The model itself, from ids [1, tokens]."""
        output: BaseModelOutput = self.bert(ids, output_hidden_states=True)
        return output


def load(model: Model) -> Encoder:
    """Reads the weights into memory."""
    from models import capture, weights

    return Encoder(model, weights.masked_language_model(model.folder, attention=capture.IMPLEMENTATION))


def snapshots() -> list[int]:
    """The steps of its training at which the encoder's weights were kept."""
    return sorted(int(folder.name.removeprefix("encoder@")) for folder in tokenizer.WEIGHTS.glob("encoder@*"))


ENCODER = Model(
    name="encoder",
    title="model.encoder.title",
    family="encoder",
    fields=("inputs", "positions", "embeddings", "hidden", "queries", "keys", "values", "scores", "attention"),
    load=load,
)
MODELS = [
    ENCODER,
    *(
        replace(ENCODER, name=f"encoder@{steps}", title="model.snapshot.title", title_values={"steps": steps})
        for steps in snapshots()
    ),
]
