"""Any other Hugging Face model that SATZBLICK_EXTRA_MODELS lists, as alias=name-or-folder with commas between.

Safetensors only, never code from a model's folder. A name that is no folder is looked for among the models that
huggingface_hub keeps on this machine, and fetched when the list is read if it is not there. An encoder–decoder is read
by its encoder; with a head it also writes.
"""

import json
import os
import re
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from os.path import isdir
from pathlib import Path
from threading import Event, Thread
from typing import Any

from models import translating
from models.families.encoder import ATTENTION
from models.foreign import PLACED, load
from models.registry import Model, reason
from models.tokenizer import WEIGHTS
from models.weights import configuration

VARIABLE = "SATZBLICK_EXTRA_MODELS"
PATIENCE = 4  # seconds until the hub has to have answered
LONGEST = 512  # tokens, where the model itself has no lower limit
KEPT = ("*.safetensors", "*.json", "*.txt", "*.model", "*.spm")  # what is fetched of a model; no code, no pickles
TOKENIZERS = ("tokenizer*.json", "vocab.*", "*.model", "*.spm")  # files that one is read from
FIELDS = ("inputs", "embeddings", "hidden", *ATTENTION)
REPORTED = ("inputs", "embeddings", "hidden", "attention")  # of a model whose scores are out of reach
HEADS = ("ForCausalLM", "LMHeadModel")  # how the classes end that say what comes next
WRITERS = ("ForConditionalGeneration", "MTModel")  # … and those of encoder–decoders that write
TWO_WAYS = {"flaubert", "xlm", "xlnet"}  # their classes end alike, but they see the words after as well
# Their first positions are numbered from the id of the padding on, so that many of the table's rows are never used.
PADDED = {"camembert", "data2vec-text", "longformer", "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta", "xmod"}


def listed(stated: str) -> list[Model]:
    """The models of the list; one that cannot be read carries its fault, so that the others can be used."""
    found: list[Model] = []
    taken = {folder.name for folder in WEIGHTS.glob("*")}
    for entry in filter(None, map(str.strip, stated.split(","))):
        alias, told, source = entry.partition("=")
        if not told or alias.startswith(("/", ".", "~")) or isdir(entry):  # a folder's name may have an = as well
            alias, source = "", entry
        source = source.strip().rstrip("/")
        name = re.sub(r"[^\w.@-]+", "-", alias.strip() or source.rpartition("/")[2]).strip(".") or "extra"
        while name in taken:
            name += "-2"
        taken.add(name)
        found.append(described(name, source))
    return found


def described(name: str, source: str) -> Model:
    """A model as its configuration tells, before its weights are read."""
    place = Path(source)
    shown = place.name if place.is_absolute() or source.startswith((".", "~")) else source
    shown = shown.encode(errors="replace").decode()  # of a name that is not UTF-8
    model = Model(name=name, title=name, family="encoder", fields=(), load=load, longest=LONGEST, source=shown)
    try:
        place = found_at(source)
        config = configuration(place)
        if not any(file for pattern in TOKENIZERS for file in place.glob(pattern)):
            raise FileNotFoundError("no tokenizer in its folder")
        family, fields = kind_of(config)
        found = replace(model, family=family, fields=fields, longest=longest(place, config), place=place)
        if not (found.parameters and found.nbytes and found.hash):  # asked for now: the folder may be gone later
            raise ValueError("no numbers in its file")
    except Exception as error:  # whatever is in a folder from elsewhere: the server goes on without it
        return replace(model, place=place, fault=reason(error))
    return found


def kind_of(config: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The family of a model and the arrays of its traces, as its configuration tells."""
    (architecture, *_) = config.get("architectures") or [""]
    kind, two_sided = config.get("model_type") or "", bool(config.get("is_encoder_decoder"))
    causal = not two_sided and (bool(config.get("is_decoder")) or ahead(kind))
    causal = causal and not config.get("use_bidirectional_attention")
    says = causal and architecture.endswith(HEADS)
    fields: tuple[str, ...] = FIELDS if registered(kind) else REPORTED
    if kind in PLACED and (kind != "electra" or config.get("embedding_size", 128) == config.get("hidden_size", 256)):
        fields = ("positions", *fields)  # ELECTRA adds them to word vectors that may be narrower, and usually are
    if says:
        fields += ("loss", "predictions")
    if two_sided and architecture.endswith(WRITERS) and "scores" in fields:
        fields += translating.FIELDS
    return "encoder_decoder" if two_sided else "decoder" if causal else "encoder", fields


def registered(kind: str) -> bool:
    """Whether the code of an architecture has its attention computed by what is registered with transformers; one
    without code is taken for one that does."""
    return not code(kind) or "ALL_ATTENTION_FUNCTIONS" in code(kind)


def ahead(kind: str) -> bool:
    """Whether models of an architecture read from left to right, whatever head they have: it can say what comes next,
    and its code does not ask for `is_decoder` before it does."""
    asks = re.search(r"not (self\.)?config\.is_decoder", code(kind))
    return bool(re.search(rf"class \w+({'|'.join(HEADS)})\b", code(kind))) and not asks and kind not in TWO_WAYS


@cache
def code(kind: str) -> str:
    """The code of an architecture in transformers, which is searched, not imported; empty where there is none."""
    spec = find_spec("transformers")
    assert spec is not None and spec.origin is not None
    parts, models = kind.replace("-", "_").split("_"), Path(spec.origin).parent / "models"
    names = filter(None, ("_".join(parts[:count]) for count in range(len(parts), 0, -1)))  # gemma3_text is in gemma3
    folder = next((models / name for name in names if (models / name).is_dir()), models)
    return "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("modeling_*.py"))


def found_at(source: str) -> Path:
    """The folder of a model: the one named, or where huggingface_hub keeps it, having fetched it if need be."""
    place = Path(source).expanduser()
    if place.is_dir():
        if not any(file.suffix == ".safetensors" for file in place.iterdir()):  # glob hides a folder that is closed
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
