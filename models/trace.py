"""What one run of a model on one text leaves behind: its tokens and typed parts, arrays whose shape is written beside.

`float32[layers, heads, tokens, tokens]` is documentation, is checked when a part is made, and names the axes in the
JSON. An axis has one size within a trace; `tokens` is the number of tokens.
"""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, dataclass_transform

import numpy as np

Class = TypeVar("Class")


class ShapeError(ValueError):
    """An array does not have the shape or type that its field states."""


def array(spec: str, *, optional: bool = False) -> Any:
    """A dataclass field that holds an array of this type and these axes, or None where it is optional."""
    parsed = re.fullmatch(r"(\w+)\[([\w, ]*)\]", spec)
    if parsed is None:
        raise ShapeError(f"not an array specification: {spec!r}")
    metadata = {"dtype": parsed[1], "axes": tuple(parsed[2].split(", "))}
    return dataclasses.field(metadata=metadata, default=None) if optional else dataclasses.field(metadata=metadata)


_FIELDS: dict[type, dict[str, tuple[str, tuple[str, ...]]]] = {}


def array_fields(part: type[Any]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Type and axes of each array field of a part; read once for each kind of part."""
    if part not in _FIELDS:
        arrays = [field for field in dataclasses.fields(part) if "axes" in field.metadata]
        _FIELDS[part] = {field.name: (field.metadata["dtype"], field.metadata["axes"]) for field in arrays}
    return _FIELDS[part]


def check(part: Any, sizes: dict[str, int]) -> None:
    """Compares each array with its field's specification; adds the axes it meets to `sizes`."""
    for name, (dtype, axes) in array_fields(type(part)).items():
        value = getattr(part, name)
        if value is None:
            continue
        if value.dtype != dtype or value.ndim != len(axes):
            raise ShapeError(f"{name} is {value.dtype}{list(value.shape)}, expected {dtype}{list(axes)}")
        for axis, size in zip(axes, value.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                raise ShapeError(f"{name}: {axis} is {size}, elsewhere {sizes[axis]}")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def part(cls: type[Class]) -> type[Class]:
    """A frozen dataclass whose array fields are checked against their specifications when it is made."""

    def __post_init__(self: object) -> None:
        check(self, {})

    cls.__post_init__ = __post_init__  # type: ignore[attr-defined]
    return dataclass(frozen=True, kw_only=True)(cls)


class Token(NamedTuple):
    """One position the model sees; `text[start:end]` of the typed text, an empty span for the model's own tokens."""

    text: str
    id: int
    start: int
    end: int
    special: bool


@part
class States:
    """The vectors of each token on their way through the layers."""

    inputs: np.ndarray = array("float32[tokens, units]")  # word vectors as looked up
    positions: np.ndarray | None = array("float32[tokens, units]", optional=True)  # what is added for the place
    embeddings: np.ndarray = array("float32[tokens, units]")  # what enters the first layer
    hidden: np.ndarray | None = array("float32[layers, tokens, units]", optional=True)  # after each layer, if any


@part
class Recurrence:
    """The gates of a recurrent model at each step; gates lie in [0, 1], candidate and new in [−1, 1]."""

    gate_names: tuple[str, ...]
    gates: np.ndarray = array("float32[layers, gates, tokens, units]")
    cell: np.ndarray | None = array("float32[layers, tokens, units]", optional=True)  # LSTM: the long memory c


@part
class Attention:
    """How the tokens of one run look at each other; each row of a head sums to 1."""

    queries: np.ndarray = array("float32[layers, heads, tokens, head_units]")
    keys: np.ndarray = array("float32[layers, heads, tokens, head_units]")  # grouped keys repeated for each head
    values: np.ndarray = array("float32[layers, heads, tokens, head_units]")
    scaling: np.ndarray = array("float32[layers]")  # what q·k is multiplied with, mostly 1/√d
    scores: np.ndarray = array("float32[layers, heads, tokens, tokens]")  # q·k·scaling + mask: what enters the softmax
    attention: np.ndarray = array("float32[layers, heads, tokens, tokens]")


@part
class Prediction:
    """What a language model expects at each token, knowing only the tokens before it."""

    loss: np.ndarray = array("float32[tokens]")  # −log p(token | before) in nats; NaN at the first
    ids: np.ndarray = array("int64[tokens, ranks]")  # the likeliest next tokens after this one
    probabilities: np.ndarray = array("float32[tokens, ranks]")
    words: tuple[tuple[str, ...], ...]  # [tokens][ranks], as they would be written


@part
class Classification:
    """How likely a classifier finds each class of text, and after each token where it reads from left to right."""

    class_names: tuple[str, ...]
    class_probabilities: np.ndarray = array("float32[classes]")
    class_progress: np.ndarray | None = array("float32[tokens, classes]", optional=True)


class LabelledWord(NamedTuple):
    """A word and its label; `text[start:end]` of the typed text, decided at the token with this number."""

    start: int
    end: int
    token: int
    label: str


class Entity(NamedTuple):
    """A name that a model found: `text[start:end]` of the typed text, and its class."""

    start: int
    end: int
    name: str


@part
class Labelling:
    """How likely a model finds each label at each token; a word's label is decided at one of its tokens."""

    label_names: tuple[str, ...]
    label_probabilities: np.ndarray = array("float32[tokens, labels]")
    words: tuple[LabelledWord, ...]
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """How far a recomputed quantity lies from what the named library computed in the same run."""

    max_abs_error: float
    against: str


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One run: which model read which text, what it saw as tokens, and the parts that its experiment recorded."""

    model: str
    text: str
    tokens: tuple[Token, ...]
    check: Check
    states: States | None = None
    recurrence: Recurrence | None = None
    attention: Attention | None = None
    prediction: Prediction | None = None
    classification: Classification | None = None
    labelling: Labelling | None = None

    def __post_init__(self) -> None:
        sizes = {"tokens": len(self.tokens)}
        for part_ in self.parts().values():
            check(part_, sizes)

    def parts(self) -> dict[str, Any]:
        """The parts that this run recorded, by name."""
        found = {name: getattr(self, name) for name in PARTS}
        return {name: value for name, value in found.items() if value is not None}

    def arrays(self) -> Iterator[tuple[str, tuple[str, ...], np.ndarray]]:
        """Name, axes and values of every recorded array."""
        for part_ in self.parts().values():
            for name, (_, axes) in array_fields(type(part_)).items():
                if (value := getattr(part_, name)) is not None:
                    yield name, axes, value

    @property
    def nbytes(self) -> int:
        """Size of all arrays in bytes."""
        return sum(value.nbytes for _, _, value in self.arrays())


PARTS: dict[str, type] = {
    "states": States,
    "recurrence": Recurrence,
    "attention": Attention,
    "prediction": Prediction,
    "classification": Classification,
    "labelling": Labelling,
}
