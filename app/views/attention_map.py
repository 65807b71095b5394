"""Attention map: which token looks at which, at each stage from Q·Kᵀ to the softmax, and rolled out over the layers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import PositiveInt

from app import align, tuning
from app.messages import Message, Strong, decimal, percent, say, translate
from app.plotting import Panel, Scale, maps
from app.query import Choices, Layer, Query, fitted
from app.units import difference_title, panel_title
from app.views import Cell, Figure, Table, View
from app.words import Word, shortened, words
from models.faithfulness import rollout
from models.trace import Trace

SHARES = ("softmax", "rollout")  # the stages whose rows sum to 1
SAME_PLACE = 0.8  # share of the words that must look at the same distance before a head is called positional


def heads(trace: Trace) -> Sequence[str | int]:
    """The mean over the heads, and each head of a layer."""
    assert trace.attention is not None
    return ["mean", *range(1, trace.attention.attention.shape[1] + 1)]


class AttentionMapQuery(Query):
    """Layer, head, how far the computation has come, and what happens to [CLS] and [SEP]."""

    layer: Layer = None
    head: Annotated[Literal["mean"] | PositiveInt, Choices(heads)] = "mean"
    stage: Literal["raw", "scaled", "masked", "softmax", "rollout"] = "softmax"
    special: Literal["renormalised", "hidden", "shown"] = "renormalised"


@dataclass(frozen=True)
class Map:
    """What is drawn of one run: values [words, words] and the words; `lost` is the share that hidden tokens drew."""

    trace: Trace
    words: list[Word]
    values: np.ndarray
    lost: float


def staged(query: AttentionMapQuery, trace: Trace) -> np.ndarray:
    """The chosen layer's heads at the chosen stage, averaged where asked for: [tokens, tokens], masked is NaN."""
    attention = trace.attention
    assert attention is not None
    layer = (query.layer or 1) - 1
    if query.stage == "rollout":
        return rollout([attention.attention[each].mean(axis=0) for each in range(layer + 1)])
    head = slice(None) if query.head == "mean" else slice(query.head - 1, query.head)
    if query.stage == "softmax":
        values = attention.attention[layer, head]
    elif query.stage == "masked":
        values = np.where(np.isneginf(attention.scores[layer, head]), np.nan, attention.scores[layer, head])
    else:
        values = attention.queries[layer, head] @ attention.keys[layer, head].swapaxes(-1, -2)
        if query.stage == "scaled":
            values = values * attention.scaling[layer]
    mean: np.ndarray = values.mean(axis=0)
    return mean


def mapped(query: AttentionMapQuery, trace: Trace) -> Map:
    """The values to draw, with special tokens shown, left out, or left out and their share given to the others."""
    values, tokens = staged(query, trace), words(trace)
    kept = [token.position for token in tokens if token.kind != "special"]
    if query.special == "shown" or not kept:
        return Map(trace, tokens, values, 0.0)
    shown = values.take(kept, axis=0).take(kept, axis=1)
    lost = float(1 - shown.sum(1).mean()) if query.stage in SHARES else 0.0
    if query.special == "renormalised" and query.stage in SHARES:
        shown = shown / np.maximum(shown.sum(1, keepdims=True), np.finfo(np.float32).tiny)
    return Map(trace, [tokens[place] for place in kept], shown, lost)


def figure(query: AttentionMapQuery, traces: list[Trace]) -> Figure:
    """Rows look, columns are looked at; for two runs a map each and their difference."""
    if query.stage == "rollout":
        query = query.changed(head="mean")  # so that no title names a head
    drawn = [mapped(fitted(query, trace), trace) for trace in traces]
    scale: Scale = "share" if query.stage in SHARES else "signed"
    hover = translate(query.lang, "attention_map.hover")
    panels = [
        panel(panel_title(query, map_.trace), map_.words, map_.values, scale, hover, run)
        for run, map_ in enumerate(drawn)
    ]
    if len(drawn) == 2:
        change = difference(query, *drawn)
        panels.append(panel(difference_title(query, change), drawn[0].words, change, "difference", hover, 0))
    titles: dict[Scale, str] = {
        scale: translate(query.lang, f"attention_map.bar.{query.stage}"),
        "difference": translate(query.lang, "difference.bar"),
    }
    shown = [(fitted(query, trace).layer or 1) - 1 for trace in traces]
    return Figure(
        maps(panels, query.lang, "map", titles),
        [*summary(query, drawn), *tuning.attention(query, traces)],
        table(drawn),
        shown,
    )


def panel(title: str, tokens: Sequence[Word], values: np.ndarray, scale: Scale, hover: str, run: int) -> Panel:
    """A square map with the same words on both sides."""
    labels = [shortened(word.label) for word in tokens]
    return Panel(title, values, labels, labels, scale, hover, run, [word.position for word in tokens])


def difference(query: AttentionMapQuery, first: Map, second: Map) -> np.ndarray:
    """Second minus first where both words of a cell have a partner, else NaN; in the first run's order."""
    partners = align.pairs([w.label for w in first.words], [w.label for w in second.words], query.align)
    known = [place for place, partner in enumerate(partners) if partner is not None]
    theirs = [partner for partner in partners if partner is not None]
    values = np.full(first.values.shape, np.nan, np.float32)
    values[np.ix_(known, known)] = second.values[np.ix_(theirs, theirs)] - first.values[np.ix_(known, known)]
    return values


def summary(query: AttentionMapQuery, drawn: Sequence[Map]) -> list[Message]:
    """Who looks at whom most, whether that is a matter of place, and what the hidden tokens would have drawn."""
    if query.stage == "rollout":
        return [*(origin(query, map_) for map_ in drawn), *hidden(query, drawn), say("attention_map.summary.no_head")]
    if query.stage != "softmax":
        return [*(extremes(query, map_) for map_ in drawn), *remarks(query, drawn)]
    sentences = [comparison(query, *drawn) if len(drawn) == 2 else strongest(query, drawn[0])]
    sentences += [place for place in [positional(drawn)] if place]
    return [*sentences, *hidden(query, drawn)]


def hidden(query: AttentionMapQuery, drawn: Sequence[Map]) -> list[Message]:
    """What share the special tokens have that are not shown."""
    if query.special == "shown":
        return []
    part = "rollout." if query.stage == "rollout" else ""
    lost = percent(query.lang, float(np.mean([map_.lost for map_ in drawn])))
    return [say(f"attention_map.summary.{part}{query.special}", share=lost)]


def origin(query: AttentionMapQuery, map_: Map) -> Message:
    """How much of each word is still its own after these layers, and which two words have mixed most."""
    if len(map_.words) == 1:
        return say("attention_map.summary.alone")
    others = np.where(np.eye(len(map_.words), dtype=bool), -1, map_.values)
    row, column = np.unravel_index(others.argmax(), others.shape)
    return say(
        "attention_map.summary.rollout",
        layer=fitted(query, map_.trace).layer or 1,
        own=Strong(percent(query.lang, float(np.diagonal(map_.values).mean()))),
        looking=Strong(map_.words[row].label),
        looked_at=Strong(map_.words[column].label),
        share=Strong(percent(query.lang, float(others[row, column]))),
    )


def remarks(query: AttentionMapQuery, drawn: Sequence[Map]) -> list[Message]:
    """What the stage before the softmax does not do here, and what a mean of several heads is."""
    found = []
    if query.stage == "masked" and not any(np.isnan(map_.values).any() for map_ in drawn):
        found.append(say("attention_map.summary.unmasked"))
    if query.head == "mean":
        found.append(say("attention_map.summary.mean"))
    return found


def extremes(query: AttentionMapQuery, map_: Map) -> Message:
    """The pair of words that match best, before the softmax."""
    row, column = np.unravel_index(np.nanargmax(map_.values), map_.values.shape)
    return say(
        "attention_map.summary.scores",
        looking=Strong(map_.words[row].label),
        looked_at=Strong(map_.words[column].label),
        value=Strong(decimal(query.lang, float(map_.values[row, column]), 2)),
        largest=decimal(query.lang, float(np.nanmax(map_.values)), 2),
        smallest=decimal(query.lang, float(np.nanmin(map_.values)), 2),
    )


def strongest(query: AttentionMapQuery, map_: Map) -> Message:
    """The strongest look of all."""
    if len(map_.words) == 1:
        return say("attention_map.summary.alone")
    row, column = np.unravel_index(map_.values.argmax(), map_.values.shape)
    return say(
        "attention_map.summary.one",
        looking=Strong(map_.words[row].label),
        looked_at=Strong(map_.words[column].label),
        share=Strong(percent(query.lang, float(map_.values[row, column]))),
    )


def comparison(query: AttentionMapQuery, first: Map, second: Map) -> Message:
    """Where a word that both runs share looks in each: the one that tells most."""
    partners = align.pairs([w.label for w in first.words], [w.label for w in second.words], "word")
    shared = [place for place, partner in enumerate(partners) if partner is not None]
    if len(first.words) == len(second.words) == 1:
        return say("attention_map.summary.alone")
    if not shared:
        return say("attention_map.summary.nothing_shared")
    seen = {row: (int(first.values[row].argmax()), int(second.values[partners[row] or 0].argmax())) for row in shared}

    def telling(row: int) -> tuple[bool, float]:
        """A word that looks elsewhere the second time tells more, and more so the harder it looks both times."""
        mine, theirs = seen[row]
        moved = first.words[mine].label != second.words[theirs].label
        return moved, float(first.values[row, mine] * second.values[partners[row] or 0, theirs])

    row = max(shared, key=telling)
    other, (seen_first, seen_second) = partners[row] or 0, seen[row]
    same = not telling(row)[0]
    return say(
        "attention_map.summary.same_word" if same else "attention_map.summary.other_word",
        looking=Strong(first.words[row].label),
        first=Strong(first.words[seen_first].label),
        first_share=Strong(percent(query.lang, float(first.values[row, seen_first]))),
        second=Strong(second.words[seen_second].label),
        second_share=Strong(percent(query.lang, float(second.values[other, seen_second]))),
    )


def positional(drawn: Sequence[Map]) -> Message | None:
    """Says so where nearly every word looks at the same distance: then the place decides, not the word."""
    offsets = np.concatenate([map_.values.argmax(1) - np.arange(len(map_.words)) for map_ in drawn])
    common = int(np.bincount(offsets - offsets.min()).argmax() + offsets.min())
    hits = int((offsets == common).sum())
    if len(offsets) < 4 or hits < SAME_PLACE * len(offsets) or abs(common) > 1:
        return None
    place = {-1: "before", 0: "itself", 1: "after"}[common]
    return say(f"attention_map.summary.{place}", hits=hits, of=len(offsets))


def table(drawn: Sequence[Map]) -> Table:
    """Each cell as a row; for the page's brief table the strongest column of each word."""
    return Table(
        columns=("column.model", "column.run", "column.position", "column.looking", "column.position_at",
                 "column.looked_at", "column.value"),
        rows=partial(all_rows, drawn),
        count=sum(map_.values.size for map_ in drawn),
        brief_columns=("column.model", "column.run", "column.looking", "column.looked_at", "column.largest"),
        brief=partial(strongest_rows, drawn),
    )  # fmt: skip


def all_rows(drawn: Sequence[Map]) -> Iterable[tuple[Cell, ...]]:
    """Every cell of every map; a masked one has no value."""
    for number, map_ in enumerate(drawn, start=1):
        for word, row in zip(map_.words, map_.values.tolist(), strict=True):
            for other, value in zip(map_.words, row, strict=True):
                shown = None if value != value else value
                yield map_.trace.model, number, word.position, word.label, other.position, other.label, shown


def strongest_rows(drawn: Sequence[Map]) -> Iterable[tuple[Cell, ...]]:
    """For each word the one it looks at most."""
    for number, map_ in enumerate(drawn, start=1):
        columns = np.nanargmax(map_.values, axis=1)
        largest = map_.values[np.arange(len(columns)), columns]
        for word, column, value in zip(map_.words, columns.tolist(), largest.tolist(), strict=True):
            yield map_.trace.model, number, word.label, map_.words[column].label, value


VIEW = View(
    name="attention_map",
    chapter="attention",
    place=3,
    query=AttentionMapQuery,
    needs=frozenset({"scores", "attention"}),
    figure=figure,
    preferred=("encoder",),
)
