"""What each layer of a network adds to the states, after W_O and its feed-forward network, noted beside its attention.

Neither has a registry such as attention has: which matrices they end with is found by watching two tokens pass.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, inference_mode, nn, tensor

from models import capture
from models.capture import Call, Matrix, for_each_head, sizes

PRINT = 16  # so many numbers tell one tensor from another
ROUNDING = 1e-6  # of both sides, as far as a sum may lie from what is seen
MIXTURE = 1e-4  # of the largest number, as far as what W_O gets may lie from attention · values


def attach(network: nn.Module) -> None:
    """From now on what is recorded of this network holds what each layer adds: after W_O, and its feed-forward network.

    W_O is the first matrix after the attention, and the feed-forward network ends with the only one, up to the next
    attention, that comes back to the states' width from another. Where a layer has no such matrix, or several, or one
    whose output is not what is added to the states (it is normalised or scaled before, or other experts have a say),
    that part of a trace stays empty.
    """
    watch = Watch(network)
    layers = watch.layers()
    if not layers or not all(layers) or not all(map(mixes, watch.calls, layers)):
        return
    outs, ends = [layer[0] for layer in layers], [end for layer in layers if (end := watch.end(layer))]
    if len(ends) == len(outs) and all(map(watch.adds, outs, ends)):
        note(ends, fed_forward)
    elif not all(map(watch.adds, outs)):
        return
    note(outs, projected)


class Passed(NamedTuple):
    """A matrix that was applied: after how many attentions, which tensors it got and which it gave, and where among
    all tensors these stand."""

    module: nn.Module
    layer: int
    given: list[Tensor]
    output: Tensor
    place: int


class Watch:
    """A run of a network on two tokens: in which order its matrices were applied, and what passed between modules."""

    def __init__(self, network: nn.Module) -> None:
        self.passed: list[Passed] = []
        self.seen: list[tuple[int, np.ndarray]] = []  # after how many attentions, and the end of a tensor
        hooks = [module.register_forward_hook(self.notice, with_kwargs=True) for module in network.modules()]
        try:
            with inference_mode(), capture.recording() as self.calls:
                network(input_ids=tensor([[0, 1]]))
        finally:
            for hook in hooks:
                hook.remove()
        used = {each.module for each in self.passed}
        self.idle = [each for each in network.modules() if isinstance(each, Matrix) and each not in used]

    def notice(self, module: nn.Module, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        """Notes a call of any module."""
        layer = len(self.calls)
        tensors = [each for each in (*given, *named.values()) if isinstance(each, Tensor) and each.is_floating_point()]
        (result, *_) = output if isinstance(output, tuple) and output else (output,)
        place = len(self.seen)
        for each in [*tensors, *([result] if isinstance(result, Tensor) else [])]:
            if each.numel() >= PRINT:
                self.seen.append((layer, tail(each)))
        if isinstance(module, Matrix):
            self.passed.append(Passed(module, layer, tensors, result, place))

    def layers(self) -> list[list[Passed]]:
        """The matrices that were applied after each attention, up to the next."""
        return [[each for each in self.passed if each.layer == layer] for layer in range(1, len(self.calls) + 1)]

    def end(self, layer: list[Passed]) -> Passed | None:
        """The last matrix of a layer's feed-forward network, if there is but one that can be it; others that can, and
        are not applied, are those of experts that these two tokens do not ask."""
        out, *others = layer
        found = [each for each in others if returns(each.module, out.module)]
        return found[0] if len(found) == 1 and not any(returns(each, out.module) for each in self.idle) else None

    def adds(self, out: Passed, end: Passed | None = None) -> bool:
        """Whether what these give is added to something that was seen before, as something seen afterwards shows;
        where both run beside each other, it is added together."""
        near = [(place, each) for place, (layer, each) in enumerate(self.seen) if out.layer - 1 <= layer <= out.layer]

        def added(step: Passed, what: np.ndarray) -> bool:
            before = [each for place, each in near if place < step.place]
            after = [each for place, each in near if place > step.place]
            if what.size < PRINT or not before or not after:
                return False
            gap = np.abs(np.array(after)[:, None] - (np.array(before) + what)).max(-1)
            size = np.abs(np.array(after)).max(-1)[:, None] + np.abs(np.array(before)).max(-1)
            return bool((gap <= ROUNDING * size).any())

        if end is None:
            return added(out, tail(out.output))
        together = tail(out.output) + tail(end.output)
        return all(added(step, tail(step.output)) for step in (out, end)) or (
            added(out, together) and added(end, together)
        )


def tail(vectors: Tensor) -> np.ndarray:
    """The last numbers of the last token, as float64."""
    found: np.ndarray = vectors.reshape(-1)[-PRINT:].double().numpy()
    return found


def mixes(call: Call, layer: list[Passed]) -> bool:
    """Whether W_O is applied to the values as the attention mixes them, not to what a norm or a gate makes of these."""
    given = layer[0].given
    mixed = tail((call.attention @ for_each_head(call.value, call.attention.shape[1])).transpose(1, 2))
    return bool(given) and bool(np.abs(tail(given[0]) - mixed).max() <= MIXTURE * max(1.0, np.abs(mixed).max()))


def returns(module: nn.Module, projection: nn.Module) -> bool:
    """Whether a matrix comes back to the width of the states from another one."""
    units, (taken, given) = sizes(projection)[1], sizes(module)
    return given == units != taken


def note(found: Iterable[Passed], hook: Any) -> None:
    """Has a hook called after each of these matrices; layers may share theirs."""
    for module in {each.module for each in found}:
        module.register_forward_hook(hook)


def projected(module: nn.Module, _given: object, output: Tensor) -> None:
    """Notes W_O, and what a layer's attention adds."""
    if call := capture.latest():
        call.projection, call.output = module, output


def fed_forward(_module: nn.Module, _given: object, output: Tensor) -> None:
    """Notes what a layer's feed-forward network adds."""
    if call := capture.latest():
        call.feed_forward = output if output.ndim == 3 else output[None]  # OPT: tokens as rows of one matrix
