"""Attributions: what each token of a text is worth to an encoder that classifies it, by three methods, and each head.

All of them are about p, the probability of the class that the model chooses. Gradient × input is ∇p·x of the word
vector x. Integrated gradients (Sundararajan, Taly & Yan 2017) averages the gradient over the way from word vectors of
zero to those of the text; captum computes it. Erasure is p less what is left of it with that word vector zero.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from models import capture, registry
from models.run import Run
from models.trace import Attribution, Trace

if TYPE_CHECKING:
    from torch import Tensor

    from models.families.encoder import Transformer

STEPS = (50, 100, 200, 400)  # of integrated gradients, Gauss–Legendre: as many as it takes
ENOUGH = 2e-4  # of the change of p may be missing from their sum
BATCH_TOKENS = 1024  # read at once


def trace(run: Run) -> Trace:
    """The text's trace with its attributions."""
    import torch
    from captum.attr import IntegratedGradients

    loaded = cast("Transformer", registry.load(run.model))
    whole = loaded.forward(run.text)
    assert whole.classification is not None
    places = [place for place, token in enumerate(whole.tokens) if not token.special]
    chosen = int(whole.classification.class_probabilities.argmax())
    vectors = loaded.words(torch.tensor([[token.id for token in whole.tokens]])).clone()
    nothing = vectors.clone()
    nothing[:, places] = 0

    def likely(x: "Tensor") -> "Tensor":
        return probabilities(loaded, x)[:, chosen]

    with torch.enable_grad():
        x = vectors.clone().requires_grad_()
        (slope,) = torch.autograd.grad(likely(x).sum(), x)
    erased = vectors.repeat(len(places), 1, 1)
    erased[torch.arange(len(places)), places] = 0
    with torch.inference_mode():
        full, empty = likely(vectors)[0], likely(nothing)[0]
        without = torch.cat([likely(part) for part in torch.split(erased, batch(vectors))])
    change = float(full - empty)
    for steps in STEPS:  # the way is steep where it leaves zero
        with torch.enable_grad():
            integrated = IntegratedGradients(likely).attribute(
                vectors, nothing, n_steps=steps, method="gausslegendre", internal_batch_size=batch(vectors)
            )
        summed = integrated[0].sum(-1)
        incomplete = abs(float(summed.sum()) - change)
        if incomplete <= ENOUGH * abs(change):
            break
    attribution = Attribution(
        chosen=chosen,
        gradient_input=over(places, (slope * vectors)[0].sum(-1)),
        integrated_gradients=over(places, summed),
        erasure=np.full(len(whole.tokens), np.nan, np.float32),
        baseline=float(empty),
        incomplete=incomplete,
        head_off=heads_off(loaded, vectors),
        even=evenly(loaded, vectors),
    )
    attribution.erasure[places] = (full - without).numpy()
    return replace(whole, attribution=attribution)


def batch(vectors: "Tensor") -> int:
    """How many texts as long as this one, [1, tokens, units], are read at once."""
    return max(1, BATCH_TOKENS // vectors.shape[1])


def probabilities(loaded: "Transformer", vectors: "Tensor") -> "Tensor":
    """Of each class, [texts, classes], from word vectors [texts, tokens, units]."""
    found: Tensor = loaded.network(inputs_embeds=vectors).logits.softmax(-1)
    return found


def over(places: list[int], values: "Tensor") -> np.ndarray:
    """The values at these places, [tokens]; NaN at the model's own tokens."""
    found = np.full(len(values), np.nan, np.float32)
    found[places] = values.detach().numpy()[places]
    return found


def heads_off(loaded: "Transformer", vectors: "Tensor") -> np.ndarray:
    """Probabilities of the classes with each head switched off, [layers, heads, classes]; one text each in a batch."""
    import torch

    config = loaded.network.config
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    found = []
    for off in torch.split(torch.arange(layers * heads), batch(vectors)):

        def without(layer: int, attention: "Tensor", off: "Tensor" = off) -> "Tensor":
            kept = attention.clone()
            rows = (off // heads == layer).nonzero()[:, 0]
            kept[rows, off[rows] % heads] = 0
            return kept

        with torch.inference_mode(), capture.replacing(without):
            found.append(probabilities(loaded, vectors.repeat(len(off), 1, 1)))
    shaped: np.ndarray = torch.cat(found).numpy().reshape(layers, heads, -1)
    return shaped


def evenly(loaded: "Transformer", vectors: "Tensor") -> np.ndarray:
    """Probabilities of the classes where each token looks at all tokens alike, in all heads, [classes]."""
    import torch

    with torch.inference_mode(), capture.replacing(even):
        found: np.ndarray = probabilities(loaded, vectors)[0].numpy()
    return found


def even(_: int, attention: "Tensor") -> "Tensor":
    """Attention spread alike over all tokens."""
    return attention.new_full(attention.shape, 1 / attention.shape[-1])
