"""Records the attention of any Hugging Face model exactly: what its own eager code multiplied, masked and weighed.

A function registered as attention implementation "recorded" calls the module's own `eager_attention_forward` and keeps
its arguments. The mask function of the same name is registered too; without it causal models lose their mask.
What a layer adds after that, behind W_O and the feed-forward network, is noted by models.additions.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn
from transformers.masking_utils import AttentionMaskInterface, eager_mask
from transformers.modeling_utils import AttentionInterface
from transformers.pytorch_utils import Conv1D

from models.errors import CaptureError
from models.holding import holding
from models.shapes import Layers, array_fields
from models.trace import Attention, Check, Decoding

IMPLEMENTATION = "recorded"
Matrix = nn.Linear | Conv1D
TOLERANCE = 1e-4  # softmax(scores) may lie so far from the attention of a model from elsewhere


@dataclass(slots=True)
class Call:
    """One layer's attention over a batch of one text: [1, heads, tokens, head_units] and [1, heads, tokens, tokens].

    What the layer adds, [1, tokens, units], is noted as the layer goes on, where its modules are known.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    scaling: float
    attention: Tensor
    bias: Tensor | None = None  # T5: what the distance adds to q·k, [1, heads, tokens, tokens]
    cap: float | None = None  # Gemma 2: how far from 0 a score can get
    projection: nn.Module | None = None  # W_O
    output: Tensor | None = None  # of W_O
    feed_forward: Tensor | None = None


Replace = Callable[[int, Tensor], Tensor]  # layer, its attention [texts, heads, tokens, tokens] → what is used instead

_calls: ContextVar[list[Call] | None] = ContextVar("calls", default=None)
_replace: ContextVar[Replace | None] = ContextVar("replace", default=None)


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
    if (replace := _replace.get()) is not None:
        used = replace(int(module.layer_idx), attention)  # type: ignore[arg-type]
        output = (used @ for_each_head(value, used.shape[1])).transpose(1, 2).contiguous()
    calls = _calls.get()
    if calls is not None:
        bias, cap = kwargs.get("position_bias"), kwargs.get("softcap")
        calls.append(Call(query, key, value, attention_mask, scaling, attention, bias, cap))
    return output, attention


AttentionInterface.register(IMPLEMENTATION, _recorded)
AttentionMaskInterface.register(IMPLEMENTATION, eager_mask)


def recording() -> AbstractContextManager[list[Call]]:
    """Collects the attention calls made inside the block, in the order of the layers."""
    return holding(_calls, [])


def latest() -> Call | None:
    """The attention that was recorded last, of the layer that goes on; None where nothing is recorded."""
    calls = _calls.get()
    return calls[-1] if calls else None


def replacing(replace: Replace) -> AbstractContextManager[object]:
    """Inside the block every layer weighs its values with what `replace` makes of its attention.

    What is recorded stays the attention that the model computed.
    """
    return holding(_replace, replace)


def attention(calls: list[Call]) -> tuple[Attention, Check]:
    """The part of a trace, and how far softmax(scores) lies from the attention that the model itself computed.

    Raises CaptureError where nothing was recorded: the model's code does not go through the attention registry.
    """
    arrays, check = recorded(calls)
    return Attention(**arrays), check


def decoding(calls: list[Call], target: int, source: int) -> tuple[Decoding, list[Check]]:
    """What the layers of a decoder recorded, by turns over what is written and what was read, and a check of either.

    Raises CaptureError where their calls are not of these sizes.
    """
    sizes = [call.attention.shape[-2:] for call in calls]
    if not calls or sizes != [(target, target), (target, source)] * (len(calls) // 2):
        raise CaptureError("the layers of its decoder do not show their attention by turns")
    (own, own_check), (cross, cross_check) = recorded(calls[::2]), recorded(calls[1::2])
    wanted = array_fields(Decoding)
    named = {f"decoder_{name}": array for name, array in own.items()}
    named |= {f"cross_{name}": array for name, array in cross.items()}
    return Decoding(**{name: named[name] for name in wanted}), [own_check, cross_check]


def recorded(calls: list[Call]) -> tuple[dict[str, Any], Check]:
    """The arrays of these layers by the names that Attention gives them, and the check."""
    if not calls:
        raise CaptureError("the model computed its attention without calling the recorded function")
    heads = calls[0].query.shape[1]
    queries = [call.query[0].numpy() for call in calls]  # of each layer: (heads, tokens, head_units)
    keys = [for_each_head(call.key[0], heads).numpy() for call in calls]
    values = [for_each_head(call.value[0], heads).numpy() for call in calls]
    masks = [None if call.mask is None else call.mask[0].numpy() for call in calls]
    weights = [call.attention[0].numpy() for call in calls]  # (heads, tokens, tokens)

    def scores(layer: int) -> np.ndarray:
        found: np.ndarray = queries[layer] @ keys[layer].swapaxes(-1, -2)
        found *= np.float32(calls[layer].scaling)
        if (bias := calls[layer].bias) is not None:
            found += bias[0].numpy()
        if (cap := calls[layer].cap) is not None:
            found = np.float32(cap) * np.tanh(found / np.float32(cap))
        if (mask := masks[layer]) is not None:
            mask = np.broadcast_to(mask[..., : found.shape[-1]], found.shape)
            found += mask
            found[mask <= np.finfo(mask.dtype).min] = -np.inf
        return found

    def error(layer: int) -> float:
        expected = scores(layer)
        expected -= expected.max(-1, keepdims=True)
        np.exp(expected, out=expected)
        expected /= expected.sum(-1, keepdims=True)
        expected -= weights[layer]
        return float(np.abs(expected, out=expected).max())

    def output_weights(layer: int) -> np.ndarray:
        projection = calls[layer].projection
        assert projection is not None and isinstance(projection.weight, Tensor)
        matrix = projection.weight.detach().numpy()
        turned: np.ndarray = matrix if isinstance(projection, Conv1D) else matrix.T  # (heads · head_units, units)
        return turned.reshape(heads, -1, turned.shape[1])

    shape = (len(calls), *weights[0].shape)
    width = heads * values[0].shape[-1]
    known = all(call.projection and sizes(call.projection)[0] == width for call in calls)
    outputs = _added([call.output if known else None for call in calls])
    arrays: dict[str, Any] = {
        "queries": Layers.of(queries),
        "keys": Layers.of(keys),
        "values": Layers.of(values),
        "scaling": np.array([call.scaling for call in calls], np.float32),
        "scores": Layers(scores, shape),
        "attention": Layers.of(weights),
        "output_weights": Layers(output_weights, (len(calls), *values[0].shape[::2], outputs.shape[-1]))
        if outputs
        else None,
        "attention_output": outputs,
        "feed_forward": _added([call.feed_forward for call in calls]),
    }
    return arrays, Check([partial(error, layer) for layer in range(len(calls))], "transformers")


def reported(attentions: Sequence[Tensor] | None, layers: int, tokens: int) -> tuple[Attention, Check]:
    """The attention [1, heads, tokens, tokens] of each layer as a model itself gives it; scores are not known.

    Raises CaptureError where it gives none, or not such shares.
    """
    weights = [layer[0].numpy() for layer in attentions or () if layer is not None and layer.ndim == 4]
    if len(weights) != layers or any(layer.shape[-2:] != (tokens, tokens) for layer in weights):
        raise CaptureError(f"{len(weights)} of its {layers} layers give their attention")
    error = max(float(np.abs(layer.sum(-1) - 1).max()) for layer in weights)
    return Attention(attention=Layers.of(weights)), Check(error, "transformers", reported=True)


def _added(outputs: Sequence[Tensor | None]) -> Layers | None:
    """What each layer adds, if every layer shows it."""
    found = [output[0].numpy() for output in outputs if output is not None]
    return Layers.of(found) if len(found) == len(outputs) else None


def for_each_head(vectors: Tensor, heads: int) -> Tensor:
    """Keys or values [..., groups, tokens, head_units]; a group that several heads share is repeated for each."""
    shared = heads // vectors.shape[-3]
    return vectors.repeat_interleave(shared, dim=-3) if shared > 1 else vectors


def sizes(matrix: nn.Module) -> tuple[int, int]:
    """How many numbers a matrix takes and gives."""
    assert isinstance(matrix.weight, Tensor)
    given, taken = matrix.weight.shape
    return (given, taken) if isinstance(matrix, Conv1D) else (taken, given)
