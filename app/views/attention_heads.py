"""Attention heads: all heads of all layers at a glance, and what kind each is on this sentence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from app import looks
from app.atlas import Atlas, plot, tiles
from app.attended import AttentionMapQuery
from app.looks import Look, LookQuery, look
from app.messages import Listed, Message, Strong, decimal, percent, say, translate
from app.plotting import axes_of
from app.units import run_name, run_title
from app.views import Cell, Figure, Link, Table, Term, View
from models.trace import Trace

PLACES = ("previous", "next", "same", "first")
KINDS = (*PLACES, "broad", "mixed")
MOSTLY = 0.5  # a head is called after a place that has more than this share of its attention on average
BROAD = 0.9  # … or broad, where its entropy is at least this share of what an even look would have


class AttentionHeadsQuery(LookQuery):
    """The part, and the order of the heads."""

    sort: Literal["layer", "entropy", "kind"] = "layer"

    def idle(self) -> tuple[str, ...]:
        """No difference is drawn here."""
        return ("align",)


@dataclass(frozen=True)
class Head:
    """One head on one sentence; layer and head count from 1, entropy is in bits, shares are those of PLACES.

    A sentence of one token has nothing before and after: NaN.
    """

    layer: int
    head: int
    kind: str
    entropy: float
    shares: tuple[float, ...]

    @property
    def share(self) -> float | None:
        """The share of the place the head is called after."""
        return self.shares[PLACES.index(self.kind)] if self.kind in PLACES else None


def masks(found: Look, layer: int) -> np.ndarray | None:
    """Which cells of a layer are masked, bool[heads, rows, columns]; None where none is.

    Only a share of exactly 0 can be masked, so that a layer's scores are not made where there is none. Where no scores
    are known, such a share of what comes later is taken for masked.
    """
    attention = found.attention[layer]
    if attention.all():
        return None
    masked: np.ndarray = np.triu(attention == 0, 1) if found.scores is None else np.isneginf(found.scores[layer])
    return masked if masked.any() else None


def measured(
    attention: np.ndarray, masked: np.ndarray | None, across: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of one layer [heads, rows, columns]: mean entropy in bits, that of an even look, the shares [places, heads].

    The kinds of Clark et al. 2019, What Does BERT Look At?, section 3, as means over all words that have the place.
    What looks across at another text has no place beside itself there: NaN.
    """
    heads, _, count = attention.shape
    entropy = -(attention * np.log2(np.maximum(attention, np.finfo(np.float32).tiny))).sum(-1).mean(-1)
    seen = np.full((heads, 1), count) if masked is None else (~masked).sum(-1)
    none = np.full(heads, np.nan)
    shares = [
        none if across or count <= abs(offset) else np.diagonal(attention, offset, 1, 2).mean(-1)
        for offset in (-1, 1, 0)
    ]  # fmt: skip
    return entropy, np.log2(seen).mean(-1), np.stack([*shares, attention[:, :, 0].mean(-1)])


def kind(entropy: float, even: float, shares: Sequence[float]) -> str:
    """What a head does: the place that has most of its attention, else whether it looks broadly."""
    known = np.nan_to_num(np.asarray(shares))
    if known.max() > MOSTLY:
        return PLACES[int(known.argmax())]
    return "broad" if even > 0 and entropy >= BROAD * even else "mixed"


def surveyed(trace: Trace) -> tuple[list[Head], np.ndarray]:
    """All heads by layer, and their tiles."""
    shown, found, drawn = look(trace), [], []
    for layer in range(len(shown.attention)):
        attention, masked = shown.attention[layer], masks(shown, layer)
        drawn.append(tiles(attention, masked))
        entropies, even, shares = measured(attention, masked, shown.across)
        columns = zip(entropies.tolist(), even.tolist(), shares.T.tolist(), strict=True)
        for head, (entropy, most, own) in enumerate(columns, start=1):
            found.append(Head(layer + 1, head, kind(entropy, most, own), entropy, tuple(own)))
    return found, np.concatenate(drawn)


def ordered(heads: Sequence[Head], sort: str) -> list[int]:
    """The places of the heads in the order asked for."""

    def rank(place: int) -> tuple[float, ...]:
        head = heads[place]
        if sort == "entropy":
            return (head.entropy,)
        strength = head.entropy if head.share is None else -head.share
        return (KINDS.index(head.kind), strength) if sort == "kind" else (place,)

    return sorted(range(len(heads)), key=rank)


def figure(query: AttentionHeadsQuery, traces: list[Trace]) -> Figure:
    """A tile for each head, layers down, heads across, or in another order; each tile leads to its map."""
    surveys = [surveyed(trace) for trace in traces]
    heads = [found for found, _ in surveys]
    same = len({trace.model for trace in traces}) == 1  # then a place is the same head in both
    orders = [ordered(heads[0] if same else found, query.sort) for found in heads]
    atlases = [
        atlas(query, trace, [found[place] for place in order], drawn if query.sort == "layer" else drawn[order])
        for trace, (found, drawn), order in zip(traces, surveys, orders, strict=True)
    ]
    links = [
        link(query, stated, run, atlases[run], number, heads[run][place])
        for run, (order, stated) in enumerate(zip(orders, (carried(query, 0), carried(query, 1)), strict=False))
        for number, place in enumerate(order)
    ]
    columns = ("column.model", "column.run", "column.layer", "column.head", "column.kind", "column.entropy",
               *(f"column.{place}" for place in PLACES))  # fmt: skip
    lines = partial(rows, traces, heads, orders)
    table = Table(columns, lines, sum(map(len, heads)), columns, lines)
    drawn = plot(atlases, query.lang, translate(query.lang, "attention_heads.bar"))
    return Figure(drawn, [*summary(query, traces, heads), *looks.told(query, traces)], table,
                  [clearest(found).layer - 1 for found in heads], sampled=True, links=links)  # fmt: skip


def atlas(query: AttentionHeadsQuery, trace: Trace, heads: Sequence[Head], drawn: np.ndarray) -> Atlas:
    """The tiles of one run with their captions; labels at the edge where rows are layers."""
    title = run_title(query, trace)
    width = max(head.head for head in heads)
    if query.sort != "layer":
        captions = [f"{head.layer}·{head.head} {told(query, head, 'caption')}" for head in heads]
        return Atlas(title, drawn, captions, width)
    layers = [translate(query.lang, "attention_heads.layer", layer=head.layer) for head in heads[::width]]
    columns = [translate(query.lang, "attention_heads.head", head=head.head) for head in heads[:width]]
    return Atlas(title, drawn, [told(query, head, "caption") for head in heads], width, layers, columns)


def told(query: AttentionHeadsQuery, head: Head, length: Literal["caption", "kind"]) -> str:
    """The kind in a word or two, and the share of its place."""
    word = translate(query.lang, f"attention_heads.{length}.{head.kind}")
    return word if head.share is None else f"{word} {percent(query.lang, head.share)}"


def carried(query: AttentionHeadsQuery, run: int) -> dict[str, Any]:
    """What a map's query takes over, the tokens shown as in the tiles; a second model's map comes first there."""
    stated = query.model_dump(exclude={"sort"}) | {"lang": query.lang, "special": "shown"}
    if run and query.two_models:
        stated |= {"model": query.vs_model, "vs_model": query.model}
        if query.vs is not None:
            stated |= {"text": query.vs, "vs": query.text}
    return stated


def link(query: AttentionHeadsQuery, stated: dict[str, Any], run: int, drawn: Atlas, number: int, head: Head) -> Link:
    """From a tile to its map."""
    (x, y), half = drawn.place(number), drawn.side / drawn.pitch[0] / 2
    label = say(
        "attention_heads.link",
        layer=head.layer,
        head=head.head,
        kind=told(query, head, "kind"),
        entropy=decimal(query.lang, head.entropy, 2),
    )
    box = (x - half, y - half, x + half, y + half)
    there = AttentionMapQuery.model_construct(**stated, layer=head.layer, head=head.head)
    return Link("attention_map", there, label, drawn.title, axes_of(run), box)


def clearest(heads: Sequence[Head]) -> Head:
    """The head that looks hardest at the place it is called after; the first, where none is called after one."""
    return max(heads, key=lambda head: head.share or 0)


def summary(query: AttentionHeadsQuery, traces: Sequence[Trace], heads: Sequence[Sequence[Head]]) -> list[Message]:
    """How many heads are of which kind, which is clearest, and whether a second sentence changes that."""
    found = []
    same = len(heads) == 2 and traces[0].model == traces[1].model
    alike = same and listed(heads[0]) == listed(heads[1])
    for run, own in enumerate(heads[:1] if alike else heads):
        key = "attention_heads.summary.one" if len(heads) == 1 else "attention_heads.summary.of_two"
        key = "attention_heads.summary.alike" if alike else key
        found.append(say(key, run=run_name(query, traces, run), of=len(own), counts=listed(own)))
    if same:
        kept = sum(first.kind == second.kind for first, second in zip(*heads, strict=True))
        found.append(say("attention_heads.summary.kept", kept=Strong(str(kept)), of=len(heads[0])))
    clear = clearest(heads[0])
    if len(heads) == 1 and clear.share:
        found.append(
            say("attention_heads.summary.clearest", layer=clear.layer, head=clear.head,
                share=Strong(percent(query.lang, clear.share or 0)),
                place=say(f"attention_heads.at.{clear.kind}"))
        )  # fmt: skip
    return found


def listed(heads: Sequence[Head]) -> Listed:
    """How many heads are of each kind."""
    counts = [(sum(head.kind == name for head in heads), name) for name in KINDS]
    parts = [
        say("attention_heads.count", count=Strong(str(count)), kind=say(f"attention_heads.kind.{name}"))
        for count, name in counts if count
    ]  # fmt: skip
    return Listed(parts, ", ")


def rows(
    traces: Sequence[Trace], heads: Sequence[Sequence[Head]], orders: Sequence[list[int]]
) -> Iterable[tuple[Cell, ...]]:
    """A line for each head, in the order of the tiles."""
    names = {name: Term(name, say(f"attention_heads.kind.{name}")) for name in KINDS}
    for run, (trace, own, order) in enumerate(zip(traces, heads, orders, strict=True), start=1):
        for head in (own[place] for place in order):
            shares = (None if share != share else share for share in head.shares)
            yield trace.model, run, head.layer, head.head, names[head.kind], head.entropy, *shares


VIEW = View(
    name="attention_heads",
    chapter="attention",
    place=4,
    query=AttentionHeadsQuery,
    needs=frozenset({"attention"}),
    figure=figure,
    preferred=("encoder",),
)
