"""The OpenAPI description: the API routes as FastAPI knows them, and each view's data address with its options."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from app import views
from app.messages import translate
from app.views import View


class Wrong(BaseModel):
    """What is wrong with an address, and which of its parameters that is about."""

    code: str
    message: str
    field: str | None


class Refusal(BaseModel):
    """The one shape of errors."""

    error: Wrong


OTHERWISE = "what is wrong: 404, 413, 414, 422, 429 (after how many seconds to come back: Retry-After) or 503"


def description(app: FastAPI) -> dict[str, Any]:
    """The whole description, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        for view in views.catalogue().values():
            schema["paths"][f"/{{lang}}/{view.name}.json"] = {"get": operation(view)}
        app.openapi_schema = schema
    return app.openapi_schema


def operation(view: View) -> dict[str, Any]:
    """One view's data address."""
    properties = view.query.model_json_schema()["properties"]
    parameters: list[dict[str, Any]] = [
        {"name": "lang", "in": "path", "required": True, "schema": {"enum": ["de", "en"]}},
        *({"name": name, "in": "query", "schema": schema} for name, schema in properties.items() if name != "lang"),
    ]
    return {
        "summary": translate("en", f"{view.name}.title"),
        "description": f"{translate('en', f'{view.name}.question')} With .csv at its end instead, the address has the "
        "table alone, with .svg, .pdf or .png a still, with .html a file that needs no network.",
        "tags": ["views"],
        "parameters": parameters,
        "responses": {
            "200": {"description": "query, model, tokens, runs, figure, summary, table, check"},
            "default": {
                "description": OTHERWISE,
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{Refusal.__name__}"}}},
            },
        },
    }
