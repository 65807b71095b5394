"""The decoder: a GPT-2 that guesses each next word and looks back only, traced by models.capture."""

from typing import TYPE_CHECKING

from models import tokenizer
from models.registry import Model
from models.trace import Layers, States, Trace

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import GPT2LMHeadModel


class Decoder:
    """A GPT-2 in memory."""

    def __init__(self, model: Model, network: "GPT2LMHeadModel"):
        self.model = model
        self.network = network

    def forward(self, text: str) -> Trace:
        """Reads [CLS] and the text, each token with those before it in sight."""
        import torch

        from models import capture
        from models.prediction import predict

        tokens = tokenizer.tokenize(text, self.model.longest)
        ids = torch.tensor([[token.id for token in tokens]])
        with torch.inference_mode(), capture.recording() as calls:
            states, logits = self.call(ids)
            attention, check = capture.attention(calls)
            prediction = predict(logits, ids[0])
            inputs, positions = self.network.transformer.wte(ids[0]), self.network.transformer.wpe.weight[: len(tokens)]
        embeddings, *layers = (state.numpy() for state in states)
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=check,
            states=States(
                inputs=inputs.numpy(), positions=positions.numpy(), embeddings=embeddings, hidden=Layers.of(layers)
            ),
            attention=attention,
            prediction=prediction,
        )

    def call(self, ids: "Tensor") -> tuple[list["Tensor"], "Tensor"]:
        """The model itself, from ids [1, tokens]: states before and after each layer [tokens, units], and logits."""
        output = self.network(ids, output_hidden_states=True, use_cache=False)
        return [state[0] for state in output.hidden_states], output.logits[0]


def load(model: Model) -> Decoder:
    """Reads the weights into memory."""
    from models import capture, weights

    return Decoder(model, weights.next_word_model(model.folder, attention=capture.IMPLEMENTATION))


MODELS = [
    Model(
        name="decoder",
        title="model.decoder.title",
        family="decoder",
        fields=(
            "inputs", "positions", "embeddings", "hidden", "queries", "keys", "values", "scores", "attention", "loss",
            "predictions",
        ),
        load=load,
    )
]  # fmt: skip
