"""Attributions: what each token of a text is worth to a network's answer, by three methods, and each attention head.

All of them are about p, the probability of the outcome that the model chooses: a class, or what models.targets says.
Gradient × input is ∇f·x of the word vector x with the log-odds f = ln(p/(1 − p)), which do not flatten where p is near
1; ∇p·x is p(1 − p) times that. Integrated gradients (Sundararajan, Taly & Yan 2017) averages ∇p over the way from word
vectors of zero to those of the text; captum computes it. Erasure is p less what is left of it with that vector zero.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import numpy as np

from models import capture, registry
from models.families.encoder import altered
from models.run import Change, Run
from models.targets import Target, target
from models.trace import Attribution, Slope, Trace, typed_places

if TYPE_CHECKING:
    from torch import Tensor

    from models.families.encoder import Transformer

STEPS = (50, 100, 200, 400)  # of integrated gradients, Gauss–Legendre: as many as it takes
ENOUGH = 2e-4  # of the change of p may be missing from their sum
BATCH_TOKENS = 1024  # read at once


class Classifier(registry.Loaded, Protocol):
    """A network in memory that classifies word vectors."""

    def scored(self, vectors: "Tensor") -> "Tensor":
        """Logits [texts, classes] from word vectors [texts, tokens, units]."""


def slope_trace(run: Run) -> Trace:
    """A sentence classifier's trace with gradient × input of its likeliest class."""
    import torch

    loaded = cast(Classifier, registry.load(run.model))
    whole = loaded.forward(run.text)
    assert whole.classification is not None and whole.states is not None
    places = typed_places(whole.tokens)
    chosen = int(whole.classification.class_probabilities.argmax())
    vectors = torch.from_numpy(whole.states.inputs)[None].clone()
    return replace(whole, slope=slope(loaded.scored, chosen, vectors, places))


def slope(scored: "Callable[[Tensor], Tensor]", chosen: int, vectors: "Tensor", places: list[int]) -> Slope:
    """Gradient × input at these places, from word vectors [1, tokens, units] and what makes logits of them."""
    import torch

    with torch.enable_grad():
        x = vectors.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(log_odds(scored(x), chosen).sum(), x)
    return Slope(sloped=chosen, gradient_input=over(places, (gradient * vectors)[0].sum(-1)))


def log_odds(logits: "Tensor", chosen: int) -> "Tensor":
    """ln(p/(1 − p)) of the softmax at `chosen`, [texts], from logits [texts, outcomes]."""
    others = logits.clone()
    others[:, chosen] = -float("inf")
    return logits[:, chosen] - others.logsumexp(-1)


def trace(run: Run) -> Trace:
    """The text's trace with its attributions; `run.at` is the word that is asked for, where words are."""
    import torch

    asked = target(run)
    vectors, places = asked.vectors, asked.counted

    def likely(x: "Tensor") -> "Tensor":
        return asked.probabilities(x)[:, asked.chosen]

    erased = vectors.repeat(len(places), 1, 1)
    erased[torch.arange(len(places)), places] = 0
    with torch.inference_mode():
        outcomes = asked.probabilities(vectors)[0]
        without = torch.cat([likely(part) for part in torch.split(erased, batch(vectors))])
    integral = integrated(likely, vectors, places)
    attribution = Attribution(
        place=asked.place,
        counted=tuple(places),
        chosen=asked.chosen,
        outcomes=outcomes.numpy(),
        admissible=asked.admissible,
        integrated_gradients=over(places, integral.values),
        erasure=np.full(len(asked.trace.tokens), np.nan, np.float32),
        baseline=integral.baseline,
        incomplete=integral.incomplete,
        head_off=heads_off(run, asked),
        even=evenly(asked),
    )
    attribution.erasure[places] = (outcomes[asked.chosen] - without).numpy()
    sloped = slope(asked.scored, asked.chosen, vectors, places)
    return replace(asked.trace, slope=sloped, attribution=attribution)


class Integral(NamedTuple):
    """Integrated gradients [tokens], p with all places erased, and what is missing from the sum of the gradients."""

    values: "Tensor"
    baseline: float
    incomplete: float


def integrated(likely: "Callable[[Tensor], Tensor]", vectors: "Tensor", places: list[int]) -> Integral:
    """Integrated gradients from these places erased to the text, with as many steps as their sum needs."""
    import torch
    from captum.attr import IntegratedGradients

    nothing = vectors.clone()
    nothing[:, places] = 0
    with torch.inference_mode():
        full, empty = (float(likely(x)[0]) for x in (vectors, nothing))
    for steps in STEPS:  # the way is steep where it leaves zero
        with torch.enable_grad():
            found = IntegratedGradients(likely).attribute(
                vectors, nothing, n_steps=steps, method="gausslegendre", internal_batch_size=batch(vectors)
            )
        summed = found[0].sum(-1)
        incomplete = abs(float(summed.sum()) - (full - empty))
        if incomplete <= ENOUGH * abs(full - empty):
            break
    return Integral(summed, empty, incomplete)


def batch(vectors: "Tensor") -> int:
    """How many texts as long as this one, [1, tokens, units], are read at once."""
    return max(1, BATCH_TOKENS // vectors.shape[1])


def over(places: list[int], values: "Tensor") -> np.ndarray:
    """The values at these places, [tokens]; NaN elsewhere."""
    found = np.full(len(values), np.nan, np.float32)
    found[places] = values.detach().numpy()[places]
    return found


def heads_off(run: Run, asked: Target) -> np.ndarray:
    """Probabilities with each head switched off, [layers, heads, outcomes]; one text each in a batch."""
    import torch

    config = cast("Transformer", registry.load(run.model)).network.config
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    found = []
    for off in torch.split(torch.arange(layers * heads), batch(asked.vectors)):

        def without(layer: int, attention: "Tensor", off: "Tensor" = off) -> "Tensor":
            kept = attention.clone()
            rows = (off // heads == layer).nonzero()[:, 0]
            kept[rows, off[rows] % heads] = 0
            return kept

        with torch.inference_mode(), capture.replacing(without):
            found.append(asked.probabilities(asked.vectors.repeat(len(off), 1, 1)))
    shaped: np.ndarray = torch.cat(found).numpy().reshape(layers, heads, -1)
    return shaped


def evenly(asked: Target) -> np.ndarray:
    """Probabilities where each token looks alike at all tokens that it may see, in all heads, [outcomes]."""
    import torch

    with torch.inference_mode(), altered(Change("even_attention")):
        found: np.ndarray = asked.probabilities(asked.vectors)[0].numpy()
    return found
