"""One self-contained file of a figure, for rooms without network: style, scripts, and states that need no new run.

A state is what the options of the view choose: layers, heads, gates, stages, orders. Those that fit into LIMIT are
carried, the nearest to the one shown first, packed by gzip; the file's controls switch between them.
"""

import base64
import itertools
import zlib
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup

from app import controls, pages, render, static
from app.api import EmbedQuery
from app.messages import Lang, decimal, translate, translator
from app.options import run_choices, settled
from app.query import Query, QueryError, Value, quoted
from app.settings import settings
from app.views import Figure, View
from models.run import Run
from models.trace import Trace

LIMIT = 2_500_000  # bytes of a file
MOST = 300  # states: more would keep a reader waiting
# An offline file runs its own scripts and asks nobody for anything.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
# offline.js looks at the page before anything is drawn.
SCRIPTS = ("vendor/plotly.js-cartesian-3.7.0/plotly-cartesian.min.js", "offline.js", "satzblick.js")
SPARE = 2_000  # bytes for the sentence that says what is carried

Json = dict[str, Any]
Chosen = dict[str, Value]


@dataclass(frozen=True)
class State:
    """A query whose runs are there already; `chosen` are the options that matter in it."""

    query: Query
    traces: list[Trace]
    chosen: Chosen


@dataclass(frozen=True)
class Carried:
    """The states in a file beside the one shown: packed, how many with that one, whether these are all, and the options
    that they choose or that stay as they are."""

    packed: str
    count: int
    complete: bool
    choosing: list[str]
    fixed: list[str]


def html_page(view: View, query: Query, frame: EmbedQuery, traces: list[Trace], figure: Figure) -> str:
    """The file; links lead to the server's public address, if it has one. `query` is the settled one."""
    lang, public = query.lang, settings().public_url
    template = pages.environment().get_template("offline.html")
    found = states(view, query, traces)
    context = {
        "lang": lang,
        "theme": query.theme,
        "_": translator(lang),
        "page_title": translate(lang, f"{view.name}.title"),
        "policy": POLICY,
        "style": Markup(static.content("style.css")[0].decode()),
        "scripts": [Markup(pages.inline(name)) for name in SCRIPTS],
        "caption": frame.caption,
        "autoplay": frame.autoplay,
        "bg": frame.bg,
        "scale": frame.scale,
        "permalink": pages.absolute(query.address(f"/{lang}/{view.name}")) if public else "",
        **fragment(view, query, traces, figure, frame, choosing(found)),
    }
    room = LIMIT - SPARE - len(template.render(**context, states="", now="", carried="").encode())
    kept = carried(view, query, frame, found, room)
    now = {
        "chosen": written(query, kept.choosing),
        "matters": [name for name in kept.choosing if name in found[0].chosen],
    }
    if not kept.packed:
        context["controls"] = []
    return template.render(**context, states=kept.packed, now=orjson.dumps(now).decode(), carried=told(kept, lang))


def written(query: Query, names: Sequence[str]) -> dict[str, str]:
    """These options as the controls of the file write them."""
    return {name: str(getattr(query, name)) for name in names}


def fragment(
    view: View, query: Query, traces: list[Trace], figure: Figure, frame: EmbedQuery, names: Sequence[str]
) -> Json:
    """What the part of a page that changes with the options is made of."""
    public = settings().public_url
    result = render.result(view, query, traces, figure, frame.parameters()) | (
        {} if public else {"places": [], "onward": []}
    )
    made = [
        control | {"options": [option | {"url": f"#{control['name']}={quoted(str(option['value']))}"}
                               for option in control["options"]]}
        for control in controls.offered(view, query, traces, "") if control["name"] in names
    ]  # fmt: skip
    return {
        "result": result, "controls": made, "source": render.source(view, query, traces), "still": False,
    }  # fmt: skip


def states(view: View, query: Query, traces: list[Trace]) -> list[State]:
    """The state shown and others that its runs are enough for, at most MOST + 1; first what differs from it least."""
    performed = dict(zip(query.runs(), traces, strict=True))
    values: dict[str, list[Value]] = {}
    for name, possible in selectable(view, query, traces):
        others = [each for each in possible if each != getattr(query, name)]
        reachable = [each for each in others if reached(query, {name: each}, performed)]
        if reachable:
            values[name] = reachable
    everything = {name: getattr(query, name) for name in values}
    found: dict[tuple[tuple[str, Value], ...], State] = {}
    ways = nearest_first(values, run_choices(view.query))
    for changes in itertools.islice(ways, 4 * MOST):  # some lead to the same
        if state := reached(query, everything | changes, performed):
            found.setdefault(tuple(state.chosen.items()), state)
    return list(found.values())[: MOST + 1]


def nearest_first(values: dict[str, list[Value]], depending: Container[str]) -> Iterator[Chosen]:
    """All ways to change options, none first: all layers and heads, which depend on the run, before anything else, and
    of these the options that a view names first before those that it names later."""
    rank = list(values)
    subsets = [subset for count in range(len(rank) + 1) for subset in itertools.combinations(rank, count)]

    def distance(subset: tuple[str, ...]) -> tuple[int, int]:
        return sum(name not in depending for name in subset), max(map(rank.index, subset), default=-1)

    for subset in sorted(subsets, key=distance):
        for chosen in itertools.product(*(values[name] for name in subset)):
            yield dict(zip(subset, chosen, strict=True))


def selectable(view: View, query: Query, traces: list[Trace]) -> Iterator[tuple[str, list[Value]]]:
    """The options that can be gone through, with their values."""
    for name, fixed, depending in controls.controlled(view.query):
        if depending is None:
            yield name, list(fixed)
        elif depending.listed and traces:
            yield name, list(depending.of(traces[0]))
    if query.vs is not None:
        yield "align", ["word", "position"]


def reached(query: Query, chosen: Chosen, performed: dict[Run, Trace]) -> State | None:
    """The state of these choices, without those that change nothing in it; None where it needs another run, or where
    the view cannot show it."""
    query = query.changed(**chosen)
    try:
        runs = query.runs()
        if not all(run in performed for run in runs):
            return None
        traces = [performed[run] for run in runs]
        query = settled(query, traces[0]) if traces else query
    except QueryError:
        return None
    return State(query, traces, {name: value for name, value in chosen.items() if name not in query.idle()})


def choosing(found: list[State]) -> list[str]:
    """The options that lead from one of these states to another."""
    names = dict.fromkeys(name for state in found for name in state.chosen)
    return [name for name in names if len({state.chosen[name] for state in found if name in state.chosen}) > 1]


def carried(view: View, query: Query, frame: EmbedQuery, found: list[State], room: int) -> Carried:
    """As many states as `room` bytes hold, packed as base64 of gzipped lines of JSON."""
    names = choosing(found)
    offered = [
        part["name"] for control in controls.offered(view, query, found[0].traces, "")
        for part in control.get("sliders", [control])
    ]  # fmt: skip
    fixed = [name for name in offered if name not in names]
    if not names:
        return Carried("", 1, True, [], fixed)
    template = pages.environment().get_template("_carried.html")
    packer = zlib.compressobj(9, wbits=31)
    parts: list[bytes] = []
    size = 0
    for state in found[1:MOST]:
        figure = view.figure(state.query, state.traces)
        shown = fragment(view, state.query, state.traces, figure, frame, names)
        html = template.render(
            _=translator(query.lang), lang=query.lang, caption=frame.caption, permalink="", carried="", **shown
        )
        chosen = written(state.query, [name for name in names if name in state.chosen])
        trial = packer.copy()
        part = trial.compress(orjson.dumps({"chosen": chosen, "html": html}) + b"\n") + trial.flush(zlib.Z_SYNC_FLUSH)
        if (size + len(part) + 10) * 4 / 3 > room:  # the end of the stream is ten bytes
            break
        packer, size = trial, size + len(part)
        parts.append(part)
    count = len(parts) + 1
    packed = base64.b64encode(b"".join([*parts, packer.flush()])).decode() if parts else ""
    return Carried(packed, count, count == len(found), names, fixed)


def told(kept: Carried, lang: Lang) -> str:
    """The sentence that says what the file can show, and what only the page can."""
    names = ", ".join(translate(lang, f"option.{name}") for name in kept.choosing)
    others = ", ".join(translate(lang, f"option.{name}") for name in kept.fixed)
    said = []
    if kept.choosing:
        key = "offline.all" if kept.complete else "offline.some" if kept.packed else "offline.none"
        limit = decimal(lang, LIMIT / 1e6, 1)
        said.append(translate(lang, key, names=names, count=kept.count, limit=limit, most=MOST))
    if others:
        said.append(translate(lang, "offline.others", names=others))
    return " ".join(said)
