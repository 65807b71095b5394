"""Party: whom do I listen to? Scores, a temperature, shares and a mixture, for invented guests or a text's words."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from app.messages import Lang, Listed, Message, Strong, decimal, percent, say, translate, valued
from app.options import choice_label
from app.plotting import IN_CELLS, Scale
from app.query import DEFAULT_TEXT, Layer, Query, Slider, Value
from app.stack import Row, Stack, stacks
from app.units import panel_title
from app.views import Cell, Figure, Table, Term, View
from app.views.attention_steps import AttentionStepsQuery, Head, Looking, Way, attention, followed, run_title
from app.words import indexed, shortened
from models.run import Run
from models.trace import Trace

WIDTH = 64  # d of the invented guests, as in the first Transformer (Vaswani and others, 2017)
GUESTS = (1, 2, 3)
# What each guest talks about, as shares of three topics: cats, dogs, taxes.
SAID = np.array([[0.1, 0.0, 0.9], [0.9, 0.1, 0.0], [0.1, 0.9, 0.0]], np.float32)
STEPS = ("match", "divided", "shares", "mixture")
LEAST, MOST = -10.0, 30.0  # of a match


def natural(query: "PartyQuery", traces: Sequence[Trace]) -> float:
    """The temperature where the address names none: √d of the guests, or what the head itself divides by."""
    real_one = query.guests == "sentence" and traces
    return float(1 / chosen(query, traces[0], None).scaling if real_one else WIDTH**0.5)


class PartyQuery(Query):
    """Who the guests are, how well each matches, the temperature, and which head of a model is asked."""

    guests: Literal["invented", "both", "sentence"] = "invented"
    layer: Layer = None
    head: Head = None
    looking: Looking = None
    match1: Annotated[float, Slider(0.5)] = Field(0.0, ge=LEAST, le=MOST, description="q·k of the first guest")
    match2: Annotated[float, Slider(0.5)] = Field(22.0, ge=LEAST, le=MOST, description="q·k of the second guest")
    match3: Annotated[float, Slider(0.5)] = Field(8.5, ge=LEAST, le=MOST, description="q·k of the third guest")
    temperature: Annotated[float | None, Slider(0.1, natural)] = Field(
        None, ge=0.5, le=32, description="what q·k is divided by; empty: √d"
    )

    def completed(self) -> Self:
        """Whoever compares sees real guests beside the invented ones, who know nothing of a second sentence."""
        return self.changed(guests="both") if self.comparing and self.guests == "invented" else self

    def withheld(self) -> Mapping[str, Container[Value]]:
        """Invented guests alone are no choice beside a second sentence or model."""
        return {"guests": ("invented",)} if self.comparing else {}

    def runs(self) -> list[Run]:
        """None for invented guests alone; whoever compares sees real ones too."""
        return super().runs() if self.comparing or self.guests != "invented" else []

    def idle(self) -> tuple[str, ...]:
        """Matches are moved for invented guests only; without a run there is no head to choose."""
        matches = ("match1", "match2", "match3") if self.guests == "sentence" else ()
        return ("align", *matches, *(() if self.runs() else ("model", "layer", "head", "looking")))


@dataclass(frozen=True)
class Party:
    """Guests, how well each matches, and what they say; `masked` ones cannot be heard."""

    title: str
    asks: str  # the word or person that asks
    names: list[str]
    matches: np.ndarray  # q·k, [guests]
    temperature: float
    natural: float  # √d, or what the model divides by instead
    divided: np.ndarray  # what enters the softmax, NaN where masked, [guests]
    weights: np.ndarray  # [guests]
    said: np.ndarray  # the values, [guests, units]
    way: Way | None  # of a real head

    @property
    def width(self) -> int:
        """d: how many numbers a key has."""
        return self.way.width if self.way else WIDTH

    @property
    def tempered(self) -> Literal["own", "unscaled", "sharper", "flatter"]:
        """Whether the temperature is √d, another that the model has of its own, or one that somebody has chosen."""
        if abs(self.temperature - self.natural) > 1e-6:
            return "sharper" if self.temperature < self.natural else "flatter"
        return "own" if abs(self.natural / self.width**0.5 - 1) < 1e-3 else "unscaled"

    @property
    def mixture(self) -> np.ndarray:
        """Σ a·v, [units]."""
        found: np.ndarray = self.weights @ self.said
        return found


def softmax(scores: np.ndarray) -> np.ndarray:
    """Shares that sum to 1; NaN gets nothing."""
    exponents = np.exp(scores - np.nanmax(scores))
    found: np.ndarray = np.nan_to_num(exponents) / np.nansum(exponents)
    return found


def invented(query: PartyQuery) -> Party:
    """The party of the lecture."""
    matches = np.array([query.match1, query.match2, query.match3])
    root = WIDTH**0.5
    temperature = query.temperature or root
    names = [translate(query.lang, f"party.guest.{guest}") for guest in GUESTS]
    divided = matches / temperature
    title = translate(query.lang, "party.invented") if query.runs() else ""
    return Party(title, translate(query.lang, "party.you"), names, matches, temperature, root, divided,
                 softmax(divided), SAID, None)  # fmt: skip


def chosen(query: PartyQuery, trace: Trace, word: str | None) -> Way:
    """The chosen head's numbers for the word that asks."""
    return followed(AttentionStepsQuery(layer=query.layer, head=query.head, looking=query.looking), trace, word)


def real(query: PartyQuery, trace: Trace, word: str | None) -> Party:
    """The party of a sentence's words, as a head of the model holds it; at its own temperature exactly that."""
    found = chosen(query, trace, word)
    root = 1 / found.scaling
    own = query.temperature is None or query.guests != "sentence"
    temperature = root if own else query.temperature or root
    divided = found.masked if own else found.raw / temperature + (found.masked - found.scaled)
    weights = found.weights if own else softmax(divided)
    values = attention(trace).values[found.layer, found.head]
    title = panel_title(query, trace, ("looking",)) if query.guests != "sentence" or len(query.runs()) > 1 else ""
    return Party(title, found.word, [shortened(each.label) for each in found.words], found.raw, temperature, root,
                 divided, weights, values, found)  # fmt: skip


def figure(query: PartyQuery, traces: list[Trace]) -> Figure:
    """Over the guests: how well each matches, divided by the temperature, the shares, what each says, the mixture."""
    reals: list[Party] = []
    for trace in traces:
        reals.append(real(query, trace, reals[0].asks if reals else None))
    made = [] if query.guests == "sentence" else [invented(query)]
    parties = made + reals
    top = max(float(party.weights.max()) for party in parties)
    found = [stack(query, party, len(reals), top) for party in made]
    found += [stack(query, party, run, top) for run, party in enumerate(reals)]
    colours: dict[str, tuple[Scale, str]] = {"match": ("signed", translate(query.lang, "party.bar.match"))}
    if reals:
        colours["values"] = ("signed", translate(query.lang, "party.bar.values"))
    if made:
        colours["said"] = ("share", translate(query.lang, "party.bar.said"))
    steps = [translate(query.lang, f"party.step.{step}") for step in STEPS]
    plot = stacks(found, query.lang, colours, steps)
    layers = [party.way.layer for party in parties if party.way]
    summary = [message for party in made for message in told(query, party)]
    for run, party in enumerate(reals):
        summary += told(query, party) if len(reals) == 1 else [beside(query, party, run_title(query, traces, run))]
    if not reals and query.text != DEFAULT_TEXT:
        both, sentence = (choice_label("guests", choice, query.lang) for choice in ("both", "sentence"))
        summary.append(say("party.summary.unheard", both=both, sentence=sentence))
    return Figure(plot, summary, table(parties), layers)


def stack(query: PartyQuery, party: Party, run: int, top: float) -> Stack:
    """The rows of one party; bars reach up to `top`. The number of a run links its words with those of the page."""
    lang, kind = query.lang, "real" if party.way else "invented"
    few = len(party.names) <= 2 * IN_CELLS
    values: dict[str, str | int] = {"asks": party.asks, "temperature": short(lang, party.temperature),
                                    "root": short(lang, party.natural), "width": party.width}  # fmt: skip

    def row(step: str, cells: np.ndarray, colours: str, key: str = "") -> Row:
        total = party.mixture if step == "mixture" else None
        topics = [translate(lang, f"party.topic.{topic}") for topic in GUESTS]
        return Row(
            translate(lang, f"party.row.{step}{key}", **values), cells, translate(lang, f"party.{step}.{kind}.hover"),
            translate(lang, f"party.step.{step}"), colours, topics if step == "mixture" and not party.way else (),
            total, translate(lang, "party.mixture"), translate(lang, f"party.total.{kind}.hover"),
            texts=[percent(lang, float(share)) for share in party.weights] if step == "shares" and few else (),
            limit=top, step=STEPS.index(step), high=170 if step == "shares" else 0,
        )  # fmt: skip

    rows = [
        row("match", party.matches[None], "match", f".{kind}"),
        row("divided", party.divided[None], "match", f".{party.tempered}"),
        row("shares", party.weights[None], ""),
        row("mixture", party.said.T, "values" if party.way else "said", f".{kind}"),
    ]
    positions = [word.position for word in party.way.words] if party.way else range(len(GUESTS))
    return Stack(party.title, party.names, rows, run, positions)


def told(query: PartyQuery, party: Party) -> Iterable[Message]:
    """Whom one listens to, what one takes home, and whether the temperature is the head's own."""
    lang, ranked = query.lang, np.argsort(-party.weights, kind="stable")
    if party.way is None:
        shares = [valued(party.names[guest], percent(lang, float(party.weights[guest]))) for guest in ranked]
        heard = ", ".join(
            f"{translate(lang, f'party.topic.{topic}')} {percent(lang, float(share))}"
            for topic, share in zip(GUESTS, party.mixture, strict=True)
        )
        yield say("party.summary", shares=Listed(shares, ", "), heard=heard)
    else:
        best = int(ranked[0])
        yield say(
            "party.summary.real", layer=party.way.layer + 1, head=party.way.head + 1,
            word=Strong(indexed(party.way.words, party.way.place)),
            other=Strong(indexed(party.way.words, best)), share=Strong(percent(lang, float(party.weights[best]))),
        )  # fmt: skip
    logs = np.log2(np.maximum(party.weights, np.finfo(np.float32).tiny))
    yield say(
        f"party.summary.{party.tempered}", temperature=short(lang, party.temperature),
        natural=short(lang, party.natural), size=decimal(lang, 2 ** float(-(party.weights * logs).sum()), 1),
    )  # fmt: skip


def beside(query: PartyQuery, party: Party, run: str) -> Message:
    """Whom the word listens to in one of two sentences."""
    assert party.way is not None
    best = int(party.weights.argmax())
    return say(
        "party.summary.run", run=run, word=Strong(indexed(party.way.words, party.way.place)),
        other=Strong(indexed(party.way.words, best)),
        share=Strong(percent(query.lang, float(party.weights[best]))),
    )  # fmt: skip


def short(lang: Lang, number: float) -> str:
    """At most two decimals."""
    return decimal(lang, number, 2).rstrip("0").rstrip(",.")


def table(parties: Sequence[Party]) -> Table:
    """Every number: match, divided, share, what each guest says; then the mixture. In a brief one a line a guest."""
    count = sum(3 * len(party.names) + party.said.size + party.said.shape[1] for party in parties)
    return Table(
        ("column.model", "column.run", "column.position", "column.guest", "column.stage", "column.unit",
         "column.value"),
        partial(all_rows, parties),
        count,
        ("column.model", "column.run", "column.guest", "column.qk", "column.tempered", "column.share",
         "column.value_length"),
        partial(guest_rows, parties),
    )  # fmt: skip


def term(step: str) -> Term:
    """A step for a table."""
    return Term(step, say(f"party.step.{step}"))


def guest_names(party: Party) -> Sequence[str]:
    """The guests for a table: words, or numbers of those who were invented."""
    return party.names if party.way else [Term(f"guest {guest}", say(f"party.guest.{guest}")) for guest in GUESTS]


def all_rows(parties: Sequence[Party]) -> Iterable[tuple[Cell, ...]]:
    """One row for each number; invented guests belong to no model."""
    for run, party in enumerate(parties, start=1):
        model = party.way.trace.model if party.way else None
        for guest, name in enumerate(guest_names(party)):
            numbers = (party.matches[guest], party.divided[guest], party.weights[guest])
            for step, value in zip(STEPS, numbers, strict=False):
                yield model, run, guest, name, term(step), None, None if np.isnan(value) else float(value)
            for unit, value in enumerate(party.said[guest].tolist(), start=1):
                yield model, run, guest, name, term("said"), unit, value
        for unit, value in enumerate(party.mixture.tolist(), start=1):
            yield model, run, None, None, term("mixture"), unit, value


def guest_rows(parties: Sequence[Party]) -> Iterable[tuple[Cell, ...]]:
    """A line for each guest."""
    for run, party in enumerate(parties, start=1):
        model = party.way.trace.model if party.way else None
        for guest, name in enumerate(party.names):
            divided = float(party.divided[guest])
            score = None if np.isnan(divided) else divided
            numbers = (float(party.matches[guest]), score, float(party.weights[guest]))
            yield model, run, name, *numbers, float(np.linalg.norm(party.said[guest]))


VIEW = View(
    name="party",
    chapter="attention",
    place=1,
    query=PartyQuery,
    needs=frozenset({"queries", "keys", "values", "scores", "attention", "attention_output"}),
    figure=figure,
    preferred=("encoder", "decoder"),
)
