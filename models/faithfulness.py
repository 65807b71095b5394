"""How well the ways to say which words counted agree: attention of the answering token against attributions."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from models import registry
from models.trace import Trace

ATTRIBUTIONS = ("gradient_input", "integrated_gradients", "erasure")


def rollout(layers: Sequence[np.ndarray]) -> np.ndarray:
    """Where what stands at each token after these layers came from: [tokens, tokens], rows sum to 1.

    `layers` are the means over the heads, first layer first. Ã = ½(A + I) counts the way past attention as half; the
    rollout is Ã(last) ⋯ Ã(first) (Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers, equation 1).
    """
    found = np.eye(len(layers[0]), dtype=np.float32)
    for attention in layers:
        mixed = (attention + np.eye(len(attention), dtype=np.float32)) / 2
        found = mixed / mixed.sum(axis=1, keepdims=True) @ found
    return found


def methods(heads: int) -> tuple[str, ...]:
    """The names of the ways, for a model of so many heads."""
    return (*(f"head_{number}" for number in range(1, heads + 1)), "mean", "rollout", *ATTRIBUTIONS)


def weights(trace: Trace) -> np.ndarray:
    """What each method gives each token asked about, [methods, counted]; attention is that of the answering token.

    The heads and their mean are those of the last layer; attributions are parts of a probability and have a sign.
    """
    assert trace.attention is not None and trace.attribution is not None and trace.slope is not None
    place, attention = trace.attribution.place, trace.attention.attention
    last = attention[len(attention) - 1]
    rolled = rollout([attention[layer].mean(axis=0) for layer in range(len(attention))])
    rows = [*last[:, place], last[:, place].mean(axis=0), rolled[place]]
    share = trace.attribution.outcomes[trace.attribution.chosen]
    rows += [share * (1 - share) * trace.slope.gradient_input]  # ∇p·x
    rows += [trace.attribution.integrated_gradients, trace.attribution.erasure]
    return np.stack(rows)[:, list(trace.attribution.counted)]


def kendall(values: np.ndarray) -> np.ndarray:
    """τ-b of each pair of rows of [rules, items]: 1 the same order, −1 the reverse; NaN where a row is constant."""
    signs = np.sign(values[:, :, None].astype(np.float64) - values[:, None, :]).reshape(len(values), -1)
    sizes = np.sqrt((signs**2).sum(1))
    with np.errstate(invalid="ignore"):
        found: np.ndarray = signs @ signs.T / np.outer(sizes, sizes)
    return found


def agreement(trace: Trace) -> np.ndarray:
    """τ-b of each pair of methods over the words, [methods, methods], by how strongly a word counts, not its sign."""
    return kendall(np.abs(weights(trace)))


@cache
def yardstick(model: str) -> dict[str, Any] | None:
    """The τ of many other sentences, as models.training.faithfulness wrote it for exactly these weights."""
    own = registry.get(model)
    file = own.folder / "faithfulness.json"
    if not file.exists():
        return None
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found if found["weights"] == own.hash else None
