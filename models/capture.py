"""Records the attention of any Hugging Face model exactly: what its own eager code multiplied, masked and weighed.

A function registered as attention implementation "recorded" calls the module's own `eager_attention_forward` and keeps
its arguments. The mask function of the same name is registered too; without it causal models lose their mask.
What follows in a layer, W_O and the feed-forward network, has no registry: `attach` finds both in a run it watches.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, inference_mode, nn, tensor
from transformers.masking_utils import AttentionMaskInterface, eager_mask
from transformers.modeling_utils import AttentionInterface
from transformers.pytorch_utils import Conv1D

from models.errors import CaptureError
from models.holding import holding
from models.shapes import Layers, array_fields
from models.trace import Attention, Check, Decoding

IMPLEMENTATION = "recorded"
Matrix = nn.Linear | Conv1D
PRINT = 16  # so many numbers tell one tensor from another
ROUNDING = 1e-6
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
        groups = used.shape[1] // value.shape[1]
        output = (used @ value.repeat_interleave(groups, dim=1)).transpose(1, 2).contiguous()
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


def replacing(replace: Replace) -> AbstractContextManager[object]:
    """Inside the block every layer weighs its values with what `replace` makes of its attention.

    What is recorded stays the attention that the model computed.
    """
    return holding(_replace, replace)


def attach(network: nn.Module) -> None:
    """From now on what is recorded of this network holds what each layer adds: after W_O, and its feed-forward network.

    Found by watching two tokens pass: W_O is the first matrix after the attention, and the feed-forward network ends
    with the only one, up to the next attention, that comes back to the states' width from another. Where a layer has
    no such matrix, or several, or one whose output is not what is added to the states (it is normalised or scaled
    before, or other experts have a say), that part of a trace stays empty.
    """
    watch = _Watch()
    hooks = [module.register_forward_hook(watch, with_kwargs=True) for module in network.modules()]
    try:
        with inference_mode(), recording() as watch.calls:
            network(input_ids=tensor([[0, 1]]))
    finally:
        for hook in hooks:
            hook.remove()
    layers = watch.layers()
    if not layers or not all(layers) or not all(map(_mixes, watch.calls, layers)):
        return
    idle = set(network.modules()) - {each.module for each in watch.passed}  # experts that these two tokens do not ask
    whole = not any(isinstance(each, Matrix) and _returns(each, layers[0][0].module) for each in idle)
    ends = [[each for each in layer[1:] if _returns(each.module, layer[0].module)] for layer in layers]
    pairs = [
        (layer[0], found[0] if whole and len(found) == 1 else None) for layer, found in zip(layers, ends, strict=True)
    ]
    if not all(watch.adds(number, out, end) for number, (out, end) in enumerate(pairs)):
        pairs = [(out, None) for out, _ in pairs]
        if not all(watch.adds(number, out) for number, (out, _) in enumerate(pairs)):
            return
    for module in {out.module for out, _ in pairs}:  # layers may share theirs
        module.register_forward_hook(_projected)
    if all(end for _, end in pairs):
        for module in {end.module for _, end in pairs if end}:
            module.register_forward_hook(_fed_forward)


class _Passed(NamedTuple):
    """A module that was called: after how many attentions, which tensors it got and which it gave, and where among
    all tensors these stand."""

    module: nn.Module
    layer: int
    given: list[Tensor]
    output: Tensor
    place: int


class _Watch:
    """A forward hook of all modules that notes in which order they are called, and what passes between them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.passed: list[_Passed] = []
        self.seen: list[tuple[int, np.ndarray]] = []  # after how many attentions, and the end of a tensor

    def __call__(self, module: nn.Module, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        """Notes a call."""
        layer = len(self.calls)
        tensors = [each for each in (*given, *named.values()) if isinstance(each, Tensor) and each.is_floating_point()]
        (result, *_) = output if isinstance(output, tuple) and output else (output,)
        place = len(self.seen)
        for each in [*tensors, *([result] if isinstance(result, Tensor) else [])]:
            if each.numel() >= PRINT:
                self.seen.append((layer, _end(each)))
        if isinstance(module, Matrix):
            self.passed.append(_Passed(module, layer, tensors, result, place))

    def layers(self) -> list[list[_Passed]]:
        """The matrices that were applied after each attention, up to the next."""
        return [[each for each in self.passed if each.layer == layer] for layer in range(1, len(self.calls) + 1)]

    def adds(self, number: int, out: _Passed, end: _Passed | None = None) -> bool:
        """Whether what these give is added to something that was seen before, as something seen afterwards shows;
        where both run beside each other, it is added together."""
        near = [(place, each) for place, (layer, each) in enumerate(self.seen) if number <= layer <= number + 1]
        steps = [step for step in (out, end) if step]
        together = np.sum([_end(step.output) for step in steps], axis=0)

        def added(step: _Passed, what: np.ndarray) -> bool:
            before = [each for place, each in near if place < step.place]
            after = [each for place, each in near if place > step.place]
            if what.size < PRINT or not before or not after:
                return False
            gap = np.abs(np.array(after)[:, None] - (np.array(before) + what)).max(-1)
            size = np.abs(np.array(after)).max(-1)[:, None] + np.abs(np.array(before)).max(-1)
            return bool((gap <= ROUNDING * size).any())

        return all(added(step, _end(step.output)) for step in steps) or (
            len(steps) == 2 and added(steps[0], together) and added(steps[1], together)
        )


def _end(vectors: Tensor) -> np.ndarray:
    """The last numbers of the last token, as float64."""
    found: np.ndarray = vectors.reshape(-1)[-PRINT:].double().numpy()
    return found


def _mixes(call: Call, layer: list[_Passed]) -> bool:
    """Whether W_O is applied to the values as the attention mixes them, not to what a norm or a gate makes of these."""
    given = layer[0].given
    groups = call.attention.shape[1] // call.value.shape[1]
    mixed = call.attention @ call.value.repeat_interleave(groups, dim=1)
    own = _end(mixed.transpose(1, 2))
    return bool(given) and bool(np.abs(_end(given[0]) - own).max() <= 1e-4 * max(1.0, np.abs(own).max()))


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
