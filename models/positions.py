"""Positions: a Transformer's whole table of position vectors, learned or made of sines and cosines."""

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from models import registry
from models.run import Run
from models.trace import Check, Positional, Trace

if TYPE_CHECKING:
    from torch import Tensor

IDENTITY = "Σ cos ωᵢ(p − q)"  # what products of sinusoidal vectors come down to
BASE = 10_000  # of the wavelengths, Vaswani et al. 2017, Attention Is All You Need, section 3.5
ALIKE = 1e-5  # a table so near to the sines and cosines is made of them


class Placed(registry.Loaded, Protocol):
    """A model with a table of vectors for the places."""

    @property
    def position_table(self) -> "Tensor":
        """The vectors for all its places, [places, units]."""


def trace(run: Run) -> Trace:
    """The text's trace and the model's whole table; a sinusoidal one is checked against the identity of its products.

    Learned vectors are shown as they stand in the model, nothing is computed of them.
    """
    loaded = cast(Placed, registry.load(run.model))
    whole = loaded.forward(run.text)
    table = loaded.position_table.detach().numpy()
    waves = sinusoidal(table)
    check = Check(identity_error(table), IDENTITY) if waves else Check(0.0, "transformers")
    return replace(whole, positional=Positional(position_table=table, sinusoidal=waves), check=check)


def frequencies(units: int) -> np.ndarray:
    """ωᵢ = 10000^(−2i / units) in radians per place, float64[units / 2]."""
    found: np.ndarray = float(BASE) ** (-2 * np.arange(units // 2) / units)
    return found


def sinusoidal(table: np.ndarray) -> bool:
    """Whether a table [places, units] holds sin ωᵢp, and behind all of these cos ωᵢp, as Marian has it."""
    places, units = table.shape
    if units % 2:
        return False
    angles = np.arange(places)[:, None] * frequencies(units)
    return bool(np.abs(table - np.concatenate([np.sin(angles), np.cos(angles)], axis=1)).max() <= ALIKE)


def products(table: np.ndarray) -> np.ndarray:
    """PE(p)·PE(q) of all pairs of a table [places, units], added up in float64: [places, places]."""
    exact = table.astype(np.float64)
    found: np.ndarray = exact @ exact.T
    return found


def identity_error(table: np.ndarray) -> float:
    """How far PE(p)·PE(q) lies from Σ cos ωᵢ(p − q) at most, over all pairs of places of a table [places, units]."""
    places, units = table.shape
    expected = np.cos(np.arange(places)[:, None] * frequencies(units)).sum(1)  # by distance
    away = np.abs(np.subtract.outer(np.arange(places), np.arange(places)))
    return float(np.abs(products(table) - expected[away]).max())
