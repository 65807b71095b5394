"""Attention map: which token looks at which, at each stage from Q·Kᵀ to the softmax, and rolled out over the layers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from app import tuning
from app.attended import (
    SHARES,
    AttentionMapQuery,
    Map,
    difference,
    highest,
    mapped,
    of_choice,
    of_others,
    partners,
    telling,
)
from app.looks import look, told
from app.messages import Listed, Message, Strong, decimal, percent, say, translate
from app.options import fitted
from app.plotting import Block, Cells, Panel, Plot, Scale, axes_of, cell, joined, maps
from app.query import Query
from app.units import difference_title, panel_title, run_name
from app.views import Cell, Figure, Rows, Table, View
from app.views.attention_steps import AttentionStepsQuery
from app.words import Word, distinct, indexed, shortened, usual
from models.trace import Trace

FIRST = 5  # shares that a word tells where it is pointed at
LEAST_LINE = 0.05  # a look of less has no line
SAME_PLACE = 0.8  # share of the words that must look at the same distance before a head is called positional


def figure(query: AttentionMapQuery, traces: list[Trace]) -> Figure:
    """Rows look, columns are looked at, as maps or as words joined by lines."""
    if query.stage == "rollout":
        query = query.changed(head="mean")  # so that no title names a head
    drawn = [mapped(fitted(query, trace), trace) for trace in traces]
    shown = [(fitted(query, trace).layer or 1) - 1 for trace in traces]
    return Figure(
        lined(query, drawn) if query.lined else coloured(query, drawn),
        [*summary(query, drawn), *thin(query), *told(query, traces), *tuning.attention(query, traces)],
        table(drawn),
        shown,
        rows=[onward(query, map_, run) for run, map_ in enumerate(drawn) if computed(map_.trace)],
    )


def lined(query: AttentionMapQuery, drawn: Sequence[Map]) -> Plot:
    """For each run those who look at the left, those they look at on the right, and lines as thick as the shares."""
    blocks = []
    for run, map_ in enumerate(drawn):
        rows, columns = ([shortened(word.label) for word in side] for side in (map_.rows, map_.columns))
        ends = np.argwhere(map_.values >= LEAST_LINE)
        pairs, weights = [(one, other) for one, other in ends.tolist()], map_.values[tuple(ends.T)].tolist()
        hovers = shares(query, map_.values, map_.columns), shares(query, map_.values.T, map_.rows)
        title = panel_title(query, map_.trace) if len(drawn) == 2 else ""
        places = () if map_.across else positions(map_)
        blocks.append(Block(rows, columns, pairs, weights, hovers, title, run, places))
    names = translate(query.lang, "column.looking"), translate(query.lang, "column.looked_at")
    return joined(blocks, query.lang, names)


def thin(query: AttentionMapQuery) -> list[Message]:
    """From which share on there is a line."""
    return [say("attention_map.summary.lines", least=percent(query.lang, LEAST_LINE))] if query.lined else []


def shares(query: AttentionMapQuery, values: np.ndarray, others: Sequence[Word]) -> list[str]:
    """For each row its largest shares, a line each: with whom, and how much."""
    told, names = [], [shortened(name) for name in distinct(others)]
    for row in values:
        best = row.argsort()[::-1][:FIRST]
        told.append("\n".join(f"{names[place]} {percent(query.lang, float(row[place]))}" for place in best))
    return told


def coloured(query: AttentionMapQuery, drawn: Sequence[Map]) -> Plot:
    """A map for each run, and for two their difference."""
    scale: Scale = "share" if query.stage in SHARES else "signed"
    hover = translate(query.lang, "attention_map.hover")
    panels = [replace(panel(map_title(query, drawn, map_), map_, map_.values, scale, hover, run), framed=cells)
              for run, (map_, cells) in enumerate(zip(drawn, framed(query, drawn), strict=True))]  # fmt: skip
    if len(drawn) == 2:
        change = difference(query, *drawn)
        title = difference_title(query, change)
        if any(np.isnan(map_.values).any() for map_ in drawn):
            title = translate(query.lang, "attention_map.difference.masked")
        panels.append(panel(title, drawn[0], change, "difference", hover, 0))
    titles: dict[Scale, str] = {
        scale: translate(query.lang, f"attention_map.bar.{query.stage}"),
        "difference": translate(query.lang, "difference.bar"),
    }
    return maps(panels, query.lang, "lanes" if any(map_.across for map_ in drawn) else "map", titles)


def computed(trace: Trace) -> bool:
    """Whether all numbers behind a row are known, so that its steps can be shown."""
    return trace.attention is not None and trace.attention.output_weights is not None


def onward(query: AttentionMapQuery, map_: Map, run: int) -> Rows:
    """From each row to its steps; where the mean is shown, in the head that looks hardest at one word."""
    chosen = fitted(query, map_.trace)
    layer = chosen.layer or 1
    stated = query.model_dump(include=set(Query.model_fields)) | {"lang": query.lang, "layer": layer}
    if run:
        stated |= {
            "text": map_.trace.text,
            "model": map_.trace.model,
            "vs_model": query.model if query.vs_model else None,
        }
        stated["vs"] = query.text if query.vs is not None else None
    places = [word.position for word in map_.rows]
    assert map_.trace.attention is not None
    if chosen.head == "mean":
        hardest = map_.trace.attention.attention[layer - 1][:, places].max(-1).argmax(0) + 1
        asks = [{"looking": place, "head": head} for place, head in zip(places, hardest.tolist(), strict=True)]
    else:
        stated["head"] = chosen.head
        asks = [{"looking": place} for place in places]
    names, first = [shortened(word.label) for word in map_.rows], places.index(usual(map_.trace.tokens))
    steps = AttentionStepsQuery.model_construct(**stated)
    label = f"attention_map.steps.{run + 1}" if query.comparing else "attention_map.steps"
    return Rows("attention_steps", steps, label, axes_of(run)[1], asks, names, first)


def map_title(query: AttentionMapQuery, drawn: Sequence[Map], map_: Map) -> str:
    """Of two maps what tells them apart; of one who looks: its sentence stands on both sides already."""
    if len(drawn) == 2:
        return panel_title(query, map_.trace)
    return translate(query.lang, "attention_map.roles.rollout" if query.stage == "rollout" else "attention_map.roles")


def panel(title: str, map_: Map, values: np.ndarray, scale: Scale, hover: str, run: int) -> Panel:
    """A map with those who look at the left and those they look at above."""
    rows, columns = ([shortened(word.label) for word in side] for side in (map_.rows, map_.columns))
    return Panel(title, values, rows, columns, scale, hover, run, positions(map_))


def positions(map_: Map) -> list[int]:
    """The places of the columns in the line of tokens above the figure."""
    return [word.position for word in map_.columns]


def framed(query: AttentionMapQuery, drawn: Sequence[Map]) -> list[list[Cells]]:
    """For each map the cell that the summary names."""
    if query.stage == "softmax" and len(drawn) == 2:
        found = telling(*drawn)
        return [[cell(row, column)] for row, column in found] if found else [[], []]
    if query.stage not in SHARES:
        return [[cell(*highest(map_.values))] for map_ in drawn]
    values = [of_others(map_) if query.stage == "rollout" else of_choice(map_) for map_ in drawn]
    return [[] if map_.alone else [cell(*highest(each))] for map_, each in zip(drawn, values, strict=True)]


def summary(query: AttentionMapQuery, drawn: Sequence[Map]) -> list[Message]:
    """Who looks at whom most, whether that is a matter of place, and what the hidden tokens would have drawn."""
    if query.stage == "rollout":
        mixed = [origin(query, map_) for map_ in drawn]
        return [*each(query, drawn, mixed), *hidden(query, drawn), say("attention_map.summary.no_head")]
    if query.stage != "softmax":
        return [*each(query, drawn, [extremes(query, map_) for map_ in drawn]), *remarks(query, drawn)]
    sentences = [comparison(query, *drawn) if len(drawn) == 2 else strongest(query, drawn[0])]
    sentences += [place for place in [positional(drawn)] if place]
    return [*sentences, *hidden(query, drawn)]


def each(query: AttentionMapQuery, drawn: Sequence[Map], messages: Sequence[Message]) -> Iterable[Message]:
    """A sentence for each run, which says of which it is where there are two."""
    traces = [map_.trace for map_ in drawn]
    for run, message in enumerate(messages):
        named = say("attention_map.summary.of_two", run=run_name(query, traces, run), told=message)
        yield named if len(drawn) == 2 else message


def hidden(query: AttentionMapQuery, drawn: Sequence[Map]) -> list[Message]:
    """What share the special tokens have that are not shown."""
    seen = [word for map_ in drawn for word in look(map_.trace).columns if word.kind == "special"]
    if query.special == "shown" or not seen:
        return []
    part = "rollout." if query.stage == "rollout" else ""
    lost = percent(query.lang, float(np.mean([map_.lost for map_ in drawn])))
    tokens = Listed(list(dict.fromkeys(word.label for word in seen)), translate(query.lang, "attention_map.and"))
    return [say(f"attention_map.summary.{part}{query.special}", share=lost, tokens=tokens)]


def origin(query: AttentionMapQuery, map_: Map) -> Message:
    """How much of each word is still its own after these layers, and which two words have mixed most."""
    if map_.alone:
        return say("attention_map.summary.alone")
    others = of_others(map_)
    row, column = highest(others)
    return say(
        "attention_map.summary.rollout",
        layer=fitted(query, map_.trace).layer or 1,
        own=Strong(percent(query.lang, float(np.diagonal(map_.values).mean()))),
        looking=Strong(indexed(map_.rows, row)),
        looked_at=Strong(indexed(map_.columns, column)),
        share=Strong(percent(query.lang, float(others[row, column]))),
    )


def remarks(query: AttentionMapQuery, drawn: Sequence[Map]) -> list[Message]:
    """What the stage before the softmax does not do here, and what a mean of several heads is."""
    found = []
    masks = [scores for map_ in drawn if (scores := look(map_.trace).scores) is not None]
    if query.stage == "masked" and not any(np.isneginf(scores).any() for scores in masks):
        found.append(say("attention_map.summary.unmasked"))
    if query.head == "mean":
        found.append(say("attention_map.summary.mean"))
    return found


def extremes(query: AttentionMapQuery, map_: Map) -> Message:
    """The pair of words that match best, before the softmax."""
    row, column = highest(map_.values)
    return say(
        "attention_map.summary.scores" if np.isfinite(map_.values).sum() > 1 else "attention_map.summary.scores.one",
        looking=Strong(indexed(map_.rows, row)),
        looked_at=Strong(indexed(map_.columns, column)),
        value=Strong(decimal(query.lang, float(map_.values[row, column]), 2)),
        largest=decimal(query.lang, float(np.nanmax(map_.values)), 2),
        smallest=decimal(query.lang, float(np.nanmin(map_.values)), 2),
    )


def strongest(query: AttentionMapQuery, map_: Map) -> Message:
    """The strongest look of all."""
    if map_.alone:
        return say("attention_map.summary.alone")
    row, column = highest(of_choice(map_))
    return say(
        "attention_map.summary.one" if len(map_.columns) > 1 else "attention_map.summary.only",
        looking=Strong(indexed(map_.rows, row)),
        looked_at=Strong(indexed(map_.columns, column)),
        share=Strong(percent(query.lang, float(map_.values[row, column]))),
    )


def comparison(query: AttentionMapQuery, first: Map, second: Map) -> Message:
    """Where a word that both runs share looks in each: the one that tells most."""
    if first.alone and second.alone:
        return say("attention_map.summary.alone")
    found = telling(first, second)
    if not found:
        return say("attention_map.summary.nothing_shared")
    (row, seen_first), (_, seen_second) = found
    same = partners(first.columns, second.columns)[seen_first] == seen_second
    same_text = first.trace.text == second.trace.text
    shares = [percent(query.lang, float(map_.values[at])) for map_, at in zip((first, second), found, strict=True)]
    if same:
        key = "attention_map.summary.same_look" if shares[0] == shares[1] else "attention_map.summary.same_word"
    else:
        key = "attention_map.summary.other_model" if same_text else "attention_map.summary.other_word"
    return say(
        key,
        looking=Strong(indexed(first.rows, row)),
        first=Strong(indexed(first.columns, seen_first)),
        first_share=Strong(shares[0]),
        second=Strong(indexed(second.columns, seen_second)),
        second_share=Strong(shares[1]),
    )


def positional(drawn: Sequence[Map]) -> Message | None:
    """Says so where nearly every word looks at the same distance: then the place decides, not the word."""
    if any(map_.across for map_ in drawn):
        return None
    offsets = np.concatenate([map_.values.argmax(1) - np.arange(len(map_.rows)) for map_ in drawn])
    common = int(np.bincount(offsets - offsets.min()).argmax() + offsets.min())
    hits = int(((offsets == common) & np.concatenate([map_.free for map_ in drawn])).sum())
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
        for word, row in zip(map_.rows, map_.values.tolist(), strict=True):
            for other, value in zip(map_.columns, row, strict=True):
                shown = None if value != value else value
                yield map_.trace.model, number, word.position, word.label, other.position, other.label, shown


def strongest_rows(drawn: Sequence[Map]) -> Iterable[tuple[Cell, ...]]:
    """For each word the one it looks at most."""
    for number, map_ in enumerate(drawn, start=1):
        columns = np.nanargmax(map_.values, axis=1)
        largest = map_.values[np.arange(len(columns)), columns]
        for word, column, value in zip(map_.rows, columns.tolist(), largest.tolist(), strict=True):
            yield map_.trace.model, number, word.label, map_.columns[column].label, value


VIEW = View(
    name="attention_map",
    chapter="attention",
    place=3,
    query=AttentionMapQuery,
    needs=frozenset({"attention"}),
    figure=figure,
    preferred=("encoder",),
)
