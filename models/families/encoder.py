"""The encoder: a BERT that reads the whole sentence at once, traced by models.capture.

MODELS are the one that fills masked words and its snapshots; a fine-tuned one is the same with something to say.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from models import tokenizer
from models.families.recurrent import ReadOut
from models.registry import Model
from models.trace import Layers, States, Trace

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification, BertModel

    Bert = BertForMaskedLM | BertForSequenceClassification | BertForTokenClassification


class Encoder:
    """A BERT in memory; `read_out`, if there is one, makes parts of a trace of the logits of its head."""

    def __init__(self, model: Model, network: "Bert", read_out: ReadOut | None = None):
        self.model = model
        self.bert: BertModel = network.bert
        self.network = network if read_out else network.bert
        self.read_out = read_out

    def forward(self, text: str) -> Trace:
        """Reads [CLS], the text and [SEP] at once."""
        import torch

        from models import capture

        tokens = tokenizer.tokenize(text, self.model.longest, end=True)
        ids = torch.tensor([[token.id for token in tokens]])
        with torch.inference_mode(), capture.recording() as calls:
            states, logits = self.call(ids)
            attention, check = capture.attention(calls)
            said = self.read_out(logits, tokens) if self.read_out and logits is not None else {}
            table = self.bert.embeddings
            inputs, positions = table.word_embeddings(ids[0]), table.position_embeddings.weight[: len(tokens)]
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
            **said,
        )

    def call(self, ids: "Tensor") -> tuple[list["Tensor"], "Tensor | None"]:
        """The model itself, from ids [1, tokens]: states around each layer [tokens, units], and any logits."""
        output = self.network(ids, output_hidden_states=True)
        return [state[0] for state in output.hidden_states], output.logits[0] if self.read_out else None


def load(model: Model) -> Encoder:
    """Reads the weights into memory."""
    from models import capture, weights

    return Encoder(model, weights.masked_language_model(model.folder, attention=capture.IMPLEMENTATION))


def snapshots() -> list[int]:
    """The steps of its training at which the encoder's weights were kept."""
    return sorted(int(folder.name.removeprefix("encoder@")) for folder in tokenizer.WEIGHTS.glob("encoder@*"))


FIELDS = ("inputs", "positions", "embeddings", "hidden", "queries", "keys", "values", "scores", "attention")
ENCODER = Model(
    name="encoder",
    title="model.encoder.title",
    family="encoder",
    fields=FIELDS,
    load=load,
)
MODELS = [
    ENCODER,
    *(
        replace(ENCODER, name=f"encoder@{steps}", title="model.snapshot.title", title_values={"steps": steps})
        for steps in snapshots()
    ),
]
