"""Ablation: what becomes of an answer when an attention head gives nothing; all heads in a map, or one of them."""

from collections.abc import Iterable, Sequence

import numpy as np

from app.answers import Answer, outcome, outcome_term, short_outcome
from app.messages import Message, Strong, percent, say, signed, translate
from app.plotting import Axis, Curve, Panel, Plot, Scale, axes_of, chart, maps
from app.query import Query
from app.views import Cell, Link
from app.words import shortened

SHOWN = 8  # outcomes with a bar of their own
LEAST = 0.005  # a lower bar is none, beside the first two


def changes(answer: Answer) -> np.ndarray:
    """What happens to p of the answer without each head, [layers, heads]."""
    changed: np.ndarray = answer.worth.head_off[..., answer.worth.chosen] - np.float32(answer.share)
    return changed


def ablated(query: Query, found: Sequence[Answer]) -> Plot:
    """Layers down, heads across: percentage points that the answer gains or loses without that head."""
    text = translate(query.lang, "faithfulness.heads.hover")
    panels = []
    for answer in found:
        values = 100 * changes(answer)
        layers, heads = values.shape
        rows = [translate(query.lang, "faithfulness.layer", number=number) for number in range(1, layers + 1)]
        columns = [translate(query.lang, "method.head", number=number) for number in range(1, heads + 1)]
        cells = [[signed(query.lang, value, 1) for value in row] for row in values.tolist()]
        panels.append(
            Panel(answer.title, values, rows, columns, "difference", text, answer.number, (), texts=cells)
        )  # fmt: skip
    titles: dict[Scale, str] = {"difference": translate(query.lang, "faithfulness.bar.heads")}
    return maps(panels, query.lang, "lanes", titles)


def links(query: Query, answer: Answer, view: str) -> Iterable[Link]:
    """Each cell of the map leads to the picture of that head."""
    for (layer, head), change in np.ndenumerate(changes(answer)):
        label = say(
            "faithfulness.heads.link", layer=layer + 1, head=head + 1, points=signed(query.lang, 100 * float(change), 1)
        )
        on = query.changed(layer=layer + 1, head=head + 1)
        box = (head - 0.5, layer - 0.5, head + 0.5, layer + 0.5)
        yield Link(view, on, label, answer.title, axes_of(answer.number), box)


def compared(query: Query, found: Sequence[Answer], layer: int, head: int) -> Plot:
    """The likeliest outcomes with all heads, and without this one (counted from 0): as bars, or as a map for each."""
    if len(found) == 1:
        return bars(query, found[0], layer, head)
    panels = []
    for answer in found:
        shown = likeliest(answer, layer, head)
        values = np.stack([values[shown] for _, values in both(query, answer, layer, head)])
        columns = [shortened(short_outcome(query.lang, answer.trace, place)) for place in shown]
        cells = [[percent(query.lang, value) for value in row] for row in values.tolist()]
        rows = [name for name, _ in both(query, answer, layer, head)]
        panels.append(
            Panel(answer.title, values, rows, columns, "share", "%{y}, %{x}: %{z:.4f}", answer.number, (), texts=cells)
        )  # fmt: skip
    return maps(panels, query.lang, "lanes", {"share": translate(query.lang, "training.bar")})


def both(query: Query, answer: Answer, layer: int, head: int) -> list[tuple[str, np.ndarray]]:
    """The probabilities of all outcomes with all heads and without this one, and what these are called."""
    off = translate(query.lang, "faithfulness.without", layer=layer + 1, head=head + 1)
    with_all = translate(query.lang, "faithfulness.with")
    return [(with_all, answer.worth.outcomes), (off, answer.worth.head_off[layer, head])]


def bars(query: Query, answer: Answer, layer: int, head: int) -> Plot:
    """Two bars for each outcome that is among the likeliest with or without the head."""
    shown = likeliest(answer, layer, head)
    ticks = [shortened(short_outcome(query.lang, answer.trace, place)) for place in shown]
    curves = []
    for series, (name, values) in enumerate(both(query, answer, layer, head)):
        shares = [percent(query.lang, float(values[place])) for place in shown]
        hovers = [f"{tick}, {name}: {share}" for tick, share in zip(ticks, shares, strict=True)]
        curves.append(Curve(name, values[shown], series=series, kind="bar", hovers=hovers, texts=shares))
    top = max(float(values[shown].max()) for _, values in both(query, answer, layer, head))
    up = Axis(translate(query.lang, "training.bar"), limits=(0, 1.15 * top))
    return chart(curves, query.lang, Axis("", ticks=ticks), up, height=440)


def likeliest(answer: Answer, layer: int, head: int) -> list[int]:
    """The outcomes that are likeliest with or without the head, most likely first."""
    highest = np.maximum(answer.worth.outcomes, answer.worth.head_off[layer, head])
    ranked = np.argsort(-highest, kind="stable")[:SHOWN]
    return [int(place) for rank, place in enumerate(ranked) if rank < 2 or highest[place] >= LEAST]


def without(query: Query, answer: Answer) -> Iterable[Message]:
    """The head that the answer hangs on most, and how many turn the answer into another."""
    values = changes(answer)
    layer, head = np.unravel_index(np.abs(values).argmax(), values.shape)
    others = answer.worth.best(answer.worth.head_off)
    before, after = told_apart(query, answer.share, answer.share + float(values[layer, head]))
    turned = int((others != answer.worth.chosen).sum())
    yield say(
        {0: "faithfulness.summary.head.none", 1: "faithfulness.summary.head.one"}.get(
            turned, "faithfulness.summary.head"
        ),
        sentence=answer.first, layer=int(layer) + 1, head=int(head) + 1,
        name=outcome(query.lang, answer.trace, answer.worth.chosen), before=before, after=Strong(after),
        turned=turned, total=values.size,
    )  # fmt: skip


def told_apart(query: Query, before: float, after: float) -> tuple[str, str]:
    """Two shares as percentages, with as many decimals (four at most) as show that they differ and that neither is all
    or nothing; whole where none do."""
    told = [(percent(query.lang, before, digits), percent(query.lang, after, digits)) for digits in range(5)]
    ends = {percent(query.lang, end, digits) for end in (0.0, 1.0) for digits in range(1, 5)}
    return next((pair for pair in told if pair[0] != pair[1] and not ends.intersection(pair)), told[0])


def switched(query: Query, answer: Answer, layer: int, head: int) -> Message:
    """Whether the answer stays without this head, and how likely it is then."""
    after = answer.worth.head_off[layer, head]
    best, chosen = int(answer.worth.best(after)), answer.worth.chosen
    first, then = told_apart(query, answer.share, float(after[chosen]))
    values: dict[str, str | int | Message] = {
        "sentence": answer.first, "layer": layer + 1, "head": head + 1,
        "name": Strong(outcome(query.lang, answer.trace, chosen)), "before": first,
        "after": Strong(then),
    }  # fmt: skip
    if best == chosen:
        return say("faithfulness.summary.stays", **values)
    return say(
        "faithfulness.summary.turns", **values, ahead=Strong(outcome(query.lang, answer.trace, best)),
        share=percent(query.lang, float(after[best])),
    )  # fmt: skip


def head_rows(found: Sequence[Answer]) -> Iterable[tuple[Cell, ...]]:
    """The answer's probability with and without each head, and what is answered without it."""
    for answer in found:
        chosen = outcome_term(answer.trace, answer.worth.chosen)
        for (layer, head), change in np.ndenumerate(changes(answer)):
            other = outcome_term(answer.trace, int(answer.worth.best(answer.worth.head_off[layer, head])))
            yield (
                answer.trace.model, answer.number + 1, layer + 1, head + 1, chosen, answer.share,
                answer.share + float(change), other,
            )  # fmt: skip


def outcome_rows(found: Sequence[Answer], layer: int, head: int) -> Iterable[tuple[Cell, ...]]:
    """Each outcome of the picture with all heads and without this one."""
    for answer in found:
        for place in likeliest(answer, layer, head):
            yield (
                answer.trace.model, answer.number + 1, layer + 1, head + 1, outcome_term(answer.trace, place),
                float(answer.worth.outcomes[place]), float(answer.worth.head_off[layer, head, place]),
            )  # fmt: skip
