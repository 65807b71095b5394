"""Any other Hugging Face model that SATZBLICK_EXTRA_MODELS lists, as alias=name-or-folder with commas between.

Safetensors only, never code from a model's folder. A name that is no folder is looked for among the models that
huggingface_hub keeps on this machine, and fetched when the list is read if it is not there. An encoder–decoder is read
by its encoder; with a head it also writes.
"""

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from models import translating
from models.errors import CaptureError, EmptyText, TooManyTokens
from models.families.encoder import ATTENTION, placeless, silenced
from models.registry import Model, sizes
from models.run import Change, changed
from models.shapes import Layers, ShapeError
from models.tokenizer import WEIGHTS
from models.trace import Attention, Check, States, Token, Trace
from models.weights import configuration, files

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer
    from torch import Tensor
    from torch.nn import Embedding
    from transformers import PreTrainedModel

VARIABLE = "SATZBLICK_EXTRA_MODELS"
PATIENCE = 4  # seconds until the hub has to have answered
LONGEST = 512  # tokens, where the model itself has no lower limit
KEPT = ("*.safetensors", "*.json", "*.txt", "*.model", "*.spm")  # what is fetched of a model; no code, no pickles
FIELDS = ("inputs", "embeddings", "hidden", *ATTENTION)
REPORTED = ("inputs", "embeddings", "hidden", "attention")  # of a model whose scores are out of reach
HEADS = ("ForCausalLM", "LMHeadModel")  # how the classes end that say what comes next
WRITERS = ("ForConditionalGeneration", "MTModel")  # … and those of encoder–decoders that write
CAUSAL = {
    "bloom", "codegen", "falcon", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neo", "gpt_neox", "gptj", "llama",
    "mistral", "olmo", "olmo2", "opt", "phi", "phi3", "qwen2", "qwen3", "smollm3", "stablelm", "starcoder2",
}  # fmt: skip  # read from left to right, also where their head is missing
# These add a vector for each place to the word vectors, from a table; that is the module's name.
PLACED = dict.fromkeys(["bert", "camembert", "distilbert", "electra", "ernie", "roberta", "xlm-roberta"],
                       "position_embeddings") \
    | dict.fromkeys(["bart", "marian", "mbart", "opt"], "embed_positions") | {"gpt2": "wpe"}  # fmt: skip
TWO_WAYS = {"flaubert", "xlm", "xlnet"}  # their classes end alike, but they see the words after as well
# Their first positions are numbered from the id of the padding on, so that many of the table's rows are never used.
PADDED = {"camembert", "data2vec-text", "longformer", "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta", "xmod"}
UNKNOWN = {"<unk>", "[UNK]"}
SPACES = ("Ġ", "▁", " ")  # how a piece says that a space stands before it
BLANK = "␣"
PROBE = "Der Hund."


class Extra:
    """A model from elsewhere in memory, with its own tokenizer; `trouble` says why its attention cannot be shown.

    `whole` is the network with both sides where it writes, `network` what reads.
    """

    def __init__(self, model: Model, network: "PreTrainedModel", pieces: "Tokenizer", whole: Any = None):
        from models import capture

        self.model, self.network, self.pieces, self.whole = model, network, pieces, whole
        self.reported = "scores" not in model.fields
        self.whole_words = type(pieces.model).__name__ != "WordPiece"  # pieces say where a word begins, not goes on
        self.written = cache(self._written)
        self.places = self._places() if "positions" in model.fields else None
        if not self.reported:
            capture.attach(network)
        self.trouble = self._tried()

    def _tried(self) -> str:
        """What is wrong with the recorded attention of a short text, or nothing."""
        from models import capture

        try:
            check = self.forward(PROBE, tried=True).check
        except EmptyText:  # a vocabulary that knows none of it
            return ""
        except CaptureError as error:
            return str(error)
        wrong = check.max_abs_error
        if self.reported:
            return "" if wrong <= capture.TOLERANCE else f"the rows of its attention do not sum to 1: {wrong:.1e} off"
        return (
            "" if wrong <= capture.TOLERANCE else f"its attention is not the softmax of its scores: {wrong:.1e} apart"
        )

    def _places(self) -> "Embedding":
        """The module with the vectors for the places, which from now on can be switched off."""
        name = PLACED[self.network.config.model_type]
        found: Embedding = next(part for path, part in self.network.named_modules() if path.endswith(name))
        found.register_forward_hook(silenced)
        return found

    @property
    def position_table(self) -> "Tensor":
        """The vectors for the places that it can use, [places, units]; some count from two, or from the padding on."""
        assert self.places is not None
        padding = self.places.padding_idx
        first: int = getattr(self.places, "offset", 0) if padding is None else padding + 1
        return self.places.weight[first:]

    def forward(self, text: str, change: Change | None = None, tried: bool = False) -> Trace:
        """Reads the text with the tokens that the model itself adds, in one call; raises CaptureError.

        Word vectors narrower than the states (ELECTRA, ALBERT) are shown as the model widens them. The one change is
        `no_positions`, for models that have a table of them.
        """
        import torch

        from models import capture

        if not tried and self.trouble:
            raise CaptureError(self.trouble)
        tokens = self.tokenize(text)
        ids = torch.tensor([[token.id for token in tokens]])
        off = "no_positions" in changed(change, *(("no_positions",) if self.places is not None else ()))
        with torch.inference_mode(), capture.recording() as calls, placeless(off):
            output = self.output(ids)
            states, logits = self.read(output)
            if self.reported:
                attention, check = capture.reported(output.get("attentions"), len(states) - 1, len(tokens))
            else:
                attention, check = self.attention(capture.attention, calls, len(states) - 1)
            inputs = self.inputs(ids[0], states[0].shape[-1])
            said = self.said(logits, ids[0])
            places = self.position_table[: len(tokens)].numpy() * (not off) if self.places is not None else None
        embeddings, *layers = (state.numpy() for state in states)
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=check,
            states=States(inputs=inputs.numpy(), positions=places, embeddings=embeddings, hidden=Layers.of(layers)),
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
        return [state[0] for state in output.hidden_states], logits

    @property
    def target(self) -> "Tokenizer":
        """The tokenizer of what it writes."""
        return self.pieces

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
        from torch import nn

        found: Tensor = self.network.get_input_embeddings()(ids) * getattr(self.network, "embed_scale", 1.0)
        if found.shape[-1] == units:
            return found
        for part in self.network.modules():
            if isinstance(part, nn.Linear) and (part.in_features, part.out_features) == (found.shape[-1], units):
                widened: Tensor = part(found)
                return widened
        raise CaptureError("its word vectors have another width than its states")

    def said(self, logits: "Tensor | None", ids: "Tensor") -> dict[str, Any]:
        """What the model expects after each token, if it says so."""
        if logits is None:
            return {}
        from models.prediction import predict

        return {"prediction": predict(logits, ids, self.written)}

    def tokenize(self, text: str) -> tuple[Token, ...]:
        """The pieces with their places in the text; raises EmptyText, TooManyTokens."""
        encoding = self.pieces.encode(text)
        typed = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
        if not typed or not text.strip():
            raise EmptyText()
        own = len(encoding.ids) - len(typed)
        if len(encoding.ids) > self.model.longest:
            kept = encoding.offsets[typed[self.model.longest - own - 1]][1]
            raise TooManyTokens(count=len(encoding.ids), limit=self.model.longest, characters=kept)
        return tuple(self.token(text, encoding, place, typed[0]) for place in range(len(encoding.ids)))

    def token(self, text: str, encoding: "Encoding", place: int, first: int) -> Token:
        """One piece as people read it: as typed, with ## where it goes on with a word."""
        piece, id_, (start, end) = encoding.tokens[place], encoding.ids[place], encoding.offsets[place]
        if encoding.special_tokens_mask[place]:
            at = 0 if place < first else len(text)
            return Token(piece, id_, at, at, special=True)
        while start < end and text[start].isspace() and text[start:end].strip():
            start += 1  # the space before a word belongs to its piece
        if piece in UNKNOWN:
            piece = "[UNK]"
        elif self.whole_words:
            shown = text[start:end]
            same = place > first and encoding.word_ids[place] == encoding.word_ids[place - 1]
            goes_on = same and shown[:1].isalnum() and not text[start - 1].isspace()
            piece = f"##{shown}" if goes_on else shown if shown.strip() else BLANK
        return Token(piece, id_, start, end, special=False)

    def _written(self, id_: int) -> str:
        """The piece with this number, as people read it."""
        piece = self.pieces.id_to_token(id_) or ""
        if not self.whole_words:
            return piece
        text: str = self.pieces.decode([id_], skip_special_tokens=False)
        if piece.startswith(SPACES):
            return text.strip() or BLANK
        return f"##{text}" if text[:1].isalnum() else text or piece


def load(model: Model) -> Extra:
    """Reads the weights into memory; RuntimeError where the file does not have all of them."""
    import torch
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM
    from transformers.utils import logging

    from models import capture

    pieces = tokenizer(model.folder)
    quiet: Any = logging
    quiet.disable_progress_bar()
    quiet.set_verbosity_error()
    kind: Any = AutoModelForCausalLM if "predictions" in model.fields else AutoModel
    if writes := "cross_attention" in model.fields:
        kind = AutoModelForSeq2SeqLM
    given = {"dtype": torch.float32, "local_files_only": True, "trust_remote_code": False, "use_safetensors": True}
    # Architectures of their own refuse the first.
    for implementation in (capture.IMPLEMENTATION, "eager")["scores" not in model.fields :]:
        try:
            network, told = kind.from_pretrained(
                model.folder, attn_implementation=implementation, output_loading_info=True, **given
            )
            break
        except ValueError as error:
            if implementation not in str(error):
                raise
    missing = [name for name in told["missing_keys"] if needed(network, name, writes)]
    if missing or told["mismatched_keys"]:
        raise RuntimeError(f"the file does not hold {sorted(missing)[:3] or 'numbers of the right shape'}")
    network.eval().requires_grad_(False)
    if network.config.is_encoder_decoder:
        return Extra(model, network.get_encoder(), pieces, network if writes else None)
    network.config.use_cache = False
    return Extra(model, network, pieces)


def needed(network: "PreTrainedModel", name: str, writes: bool) -> bool:
    """Whether what is shown depends on this parameter's being in the file."""
    if "pooler" in name or (network.config.is_encoder_decoder and "decoder." in name and not writes):
        return False
    return not hasattr(network.get_submodule(name.rpartition(".")[0]), "create_weight")  # sinusoidal positions


def tokenizer(folder: Path) -> "Tokenizer":
    """The model's tokenizer, which cuts nothing off and fills nothing up."""
    from tokenizers import Tokenizer

    if (folder / "tokenizer.json").exists():
        found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        from transformers import AutoTokenizer

        made = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if not made.is_fast:
            raise RuntimeError("its tokenizer does not say where a piece stands in the text")
        found = made.backend_tokenizer
    found.no_truncation()
    found.no_padding()
    return found


def listed(stated: str) -> list[Model]:
    """The models of the list; one that cannot be read carries its fault, so that the others can be used."""
    found: list[Model] = []
    taken = {folder.name for folder in WEIGHTS.iterdir()}
    for entry in filter(None, map(str.strip, stated.split(","))):
        alias, _, source = entry.rpartition("=")
        source = source.strip().rstrip("/")
        name = re.sub(r"[^\w.@-]+", "-", alias.strip() or source.rpartition("/")[2]) or "extra"
        while name in taken:
            name += "-2"
        taken.add(name)
        found.append(described(name, source))
    return found


def described(name: str, source: str) -> Model:
    """A model as its configuration tells, before its weights are read."""
    place, fault = Path(source).expanduser(), ""
    shown = place.name if place.is_absolute() or source.startswith((".", "~")) else source
    family, fields, most = "encoder", tuple[str, ...](), LONGEST
    try:
        place = found_at(source)
        config = configuration(place)
        for file in files(place):
            sizes(file)
        (family, fields), most = kind_of(config), longest(place, config)
    except Exception as error:  # whatever is in a folder from elsewhere: the server goes on without it
        told = getattr(error, "strerror", None) or str(error)  # of an OSError without the path
        fault = f"{type(error).__name__}: {told.splitlines()[0] if told else name}"
    return Model(
        name=name, title=name, family=family, fields=fields, load=load, longest=most, source=shown, place=place,
        fault=fault,
    )  # fmt: skip


def kind_of(config: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The family of a model and the arrays of its traces, as its configuration tells."""
    (architecture, *_) = config.get("architectures") or [""]
    kind, two_sided = config.get("model_type") or "", bool(config.get("is_encoder_decoder"))
    says = architecture.endswith(HEADS) and not two_sided and kind not in TWO_WAYS
    causal = says or bool(config.get("is_decoder")) or kind in CAUSAL
    fields: tuple[str, ...] = FIELDS if registered(kind) else REPORTED
    if kind in PLACED and config.get("embedding_size") in (None, config.get("hidden_size")):
        fields = ("positions", *fields)
    if says:
        fields += ("loss", "predictions")
    if two_sided and architecture.endswith(WRITERS) and "scores" in fields:
        fields += translating.FIELDS
    return "encoder_decoder" if two_sided else "decoder" if causal else "encoder", fields


def registered(kind: str) -> bool:
    """Whether the code of an architecture has its attention computed by what is registered with transformers.

    Its file is searched, not imported; an architecture without a folder of its name is taken for one that does.
    """
    spec = find_spec("transformers")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "models" / kind.replace("-", "_")
    code = [file.read_text(encoding="utf-8") for file in folder.glob("modeling_*.py")] if kind else []
    return not code or any("ALL_ATTENTION_FUNCTIONS" in text for text in code)


def found_at(source: str) -> Path:
    """The folder of a model: the one named, or where huggingface_hub keeps it, having fetched it if need be."""
    place = Path(source).expanduser()
    if place.is_dir():
        if not any(place.glob("*.safetensors")):
            raise FileNotFoundError("no safetensors in its folder")
        return place
    if place.is_absolute() or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", source) or source.startswith("."):
        raise FileNotFoundError("no such folder")
    from huggingface_hub import snapshot_download

    with suppress(Exception):  # not on this machine
        place = Path(snapshot_download(source, local_files_only=True))
        if any(place.glob("*.safetensors")):
            return place
    if not reachable():
        raise ConnectionError(f"not on this machine, and the hub did not answer within {PATIENCE} seconds")
    return Path(snapshot_download(source, allow_patterns=list(KEPT)))


@cache
def reachable() -> bool:
    """Whether the hub answers in time; asked once, so that many names hold the start up no longer than one."""
    from huggingface_hub import constants, get_session

    answered = Event()

    def ask() -> None:
        with suppress(Exception):
            get_session().head(constants.ENDPOINT, timeout=PATIENCE)
            answered.set()

    asking = Thread(target=ask, daemon=True)  # a name server may take its own time, whatever is asked for
    asking.start()
    asking.join(PATIENCE)
    return answered.is_set()


def longest(folder: Path, config: dict[str, Any]) -> int:
    """How many tokens the model takes, at most LONGEST."""
    limits = [config.get(name) for name in ("max_position_embeddings", "n_positions", "n_ctx")]
    if config.get("model_type") in PADDED:
        padding = config.get("pad_token_id")
        limits = [limit - (1 if padding is None else padding) - 1 for limit in limits if limit]
    with suppress(OSError, ValueError):
        told = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        limits.append(told.get("model_max_length"))
    return int(min([LONGEST, *(limit for limit in limits if isinstance(limit, int | float) and limit > 0)]))


MODELS = listed(os.environ.get(VARIABLE, ""))
