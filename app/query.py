"""A query: a validated address. Each view adds its options as fields; wrong ones raise QueryError with a sentence."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import quote_plus

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from app.align import Align
from app.messages import Lang, Message, say
from app.transforms import Transform
from models.run import Run
from models.trace import Trace

DEFAULT_TEXT = "Der Mann biss den Hund"
LONG_TEXT = "Der Mann, der sehr skeptisch ist und gestern spät gekommen ist, war da."  # far from its noun to its verb
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


def layers(trace: Trace) -> range:
    """The layers of a trace, counted from 1."""
    if trace.states is not None and trace.states.hidden is not None:
        return range(1, len(trace.states.hidden) + 1)
    if trace.attention is not None:
        return range(1, len(trace.attention.attention) + 1)
    assert trace.decoding is not None
    return range(1, len(trace.decoding.cross_attention) + 1)


Layer = Annotated[PositiveInt | None, Choices(layers, standard=-1)]


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
    align: Align = Field("word", description="how two sentences are matched for their difference")
    theme: Theme = Field("auto", description="light, dark, or as the reader's system is set")

    def runs(self) -> list[Run]:
        """One run, or two where there is something to compare with."""
        runs = [Run(self.model, self.text)]
        if self.comparing:
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
    def comparing(self) -> bool:
        """Whether there is a second sentence or a second model."""
        return self.vs is not None or self.vs_model is not None

    @property
    def two_models(self) -> bool:
        """Whether the second model is another than the first."""
        return self.vs_model not in (None, self.model)

    @property
    def one_sentence(self) -> bool:
        """Whether one sentence is read, once or by two models; one that is typed twice for one model counts as two."""
        return self.vs is None or (self.vs == self.text and self.two_models)

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
        return located(path, self.parameters() | more)

    def addresses(self, path: str, name: str, values: Sequence[Value | None], **more: Value) -> list[str]:
        """The `address` for each value of one parameter; the others are written once for all."""
        pairs, usual = self._parameters(name) | more, dict(standard(type(self)))[name]
        parts, place = [parameter(*pair) for pair in pairs.items()], list(pairs).index(name)
        before, after = parts[:place], parts[place + 1 :]
        own = ([] if value is None or value == usual else [parameter(name, value)] for value in values)
        return [f"{path}?{'&'.join([*before, *part, *after])}" for part in own]


def located(path: str, parameters: Mapping[str, Value]) -> str:
    """The path with these parameters, if there are any."""
    return f"{path}?{'&'.join(parameter(*pair) for pair in parameters.items())}" if parameters else path


def parameter(name: str, value: Value) -> str:
    """A parameter as an address has it."""
    return f"{name}={quoted(str(value))}"


@cache
def standard(kind: type[Query]) -> tuple[tuple[str, Any], ...]:
    """What may stand in an address, each with the value that is meant where it does not."""
    return tuple((name, field.default) for name, field in kind.model_fields.items() if name != "lang")


quoted = lru_cache(maxsize=256)(quote_plus)  # a page has some forty links, and each carries the sentence
