"""The translator: a Marian whose German side is traced like any encoder; what it writes is an experiment of its own."""

from typing import TYPE_CHECKING

from models import tokenizer, translating
from models.families.encoder import FIELDS, placeless, silenced, vectors_of
from models.registry import Model
from models.run import Change, changed
from models.trace import Trace

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor
    from transformers import MarianMTModel

    from models.translation import Translator


SPACE = "▁"  # how the English pieces write the space before them


class Reader:
    """A translator in memory; `translator` writes, `forward` shows how it reads."""

    def __init__(self, model: Model, translator: "Translator"):
        from models import additions

        self.model, self.translator = model, translator
        self.positions = translator.network.get_encoder().embed_positions
        self.positions.register_forward_hook(silenced)
        additions.attach(translator.network.get_encoder())

    def forward(self, text: str, change: Change | None = None) -> Trace:
        """Reads [CLS], the text and [SEP] with the German side in one call; `no_positions` is the one change."""
        import torch

        from models import capture

        tokens = tokenizer.tokenize(text, self.model.longest, end=True)
        ids = torch.tensor([[token.id for token in tokens]])
        off = "no_positions" in changed(change, len(tokens), "no_positions")
        with torch.inference_mode(), capture.recording() as calls, placeless(off):
            states = self.call(ids)
            attention, check = capture.attention(calls)
            encoder = self.translator.network.get_encoder()
            inputs = encoder.embed_tokens(ids)[0] * encoder.embed_scale
            vectors = vectors_of(inputs, self.position_table, off, states)
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=check,
            states=vectors,
            attention=attention,
        )

    @property
    def position_table(self) -> "Tensor":
        """The vectors for all places of the German side, [places, units]."""
        table: Tensor = self.positions.weight
        return table

    @property
    def whole(self) -> "MarianMTModel":
        """The network with both sides."""
        return self.translator.network

    @property
    def target(self) -> "Tokenizer":
        """The tokenizer of the English side."""
        return self.translator.english

    def written(self, id_: int) -> str:
        """The English piece with this number; ## where it goes on with a word, as in German."""
        piece = self.target.id_to_token(id_) or ""
        if piece.startswith(SPACE):
            return piece.removeprefix(SPACE) or SPACE
        return f"##{piece}" if piece.isalpha() else piece

    def call(self, ids: "Tensor") -> list["Tensor"]:
        """The German side itself, from ids [1, tokens]: states around each layer [tokens, units]."""
        output = self.translator.network.get_encoder()(input_ids=ids, output_hidden_states=True)
        return [state[0] for state in output.hidden_states]


def load(model: Model) -> Reader:
    """Reads the weights into memory."""
    from models import capture, weights

    return Reader(model, weights.translator(model.folder, attention=capture.IMPLEMENTATION))


MODELS = [
    Model(
        name="translator",
        title="model.translator.title",
        family="translator",
        fields=(*FIELDS, *translating.FIELDS),
        load=load,
        longest=128,
    )
]
