"""Four lanes: how much each kind of model changes its mind at each word, and how far one word reaches."""

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field, PositiveInt

from app import align
from app.messages import Listed, Message, Strong, percent, say, translate, valued
from app.plotting import Cells, Panel, Scale, maps
from app.query import LONG_TEXT, Places, Query
from app.units import difference_title, hidden
from app.views import Cell, Figure, Table, View, model_title
from app.words import indexed, place_label, shortened, words
from models import registry
from models.errors import InputError
from models.run import Change, Run
from models.tokenizer import tokenize
from models.trace import Token, Trace, typed_places

LANES = ("rnn", "lstm", "gru")
FOURTH = ("encoder", "decoder")
MODELS = (*LANES, *FOURTH, *registry.snapshots("encoder"))
FROM, TO = "Mann", "war"  # the words of LONG_TEXT


def lasting(tokens: Sequence[Token]) -> list[int]:
    """The places of the words of the text; of its marks where there is no word."""
    typed = typed_places(tokens)
    return [place for place in typed if tokens[place].text.strip("#").isalnum()] or typed


def default(tokens: Sequence[Token], wanted: str, otherwise: int) -> int:
    """The place of the wanted word, else of the first or last."""
    found = lasting(tokens)
    return next((place for place in found if tokens[place].text == wanted), found[otherwise])


def places(trace: Trace) -> list[int]:
    """The places of all words."""
    return typed_places(trace.tokens)


class FourLanesQuery(Query):
    """Which Transformer takes the fourth lane, which word is erased, and at which word one looks."""

    text: str = Field(LONG_TEXT, description="the sentence")
    fourth: Literal["encoder", "decoder"] = "encoder"
    first: Annotated[
        PositiveInt | None,
        Places(places, lambda trace: places(trace).index(default(trace.tokens, FROM, 0)), place_label),
    ] = None
    second: Annotated[
        PositiveInt | None,
        Places(places, lambda trace: places(trace).index(default(trace.tokens, TO, -1)), place_label),
    ] = None

    def runs(self) -> list[Run]:
        """Each sentence through all lanes, once as it is and once with a word erased."""
        found = []
        for text in self.texts():
            for name in lanes(self):
                found += [Run(name, text), Run(name, text, change=Change("erased", self.erased(text)))]
        return found

    def idle(self) -> Container[str]:
        """Lanes that are named need no fourth."""
        return ("fourth",) if self.model else ()

    def erased(self, text: str) -> int:
        """The place of the word that is erased."""
        return self.place(text, self.first, FROM, 0)

    def looked_at(self, text: str) -> int:
        """The place of the word at which one looks."""
        return self.place(text, self.second, TO, -1)

    def place(self, text: str, stated: int | None, wanted: str, otherwise: int) -> int:
        """The stated place of the first sentence, its partner's in the second; the default where there is none."""
        try:
            tokens, own = tokenize(self.text, 256), tokenize(text, 256)
        except InputError:
            return 1  # the run itself says what is wrong with the text
        chosen = stated if stated and stated < len(tokens) else default(tokens, wanted, otherwise)
        if text == self.text:
            return chosen
        partner = align.pairs([token.text for token in tokens], [token.text for token in own], self.align)[chosen]
        return default(own, wanted, otherwise) if partner is None else partner


def steps(trace: Trace) -> np.ndarray:
    """‖h(t) − h(t−1)‖ in the last layer as a share of the largest of this run, [tokens]; 0 before the first word."""
    sizes: np.ndarray = np.linalg.norm(np.diff(hidden(trace)[-1], axis=0), axis=1)
    return np.concatenate([[0], sizes / sizes.max()]).astype(np.float32)


def reach(plain: Trace, erased: Trace) -> np.ndarray:
    """How much each word's last state changes when a word is erased: ‖h′ − h‖ ÷ (‖h′‖ + ‖h‖), from 0 to 1, [tokens]."""
    ours, theirs = hidden(plain)[-1], hidden(erased)[-1]
    sizes = np.linalg.norm(ours, axis=1) + np.linalg.norm(theirs, axis=1)
    found: np.ndarray = np.linalg.norm(theirs - ours, axis=1) / np.maximum(sizes, 1e-12)
    return found.astype(np.float32)


def lanes(query: FourLanesQuery) -> list[str]:
    """The models from top to bottom."""
    return query.side_by_side(MODELS, (*LANES, query.fourth))


def lane_name(query: FourLanesQuery, name: str) -> str:
    """A model in one word."""
    return translate(query.lang, f"option.fourth.{name}") if name in FOURTH else model_title(name, query.lang)


def padded(rows: list[np.ndarray]) -> np.ndarray:
    """Lanes of unequal length as one map; an encoder's [SEP] has no partner in the others."""
    wide = np.full((len(rows), max(map(len, rows))), np.nan, np.float32)
    for number, row in enumerate(rows):
        wide[number, : len(row)] = row
    return wide


class Sentence(NamedTuple):
    """One sentence in all lanes: the trace with the most tokens, how far states move, where the erased word is felt."""

    longest: Trace
    plain: list[Trace]
    moved: np.ndarray  # [lanes, tokens]
    felt: np.ndarray

    @property
    def labels(self) -> list[str]:
        """What stands above the columns."""
        return [shortened(word.label) for word in words(self.longest)]


def figure(query: FourLanesQuery, traces: list[Trace]) -> Figure:
    """Lanes down, words across: how far the state moves at each word, and where erasing a word is felt."""
    count = 2 * len(lanes(query))
    names = [lane_name(query, name) for name in lanes(query)]
    sentences = []
    for start in range(0, len(traces), count):
        plain, erased = traces[start : start + count : 2], traces[start + 1 : start + count : 2]
        felt = [reach(*pair) for pair in zip(plain, erased, strict=True)]
        longest = max(plain, key=lambda trace: len(trace.tokens))
        sentences.append(Sentence(longest, plain, padded([steps(trace) for trace in plain]), padded(felt)))
    panels = [*mapped(query, sentences, names, "moved"), *mapped(query, sentences, names, "felt")]
    titles: dict[Scale, str] = {"share": translate(query.lang, "four_lanes.bar")}
    titles["difference"] = translate(query.lang, "difference.bar")
    plot = maps(panels, query.lang, "lanes", titles)
    told: list[Message] = []
    for number, sentence in enumerate(sentences, start=1):
        which = translate(query.lang, f"sentence.{number}") if len(sentences) == 2 else ""
        told += [message for message in summaries(query, sentence, which) if message not in told]
    columns = (
        "column.model", "column.run", "column.position", "column.word", "column.distance", "column.step", "column.felt",
    )  # fmt: skip
    lines = partial(rows, traces, count)
    table = Table(columns, lines, sum(len(trace.tokens) for trace in traces) // 2, columns, lines)
    shown = [number for number, trace in enumerate(traces) if any(trace is each.longest for each in sentences)]
    return Figure(plot, told, table, token_runs=shown)


def mapped(
    query: FourLanesQuery, sentences: list[Sentence], names: list[str], key: Literal["moved", "felt"]
) -> Iterable[Panel]:
    """A map for each sentence, and of two their difference; grey where a word has no partner."""
    hover = translate(query.lang, "four_lanes.hover")
    for run, sentence in enumerate(sentences):
        text, values, labels = sentence.longest.text, getattr(sentence, key), sentence.labels
        erased, looking = query.erased(text), query.looked_at(text)
        alone = ".alone" if key == "felt" and len(sentences) == 1 else ""
        title = translate(query.lang, f"four_lanes.{key}{alone}", word=labels[erased], other=labels[looking], text=text)
        own = numbered(query, names, values[:, looking]) if alone else names
        framed: list[Cells] = [((0, len(names) - 1), (looking, looking))] if key == "felt" else []
        yield Panel(title, values, own, labels, "share", hover, run, range(len(labels)), framed=framed)
    if len(sentences) == 2:
        first, second = sentences
        tokens = [[token.text for token in sentence.longest.tokens] for sentence in sentences]
        values, others = getattr(first, key), getattr(second, key)
        change = np.full_like(values, np.nan)
        for place, partner in enumerate(align.pairs(tokens[0], tokens[1], query.align)):
            if partner is not None:
                change[:, place] = others[:, partner] - values[:, place]
        title = difference_title(query, change[0, : len(first.plain[0].tokens)])
        yield Panel(title, change, names, first.labels, "difference", hover, 0, range(len(first.labels)))


def numbered(query: FourLanesQuery, names: list[str], shares: np.ndarray) -> list[str]:
    """The lanes with what of the erased word arrives in each, where it reads that far: too pale to tell by colour."""
    pairs = zip(names, shares.tolist(), strict=True)
    return [name if np.isnan(share) else f"{name} {percent(query.lang, share)}" for name, share in pairs]


def summaries(query: FourLanesQuery, sentence: Sentence, which: str) -> Iterable[Message]:
    """How much the second word changes in each lane when the first is erased; whether words before that do. `which`
    names the sentence where there are two."""
    longest, plain, felt = sentence.longest, sentence.plain, sentence.felt
    first, second = query.erased(longest.text), query.looked_at(longest.text)
    labels = words(longest)
    shares = [
        valued(lane_name(query, trace.model), percent(query.lang, float(row[second])))
        for trace, row in zip(plain, felt, strict=True) if not np.isnan(row[second])
    ]  # fmt: skip
    yield say(
        "four_lanes.summary.earlier" if second < first else "four_lanes.summary",
        which=which,
        first=Strong(indexed(labels, first)),
        second=Strong(indexed(labels, second)),
        shares=Listed(shares, ", "),
    )
    before = felt[:, 1:first]  # place 0 is [CLS]
    backwards = [trace for trace, row in zip(plain, before, strict=True) if row.size and np.nanmax(row) > 1e-4]
    if backwards:
        models = ", ".join(lane_name(query, trace.model) for trace in backwards)
        others = len(plain) - len(backwards)
        key = {0: "four_lanes.summary.all", 1: "four_lanes.summary.backwards.but_one"}.get(
            others, "four_lanes.summary.backwards"
        )
        yield say(key, models=models)
    elif before.size:
        yield say("four_lanes.summary.forwards")


def rows(traces: list[Trace], count: int) -> Iterable[tuple[Cell, ...]]:
    """For each lane and word the distance moved, its share of the run's largest, and the effect of the erased word."""
    for run, start in enumerate(range(0, len(traces), count), start=1):
        for place in range(start, start + count, 2):
            trace, erased = traces[place], traces[place + 1]
            distances = np.linalg.norm(np.diff(hidden(trace)[-1], axis=0, prepend=np.nan), axis=1).tolist()
            columns = (words(trace), distances, steps(trace).tolist(), reach(trace, erased).tolist())
            for word, distance, step, change in zip(*columns, strict=True):
                yield (
                    trace.model,
                    run,
                    word.position,
                    word.label,
                    None if np.isnan(distance) else distance,
                    step,
                    change,
                )


VIEW = View(
    name="four_lanes",
    chapter="lanes",
    place=1,
    query=FourLanesQuery,
    needs=frozenset({"hidden"}),
    figure=figure,
    preferred=MODELS,
    chooses_model=False,
)
