"""What the data routes and embeds read from an address; traces as JSON or npz; the lists of models and views."""

import io
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import numpy as np
import orjson
from pydantic import Field

from app import views
from app.messages import LANGUAGES, say, translate
from app.options import options
from app.query import Query, QueryError, Value
from app.render import check_json, tokens_json
from models import registry, translating
from models.run import Run
from models.trace import Trace


class TraceQuery(Query):
    """One model, one text, which arrays, in which form."""

    text: str = Field("", description="the sentence")
    fields: str = Field("", description="names with commas between; empty: all")
    format: Literal["json", "npz"] = "json"


class EmbedQuery(Query):
    """How an embedded figure looks; the view's own options are read beside it."""

    bg: Literal["solid", "transparent"] = "solid"
    scale: float = Field(1.0, ge=0.5, le=4, description="size of labels and lines")
    controls: bool = False
    caption: bool = True
    autoplay: bool = False

    def parameters(self) -> dict[str, Value]:
        """How the frame looks, as an address says it; the rest of the query is the view's."""
        own = {name: getattr(self, name) for name in options(EmbedQuery)}
        changed = {name: value for name, value in own.items() if value != EmbedQuery.model_fields[name].default}
        return {name: int(value) if isinstance(value, bool) else value for name, value in changed.items()}


class StillQuery(Query):
    """How a still looks; the view's own options are read beside it."""

    width: int = Field(1280, ge=160, le=4_096, description="pixels, or 1/96 inch where there are none")
    height: int = Field(720, ge=120, le=4_096, description="pixels, or 1/96 inch where there are none")
    scale: float = Field(1.0, ge=0.5, le=4, description="size of labels and lines, smaller where panels had no room")
    bg: Literal["solid", "transparent"] = "solid"


def only(raw: bytes, *names: str) -> bytes:
    """What an address says of these parameters; those of a page beside them, right or wrong, mean nothing here."""
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return urlencode([pair for pair in pairs if pair[0] in names], encoding="latin-1").encode()


def answer(query: TraceQuery, trace: Trace) -> tuple[bytes, str]:
    """The body and its media type; raises QueryError for a field that the model does not have."""
    model = registry.get(trace.model)
    wanted = names(query) or list(model.fields)
    for name in wanted:
        if name not in model.fields:
            allowed = ", ".join(model.fields)
            raise QueryError("unknown_field", "fields", say("error.unknown_field", name=name, allowed=allowed))
    if query.format == "npz":
        file = io.BytesIO()
        arrays: dict[str, Any] = {name: array for name, _, array in trace.arrays(lambda name: sent(name, wanted))}
        np.savez_compressed(file, **axis_names(trace), **arrays)
        return file.getvalue(), "application/zip"
    content = {
        "model": trace.model,
        "text": trace.text,
        "tokens": tokens_json(trace),
        "gate_names": list(trace.recurrence.gate_names) if trace.recurrence else [],
        "fields": fields_json(trace, wanted),
        "check": check_json(trace),
        **said_json(trace),
        "weights": model.hash,
    }
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), "application/json"


def axis_names(trace: Trace) -> dict[str, Any]:
    """What stands at the places of axes that have names: tokens, gates, classes, labels, as arrays of text."""
    found: dict[str, Any] = {"tokens": [token.text for token in trace.tokens]}
    if trace.recurrence:
        found["gate_names"] = trace.recurrence.gate_names
    if trace.classification:
        found["class_names"] = trace.classification.class_names
    if trace.labelling:
        found["label_names"] = trace.labelling.label_names
    if trace.written:
        found["target_tokens"] = [token.text for token in trace.written.words]
    return {name: np.array(names, dtype=np.str_) for name, names in found.items()}


def sent(name: str, wanted: Sequence[str]) -> bool:
    """Whether an array belongs to a wanted field; the likeliest tokens' ids and probabilities make up predictions."""
    return name in wanted or (name in ("ids", "probabilities") and "predictions" in wanted)


def asked(query: TraceQuery) -> Run:
    """The run that has the wanted fields: an encoder–decoder writes, greedily, where they say what it wrote or saw."""
    known, wanted = registry.get(query.model).fields, names(query)
    writes = any(name in translating.FIELDS for name in wanted or known)
    return Run(query.model, query.text, "translation_greedy" if writes and set(wanted) <= set(known) else "forward")


def names(query: TraceQuery) -> list[str]:
    """The fields asked for; none in particular means all."""
    return [name.strip() for name in query.fields.split(",") if name.strip()]


def said_json(trace: Trace) -> dict[str, Any]:
    """What a classifier found or a decoder wrote, and the names behind the axes of probabilities."""
    found: dict[str, Any] = {}
    if trace.classification:
        found["class_names"] = trace.classification.class_names
    if said := trace.labelling:
        found["label_names"] = said.label_names
        found["entities"] = [entity._asdict() for entity in said.entities]
    if wrote := trace.written:
        found["target_tokens"] = [token._asdict() for token in wrote.words]
        found["target_text"] = wrote.sentence
    return found


def fields_json(trace: Trace, wanted: Sequence[str]) -> dict[str, Any]:
    """The wanted fields with their axes; −∞ and undefined values are null."""
    found: dict[str, Any] = {
        name: {"axes": axes, "shape": array.shape, "dtype": str(array.dtype), "data": finite(array)}
        for name, axes, array in trace.arrays(wanted.__contains__)
    }
    if (guess := trace.prediction) and "predictions" in wanted:
        ids, probabilities = np.asarray(guess.ids), np.asarray(guess.probabilities)
        ranked = [
            [
                {"text": word, "id": id_, "probability": probability}
                for word, id_, probability in zip(*columns, strict=True)
            ]
            for columns in zip(guess.words, ids.tolist(), probabilities.tolist(), strict=True)
        ]
        found["predictions"] = {"axes": ("tokens", "ranks"), "shape": ids.shape, "dtype": "object", "data": ranked}
    return found


def finite(array: np.ndarray) -> np.ndarray | list[Any]:
    """The array, or nested lists with None where it is not finite."""
    if np.isfinite(array).all():
        return np.ascontiguousarray(array)
    nested = array.astype(object)
    nested[~np.isfinite(array)] = None
    rows: list[Any] = nested.tolist()
    return rows


def models_json() -> list[dict[str, Any]]:
    """What /api/v1/models answers; titles in English."""
    return [
        {
            "name": model.name,
            "title": views.model_title(model.name, "en"),
            "titles": {lang: views.model_title(model.name, lang) for lang in LANGUAGES},
            "family": model.family,
            "parameters": model.parameters,
            "fields": list(model.fields),
            "weights": model.hash,
            "views": [view.name for view in views.catalogue().values() if model.name in view.models],
        }
        for model in registry.catalogue().values()
    ]


def views_json() -> list[dict[str, Any]]:
    """What /api/v1/views answers."""
    return [
        {
            "name": view.name,
            "title": translate("en", f"{view.name}.title"),
            "titles": {lang: translate(lang, f"{view.name}.title") for lang in LANGUAGES},
            "chapter": view.chapter,
            "models": view.models,
            "options": view.query.model_json_schema(),
        }
        for view in views.catalogue().values()
    ]
