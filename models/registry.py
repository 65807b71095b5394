"""The catalogue of models: every file in models/families/ adds what it lists as MODELS; loaded on first use."""

import importlib
import json
import logging
import pkgutil
import re
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from math import prod
from pathlib import Path
from typing import Any, Protocol

from models import families
from models.errors import ModelUnavailable, UnknownModel
from models.run import Change
from models.tokenizer import WEIGHTS
from models.trace import Trace
from models.weights import configuration, files, fingerprint

FOLDERS = re.compile(r"(?<![\w:/.])([A-Za-z]:)?[/\\][^\s'\"]*[/\\]")  # of an absolute path, in a message


class Loaded(Protocol):
    """A model in memory."""

    def forward(self, text: str) -> Trace:
        """Runs the model once over the text; raises InputError for a text that it cannot take."""


class Changeable(Loaded, Protocol):
    """A model that can be changed before it runs."""

    def forward(self, text: str, change: Change | None = None) -> Trace:
        """Runs the model once over the text with this change; raises ValueError for a kind that it does not have."""


@dataclass(frozen=True)
class Model:
    """A model that can be loaded: what a catalogue needs to know of it without reading its weights.

    `title` is a key of the message catalogues, or the title itself, and `title_values` what fills it; `fields` are the
    arrays that its traces carry; `longest` is the number of tokens it can take. A model that was not trained here names
    its `source` and its `place`, a folder; `fault` says why it cannot be loaded, where that is known beforehand.
    """

    name: str
    title: str
    family: str
    fields: tuple[str, ...]
    load: Callable[["Model"], Loaded] = field(repr=False)
    gate_names: tuple[str, ...] = ()
    longest: int = 256
    title_values: Mapping[str, int] = field(default_factory=dict, hash=False)
    source: str = ""
    place: Path | None = None
    fault: str = ""

    @property
    def folder(self) -> Path:
        """Where weights, configuration and card lie."""
        return self.place or WEIGHTS / self.name

    @property
    def weights(self) -> Path:
        """The file of the learned numbers."""
        return self.folder / "model.safetensors"

    @cached_property
    def base(self) -> Mapping[str, str]:
        """The model that this one goes on from: `model`, its `weights` then, the `tensor` that stays in its file."""
        described = not self.source and not self.fault and (self.folder / "config.json").exists()
        found: Mapping[str, str] = configuration(self.folder).get("base", {}) if described else {}
        return found

    @cached_property
    def borrowed(self) -> int:
        """How many numbers stay in the file of the model that this one goes on from: its word vectors."""
        if "tensor" not in self.base:
            return 0
        return sizes(WEIGHTS / self.base["model"] / self.weights.name)[self.base["tensor"]]

    @cached_property
    def parameters(self) -> int:
        """How many learned numbers the model has, borrowed ones included; read from the headers of its files."""
        found = [] if self.fault else files(self.folder)
        return sum(sum(sizes(file).values()) for file in found) + self.borrowed

    @cached_property
    def nbytes(self) -> int:
        """How large its files of numbers are."""
        return 0 if self.fault else sum(file.stat().st_size for file in files(self.folder))

    @cached_property
    def bits(self) -> list[int]:
        """How many bits its learned numbers have on disk; several where the files mix them."""
        types = {entry["dtype"] for file in files(self.folder) for entry in header(file).values()}
        return sorted({int(found[1]) for kind in types if (found := re.match(r"B?F(\d+)", kind))})  # F16, BF16, not I64

    @cached_property
    def hash(self) -> str:
        """Eight hexadecimal digits that name exactly these weights."""
        return "" if self.fault else fingerprint(self.folder)


def header(file: Path) -> dict[str, Any]:
    """Type, shape and place of each tensor of a safetensors file."""
    with file.open("rb") as content:
        (length,) = struct.unpack("<Q", content.read(8))
        found: dict[str, Any] = json.loads(content.read(length))
    found.pop("__metadata__", None)
    return found


def sizes(file: Path) -> dict[str, int]:
    """How many numbers each tensor of a safetensors file has."""
    return {name: prod(entry["shape"]) for name, entry in header(file).items()}


@cache
def catalogue() -> dict[str, Model]:
    """Every model whose weights are there by its name, in the order of the family files."""
    models: dict[str, Model] = {}
    for module in sorted(pkgutil.iter_modules(families.__path__), key=lambda module: module.name):
        for model in importlib.import_module(f"{families.__name__}.{module.name}").MODELS:
            if model.source or model.weights.exists():  # a family may come before its training is done
                models[model.name] = tried(model)
    return models


def tried(model: Model) -> Model:
    """The model as it is, or with its fault where the headers of its files cannot be read."""
    try:
        model.parameters, model.bits  # noqa: B018
    except Exception as error:  # whatever is in a damaged file: the others can be used
        return replace(model, fault=reason(error))
    return model


def snapshots(name: str) -> list[str]:
    """The models that are this one on the way of its training, in its order."""
    return [other for other in catalogue() if other.startswith(f"{name}@")]


def get(name: str) -> Model:
    """The model of this name; raises UnknownModel."""
    try:
        return catalogue()[name]
    except KeyError:
        raise UnknownModel(model=name, models=", ".join(catalogue())) from None


def reason(error: Exception) -> str:
    """What an error says, in one line; of a path on this machine no more than its last part."""
    told = getattr(error, "strerror", None) or str(error)
    return ": ".join([type(error).__name__, *FOLDERS.sub("", told).splitlines()[:1]])


_loaded: dict[str, Loaded] = {}
_status: dict[str, str] = {}
_locks: dict[str, threading.Lock] = {}
_lock = threading.Lock()


def load(name: str) -> Loaded:
    """The model in memory; the first caller reads it, others wait for that one."""
    model = get(name)
    if model.fault:
        raise ModelUnavailable(f"{name}: {model.fault}")
    with _lock:
        own = _locks.setdefault(name, threading.Lock())
    with own:
        if name not in _loaded:
            _status[name] = "loading"
            try:
                _loaded[name] = model.load(model)
            except Exception as error:
                _status[name] = f"failed: {reason(error)}"
                logging.getLogger(__name__).error("%s cannot be loaded: %s", name, error)
                raise ModelUnavailable(f"{name}: {error}") from error
            _status[name] = "loaded"
        return _loaded[name]


def loaded() -> int:
    """How many models are in memory."""
    return len(_loaded)


def trouble(name: str) -> str:
    """What is known to be wrong with a model: why it cannot be loaded, or what it cannot show; mostly nothing."""
    _, failed, why = _status.get(name, "").partition("failed: ")
    return get(name).fault or (why if failed else getattr(_loaded.get(name), "trouble", ""))


def status() -> dict[str, str]:
    """For each model "not loaded", "loading", "loaded" or "failed: …"; never waits."""
    return {
        name: f"failed: {model.fault}" if model.fault else _status.get(name, "not loaded")
        for name, model in catalogue().items()
    }
