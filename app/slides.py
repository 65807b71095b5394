"""The page that tells how a figure gets into slides: a preview, its options, what to copy, the page's QR code."""

import io
from typing import Any

from app import controls, pages, render
from app.api import EmbedQuery
from app.embedding import FILES, SNIPPETS, Picture
from app.messages import decimal, say, translate
from app.options import choice_label
from app.outcome import Outcome
from app.query import Query, QueryError, Value
from app.settings import settings
from app.views import View
from models.trace import Trace

HERE = "SATZBLICK_PUBLIC_URL"  # stands in what is to be copied where it is not set; scripts put in what they see

SUGGESTED = 1.5  # the scale of a slide whose last row reads it, where the address names none

BANNER: dict[str, Value] = {"width": 1120, "height": 450}  # what the themes of Marp leave below a heading
BEAMER: dict[str, Value] = {"width": 1120, "height": 530}  # what its snippet takes of a slide of 16 to 9

Json = dict[str, Any]


def html_page(view: View, frame: EmbedQuery, outcome: Outcome) -> str:
    """How the figure is put into slides: a preview, its options, and for each kind of deck the text to copy."""
    if "scale" not in frame.model_fields_set:
        frame = frame.model_copy(update={"scale": SUGGESTED})
    query, drawn, error = outcome.query, outcome.drawn, outcome.error
    lang, base = query.lang, settings().public_url
    title = translate(lang, f"{view.name}.title")
    path, along = f"/slides/{view.name}", frame.parameters()
    return pages.page(
        "slides.html",
        lang,
        path,
        query,
        frame=chosen(frame),
        page_title=translate(lang, "slides.title", view=title),
        chapter=view.chapter,
        view={"name": view.name, "title": title},
        back=query.address(f"/{lang}/{view.name}"),
        controls=frame_controls(query, frame, f"/{lang}{path}") if drawn else [],
        bg=frame.bg,
        preview=query.address(f"/{lang}/embed/{view.name}", **along) if drawn else None,
        here="" if base else HERE,
        qr=query.address(f"/{lang}{path}.svg") if base and drawn else None,
        snippets=snippets(view, query, frame, drawn.traces, base or HERE) if drawn else [],
        error=error.message.text(lang) if error else None,
        shows=view if drawn else None,
        permalink=query.address(f"/{lang}/{view.name}"),
    )


def snippets(view: View, query: Query, frame: EmbedQuery, traces: list[Trace], base: str) -> list[Json]:
    """What to paste into each kind of deck, with the files that go with it."""
    lang, stem = query.lang, f"/{query.lang}/{view.name}"
    look: dict[str, Value] = {name: value for name, value in frame.parameters().items() if name in ("bg", "scale")}
    slide: dict[str, Value] = {"width": 1280, "height": 720, **look}
    twice: dict[str, Value] = {**slide, "width": 2560, "height": 1440, "scale": min(4.0, 2 * frame.scale)}
    files = {
        "svg": query.address(f"{stem}.svg", **slide), "banner": query.address(f"{stem}.svg", **slide | BANNER),
        "pdf": query.address(f"{stem}.pdf", **slide | BEAMER),
        "png": query.address(f"{stem}.png", **twice), "html": query.address(f"{stem}.html", **look),
        "qr": query.address(f"/{lang}/slides/{view.name}.svg"),
    }  # fmt: skip
    title = translate(lang, f"{view.name}.title")
    words = [" ".join(trace.text.split()) for trace in traces]
    source = ", ".join(filter(None, (title, "Satzblick", render.weights(traces))))
    sentences = " ↔ ".join(translate(lang, "slides.sentence", text=text) for text in dict.fromkeys(words))
    caption = f"{sentences} ({source})" if sentences else source
    shown = Picture(
        title=title, caption=caption, file=f"satzblick-{view.name}", page=base + query.address(stem),
        embed=base + query.address(f"/{lang}/embed/{view.name}", **frame.parameters()), svg=base + files["svg"],
        banner=base + files["banner"], pdf=base + files["pdf"],
    )  # fmt: skip
    return [
        {
            "name": name, "title": translate(lang, f"slides.{name}"), "note": translate(lang, f"slides.{name}.note"),
            "text": make(shown),
            "files": [
                {"url": files[kind], "label": translate(lang, f"slides.file.{kind}"),
                 "name": f"satzblick-{view.name}{'-qr.svg' if kind == 'qr' else f'.{kind}'}"}
                for kind in FILES.get(name, ()) if kind != "qr" or base != HERE
            ],
        }
        for name, make in SNIPPETS.items()
    ]  # fmt: skip


def qr_code(view: View, query: Query) -> bytes:
    """The permalink as a QR code, in SVG; raises QueryError where this server's address is not known or too long."""
    import segno

    if not settings().public_url:
        raise QueryError("no_public_url", None, say("error.no_public_url"), status=404)
    try:
        code = segno.make_qr(pages.absolute(query.address(f"/{query.lang}/{view.name}")), error="l", boost_error=True)
    except segno.DataOverflowError:
        raise QueryError("too_long_for_qr", None, say("error.too_long_for_qr"), status=422) from None
    file = io.BytesIO()
    code.save(file, kind="svg", border=2, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None)
    return file.getvalue()


FRAMES: dict[str, tuple[Value, ...]] = {
    "bg": ("solid", "transparent"), "scale": (1.0, 1.25, 1.5, 2.0), "controls": (0, 1), "caption": (0, 1),
    "autoplay": (0, 1),
}  # fmt: skip


def chosen(frame: EmbedQuery) -> dict[str, Value]:
    """How a frame looks, as an address of this page says it, whose usual scale is another than that of embeds."""
    return frame.parameters() | {"scale": frame.scale}


def frame_controls(query: Query, frame: EmbedQuery, path: str) -> list[Json]:
    """How an embed looks, as controls: each choice leads to the page that shows it."""
    lang, along = query.lang, chosen(frame)
    themes = ("auto", "light", "dark")
    urls = [query.changed(theme=theme).address(path, **along) for theme in themes]
    labels = [choice_label("theme", theme, lang) for theme in themes]
    made = [controls.control("theme", "segmented", themes, labels, query.theme, urls, lang)]
    for name, values in FRAMES.items():
        frames = [frame.model_copy(update={name: value}) for value in values]
        urls = [query.address(path, **chosen(other)) for other in frames]
        labels = [
            decimal(lang, value, 2).rstrip("0").rstrip(",.") if isinstance(value, float)
            else choice_label(name, value, lang)
            for value in values
        ]  # fmt: skip
        kind = "switch" if values == (0, 1) else "segmented"
        made.append(controls.control(name, kind, values, labels, getattr(frame, name), urls, lang))
    return made
