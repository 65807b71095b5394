"""Turns a view's figure into what goes out: the parts of a page, and JSON."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import orjson
from markupsafe import Markup, escape

from app import tables, words
from app.escaping import escaped
from app.messages import Lang, Message, bound, in_quotes, known, translate
from app.query import Query, Value, quoted
from app.views import Figure, Link, Ranked, Rows, View
from models import registry
from models.trace import Trace

TWO_SIDED = ("translator", "encoder_decoder")  # what most views show of these families is their encoder

Json = dict[str, Any]


def figure_json(figure: Figure, theme: str) -> Markup:
    """The plot for a <script type="application/json">: no character in it can end the element."""
    text = orjson.dumps(figure.plot.json(theme))
    return Markup(text.replace(b"<", rb"\u003c").replace(b">", rb"\u003e").replace(b"&", rb"\u0026").decode())


def sentences(messages: Sequence[Message], lang: Lang) -> Markup:
    """The summary as HTML."""
    return Markup(" ").join(message.html(lang) for message in messages)


def plain(messages: Sequence[Message], lang: Lang) -> str:
    """The summary as plain text."""
    return " ".join(message.text(lang) for message in messages)


def checked(traces: Sequence[Trace], figure: Figure, lang: Lang) -> str:
    """How exactly what is recomputed of the layers shown agrees with the libraries that ran the models; or that nothing
    is."""
    if not traces:
        return translate(lang, "check.none")
    if figure.given_by:
        return translate(lang, "check.given", source=figure.given_by)
    layers = figure.layers
    shown: Sequence[int | None] = layers or [None] * len(traces)
    checks = [(trace.check, layer) for trace, layer in zip(traces, shown, strict=True) if not trace.check.reported]
    if not checks:
        return translate(lang, "check.reported")
    errors = [check.max_abs_error if layer is None else check.of(layer) for check, layer in checks]
    libraries = ", ".join(dict.fromkeys(check.against for check, _ in checks))
    if figure.sampled:
        named = " / ".join(str(layer + 1) for layer in dict.fromkeys(layers))
        libraries = translate(lang, "check.layer", against=libraries, layer=named)
    if max(errors) == 0:
        return translate(lang, "check.equal", against=libraries)
    return translate(lang, "check.within", against=libraries, error=bound(max(errors)))


def result(
    view: View, query: Query, traces: Sequence[Trace], figure: Figure, frame: dict[str, Value] | None = None
) -> Json:
    """What the templates need to show a figure, its words, its numbers and where else they are had.

    `frame` is what the links of an embed carry on, so that they lead to embeds; None on a page, which alone lists the
    words beside the figure.
    """
    lang = query.lang
    path, asked = f"/{lang}/{view.name}", query.address("")
    listed = (figure.token_runs or range(len(traces))) if frame is None else ()
    return {
        "summary": sentences(figure.summary, lang),
        "label": plain(figure.summary, lang),
        "figure": figure_json(figure, query.theme),
        "tokens": [token_line(traces[run], number, lang) for number, run in enumerate(listed)],
        "playback": figure.plot.playback,
        "words": any(axis["positions"] for axis in figure.plot.tokens),
        "places": [
            {"title": title, "links": [place(link, lang, frame) for link in links]}
            for title, links in groupby(figure.links, key=lambda link: link.group)
        ],
        "onward": [onward(rows, lang, frame) for rows in figure.rows],
        "marked": figure.marked,
        "comparison": figure.comparison,
        "check": checked(traces, figure, lang),
        "table": tables.page_table(figure.table, lang, view),
        "hash": weights(traces),
        "links": {
            "slides": f"/{lang}/slides/{view.name}{asked}",
            **{form: f"{path}.{form}{asked}" for form in ("svg", "pdf", "png", "html", "csv", "json")},
            "permalink": path + asked,
        },
    }


def weights(traces: Sequence[Trace]) -> str:
    """The models of these runs, each with the short hash of its weights."""
    return ", ".join(dict.fromkeys(f"{trace.model} {registry.get(trace.model).hash}" for trace in traces))


def file_name(name: str, traces: Sequence[Trace], form: str) -> str:
    """What a file of numbers is called: what it shows, and the hashes of its models' weights.

    A still has them in its caption, and its plain name in the text that is copied into slides.
    """
    hashes = dict.fromkeys(registry.get(trace.model).hash for trace in traces)
    return f"{'-'.join(['satzblick', name, *hashes])}.{form}"


def source(view: View, query: Query, traces: Sequence[Trace], step: str = "") -> str:
    """What a picture says of itself wherever it goes: the view, the sentences, the models and their weights.

    `step` is the one of a playback that it stands at, where it cannot go on."""
    lang = query.lang
    said = (in_quotes(lang, text) for text in dict.fromkeys(trace.text for trace in traces) if text)
    shown = translate(lang, "still.step", step=step) if step else ""
    parts = [translate(lang, f"{view.name}.title"), " / ".join(said), shown, weights(traces)]
    return " · ".join(part for part in parts if part)


def place(link: Link, lang: Lang, frame: dict[str, Value] | None) -> Json:
    """A link of a figure: where it leads, and where on which axes it stands."""
    path = f"/{lang}/{link.view}" if frame is None else f"/{lang}/embed/{link.view}"
    return {
        "url": link.query.address(path, **(frame or {})),
        "label": link.label.text(lang),
        "axes": " ".join(link.axes),
        "box": " ".join(f"{side:.4f}" for side in link.box),
    }


def onward(rows: Rows, lang: Lang, frame: dict[str, Value] | None) -> Json:
    """The one link of all rows of an axis: its address, what each row asks beyond it, and what each is called."""
    path = f"/{lang}/{rows.view}" if frame is None else f"/{lang}/embed/{rows.view}"
    address = rows.query.address(path, **(frame or {}))
    asks = ["&".join(f"{name}={quoted(str(value))}" for name, value in ask.items()) for ask in rows.asks]
    return {
        "url": f"{address}&{asks[rows.first]}",
        "label": translate(lang, rows.label, word=rows.words[rows.first]),
        "data": orjson.dumps({"address": address, "asks": asks, "axis": rows.axis, "words": list(rows.words),
                              "label": translate(lang, rows.label, word="%word")}).decode(),
    }  # fmt: skip


def token_line(trace: Trace, number: int, lang: Lang) -> Json:
    """The tokens of a run as the page lists them, a button each; the keyboard stops at the first."""
    found = words.words(trace)
    titles = {kind: f' title="{escape(translate(lang, f"token.{kind}"))}"' for kind in {word.kind for word in found}}
    titles["word"] = ""
    return {
        "title": trace.text,
        "buttons": Markup("\n".join(
            f'<button type="button" id="token-{number}-{word.position}" class="token {word.kind}" '
            f'tabindex="{-1 if word.position else 0}" data-run="{number}" data-position="{word.position}"'
            f"{titles[word.kind]}>{label}</button>"
            for word, label in zip(found, escaped(word.label for word in found), strict=True)
        )),
    }  # fmt: skip


def text_key(view: View, part: str, query: Query) -> str:
    """The key of a view's text: of the chosen model's family where that has its own (an encoder has no time steps)."""
    family = registry.get(query.model).family if query.model in registry.catalogue() else ""
    for own in (family, "encoder") if family in TWO_SIDED else (family,):
        if known(query.lang, key := f"{view.name}.{part}.{own}"):
            return key
    return f"{view.name}.{part}"


def notes(view: View, query: Query) -> list[Json]:
    """How to read the figure, how it is computed, what it does not say: the texts that the catalogue has of these."""
    found, lang = [], query.lang
    for kind in ("read", "formula", "limits"):
        key = text_key(view, kind, query)
        if known(lang, key):
            found.append({"title": translate(lang, f"notes.{kind}"), "body": formatted(translate(lang, key))})
    return found


def formatted(text: str) -> Markup:
    """Paragraphs of a note; one that starts with = is a formula."""
    paragraphs = []
    for line in text.split("\n"):
        if line.startswith("="):
            paragraphs.append(Markup('<p class="formula">{}</p>').format(line[1:].strip()))
        else:
            paragraphs.append(Markup("<p>{}</p>").format(line))
    return Markup("").join(paragraphs)


def data(view: View, query: Query, traces: Sequence[Trace], figure: Figure) -> Json:
    """The JSON twin of a page: the query, the runs, the figure and all its numbers."""
    linked = {"links": [place(link, query.lang, None) for link in figure.links]} if figure.links else {}
    return {
        "query": {"view": view.name, "lang": query.lang, **query.model_dump()},
        "model": traces[0].model if traces else query.model,
        "tokens": tokens_json(traces[0]) if traces else [],
        "runs": [
            {"model": trace.model, "text": trace.text, "tokens": tokens_json(trace), "change": trace.change,
             "check": check_json(trace), "weights": registry.get(trace.model).hash}
            for trace in traces
        ],
        "figure": figure.plot.json(query.theme) | linked,
        "summary": plain(figure.summary, query.lang),
        "table": {"columns": [column.removeprefix("column.") for column in figure.table.columns],
                  "rows": [[str(cell) if isinstance(cell, Ranked) else cell for cell in row]
                           for row in figure.table.rows()]},
        "check": check_json(max(traces, key=lambda trace: trace.check.max_abs_error)) if traces else None,
    }  # fmt: skip


def tokens_json(trace: Trace) -> list[Json]:
    """The tokens of a run: what the model sees, in order."""
    return [
        {"text": token.text, "id": token.id, "start": token.start, "end": token.end, "special": token.special}
        for token in trace.tokens
    ]


def check_json(trace: Trace) -> Json:
    """A run's check."""
    return {"max_abs_error": trace.check.max_abs_error, "against": trace.check.against}
