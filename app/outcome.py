"""What comes of an address: the query that it states, the runs that it needs and the figure, or what is in the way."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeVar

from fastapi import Request

from app.address import named, read, salvaged
from app.api import EmbedQuery
from app.drawings import Drawings
from app.messages import Lang, say
from app.options import beyond, run_choices, settled
from app.query import Query, QueryError, Value
from app.runs import Busy, Runs
from app.views import Figure, View
from models import registry
from models.errors import CaptureError, InputError, ModelUnavailable
from models.run import Run
from models.trace import Trace

T = TypeVar("T")
Lack = Literal["model_unavailable", "no_attention", "not_recorded"]  # what a model may not be able to give


class Drawn(NamedTuple):
    """A view's figure, with the query as its runs have settled it and the traces it shows."""

    query: Query
    traces: list[Trace]
    figure: Figure


@dataclass(frozen=True)
class Outcome:
    """What a page is made of: its query, and the figure or the error that is in its way."""

    query: Query
    drawn: Drawn | None = None
    error: QueryError | None = None


async def attempt(request: Request, view: View, raw: bytes, lang: Lang) -> Outcome:
    """The figure that an address asks for, or its error with what of the address is right."""
    try:
        query = stated(view, raw, lang)
        return Outcome(query, await draw(request, view, query))
    except QueryError as error:
        return Outcome(rescued(view, raw, lang), error=error)


async def framed(request: Request, view: View, lang: Lang) -> tuple[EmbedQuery, Outcome]:
    """How an embedded figure looks, and the figure; the look stays though an option of the view is wrong."""
    raw = request.scope["query_string"]
    try:
        frame = read(EmbedQuery, raw, lang)
    except QueryError as error:
        return EmbedQuery(lang=lang), Outcome(rescued(view, raw, lang), error=error)
    return frame, await attempt(request, view, raw, lang)


def stated(view: View, raw: bytes, lang: Lang) -> Query:
    """The address as a query of this view: its own model filled in where none is named, or where networks stand
    beside each other the one that is named alone; all of them, chosen as such, take the second along."""
    query = read(view.query, raw, lang)
    if query.model:
        return query
    if view.chooses_model:
        return query.changed(model=view.models[0])
    if "model" in named(raw):
        return query.changed(vs_model=None)
    return query.changed(model=query.vs_model, vs_model=None) if query.vs_model in view.models else query


def rescued(view: View, raw: bytes, lang: Lang) -> Query:
    """What of a wrong address still makes a page of this view."""
    query = salvaged(view.query, raw, lang)
    kept = {name: name if name in view.models else None for name in (query.model, query.vs_model)}
    own = view.models[0] if view.chooses_model else ""
    return query.changed(model=kept[query.model] or own, vs_model=kept[query.vs_model])


async def draw(request: Request, view: View, query: Query) -> Drawn:
    """Runs what the view needs and draws it; raises QueryError."""
    for field in ("model", "vs_model"):
        name = getattr(query, field)
        if name and name not in view.models:
            if known_model(name, field).fault:
                raise QueryError("model_unavailable", field, say("error.model_unavailable", model=name), status=503)
            fitting = ", ".join(view.models)
            raise QueryError("unfit_model", field, say("error.unfit_model", model=name, models=fitting))
    wanted = query.runs()
    traces = [await performed(request, query, run) for run in wanted]
    for run, trace in zip(wanted, traces, strict=True):
        if trace.lacking(view.needs):
            raise unavailable("not_recorded", query, run)
    if not traces:  # nothing to hold them against, and nothing that they could change
        query = query.changed(**{name: view.query.model_fields[name].default for name in run_choices(view.query)})
        return Drawn(query, traces, view.figure(query, traces))
    filled = settled(query, traces[0])
    figure = view.figure(filled, traces)
    if told := beyond(query, traces[0]):
        figure = replace(figure, summary=[*told, *figure.summary])
    return Drawn(filled, traces, figure)


async def performed(request: Request, query: Query, run: Run) -> Trace:
    """The trace of one run of a query; raises QueryError for the field that is in its way."""
    runs: Runs = request.app.state.runs
    try:
        return await runs.trace(run)
    except InputError as error:
        raise text_error(error, query, run) from None
    except ModelUnavailable as error:
        raise unavailable("model_unavailable", query, run) from error
    except CaptureError as error:
        raise unavailable("no_attention", query, run) from error
    except Busy:
        raise busy() from None


async def drawn_apart(request: Request, make: Callable[[], T]) -> T:
    """What takes seconds to draw; raises QueryError where too many wait for that."""
    drawings: Drawings = request.app.state.drawings
    try:
        return await drawings.made(make)
    except Busy:
        raise busy() from None


def busy() -> QueryError:
    """The error for who comes while too many wait."""
    return QueryError("busy", None, say("error.busy"), status=429)


def text_error(error: InputError, query: Query, run: Run) -> QueryError:
    """A model's complaint as an error of the field that it is about, with the shortened text where that helps."""
    field = "vs" if query.vs is not None and run.text == query.vs else "text"
    if error.code == "unknown_model":
        field = model_field(query, run)
    fix: dict[str, Value] | None = None
    if "characters" in error.values:
        fix = {field: run.text[: int(error.values["characters"])]}
    return QueryError(error.code, field, say(f"error.{error.code}", **error.values), fix=fix)


def unavailable(code: Lack, query: Query, run: Run) -> QueryError:
    """A model that cannot be read, or does not show all that a view needs: no fault of the reader's."""
    return QueryError(code, model_field(query, run), say(f"error.{code}", model=run.model), status=503)


def model_field(query: Query, run: Run) -> str:
    """Which field of a query named the model of a run."""
    return "vs_model" if run.model == query.vs_model != query.model else "model"


def known_model(name: str, field: str, status: int = 422) -> registry.Model:
    """The model of this name; raises QueryError for the field that named it."""
    try:
        return registry.get(name)
    except InputError as error:
        raise QueryError(error.code, field, say(f"error.{error.code}", **error.values), status=status) from None
