"""Records the attention of any Hugging Face model exactly: what its own eager code multiplied, masked and weighed.

A function registered as attention implementation "recorded" calls the module's own `eager_attention_forward` and keeps
its arguments. The mask function of the same name is registered too; without it causal models lose their mask.
What follows in a layer, W_O and the feed-forward network, has no registry: `attach` finds both in a run it watches.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, inference_mode, nn, tensor
from transformers.masking_utils import AttentionMaskInterface, eager_mask
from transformers.modeling_utils import AttentionInterface
from transformers.pytorch_utils import Conv1D

from models.errors import CaptureError
from models.shapes import Layers, array_fields
from models.trace import Attention, Check, Decoding

IMPLEMENTATION = "recorded"
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
        groups = used.shape[1] // value.shape[1]
        output = (used @ value.repeat_interleave(groups, dim=1)).transpose(1, 2).contiguous()
    calls = _calls.get()
    if calls is not None:
        calls.append(Call(query, key, value, attention_mask, scaling, attention, kwargs.get("position_bias")))
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


@contextmanager
def replacing(replace: Replace) -> Iterator[None]:
    """Inside the block every layer weighs its values with what `replace` makes of its attention.

    What is recorded stays the attention that the model computed.
    """
    token = _replace.set(replace)
    try:
        yield
    finally:
        _replace.reset(token)


def attach(network: nn.Module) -> None:
    """From now on what is recorded of this network holds what each layer adds: after W_O, and its feed-forward network.

    Found by watching two tokens pass: W_O is the first matrix after the attention, and the feed-forward network ends
    with the only one, up to the next attention, that comes back to the states' width from another. Where a layer has
    no such matrix, or several (a mixture of experts), that part of a trace stays empty.
    """
    passed: list[list[nn.Module]] = []

    def passing(module: nn.Module, _given: object, _output: object) -> None:
        if calls:
            passed.extend([] for _ in range(len(calls) - len(passed)))
            passed[-1].append(module)

    watched = [module for module in network.modules() if isinstance(module, nn.Linear | Conv1D)]
    hooks = [module.register_forward_hook(passing) for module in watched]
    try:
        with inference_mode(), recording() as calls:
            network(input_ids=tensor([[0, 1]]))
    finally:
        for hook in hooks:
            hook.remove()
    if len(passed) != len(calls):
        return
    projections = {modules[0] for modules in passed}  # layers may share theirs
    ends = [[each for each in modules[1:] if _returns(each, modules[0])] for modules in passed]
    for module in projections:
        module.register_forward_hook(_projected)
    if all(len(found) == 1 for found in ends):
        for module in {found[0] for found in ends}:
            module.register_forward_hook(_fed_forward)


def _sizes(module: nn.Module) -> tuple[int, int]:
    """How many numbers a matrix takes and gives."""
    assert isinstance(module.weight, Tensor)
    given, taken = module.weight.shape
    return (given, taken) if isinstance(module, Conv1D) else (taken, given)


def _returns(module: nn.Module, projection: nn.Module) -> bool:
    """Whether a matrix comes back to the width of the states from another one."""
    units, (taken, given) = _sizes(projection)[1], _sizes(module)
    return given == units != taken


def _projected(module: nn.Module, _given: object, output: Tensor) -> None:
    if calls := _calls.get():
        calls[-1].projection, calls[-1].output = module, output


def _fed_forward(_module: nn.Module, _given: object, output: Tensor) -> None:
    if calls := _calls.get():
        calls[-1].feed_forward = output if output.ndim == 3 else output[None]  # OPT: tokens as rows of one matrix


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
    keys, values = ([_for_each_head(getattr(call, name)[0], heads) for call in calls] for name in ("key", "value"))
    masks = [None if call.mask is None else call.mask[0].numpy() for call in calls]
    weights = [call.attention[0].numpy() for call in calls]  # (heads, tokens, tokens)

    def scores(layer: int) -> np.ndarray:
        found: np.ndarray = queries[layer] @ keys[layer].swapaxes(-1, -2)
        found *= np.float32(calls[layer].scaling)
        if (bias := calls[layer].bias) is not None:
            found += bias[0].numpy()
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
    known = all(call.projection and _sizes(call.projection)[0] == width for call in calls)
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


def _for_each_head(vectors: Tensor, heads: int) -> np.ndarray:
    """Keys or values of a layer; a group that several heads share is repeated for each of them."""
    groups = heads // vectors.shape[0]
    return (vectors.repeat_interleave(groups, dim=0) if groups > 1 else vectors).numpy()
