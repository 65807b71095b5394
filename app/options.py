"""The options that a view adds to a query: which there are, what the page calls them, which values a run allows."""

from functools import cache
from typing import Any

from app.messages import Lang, Message, known, say, shortest, translate
from app.query import Choices, Places, Q, Query, QueryError, Slider
from models.trace import Trace

SHARED = frozenset(Query.model_fields)
ENDS = ("minimum", "maximum")


def options(kind: type[Query]) -> dict[str, Any]:
    """The fields that a view adds to what every view understands."""
    return {name: field for name, field in kind.model_fields.items() if name not in SHARED}


def label(field: str) -> Message:
    """What the page calls an option."""
    return say(f"option.{field}")


def choice_label(name: str, value: Any, lang: Lang) -> str:
    """What the page calls a choice of an option; numbers and names without a text stand for themselves."""
    key = f"option.{name}.{value}"
    return translate(lang, key) if known(lang, key) else str(value)


def run_choices(kind: type[Query]) -> dict[str, Choices]:
    """The options whose values depend on the run."""
    return {
        name: entry for name, field in options(kind).items() for entry in field.metadata if isinstance(entry, Choices)
    }


@cache
def numbers(kind: type[Query]) -> dict[str, tuple[float, float, str]]:
    """The options that are numbers between limits: smallest, largest, step."""
    schema = kind.model_json_schema()["properties"]
    depending = run_choices(kind).keys() | sliders(kind).keys()
    found = {}
    for name in options(kind):
        for entry in schema[name].get("anyOf", [schema[name]]):
            if name not in depending and "minimum" in entry and "maximum" in entry:
                found[name] = (entry["minimum"], entry["maximum"], "1" if entry["type"] == "integer" else "any")
    return found


@cache
def typed_into(kind: type[Query]) -> list[str]:
    """The options that are a field to type a number into; one that is left empty states nothing."""
    return [*numbers(kind), *(name for name, choices in run_choices(kind).items() if not choices.listed)]


@cache
def sliders(kind: type[Query]) -> dict[str, tuple[float, float, Slider]]:
    """The options that are moved: smallest value, largest, and how."""
    schema, found = kind.model_json_schema()["properties"], {}
    for name, field in options(kind).items():
        for entry in (entry for entry in field.metadata if isinstance(entry, Slider)):
            limits = next(each for each in schema[name].get("anyOf", [schema[name]]) if "minimum" in each)
            found[name] = (limits["minimum"], limits["maximum"], entry)
    return found


def allowed(kind: type[Query], field: str, lang: Lang) -> str:
    """The values an option takes, in few characters: its choices, or 1, 2, 3 … where the run decides."""
    schema = kind.model_json_schema()["properties"][field]
    parts: list[str] = []
    for entry in schema.get("anyOf", [schema]):
        if "enum" in entry:
            parts += map(str, entry["enum"])
        elif "const" in entry:
            parts.append(str(entry["const"]))
        elif entry.get("type") == "integer":
            least = entry["minimum"] if "minimum" in entry else entry["exclusiveMinimum"] + 1
            most = entry.get("maximum", entry.get("exclusiveMaximum", 0) - 1)
            parts.append(f"{least}, {least + 1}, {least + 2} …" if most < 0 else f"{least} … {most}")
        elif entry.get("type") == "number":
            parts.append(" … ".join(shortest(lang, entry[end]) for end in ENDS))
        elif entry.get("type") == "boolean":
            parts.append("0, 1")
    return ", ".join(parts)


def settled(query: Q, trace: Trace) -> Q:
    """The query with the options that depend on the run checked and filled in; raises QueryError for layer 7 of 4."""
    for name, choices in run_choices(type(query)).items():
        value, possible = getattr(query, name), choices.of(trace)
        if value is not None and not possible:
            raise QueryError("no_such_option", name, say("error.no_such_option", field=label(name), model=trace.model))
        if value is not None and value not in possible and not isinstance(choices, Places):
            allowed = ", ".join(map(str, possible))
            raise QueryError(
                "out_of_range", name, say("error.out_of_range", field=label(name), value=value, allowed=allowed)
            )
    return fitted(query, trace)


def beyond(query: Query, trace: Trace) -> list[Message]:
    """What is said of the places that a query names and its text does not have."""
    return [
        say("place.beyond", field=label(name), value=value)
        for name, choices in run_choices(type(query)).items()
        if isinstance(choices, Places)
        and (value := getattr(query, name)) is not None
        and name not in query.idle()
        and value not in choices.of(trace)
    ]


def fitted(query: Q, trace: Trace) -> Q:
    """The query as it applies to this run: what another model does not have becomes that run's standard choice."""
    filled = {}
    for name, choices in run_choices(type(query)).items():
        possible = choices.of(trace)
        if getattr(query, name) not in possible:
            standard = choices.standard(trace) if callable(choices.standard) else choices.standard
            filled[name] = possible[standard] if choices.listed and possible else None
    return query.changed(**filled)
