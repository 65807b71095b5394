"""What a second training has changed: a fine-tuned model beside the one it went on from, layer by layer."""

from collections.abc import Iterable, Sequence

import numpy as np

from app.messages import Listed, Message, Strong, percent, say
from app.query import Query
from models import registry
from models.trace import Trace


def related(traces: Sequence[Trace]) -> bool:
    """Whether two runs are of one sentence, by a model and by one that was trained on from it."""
    if len(traces) != 2 or traces[0].text != traces[1].text:
        return False
    return base_of(traces[0]) == traces[1].model or base_of(traces[1]) == traces[0].model


def attention(query: Query, traces: Sequence[Trace]) -> Iterable[Message]:
    """Which share of its attention a token has moved elsewhere, mean over tokens and heads of each layer."""
    if not related(traces):
        return
    first, second = (trace.attention for trace in traces)
    if first is None or second is None or first.attention.shape != second.attention.shape:
        return
    shares = [
        float(np.abs(second.attention[layer] - first.attention[layer]).sum(-1).mean() / 2)
        for layer in range(len(first.attention))
    ]
    yield say("tuning.attention", layers=listed(query, shares))


def states(query: Query, traces: Sequence[Trace]) -> Iterable[Message]:
    """How far each layer's states have moved, as a share of their length before, mean over the tokens."""
    if not related(traces):
        return
    first, second = (trace.states.hidden if trace.states else None for trace in traces)
    if first is None or second is None or first.shape != second.shape:
        return
    before, after = sorted(zip(traces, (first, second), strict=True), key=lambda one: bool(base_of(one[0])))
    shares = []
    for layer in range(len(first)):
        moved = np.linalg.norm(after[1][layer] - before[1][layer], axis=-1)
        shares.append(float((moved / np.linalg.norm(before[1][layer], axis=-1)).mean()))
    yield say("tuning.states", layers=listed(query, shares))


def base_of(trace: Trace) -> str | None:
    """The model that this one went on from."""
    return registry.get(trace.model).base.get("model")


def listed(query: Query, shares: Sequence[float]) -> Listed:
    """The layers with their shares."""
    parts = [
        say("tuning.layer", layer=number, share=Strong(percent(query.lang, share)))
        for number, share in enumerate(shares, start=1)
    ]
    return Listed(parts, ", ")
