"""Arrays whose type and axes are written beside them, checked when a part of a trace is made.

`float32[layers, heads, tokens, tokens]` is the whole specification; an axis has one size within a part.
"""

import dataclasses
import re
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

Class = TypeVar("Class")


class ShapeError(ValueError):
    """An array does not have the shape or type that its field states."""


class Made(NDArrayOperatorsMixin):
    """An array that is made when it is looked at; only shape and type are known before.

    Arithmetic, methods and attributes are those of the whole array, which is made for them; it cannot be written to.
    Packed by pickle or copied, it is a plain array. `nbytes` is the size of what it holds until it is made.
    """

    def __init__(self, shape: tuple[int, ...], nbytes: int, dtype: Any):
        self.shape, self.nbytes = shape, nbytes
        self.ndim, self.dtype = len(shape), np.dtype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what protocols look for in vain is no reason to make the array
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(np.asarray(self), name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dtype}{list(self.shape)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return np.array, (np.asarray(self),)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if any(isinstance(value, Made) for value in options.get("out", ())):
            raise TypeError("an array of a trace cannot be written to; np.array(…) of it can")
        joined = (np.asarray(value) if isinstance(value, Made) else value for value in inputs)
        return getattr(ufunc, method)(*joined, **options)


class Layers(Made):
    """An array whose first axis, mostly the layers, is not joined: each layer is made by itself.

    A picture shows one layer, and to join all of them, or to compute what nobody sees, can cost as much as the model.
    `layers[2, 0]` touches one layer, `np.asarray(layers)` joins them all.
    """

    def __init__(self, make: Callable[[int], np.ndarray], shape: tuple[int, ...], nbytes: int = 0):
        super().__init__(shape, nbytes, np.float32)
        self.make = make

    @classmethod
    def of(cls, layers: Sequence[np.ndarray]) -> "Layers":
        """Layers that are there already."""
        return cls(layers.__getitem__, (len(layers), *layers[0].shape), sum(layer.nbytes for layer in layers))

    def __getitem__(self, index: Any) -> Any:
        layer, *rest = index if isinstance(index, tuple) and index else (index,)
        if isinstance(layer, bool) or not isinstance(layer, int | np.integer):
            return np.asarray(self)[index]
        if not -len(self) <= layer < len(self):
            raise IndexError(f"layer {layer} of {len(self)}")
        return self.make(int(layer) % len(self))[None][0, *rest]  # as the first of one: lists behind it count as usual

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.stack([self.make(layer) for layer in range(len(self))]).astype(dtype or self.dtype, copy=False)


class Late(Made):
    """An array that is made as a whole; `make` is called each time, so it keeps what it has made."""

    def __init__(
        self, make: Callable[[], np.ndarray], shape: tuple[int, ...], nbytes: int = 0, dtype: Any = np.float32
    ):
        super().__init__(shape, nbytes, dtype)
        self.make = make

    def __getitem__(self, index: Any) -> Any:
        return self.make()[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.make().astype(dtype or self.dtype, copy=bool(copy))


Array = np.ndarray | Layers | Late


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
            raise ShapeError(f"{name} is {shown(value)}, expected {dtype}[{', '.join(axes)}]")
        for axis, size in zip(axes, value.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                raise ShapeError(f"{name}: {axis} is {size}, elsewhere {sizes[axis]}")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def part(cls: type[Class]) -> type[Class]:
    """A frozen dataclass whose array fields are checked against their specifications when it is made.

    In a notebook it shows type and shape of its arrays, not their numbers, and nothing of what it does not have.
    """

    def __post_init__(self: object) -> None:
        check(self, {})

    def __repr__(self: object) -> str:
        told = [f"{name}={shown(value)}" for name, value in vars(self).items() if value is not None]
        return f"{cls.__name__}({', '.join(told)})"

    cls.__post_init__ = __post_init__  # type: ignore[attr-defined]
    cls.__repr__ = __repr__  # type: ignore[method-assign]
    return dataclass(frozen=True, kw_only=True, repr=False)(cls)


def shown(value: Any) -> str:
    """Type and shape of an array, the beginning of anything else."""
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, Array) else reprlib.repr(value)
