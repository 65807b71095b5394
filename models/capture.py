"""Records the attention of any Hugging Face model exactly: what its own eager code multiplied, masked and weighed.

A function registered as attention implementation "recorded" calls the module's own `eager_attention_forward` and keeps
its arguments. The mask function of the same name is registered too; without it causal models lose their mask.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.masking_utils import AttentionMaskInterface, eager_mask
from transformers.modeling_utils import AttentionInterface

from models.errors import CaptureError
from models.trace import Attention

IMPLEMENTATION = "recorded"


@dataclass(frozen=True, slots=True)
class Call:
    """One layer's attention over a batch of one text: [1, heads, tokens, head_units] and [1, heads, tokens, tokens]."""

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    scaling: float
    attention: Tensor


_calls: ContextVar[list[Call] | None] = ContextVar("calls", default=None)


def _recorded(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    if scaling is None:
        scaling = query.shape[-1] ** -0.5
    eager = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
    if eager is None:
        raise CaptureError(f"{type(module).__name__} has no eager attention of its own to call")
    output, attention = eager(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
    calls = _calls.get()
    if calls is not None:
        calls.append(Call(query, key, value, attention_mask, scaling, attention))
    return output, attention


AttentionInterface.register(IMPLEMENTATION, _recorded)
AttentionMaskInterface.register(IMPLEMENTATION, eager_mask)


@contextmanager
def recording() -> Iterator[list[Call]]:
    """Collects the attention calls made inside the block, in the order of the layers."""
    calls: list[Call] = []
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


def attention(calls: list[Call]) -> tuple[Attention, float]:
    """The part of a trace and how far softmax(scores) lies from the attention that the model itself computed.

    Raises CaptureError where nothing was recorded: the model's code does not go through the attention registry.
    """
    if not calls:
        raise CaptureError("the model computed its attention without calling the recorded function")
    queries = torch.cat([call.query for call in calls])  # (layers, heads, tokens, head_units)
    keys, values = (_for_each_head([getattr(call, name) for call in calls], queries) for name in ("key", "value"))
    scaling = torch.tensor([call.scaling for call in calls])
    scores = (queries @ keys.mT).mul_(scaling[:, None, None, None])  # (layers, heads, tokens, tokens)
    if any(call.mask is not None for call in calls):
        masks = torch.cat([_added(call.mask, scores) for call in calls])
        scores = scores.add_(masks).masked_fill_(masks <= torch.finfo(masks.dtype).min, -torch.inf)
    weights = torch.cat([call.attention for call in calls])
    error = scores.softmax(-1).sub_(weights).abs_().max().item()
    part = Attention(
        queries=queries.numpy(), keys=keys.numpy(), values=values.numpy(), scaling=scaling.numpy(),
        scores=scores.numpy(), attention=np.ascontiguousarray(weights.numpy()),
    )  # fmt: skip
    return part, error


def _for_each_head(tensors: list[Tensor], queries: Tensor) -> Tensor:
    """Keys or values of all layers; a group that several heads share is repeated for each of them."""
    joined = torch.cat(tensors)
    groups = queries.shape[1] // joined.shape[1]
    return joined.repeat_interleave(groups, dim=1) if groups > 1 else joined


def _added(mask: Tensor | None, scores: Tensor) -> Tensor:
    """What a layer added to its scores, zero where it has no mask."""
    tokens = scores.shape[-1]
    if mask is None:
        return scores.new_zeros(1, 1, tokens, tokens)
    return mask[..., :tokens].expand(1, -1, tokens, tokens)
