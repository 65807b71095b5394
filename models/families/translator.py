"""The translator: a Marian whose German side is traced like any encoder; what it writes is an experiment of its own."""

from typing import TYPE_CHECKING

from models import tokenizer
from models.families.encoder import FIELDS
from models.registry import Model
from models.trace import Layers, States, Trace

if TYPE_CHECKING:
    from torch import Tensor

    from models.translation import Translator


class Reader:
    """A translator in memory; `translator` writes, `forward` shows how it reads."""

    def __init__(self, model: Model, translator: "Translator"):
        from models import capture

        self.model, self.translator = model, translator
        capture.attach(translator.network.get_encoder())

    def forward(self, text: str) -> Trace:
        """Reads [CLS], the text and [SEP] with the German side in one call."""
        import torch

        from models import capture

        tokens = tokenizer.tokenize(text, self.model.longest, end=True)
        ids = torch.tensor([[token.id for token in tokens]])
        with torch.inference_mode(), capture.recording() as calls:
            states = self.call(ids)
            attention, check = capture.attention(calls)
            encoder = self.translator.network.get_encoder()
            inputs = encoder.embed_tokens(ids)[0] * encoder.embed_scale
        embeddings, *layers = (state.numpy() for state in states)
        positions = encoder.embed_positions.weight[: len(tokens)].numpy()
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=check,
            states=States(inputs=inputs.numpy(), positions=positions, embeddings=embeddings, hidden=Layers.of(layers)),
            attention=attention,
        )

    def call(self, ids: "Tensor") -> list["Tensor"]:
        """The German side itself, from ids [1, tokens]: states around each layer [tokens, units]."""
        output = self.translator.network.get_encoder()(input_ids=ids, output_hidden_states=True)
        return [state[0] for state in output.hidden_states]


def load(model: Model) -> Reader:
    """Reads the weights into memory."""
    from models import capture, weights

    return Reader(model, weights.translator(model.folder, attention=capture.IMPLEMENTATION))


MODELS = [
    Model(name="translator", title="model.translator.title", family="translator", fields=FIELDS, load=load, longest=128)
]
