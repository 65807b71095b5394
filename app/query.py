"""A query: a validated address. Each view adds its options as fields; wrong ones raise QueryError with a sentence."""

import unicodedata
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import parse_qsl, quote_plus

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from app.messages import Lang, Message, decimal, known, say, translate, visible
from app.settings import settings
from app.transforms import Transform, transformed
from models import registry
from models.errors import CaptureError, InputError
from models.run import Run
from models.trace import Trace

DEFAULT_TEXT = "Der Mann biss den Hund"
Theme = Literal["auto", "light", "dark"]
Value = str | int | float
Q = TypeVar("Q", bound="Query")


class QueryError(ValueError):
    """What is wrong with an address: which field, the sentence that says so, and perhaps what would be right."""

    def __init__(
        self, code: str, field: str | None, message: Message, status: int = 422, fix: dict[str, Value] | None = None
    ):
        super().__init__(code)
        self.code, self.field, self.message, self.status, self.fix = code, field, message, status, fix


@dataclass(frozen=True)
class Choices:
    """Marks an option whose values depend on the run: `of` lists those that a trace allows, `standard` is the place
    in that list of the one that is taken where the address names none, fixed or found in the trace. `label` says what
    the page calls a value; an option that is not `listed` is a field to type a number into, and may be left empty.
    With another choice of one that is `anew` the others begin anew: it decides which run is made."""

    of: Callable[[Trace], Sequence[Value]]
    standard: int | Callable[[Trace], int] = 0
    label: Callable[[Trace, Value], str | Message] | None = None
    listed: bool = True
    anew: bool = False


@dataclass(frozen=True)
class Places(Choices):
    """Marks an option that names a token. The text is typed anew beside it, so a place that a text does not have is
    no error: the standard choice is taken, and `beyond` says so."""


@dataclass(frozen=True)
class Slider:
    """Marks a number between limits that is moved, not typed; `usual` is what it stands at where the address names
    none and the runs decide."""

    step: float
    usual: Callable[[Any, Sequence[Trace]], float] | None = None


Layer = Annotated[PositiveInt | None, Choices(lambda trace: range(1, layers(trace) + 1), standard=-1)]


def layers(trace: Trace) -> int:
    """The number of layers in a trace."""
    if trace.states is not None and trace.states.hidden is not None:
        return len(trace.states.hidden)
    if trace.attention is not None:
        return len(trace.attention.attention)
    assert trace.decoding is not None
    return len(trace.decoding.cross_attention)


class Query(BaseModel):
    """What every view understands; a subclass's own fields are the view's options and become its controls."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    lang: Lang = Field("de", exclude=True)
    text: str = Field(DEFAULT_TEXT, description="the sentence")
    vs: str | None = Field(None, description="a second sentence to compare with")
    vs_from: Transform | None = Field(
        None, description="the second sentence made of the first, words reversed or nouns swapped; it goes before vs"
    )
    model: str = Field("", description="the model; empty: the view's own choice")
    vs_model: str | None = Field(None, description="a second model to compare with")
    align: Literal["word", "position"] = Field("word", description="how two sentences are matched for their difference")
    theme: Theme = Field("auto", description="light, dark, or as the reader's system is set")

    def runs(self) -> list[Run]:
        """One run, or two where there is something to compare with."""
        runs = [Run(self.model, self.text)]
        if self.vs is not None or self.vs_model is not None:
            runs.append(Run(self.vs_model or self.model, self.text if self.vs is None else self.vs))
        return runs

    def texts(self) -> list[str]:
        """One sentence, or two."""
        return [self.text] if self.vs is None else [self.text, self.vs]

    def side_by_side(self, networks: Sequence[str], otherwise: Sequence[str] = ()) -> list[str]:
        """Of networks that stand beside each other, in this order, those that the address names as model and vs_model;
        where it names none, `otherwise`, or all. Raises QueryError for one that is not among them."""
        named = {field: name for field in ("model", "vs_model") if (name := getattr(self, field))}
        for field, name in named.items():
            if name not in networks:
                fitting = ", ".join(networks)
                raise QueryError("unfit_model", field, say("error.unfit_model", model=name, models=fitting))
        return [name for name in networks if name in (named.values() or otherwise or networks)]

    def completed(self) -> Self:
        """The query as its view means it where something is left out; its address says so then."""
        return self

    def idle(self) -> Container[str]:
        """The options that change nothing in the picture asked for, and so are no controls."""
        return ()

    def withheld(self) -> Mapping[str, Container[Value]]:
        """Choices that an option has, but not in the picture asked for."""
        return {}

    @property
    def same_text(self) -> bool:
        """Whether all runs read the same sentence."""
        return self.vs is None or self.vs == self.text

    def changed(self, **values: Value | None) -> Self:
        """The same query with other values."""
        return self.model_copy(update=values)

    def parameters(self) -> dict[str, Value]:
        """What an address must carry to say this query: the text and all that differs from the defaults."""
        return self._parameters("text")

    def _parameters(self, kept: str) -> dict[str, Value]:
        found = ((name, getattr(self, name), default) for name, default in standard(type(self)))
        return {name: value for name, value, default in found if name in ("text", kept) or value != default}

    def address(self, path: str, **more: Value) -> str:
        """The path with this query, and more parameters where given."""
        return f"{path}?{'&'.join(parameter(*pair) for pair in (self.parameters() | more).items())}"

    def addresses(self, path: str, name: str, values: Sequence[Value | None], **more: Value) -> list[str]:
        """The `address` for each value of one parameter; the others are written once for all."""
        pairs, usual = self._parameters(name) | more, dict(standard(type(self)))[name]
        parts, place = [parameter(*pair) for pair in pairs.items()], list(pairs).index(name)
        before, after = parts[:place], parts[place + 1 :]
        own = ([] if value is None or value == usual else [parameter(name, value)] for value in values)
        return [f"{path}?{'&'.join([*before, *part, *after])}" for part in own]


def parameter(name: str, value: Value) -> str:
    """A parameter as an address has it."""
    return f"{name}={quoted(str(value))}"


@cache
def standard(kind: type[Query]) -> tuple[tuple[str, Any], ...]:
    """What may stand in an address, each with the value that is meant where it does not."""
    return tuple((name, field.default) for name, field in kind.model_fields.items() if name != "lang")


quoted = lru_cache(maxsize=256)(quote_plus)  # a page has some forty links, and each carries the sentence


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


def named(raw: bytes) -> set[str]:
    """The names of all parameters, those without a value too."""
    return {name for name, _ in parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1")}


def parse(raw: bytes, names: Container[str]) -> dict[str, list[str]]:
    """The parameters of these names; raises QueryError where a value is not UTF-8."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1"):
        if name in names:
            try:
                found.setdefault(name, []).append(value.encode("latin-1").decode("utf-8"))
            except UnicodeError:
                raise QueryError("not_utf8", name, say("error.not_utf8", field=label(name))) from None
    return found


def read(kind: type[Q], raw: bytes, lang: Lang) -> Q:
    """The query that an address states; raises QueryError for what is wrong in it, ignores what it does not know."""
    stated: dict[str, str] = {}
    for name, values in parse(raw, kind.model_fields.keys() - {"lang"}).items():
        if len(values) > 1:
            raise QueryError("repeated", name, say("error.repeated", field=label(name)))
        stated[name] = values[0]
    for name in ("vs_model", "vs_from", *typed_into(kind)):  # "no other", as the form says it; a field left empty
        if stated.get(name) == "":
            del stated[name]
    if "vs_from" in stated:  # pressed on a page whose second field says something else
        stated.pop("vs", None)
    limit = settings().characters
    for name in ("text", "vs"):
        if name in stated:  # a letter and its mark may come as two characters, which no vocabulary knows
            stated[name] = unicodedata.normalize("NFC", stated[name])
        value = stated.get(name)
        if value is not None and len(value) > limit:
            raise QueryError(
                "too_many_characters", name, say("error.too_many_characters", count=len(value), limit=limit),
                fix={name: value[:limit]},
            )  # fmt: skip
        if value is not None and not value.strip():
            raise QueryError("empty_text", name, say("error.empty_text"))
    try:
        return paired(kind(lang=lang, **stated)).completed()
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise QueryError(
            "wrong_value",
            field,
            say(
                "error.wrong_value",
                field=label(field),
                value=visible(stated.get(field, "")),
                allowed=allowed(kind, field, lang),
            ),
        ) from None


def paired(query: Q) -> Q:
    """The query with its second sentence made as it says; raises QueryError where there are no two nouns to swap."""
    if query.vs_from is None:
        return query
    partner = transformed(query.text, query.vs_from)
    if partner is None:
        raise QueryError("too_few_nouns", "text", say("error.too_few_nouns"))
    return query.changed(vs=partner, vs_from=None)


def salvaged(kind: type[Q], raw: bytes, lang: Lang) -> Q:
    """As much of a wrong address as still makes a page: the sentences as typed, and each value that is right."""
    given = dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1"))
    kept: dict[str, str] = {}
    for name in given.keys() & (kind.model_fields.keys() - {"lang", "vs_from"}):
        value = given[name].encode("latin-1").decode("utf-8", "replace")
        try:
            kind(**{name: value})
        except ValidationError:
            continue
        if name != "vs_model" or value:
            kept[name] = value
    return kind(lang=lang, **kept)


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
            ends = (decimal(lang, entry[end], 0 if entry[end] == int(entry[end]) else 1) for end in ENDS)
            parts.append(" … ".join(ends))
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


def text_error(error: InputError, query: Query, run: Run) -> QueryError:
    """A model's complaint as an error of the field that it is about, with the shortened text where that helps."""
    field = "vs" if query.vs is not None and run.text == query.vs else "text"
    if error.code == "unknown_model":
        field = "vs_model" if run.model == query.vs_model else "model"
    fix: dict[str, Value] | None = None
    if "characters" in error.values:
        fix = {field: run.text[: int(error.values["characters"])]}
    return QueryError(error.code, field, say(f"error.{error.code}", **error.values), fix=fix)


def unavailable(error: Exception, query: Query, run: Run) -> QueryError:
    """A model that cannot be read, or whose attention is out of reach: no fault of the reader's."""
    field = "vs_model" if run.model == query.vs_model != query.model else "model"
    if isinstance(error, CaptureError):
        return QueryError("no_attention", field, say("error.no_attention", model=run.model), status=503)
    return QueryError("model_unavailable", field, say("error.model_unavailable", model=run.model), status=503)


def known_model(name: str, field: str, status: int = 422) -> registry.Model:
    """The model of this name; raises QueryError for the field that named it."""
    try:
        return registry.get(name)
    except InputError as error:
        raise QueryError(error.code, field, say(f"error.{error.code}", **error.values), status=status) from None
