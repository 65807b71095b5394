"""The encoder: a BERT that reads the whole sentence at once, traced by models.capture.

MODELS are the one that fills masked words and its snapshots; a fine-tuned one is the same with something to say.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

from models import tokenizer
from models.families.recurrent import ReadOut
from models.holding import holding
from models.registry import Model
from models.run import Change, changed
from models.shapes import Layers
from models.trace import States, Trace

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Embedding, Module
    from transformers import (
        BertForMaskedLM,
        BertForSequenceClassification,
        BertForTokenClassification,
        PreTrainedConfig,
        PreTrainedModel,
    )

    Bert = BertForMaskedLM | BertForSequenceClassification | BertForTokenClassification


_placeless: ContextVar[bool | None] = ContextVar("placeless", default=False)


def silenced(_module: "Module", _given: object, vectors: "Tensor") -> "Tensor | None":
    """What the table of positions answers: zeros during a run without positions, in that run's thread only."""
    return vectors * 0 if _placeless.get() else None


def placeless(off: bool) -> AbstractContextManager[object]:
    """Inside the block the tables that `silenced` answers for are switched off, if they are to be."""
    return holding(_placeless, off)


class Transformer:
    """A Transformer with learned positions in memory: `words` and `positions` are its two tables of vectors.

    `read_out`, if there is one, makes parts of a trace of the logits of its head; `end` says whether it reads [SEP].
    `head` scores pieces for masked places; it is no part of a run over the text as it is.
    """

    def __init__(
        self, model: Model, network: "PreTrainedModel", words: "Embedding", positions: "Embedding",
        read_out: ReadOut | None = None, end: bool = True, head: "Module | None" = None,
    ):  # fmt: skip
        from models import additions

        self.model, self.network, self.words, self.positions = model, network, words, positions
        self.read_out, self.end, self.head = read_out, end, head
        positions.register_forward_hook(silenced)
        additions.attach(network)

    def forward(self, text: str, change: Change | None = None, read_out: ReadOut | None = None) -> Trace:
        """Reads [CLS] and the text in one call; `read_out` takes the place of its own.

        Changes: `erased` gives that token a word vector of zeros, `no_positions` makes the vectors for the places zero,
        `head_off` switches a head off, `even_attention` spreads the attention of all heads; what is recorded of these
        heads is what they would have looked at. `masked` puts [MASK] in a token's place; the trace's tokens stay those
        of the text.
        """
        import torch

        from models import capture

        tokens = tokenizer.tokenize(text, self.model.longest, end=self.end)
        ids = torch.tensor([[token.id for token in tokens]])
        changes = changed(change, len(tokens), "erased", "head_off", "even_attention", "no_positions", "masked")
        if change is not None and change.kind == "head_off":
            known_head(self.network.config, change)
        if "masked" in changes:
            ids[0, changes["masked"]] = tokenizer.MASK
        off = "no_positions" in changes
        with torch.inference_mode(), capture.recording() as calls, altered(change):
            with placeless(off):
                states, logits = self.call(ids, changes.get("erased"))
            attention, check = capture.attention(calls)
            read_out = read_out or self.read_out
            said = read_out(logits, tokens) if read_out and logits is not None else {}
            vectors = vectors_of(self.words(ids[0]), self.position_table, off, states)
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=check,
            states=vectors,
            attention=attention,
            **said,
        )

    @property
    def position_table(self) -> "Tensor":
        """The vectors for all its places, [places, units]."""
        return self.positions.weight

    def scored(self, vectors: "Tensor", place: int = 0) -> "Tensor":
        """Logits of the classes, labels or pieces, [texts, outcomes], from word vectors [texts, tokens, units].

        `place` is the token at which an encoder's labels and pieces are read; a decoder answers at its last one.
        """
        if self.head is not None:
            logits: Tensor = self.head(self.network(inputs_embeds=vectors).last_hidden_state[:, place])
            return logits
        last = {} if self.end else {"logits_to_keep": 1}
        logits = self.network(inputs_embeds=vectors, **last).logits
        return logits[:, place if self.end else -1] if logits.ndim == 3 else logits

    def call(self, ids: "Tensor", erased: int | None = None) -> tuple[list["Tensor"], "Tensor | None"]:
        """The model itself, from ids [1, tokens]: states around each layer [tokens, units], and any logits."""
        given: dict[str, Tensor] = {"input_ids": ids}
        if erased is not None:
            given = {"inputs_embeds": self.words(ids)}
            given["inputs_embeds"][0, erased] = 0
        output = self.network(**given, output_hidden_states=True)
        return [state[0] for state in output.hidden_states], output.logits[0] if self.read_out else None


def vectors_of(inputs: "Tensor", table: "Tensor | None", off: bool, states: "Sequence[Tensor]") -> States:
    """The vectors of a run as arrays: of its words, of their places from a table, zero where that is `off`, and the
    states around each layer [tokens, units]."""
    embeddings, *layers = (state.numpy() for state in states)
    positions = None if table is None else table[: len(inputs)].numpy() * (not off)
    return States(inputs=inputs.numpy(), positions=positions, embeddings=embeddings, hidden=Layers.of(layers))


def known_head(config: "PreTrainedConfig", change: Change) -> None:
    """Raises ValueError for a head that the model does not have."""
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    if not (0 <= change.at < layers and 0 <= change.head < heads):
        raise ValueError(f"{change}: the model has layers 0 to {layers - 1}, each with heads 0 to {heads - 1}")


def altered(change: Change | None) -> AbstractContextManager[object]:
    """What a change does to the attention while the model runs."""
    from models import capture

    if change is None or change.kind not in ("head_off", "even_attention"):
        return nullcontext()

    def replaced(layer: int, attention: "Tensor") -> "Tensor":
        if change.kind == "even_attention":
            return even(attention)
        used = attention.clone()
        if layer == change.at:
            used[:, change.head] = 0
        return used

    return capture.replacing(replaced)


def even(attention: "Tensor") -> "Tensor":
    """Attention spread alike over all tokens; where none looks ahead, over those up to its own."""
    seen = attention.new_ones(attention.shape)
    if not attention.triu(1).any():
        seen = seen.tril()
    return seen / seen.sum(-1, keepdim=True)


def traced(model: Model, network: "Bert", read_out: ReadOut | None = None) -> Transformer:
    """A BERT, without its head where nothing is read out of it."""
    tables = network.bert.embeddings
    return Transformer(
        model, network if read_out else network.bert, tables.word_embeddings, tables.position_embeddings, read_out,
        head=getattr(network, "cls", None),
    )  # fmt: skip


def load(model: Model) -> Transformer:
    """Reads the weights into memory."""
    from models import capture, weights

    return traced(model, weights.masked_language_model(model.folder, attention=capture.IMPLEMENTATION))


def snapshots() -> list[int]:
    """The steps of its training at which the encoder's weights were kept."""
    return sorted(int(folder.name.removeprefix("encoder@")) for folder in tokenizer.WEIGHTS.glob("encoder@*"))


ATTENTION = ("queries", "keys", "values", "scores", "attention", "attention_output", "feed_forward")
FIELDS = ("inputs", "positions", "embeddings", "hidden", *ATTENTION)
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
