"""The application: routes, limits and errors put together. Nothing of torch is imported before a model is needed."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast
from urllib.parse import quote

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Scope

from app import openapi, routes
from app.accept import preferred
from app.drawings import Drawings
from app.limits import Limits
from app.lru import BytesCache
from app.messages import LANGUAGES, Lang, say
from app.query import QueryError
from app.responses import HEADERS, refusal
from app.runs import Runs
from app.settings import settings
from models import registry


def create_app() -> FastAPI:
    """The server's application with the settings of this process."""
    chosen = settings()
    app = FastAPI(
        title="Satzblick", version=own_version(), docs_url=None, redoc_url=None, openapi_url=None,
        lifespan=lifespan, redirect_slashes=False,
    )  # fmt: skip
    app.state.settings = chosen
    app.state.runs = Runs(chosen)
    app.state.pages = BytesCache[Response](chosen.page_cache_bytes)
    app.state.making = {}
    app.state.drawings = Drawings()
    app.include_router(routes.router)
    app.add_middleware(Limits, settings=chosen, refuse=refuse)
    app.add_exception_handler(QueryError, wrong_query)
    app.add_exception_handler(HTTPException, not_found)
    app.openapi = lambda: openapi.description(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Lists the models before the first request, for one from elsewhere may have to be fetched; ends their threads."""
    for model in registry.catalogue().values():
        if model.fault:
            logging.getLogger(__name__).error("%s cannot be loaded: %s", model.name, model.fault)
    gc.set_threshold(20_000)  # a page has 1,500 objects at once: with the usual 700 each would look for garbage
    yield
    close(app)


def close(app: FastAPI) -> None:
    """Ends the threads of models and drawings."""
    app.state.runs.close()
    app.state.drawings.close()


def own_version() -> str:
    """The installed version; 0 where the package is run from its folder without being installed."""
    try:
        return version("satzblick")
    except PackageNotFoundError:
        return "0"


def language(scope: Scope) -> Lang:
    """The language of an address, else the one the reader asks for; data routes speak English."""
    first = scope["path"].strip("/").split("/")[0]
    if first in LANGUAGES:
        return cast(Lang, first)
    if first in ("api", "health", "oembed"):
        return "en"
    return preferred(Request(scope))


def refuse(scope: Scope, status: int, code: str, values: dict[str, int]) -> ASGIApp:
    """The answer to a request that went over a limit."""
    error = QueryError(code, None, say(f"error.{code}", **values), status=status)
    return refusal(scope["path"], language(scope), error)


async def wrong_query(request: Request, error: Any) -> Response:
    """The answer to an address that states something wrong."""
    return refusal(request.scope["path"], language(request.scope), error)


async def not_found(request: Request, error: Any) -> Response:
    """The answer to an address that no route knows; one with / at its end leads to the same without it."""
    path: str = request.scope["path"]
    if error.status_code == 404 and path.endswith("/") and path.strip("/"):
        query = request.scope["query_string"].decode("latin-1")
        return RedirectResponse(quote(f"/{path.strip('/')}") + "?" * bool(query) + query, 307, headers=HEADERS)
    missing = QueryError("not_found", None, say("error.not_found"), status=error.status_code)
    return refusal(path, language(request.scope), missing)
