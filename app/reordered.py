"""A sentence and its words in another order, as one Transformer reads both: what of it depends on the order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from app import align
from app.messages import Message, Strong, bound, decimal, percent, say, translate
from app.options import fitted
from app.plotting import Panel, Plot, Scale, maps
from app.units import hidden
from app.views import Cell, Figure, Table, Term, model_title
from app.words import shortened, words
from models.trace import Attention, Trace

if TYPE_CHECKING:
    from app.views.positions import PositionsQuery

ROUNDING = 1e-4  # a difference below this is what adding in another order costs


def attention(trace: Trace) -> Attention:
    """Where a run looks."""
    assert trace.attention is not None
    return trace.attention


@dataclass(frozen=True)
class Reordered:
    """Two runs of one model; `partners` are the places in the second of the first one's tokens, None where it has none.

    Of words that come twice the first belongs to the first. All tokens count, the model's own stay where they are.
    """

    first: Trace
    second: Trace
    partners: Sequence[int | None]

    @classmethod
    def of(cls, first: Trace, second: Trace) -> "Reordered":
        """The tokens of two runs matched by what they are."""
        pieces = [[f"{token.id} {token.text}" for token in trace.tokens] for trace in (first, second)]
        return cls(first, second, align.pairs(pieces[0], pieces[1], "word"))

    @property
    def whole(self) -> bool:
        """Whether the second sentence is a permutation of the first, token by token."""
        return None not in self.partners and len(self.partners) == len(self.second.tokens)

    @property
    def places(self) -> tuple[list[int], list[int]]:
        """The tokens of the first sentence that have a partner, and these partners."""
        kept = [place for place, partner in enumerate(self.partners) if partner is not None]
        return kept, [partner for partner in self.partners if partner is not None]

    def states(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """The states after a layer and those of their partners, [pairs, units] each."""
        here, there = self.places
        return hidden(self.first)[layer][here], hidden(self.second)[layer][there]

    @property
    def layers(self) -> int:
        """How many layers the model has."""
        return len(attention(self.first).attention)

    @property
    def states_error(self) -> float:
        """The largest difference of any unit of any state after any layer, put back in order."""
        pairs = [self.states(layer) for layer in range(self.layers)]
        return max((float(np.abs(first - second).max()) for first, second in pairs if first.size), default=0.0)

    @property
    def attention_error(self) -> float:
        """The largest difference of any cell of any head, put back in order: |P·A·Pᵀ − A′|."""
        here, there = (np.ix_(places, places) for places in self.places)
        found = 0.0
        for layer in range(self.layers):
            first, second = (attention(trace).attention[layer] for trace in (self.first, self.second))
            found = max(found, float(np.abs(first[:, *here] - second[:, *there]).max(initial=0)))
        return found

    def moved(self, layer: int) -> np.ndarray:
        """How far each state after a layer lies from its partner's, as a share of its length, [tokens]; NaN: none."""
        found = np.full(len(self.partners), np.nan, np.float32)
        first, second = self.states(layer)
        found[self.places[0]] = np.linalg.norm(second - first, axis=1) / np.linalg.norm(first, axis=1)
        return found

    def change(self, layer: int, head: slice) -> np.ndarray:
        """Second minus first of a layer's attention, put back in order, mean of heads, [tokens, tokens]; NaN: none."""
        values = [attention(trace).attention[layer][head].mean(0) for trace in (self.first, self.second)]
        found = np.full(values[0].shape, np.nan, np.float32)
        here, there = self.places
        found[np.ix_(here, here)] = values[1][np.ix_(there, there)] - values[0][np.ix_(here, here)]
        return found

    def seen(self, place: int) -> tuple[int, int] | None:
        """How many tokens a token of the first sentence may look at, and its partner; None where no mask hides any."""
        rows = [attention(trace).scores[0][0] for trace in (self.first, self.second)]
        partner = self.partners[place]
        if partner is None or not any(np.isneginf(row).any() for row in rows):
            return None
        return int(np.isfinite(rows[0][place]).sum()), int(np.isfinite(rows[1][partner]).sum())


def drawing(query: "PositionsQuery", traces: list[Trace]) -> Figure:
    """Attention over both orders and their difference, put back in order; of two models the differences alone."""
    groups = [traces[start : start + 4] for start in range(0, len(traces), 4)]
    pairs = [(Reordered.of(*group[:2]), Reordered.of(*group[2:])) for group in groups]
    chosen = [on if query.positions == "on" else off for on, off in pairs]
    panels: list[Panel] = []
    for number, pair in enumerate(chosen):
        own = fitted(query, pair.first)
        if len(chosen) == 1:
            panels += [look(own, pair.first, 0), look(own, pair.second, 1)]
        panels.append(change(own, pair, number, alone=len(chosen) == 1))
    limit = max(float(np.nanmax(np.abs(on.change(*at(fitted(query, on.first)))), initial=0)) for on, _ in pairs)
    titles: dict[Scale, str] = {"share": translate(query.lang, "positions.bar.attention"),
              "difference": translate(query.lang, "positions.bar.change")}  # fmt: skip
    # On the range that it has with positions rounding looks like nothing.
    plot = ranged(maps(panels, query.lang, "map", titles), "coloraxis2", limit if limit > ROUNDING else 1.0)
    summary = [treated(query)]
    if query.second != query.text:
        summary += [each for pair in pairs for each in told(query, *pair, alone=len(pairs) == 1)]
    layers = [(fitted(query, trace).layer or 1) - 1 for trace in traces]
    lines = ("column.model", "column.positions", "column.position", "column.word", "column.position_second",
             "column.moved", "column.attention_moved")  # fmt: skip
    rows = partial(word_rows, query, pairs)
    count = sum(len(pair.partners) for both in pairs for pair in both)
    runs = (0, 1) if len(groups) == 1 else (0, 4)
    return Figure(plot, summary, Table(lines, rows, count, lines, rows), layers, token_runs=runs)


def at(query: "PositionsQuery") -> tuple[int, slice]:
    """The layer, and the heads that are averaged, counted from 0."""
    head = slice(None) if query.head == "mean" else slice(query.head - 1, query.head)
    return (query.layer or 1) - 1, head


def ranged(plot: Plot, axis: str, limit: float) -> Plot:
    """The colours of an axis from −limit to limit."""
    return replace(plot, layout=plot.layout | {axis: plot.layout[axis] | {"cmin": -limit, "cmax": limit}})


def look(query: "PositionsQuery", trace: Trace, run: int) -> Panel:
    """A run's attention; masked cells have no value."""
    layer, head = at(query)
    values = attention(trace).attention[layer][head].mean(0)
    if not values.all():
        values = np.where(np.isneginf(attention(trace).scores[layer][head]).all(0), np.nan, values)
    labels = [shortened(word.label) for word in words(trace)]
    hover = translate(query.lang, "attention_map.hover")
    return Panel(trace.text, values, labels, labels, "share", hover, run, range(len(labels)))


def change(query: "PositionsQuery", pair: Reordered, run: int, alone: bool) -> Panel:
    """What the other order changes, in the order of the first sentence; rounding counts as nothing."""
    values = pair.change(*at(query))
    values[np.abs(values) < ROUNDING] = 0
    labels = [shortened(word.label) for word in words(pair.first)]
    name = translate(query.lang, "positions.change")
    if not alone:
        name = f"{model_title(pair.first.model, query.lang)} · {name}"
    hover = translate(query.lang, "positions.change.hover")
    return Panel(name, values, labels, labels, "difference", hover, run, range(len(labels)))


def treated(query: "PositionsQuery") -> Message:
    """What the sentence is compared with, and what becomes of a second one that has other words."""
    if query.second == query.text:
        return say("positions.summary.same_order" if query.vs == query.text else "positions.summary.alone")
    if query.vs is None:
        return say("order.summary.reverse", second=query.second)
    if query.second == query.vs:
        return say("order.summary.pair", second=query.second)
    return say("positions.summary.other_words", vs=query.vs, second=query.second)


def told(query: "PositionsQuery", on: Reordered, off: Reordered, alone: bool) -> Iterable[Message]:
    """How far states and attention are from those put back in order without positions, why, and if alone also with."""
    lang, name = query.lang, model_title(off.first.model, query.lang)
    layer = (fitted(query, off.first).layer or 1) - 1
    apart, moved = (Strong(percent(lang, float(np.nanmean(pair.moved(layer))))) for pair in (off, on))
    wrong = (off.states_error, off.attention_error)
    if off.states_error <= ROUNDING:
        exact, same = (Strong(bound(error) if error else "0") for error in wrong)
        yield say("positions.summary.equal", model=name, layers=off.layers, states=exact, attention=same)
    else:
        states, looks = (decimal(lang, error, 2) for error in wrong)
        yield say(
            "positions.summary.unequal", model=name, layer=layer + 1, share=apart, states=states, attention=looks
        )  # fmt: skip
        seen = {word: numbers for word in words(off.first) if (numbers := off.seen(word.position))}
        if seen:  # the word whose view changes most
            word, (before, after) = max(seen.items(), key=lambda each: (abs(each[1][0] - each[1][1]), each[0]))
            yield say("positions.summary.mask", word=word.label, first=before, second=after)
    if alone:
        yield say("positions.summary.moved", layer=layer + 1, share=moved)
    if not off.whole:
        yield say("positions.summary.other_tokens")


def word_rows(query: "PositionsQuery", pairs: Sequence[tuple[Reordered, Reordered]]) -> Iterable[tuple[Cell, ...]]:
    """Model, positions on or off, place, word, place in the other order, how far its state and its look have moved."""
    for both in pairs:
        for key, pair in zip(("on", "off"), both, strict=True):
            layer, head = at(fitted(query, pair.first))
            moved, looks = pair.moved(layer), np.abs(pair.change(layer, head))
            for place, word in enumerate(words(pair.first)):
                there = pair.partners[place]
                state, row = (None, None) if there is None else (float(moved[place]), float(np.nanmax(looks[place])))
                label = Term(key, say(f"option.positions.{key}"))
                yield pair.first.model, label, place, word.label, there, state, row
