"""A model from elsewhere in memory: its network, read by nothing but what its files say, and its own tokenizer."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import CaptureError, InputError, PieceWithoutVector
from models.families.encoder import placeless, silenced, vectors_of
from models.holding import holding
from models.pieces import Pieces, read
from models.registry import Model
from models.run import Change, changed
from models.shapes import ShapeError
from models.trace import Attention, Check, Token, Trace
from models.weights import configuration

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor
    from torch.nn import Embedding, Linear
    from transformers import PreTrainedModel

# These add a vector for each place to the word vectors, from a table; that is the module's name.
PLACED = dict.fromkeys(["bert", "camembert", "distilbert", "electra", "ernie", "roberta", "xlm-roberta"],
                       "position_embeddings") \
    | dict.fromkeys(["bart", "marian", "mbart", "opt"], "embed_positions") | {"gpt2": "wpe"}  # fmt: skip
PROBE = "Der Hund."

_places: ContextVar["list[Tensor] | None"] = ContextVar("places", default=None)


def placing() -> "AbstractContextManager[list[Tensor]]":
    """Collects the vectors for the places, [tokens, units], that are added inside the block."""
    return holding(_places, [])


def placed(_module: Any, _given: object, vectors: "Tensor") -> None:
    """Notes which vectors a run adds: RoBERTa counts on where it finds padding, which may be typed like any word."""
    if (noted := _places.get()) is not None:
        noted.append(vectors.reshape(-1, vectors.shape[-1]))


class Extra:
    """A model from elsewhere in memory, with its own tokenizer; `trouble` says why its attention cannot be shown.

    `whole` is the network with both sides where it writes, `network` what reads.
    """

    def __init__(self, model: Model, network: "PreTrainedModel", pieces: Pieces, whole: Any = None):
        from models import additions

        self.model, self.network, self.pieces, self.whole = model, network, pieces, whole
        self.reported = "scores" not in model.fields
        self.places = self._places() if "positions" in model.fields else None
        if not self.reported:
            additions.attach(network)
        self.trouble = ""
        self.trouble = self._tried()

    def _tried(self) -> str:
        """What is wrong with the recorded attention of a short text, or nothing."""
        from models import capture

        try:
            trace = self.forward(PROBE)
        except InputError:  # a vocabulary that knows none of it
            return ""
        except CaptureError as error:
            return str(error)
        assert trace.attention is not None
        if trace.prediction is not None and np.triu(trace.attention.attention, 1).any():
            return "it sees the words that it would have to expect"
        wrong = trace.check.max_abs_error
        if wrong <= capture.TOLERANCE:
            return ""
        if self.reported:
            return f"the rows of its attention do not sum to 1: {wrong:.1e} off"
        return f"its attention is not the softmax of its scores: {wrong:.1e} apart"

    @cached_property
    def widening(self) -> "Linear | None":
        """The first matrix that the network applies: where word vectors are narrower than states, it widens them."""
        import torch

        from models import capture

        passed: list[torch.nn.Linear] = []
        matrices = [module for module in self.network.modules() if isinstance(module, torch.nn.Linear)]
        hooks = [module.register_forward_hook(lambda module, *_: passed.append(module)) for module in matrices]
        try:
            with torch.inference_mode(), capture.recording():  # no part of the run that asks
                self.output(torch.tensor([[0, 1]]))
        finally:
            for hook in hooks:
                hook.remove()
        return passed[0] if passed else None

    def _places(self) -> "Embedding":
        """The module with the vectors for the places, which from now on can be switched off."""
        name = PLACED[self.network.config.model_type]
        found: Embedding = next(part for path, part in self.network.named_modules() if path.endswith(name))
        found.register_forward_hook(silenced)
        found.register_forward_hook(placed)
        return found

    @property
    def position_table(self) -> "Tensor":
        """The vectors for the places that it can use, [places, units]; some count from two, or from the padding on."""
        assert self.places is not None
        padding = self.places.padding_idx
        first: int = getattr(self.places, "offset", 0) if padding is None else padding + 1
        return self.places.weight[first:]

    def forward(self, text: str, change: Change | None = None) -> Trace:
        """Reads the text with the tokens that the model itself adds, in one call; raises CaptureError.

        Word vectors narrower than the states (ELECTRA, ALBERT) are shown as the model widens them. The one change is
        `no_positions`, for models that have a table of them.
        """
        import torch

        from models import capture

        if self.trouble:
            raise CaptureError(self.trouble)
        tokens = self.pieces.tokenize(text)
        self.known(tokens)
        ids = torch.tensor([[token.id for token in tokens]])
        off = "no_positions" in changed(change, len(tokens), *(("no_positions",) if self.places is not None else ()))
        with torch.inference_mode(), capture.recording() as calls, placeless(off), placing() as places:
            output = self.output(ids)
            states, logits = self.read(output)
            if self.reported:
                attention, check = capture.reported(output.get("attentions"), len(states) - 1, len(tokens))
            else:
                attention, check = self.attention(capture.attention, calls, len(states) - 1)
            inputs = self.inputs(ids[0], states[0].shape[-1])
            said = self.said(logits, ids[0])
            vectors = vectors_of(inputs, places[0] if places else None, off, states)
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=check,
            states=vectors,
            attention=attention,
            **said,
        )

    def call(self, ids: "Tensor") -> tuple[list["Tensor"], "Tensor | None"]:
        """The model itself, from ids [1, tokens]: states around each layer [tokens, units], and any logits."""
        return self.read(self.output(ids))

    def output(self, ids: "Tensor") -> Any:
        """What transformers gives for ids [1, tokens]; raises CaptureError where it has to be asked in vain."""
        if not self.reported:
            return self.network(input_ids=ids, output_hidden_states=True)
        try:
            return self.network(input_ids=ids, output_hidden_states=True, output_attentions=True)
        except TypeError as error:
            raise CaptureError(f"it does not know output_attentions: {error}") from error

    def read(self, output: Any) -> tuple[list["Tensor"], "Tensor | None"]:
        """States around each layer [tokens, units], and any logits."""
        logits = output.logits[0] if "predictions" in self.model.fields else None
        states = [state[0] for state in output.hidden_states]
        if len({state.shape for state in states}) > 1:  # OPT-350m narrows its last one
            raise CaptureError("the states of its layers are not all of one size")
        if not states[-1].isfinite().all():
            raise CaptureError("its states are not all numbers")
        return states, logits

    def known(self, tokens: tuple[Token, ...]) -> None:
        """Raises PieceWithoutVector where the tokenizer has grown beyond the table of word vectors."""
        table: Tensor | None = getattr(self.network.get_input_embeddings(), "weight", None)
        if table is None:
            return
        for token in tokens:
            if token.id >= len(table):
                raise PieceWithoutVector(model=self.model.name, piece=token.text, rows=len(table))

    @property
    def target(self) -> "Tokenizer":
        """The tokenizer of what it writes."""
        return self.pieces.tokenizer

    def written(self, id_: int) -> str:
        """The piece with this number, as people read it."""
        return self.pieces.written(id_)

    def attention(
        self, made: Callable[[Any], tuple[Attention, Check]], calls: list[Any], layers: int
    ) -> tuple[Attention, Check]:
        """What was recorded, if each layer of the model has called for it with arrays of one shape."""
        if calls and len(calls) != layers:
            raise CaptureError(f"{len(calls)} of its {layers} layers show their attention")
        try:
            return made(calls)
        except (ShapeError, ValueError, IndexError) as error:
            raise CaptureError(f"its layers are not alike: {error}") from error

    def inputs(self, ids: "Tensor", units: int) -> "Tensor":
        """The word vectors [tokens, units]."""
        found: Tensor = self.network.get_input_embeddings()(ids) * getattr(self.network, "embed_scale", 1.0)
        if found.shape[-1] == units:
            return found
        part = self.widening
        if part is not None and (part.in_features, part.out_features) == (found.shape[-1], units):
            widened: Tensor = part(found)
            return widened
        raise CaptureError("its word vectors have another width than its states")

    def said(self, logits: "Tensor | None", ids: "Tensor") -> dict[str, Any]:
        """What the model expects after each token, if it says so."""
        if logits is None:
            return {}
        from models.prediction import predict

        return {"prediction": predict(logits, ids, self.written)}


def load(model: Model) -> Extra:
    """Reads the weights into memory; RuntimeError where the file does not have all of them."""
    from transformers.utils import logging

    tokenizer = read(model.folder)
    quiet: Any = logging
    quiet.disable_progress_bar()
    quiet.set_verbosity_error()
    network, told = from_file(model)
    writes = "cross_attention" in model.fields
    if network.main_input_name != "input_ids":
        raise RuntimeError(f"it does not read text but {network.main_input_name}")
    missing = [name for name in told["missing_keys"] if needed(network, name, writes)]
    if missing or told["mismatched_keys"]:
        raise RuntimeError(f"the file does not hold {sorted(missing)[:3] or 'numbers of the right shape'}")
    network.eval().requires_grad_(False)
    pieces = Pieces(tokenizer, model.longest)
    if network.config.is_encoder_decoder:
        return Extra(model, network.get_encoder(), pieces, network if writes else None)
    network.config.use_cache = False
    return Extra(model, network, pieces)


def from_file(model: Model) -> tuple[Any, dict[str, Any]]:
    """The network as transformers reads it, and what it says of numbers that are missing or do not fit."""
    import torch

    from models import capture

    asked: Callable[..., tuple[Any, dict[str, Any]]] = partial(
        class_of(model).from_pretrained, model.folder, dtype=torch.float32, local_files_only=True,
        trust_remote_code=False, use_safetensors=True, ignore_mismatched_sizes=True, output_loading_info=True,
    )  # fmt: skip
    if "scores" in model.fields:
        try:
            return asked(attn_implementation=capture.IMPLEMENTATION)
        except ValueError as error:  # an architecture of its own may refuse that
            if capture.IMPLEMENTATION not in str(error):
                raise
    return asked(attn_implementation="eager")


def class_of(model: Model) -> Any:
    """The class of transformers that reads a model's files."""
    import transformers

    (architecture, *_) = configuration(model.folder).get("architectures") or [""]
    if architecture.endswith("EncoderModel") and hasattr(transformers, architecture):
        return getattr(transformers, architecture)  # one side of a T5, which AutoModel would build with both
    if "cross_attention" in model.fields:
        return transformers.AutoModelForSeq2SeqLM
    return transformers.AutoModelForCausalLM if "predictions" in model.fields else transformers.AutoModel


def needed(network: "PreTrainedModel", name: str, writes: bool) -> bool:
    """Whether what is shown depends on this parameter's being in the file."""
    if "pooler" in name or (network.config.is_encoder_decoder and "decoder." in name and not writes):
        return False
    return not hasattr(network.get_submodule(name.rpartition(".")[0]), "create_weight")  # sinusoidal positions
