"""Any other Hugging Face model that SATZBLICK_EXTRA_MODELS lists, as alias=name-or-folder with commas between.

Safetensors only, never code from a model's folder. A name that is no folder is looked for among the models that
huggingface_hub keeps on this machine, and fetched when the list is read if it is not there. An encoder–decoder is read
by its encoder; with a head it also writes.
"""

import json
import os
import re
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import Any

from models import translating
from models.families.encoder import ATTENTION
from models.foreign import PLACED, load
from models.registry import Model, sizes
from models.tokenizer import WEIGHTS
from models.weights import configuration, files

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
TWO_WAYS = {"flaubert", "xlm", "xlnet"}  # their classes end alike, but they see the words after as well
# Their first positions are numbered from the id of the padding on, so that many of the table's rows are never used.
PADDED = {"camembert", "data2vec-text", "longformer", "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta", "xmod"}


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
    if kind in PLACED and (kind != "electra" or config.get("embedding_size", 128) == config.get("hidden_size", 256)):
        fields = ("positions", *fields)  # ELECTRA adds them to word vectors that may be narrower, and usually are
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
