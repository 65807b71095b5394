"""The views: every file in this folder adds the VIEW it defines; its name is its address and the key of its texts.

A view states which runs its query needs and draws them: `figure` takes the query and one trace, or two to compare.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

from app.messages import Lang, Message, decimal, in_quotes, say, translate, whole
from app.plotting import Plot
from app.query import Query, Value
from models import registry
from models.experiments import takes
from models.trace import Trace

CHAPTERS = ("order", "words", "rnn", "gates", "attention", "transformer", "lanes", "practice")


class Term(str):
    """A name in a table: the data have it as it is in every language, a page shows what people call it."""

    message: Message

    def __new__(cls, name: str, message: Message) -> "Term":
        made = super().__new__(cls, name)
        made.message = message
        return made


class Ranked(NamedTuple):
    """Words and how likely or near each is, in one cell: decimal points in the data, on a page what the figure says of
    them, else the reader's sign."""

    found: Sequence[tuple[str, float]]
    said: str = ""

    def __str__(self) -> str:
        return " · ".join(f"{word} {value:.3f}" for word, value in self.found)

    def text(self, lang: Lang) -> str:
        """The cell as a page shows it."""
        numbered = (f"{in_quotes(lang, word)} {decimal(lang, value, 3)}" for word, value in self.found)
        return self.said or " · ".join(numbered)


Cell = str | int | float | Ranked | None


def change_term(trace: Trace) -> Term | None:
    """What was done to the model of a run, for a table."""
    if trace.change is None:
        return None
    kind, _, amount = trace.change.rstrip(")").partition("(")
    return Term(trace.change, say(f"change.{kind}", amount=amount))


@dataclass(frozen=True)
class Table:
    """The numbers of a figure: all of them for the data routes; `brief` where a page would have too many rows."""

    columns: tuple[str, ...]  # keys of the message catalogues
    rows: Callable[[], Iterable[tuple[Cell, ...]]]
    count: int
    brief_columns: tuple[str, ...] = ()
    brief: Callable[[], Iterable[tuple[Cell, ...]]] = tuple


class Mark(NamedTuple):
    """A part of a sentence, and the class of the name that it is, as a code and as people say it."""

    text: str
    name: str = ""
    title: str = ""


class Marked(NamedTuple):
    """A sentence with the names that one network found in it."""

    network: str
    parts: Sequence[Mark]


class Contrast(NamedTuple):
    """A line of a table in words: what it is about, what is said of it elsewhere, what was found here, what follows."""

    title: str
    said: str
    found: Sequence[str]
    verdict: str


class Comparison(NamedTuple):
    """A table in words; `networks` are the heads of what was found, `note` says how."""

    networks: Sequence[str]
    rows: Sequence[Contrast]
    note: str


@dataclass(frozen=True)
class Link:
    """A place of a figure that leads to another view: a box x0, y0, x1, y1 on two axes; links of one `group` go
    together."""

    view: str
    query: Query
    label: Message
    group: str
    axes: tuple[str, str]
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Rows:
    """The rows on one axis of a map, each of which leads to another view, by a click on any of its cells.

    `asks` is what each row adds to the query, `words` what it is called; `label` is a key that takes the word, `first`
    the row that the one link stands for before anybody points at another.
    """

    view: str
    query: Query
    label: str
    axis: str
    asks: Sequence[dict[str, Value]]
    words: Sequence[str]
    first: int


@dataclass(frozen=True)
class Figure:
    """A plot, the sentences that this run's numbers allow, and the numbers; `layers` are those shown of each trace."""

    plot: Plot
    summary: Sequence[Message]
    table: Table
    layers: Sequence[int] = ()  # counted from 0, −1 the last; empty: all, or none in particular
    sampled: bool = False  # all layers are shown, and these are checked for all: that costs as much as the picture
    given_by: str = ""  # the library's function whose numbers are shown as they are: nothing is recomputed
    token_runs: Sequence[int] = ()  # the traces whose words stand above the figure; empty: all
    links: Sequence[Link] = ()
    rows: Sequence[Rows] = ()
    marked: Sequence[Marked] = ()  # sentences that the page shows as running text
    comparison: Comparison | None = None  # a table in words below the figure


@dataclass(frozen=True)
class View:
    """A kind of picture. Its texts are the keys <name>.title, .question, .lead and .read, .formula, .limits.

    `needs` are the fields a trace must have, `experiment` is what its runs make, where not every model takes it; they
    decide which models the view offers. `place` is its rank in the lecture within its chapter, which no other view has.
    """

    name: str
    chapter: str
    place: int
    query: type[Query]
    needs: frozenset[str]
    figure: Callable[[Any, list[Trace]], Figure]
    experiment: str = "forward"
    preferred: tuple[str, ...] = ()
    only_preferred: bool = False  # no other models, though they would fit
    chooses_model: bool = True  # False: it shows its preferred models beside each other, or those that are named

    @cached_property
    def models(self) -> list[str]:
        """The models whose traces have what this view needs and that take its experiment, its own choice first."""
        fitting = [
            model.name
            for model in registry.catalogue().values()
            if self.needs <= set(model.fields) and not model.fault and takes(model, self.experiment)
        ]
        if self.only_preferred or not self.chooses_model:
            return [name for name in self.preferred if name in fitting]
        return sorted(fitting, key=lambda name: self.preferred.index(name) if name in self.preferred else len(fitting))


@cache
def catalogue() -> dict[str, View]:
    """Every view by its name, in lecture order."""
    found = [
        importlib.import_module(f"{__name__}.{module.name}").VIEW for module in pkgutil.iter_modules(__path__)
    ]  # fmt: skip
    return {view.name: view for view in sorted(found, key=lambda view: (CHAPTERS.index(view.chapter), view.place))}


def network_title(name: str, lang: Lang) -> str:
    """What kind of network a fine-tuned model is, in one word; its task is the same for all beside it."""
    return translate(lang, f"network.{name.split('-')[0]}")


def model_title(name: str, lang: Lang) -> str:
    """A model as people read it."""
    model = registry.get(name)
    numbers = {key: whole(lang, value) for key, value in model.title_values.items()}
    return translate(lang, model.title, **numbers)
