"""Fills the templates: what every page shares (languages, theme, lecture), and the pages made of it."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import controls, form, render, static, views
from app.address import named, read
from app.api import EmbedQuery
from app.messages import LANGUAGES, Lang, say, translate, translator
from app.outcome import Outcome
from app.query import DEFAULT_TEXT, Query, QueryError, Value, located, quoted
from app.settings import settings
from app.views import View

TEMPLATES = Path(__file__).parent.parent / "templates"
LANDING_VIEW = "attention_map"
# A head of the encoder that looks one word back: the same sentence turned round shows at once that the place decides.
LANDING_PAIR = DEFAULT_TEXT, "Der Hund biss den Mann"
LANDING_EXAMPLE = "text={}&vs={}&layer=3&head=1".format(*map(quoted, LANDING_PAIR)).encode()

Json = dict[str, Any]


class Dictionaries(Environment):
    """What templates are given are dictionaries: their entries are looked up first, not after a failed attribute."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute` in a template."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@cache
def environment() -> Environment:
    """Jinja with automatic escaping; a name that is not given is an error."""
    made = Dictionaries(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
        auto_reload=False,
    )
    made.filters |= {"common_start": controls.common_start, "option_rows": controls.option_rows}
    return made


def page(
    template: str,
    lang: Lang,
    path: str,
    query: Query,
    along: Query | None = None,
    frame: dict[str, Value] | None = None,
    shows: View | None = None,
    permalink: str | None = None,
    described: str = "",
    **context: Any,
) -> str:
    """A template with what all pages share; `path` is the page's address without its language.

    `along` is what goes to other views, where that is less than the query; `frame` is what the page's own addresses
    carry beside it; `shows` is the view whose figure the page has, `permalink` where that is not the page itself.
    """

    def here(code: str, **more: str) -> str:
        return query.changed(**more).address(f"/{code}{path}", **(frame or {}))

    along = along or query
    permalink = absolute(permalink or here(lang))
    oembed = f"/oembed?url={quoted(permalink)}&format=json"
    current = context.get("chapter")
    return environment().get_template(template).render(
        lang=query.lang,
        theme=query.theme,
        _=translator(lang),
        asset=static.asset,
        languages=[
            {"code": code, "label": translate(code, "language"), "url": here(code), "current": code == lang}
            for code in LANGUAGES
        ],
        theme_urls={theme: here(lang, theme=theme) for theme in ("auto", "light", "dark")},
        chapters=chapters(along, current),
        home=link(views.catalogue()[LANDING_VIEW], along, f"/{lang}"),
        lexicon={
            "title": translate(lang, "lexicon.title"), "url": located(f"/{lang}/lexicon", shared(along)),
            "current": current == "lexicon",
        },
        models_url=located(f"/{lang}/models", shared(along)),
        permalink=permalink,
        oembed=absolute(oembed) if shows and len(oembed) <= settings().address_bytes else None,
        picture=absolute(picture(query, shows)),
        pictured=(shows and described) or translate(lang, f"{shows.name if shows else LANDING_VIEW}.title"),
        described=described or translate(lang, "landing.opening"),
        **context,
    )  # fmt: skip


def absolute(address: str) -> str:
    """The address with the server's public name, where that is set."""
    return settings().public_url + address


def picture(query: Query, view: View | None) -> str:
    """The address of the still that stands for a page where its address is shared; the landing page's for most."""
    size: dict[str, Value] = {"width": 1200, "height": 630}
    if view is None:
        view = views.catalogue()[LANDING_VIEW]
        query = read(view.query, LANDING_EXAMPLE, query.lang)
    return query.address(f"/{query.lang}/{view.name}.png", **size)


def shared(query: Query) -> dict[str, Value]:
    """What goes along from view to view: sentences, models and theme, not a view's own options.

    The sentence that a view comes with stays where it is: the others come with one that makes their own point.
    """
    found = Query(**{name: getattr(query, name) for name in Query.model_fields}).parameters()
    if query.vs is None and query.text == type(query).model_fields["text"].default:
        del found["text"]
    return found


def link(view: View, query: Query, path: str | None = None) -> str:
    """The address of a view with the sentence going along, and the models where it offers them; `path` where it is
    not its own page that shows it.

    Where networks stand beside each other, two go along, while one alone would take away what it is compared with.
    """
    found = [name for name in (query.model, query.vs_model) if name in view.models]
    if len(found) == 1 and (found[0] == view.models[0] or not view.chooses_model):
        found = []
    model, vs_model = (*found, None, None)[:2]
    along = query.changed(model=model or "", vs_model=vs_model)
    return located(path or f"/{query.lang}/{view.name}", shared(along))


def chapters(query: Query, current: str | None) -> list[Json]:
    """The lecture's chapters that have a view; each leads to its first."""
    first: dict[str, View] = {}
    for view in views.catalogue().values():
        if view.models:
            first.setdefault(view.chapter, view)
    return [
        {
            "name": name,
            "title": translate(query.lang, f"chapter.{name}"),
            "url": link(view, query),
            "current": name == current,
        }
        for name, view in first.items()
    ]


def figure_page(view: View, outcome: Outcome, landing: bool = False) -> str:
    """The page of a view, or the landing page around it: with its figure, or with what is wrong beside the field."""
    query, error = outcome.query, outcome.error
    lang = query.lang
    _ = translator(lang)
    path = "" if landing else f"/{view.name}"
    action = f"/{lang}{path}"
    hidden = {name: value for name, value in query.parameters().items() if name not in ("text", "vs")}
    told, general = complaints(query, error, action) if error else ({}, None)
    settled_query, traces, figure = outcome.drawn or (query, [], None)
    own = query.model == view.models[0] and query.vs_model is None
    along = query.changed(model="") if own else query  # nobody asked for a view's own choice
    if landing and (query.text, query.vs) == LANDING_PAIR:
        along = along.changed(vs=None)
    order = [other for other in views.catalogue().values() if other.models]
    place = order.index(view)
    extra: Json = {"lecture": lecture(along), "deck_url": f"/{lang}/deck"} if landing else {}
    return page(
        "landing.html" if landing else "view.html",
        lang,
        path,
        query,
        page_title=translate(lang, "landing.title" if landing else f"{view.name}.title"),
        chapter=None if landing else view.chapter,
        along=along,
        view={"name": view.name}
        | {part: _(render.text_key(view, part, query)) for part in ("question", "lead")},
        siblings=[
            {"title": translate(lang, f"{other.name}.title"), "url": link(other, along), "current": other is view}
            for other in order
            if other.chapter == view.chapter
        ],
        form=form.filled(query, action, hidden, told),
        controls=controls.offered(view, settled_query, traces, action),
        error=general,
        result=render.result(view, query, traces, figure) if figure else None,
        notes=render.notes(view, query),
        previous=neighbour(order[place - 1], along) if place else None,
        next=neighbour(order[place + 1], along) if place + 1 < len(order) else None,
        shows=view if figure else None,
        described=render.plain(figure.summary, lang) if figure else _(render.text_key(view, "lead", query)),
        **extra,
    )  # fmt: skip


def complaints(query: Query, error: QueryError, action: str) -> tuple[Json, str | None]:
    """What is wrong, beside the field of a sentence, with the address that mends it, or else above the figure."""
    sentence = error.message.text(query.lang)
    of_sentence = error.field in ("text", "vs")
    told: Json = {f"{error.field}_error": sentence} if of_sentence else {}
    if fixed := mended(query, error):
        label, better = fixed
        told["fix"] = {"label": label, "url": better.address(action)}
    return told, None if of_sentence else sentence


def mended(query: Query, error: QueryError) -> tuple[str, Query] | None:
    """The query with what the error says would be right, or without the option that is wrong; and what that is called.

    None for an empty sentence and the like, which only the reader can mend."""
    if error.fix:
        (value,) = error.fix.values()
        key = "fix.shorten" if error.field in ("text", "vs") else "fix.value"
        return translate(query.lang, key, value=str(value)), query.changed(**error.fix)
    if error.field in type(query).model_fields.keys() - {"text", "vs"}:
        usual = type(query).model_fields[error.field].default
        return translate(query.lang, "fix.without"), query.changed(**{error.field: usual})
    return None


def landing_query(view: View, raw: bytes) -> bytes:
    """What the landing page shows: its example where the address names nothing else."""
    if named(raw) & (view.query.model_fields.keys() - {"theme"}):
        return raw
    return LANDING_EXAMPLE + b"&" * bool(raw) + raw


def neighbour(view: View, query: Query) -> Json:
    """The view before or after in the lecture."""
    return {"title": translate(query.lang, f"{view.name}.title"), "url": link(view, query)}


def lecture(query: Query) -> list[Json]:
    """All views in lecture order, by chapter."""
    found: dict[str, list[Json]] = {}
    for view in views.catalogue().values():
        if view.models:
            found.setdefault(view.chapter, []).append(
                {**neighbour(view, query), "question": translate(query.lang, f"{view.name}.question")}
            )
    return [{"title": translate(query.lang, f"chapter.{name}"), "views": entries} for name, entries in found.items()]


def embed_page(view: View, frame: EmbedQuery, outcome: Outcome) -> str:
    """The figure alone, or the sentence that says why there is none."""
    query, error = outcome.query, outcome.error
    settled_query, traces, figure = outcome.drawn or (query, [], None)
    path = f"/embed/{view.name}"
    return page(
        "embed.html",
        query.lang,
        path,
        query,
        page_title=translate(query.lang, f"{view.name}.title"),
        view={"name": view.name, "title": translate(query.lang, f"{view.name}.title")},
        controls=controls.offered(view, settled_query, traces, f"/{query.lang}{path}", frame.parameters()),
        controls_shown=frame.controls,
        caption=frame.caption,
        autoplay=frame.autoplay,
        bg=frame.bg,
        scale=frame.scale,
        error=error.message.text(query.lang) if error else None,
        result=render.result(view, query, traces, figure, frame.parameters()) if figure else None,
        shows=view if figure else None,
        permalink=query.address(f"/{query.lang}/{view.name}"),
    )


def error_page(lang: Lang, status: int, error: QueryError) -> str:
    """A page for an address that leads nowhere, with ways on."""
    query = Query(lang=lang)
    return page(
        "error.html",
        lang,
        "",
        query,
        page_title=translate(lang, "error.title"),
        status=status,
        message=error.message.text(lang),
        suggestions=[
            {"label": translate(lang, f"{view.name}.title"), "url": link(view, query)}
            for view in views.catalogue().values()
            if view.models
        ],
    )


def not_found(kind: str, name: str, allowed: Iterable[str] = ()) -> QueryError:
    """The error for an address part that does not exist; of suffixes those that there are can be told."""
    message = say(f"error.unknown_{kind}", name=name, allowed=", ".join(f".{each}" for each in allowed))
    return QueryError(f"unknown_{kind}", kind, message, status=404)


def api_page() -> str:
    """The OpenAPI page, drawn by the Swagger UI that is shipped along."""
    return environment().get_template("api.html").render(asset=static.asset)


def inline(name: str) -> str:
    """A script as the content of an element, which no character of it ends."""
    return static.content(name)[0].decode().replace("</script", r"<\/script")
