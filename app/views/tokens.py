"""Tokens: how a sentence becomes the pieces and numbers that a model reads, and where these stand in another one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from pydantic import Field

from app import align, units
from app.messages import Message, Strong, quotations, say, translate, visible
from app.plotting import Block, joined
from app.query import Query
from app.transforms import chunks
from app.views import Cell, Figure, Table, Term, View
from app.words import Word, shortened, words, written
from models import registry
from models.run import Run
from models.trace import Token, Trace

LISTED = 6  # unknown words that the summary names
Pairs = Sequence[tuple[int, int]]


class TokensQuery(Query):
    """No options."""

    text: str = Field("Die Donaudampfschifffahrt begann vor langer Zeit.", description="the sentence")

    def runs(self) -> list[Run]:
        """The same runs, with what a model writes that writes another language."""
        return [replace(run, experiment="translation_beams") if writes(run.model) else run for run in super().runs()]


def writes(name: str) -> bool:
    """Whether a model reads one text and writes another."""
    found = registry.catalogue().get(name)
    return found is not None and "target_ids" in found.fields


def typed(text: str) -> list[tuple[str, int, int]]:
    """What stands between blanks, with its first character and the one behind it."""
    found, at = [], 0
    for blank, chunk in chunks(text):
        at += len(blank)
        if chunk:
            found.append((visible(chunk), at, at + len(chunk)))
        at += len(chunk)
    return found


def overlaps(ours: Sequence[tuple[int, int]], theirs: Sequence[tuple[int, int]]) -> Pairs:
    """Which spans of one text share characters."""
    (start, end), (begin, stop) = (np.array(spans, int).reshape(-1, 2).T for spans in (ours, theirs))
    shared = (start[:, None] < stop) & (begin < end[:, None])
    return list(zip(*(places.tolist() for places in shared.nonzero()), strict=True))


def labels(trace: Trace, left: bool = False) -> list[str]:
    """Each token with its number in the vocabulary."""
    return numbered(words(trace), trace.tokens, left)


def numbered(labelled: Sequence[Word], tokens: Sequence[Token], left: bool = False) -> list[str]:
    """Tokens with their numbers in a vocabulary."""
    pairs = [
        (shortened(word.label), str(token.id).replace("-", "−")) for word, token in zip(labelled, tokens, strict=True)
    ]
    return [f"{id_} · {label}" if left else f"{label} · {id_}" for label, id_ in pairs]


def spans(trace: Trace) -> list[tuple[int, int]]:
    """Which characters each token is of."""
    return [(token.start, token.end) for token in trace.tokens]


def matched(query: Query, traces: Sequence[Trace]) -> Pairs:
    """Which tokens of two runs belong together: those of the same characters, or else of the same word or place."""
    if traces[0].text == traces[1].text and traces[0].model != traces[1].model:
        return overlaps(*map(spans, traces))
    names = [[word.label for word in words(trace)] for trace in traces]
    partners = align.pairs(names[0], names[1], query.align)
    return [(place, other) for place, other in enumerate(partners) if other is not None]


def looked(trace: Trace) -> Pairs:
    """Each written token with the read one that its step looked at most: in the last layer, all heads together."""
    assert trace.decoding is not None
    shares = np.asarray(trace.decoding.cross_attention[-1]).mean(0)
    return [(int(row.argmax()), place) for place, row in enumerate(shares)]


def figure(query: Query, traces: list[Trace]) -> Figure:
    """Downwards: typed words and their tokens, the tokens of two runs, or those read and those written; a line joins
    what belongs together."""
    first, last = traces[0], traces[-1]
    names = [units.run_name(query, traces, number) for number in range(len(traces))]
    right = labels(last)
    if len(traces) == 1 and first.written:
        left, pairs = labels(first, left=True), looked(first)
        right = numbered(written(first), first.written.words)
        titles = (translate(query.lang, "tokens.side.read"), translate(query.lang, "tokens.side.written"))
    elif len(traces) == 1:
        parts = typed(first.text)
        left = [shortened(part) for part, *_ in parts]
        pairs = overlaps([(start, end) for _, start, end in parts], spans(first))
        titles = (translate(query.lang, "tokens.typed"), names[0])
    else:
        left, pairs, titles = labels(first, left=True), matched(query, traces), (names[0], names[1])
    plot = joined([Block(left, right, pairs)], query.lang, titles)
    summary = [each for trace, name in zip(traces, names, strict=True) for each in summarised(query, trace, name)]
    if len(traces) == 2:
        summary.append(compared(traces, pairs))
    elif first.written:
        summary.append(say("tokens.summary.looked"))
    return Figure(plot, summary, table(traces))


def summarised(query: Query, trace: Trace, name: str) -> Iterable[Message]:
    """How many words were typed and how many tokens they became, which of them the model does not know, and what it
    writes."""
    kinds = [word.kind for word in words(trace)]
    joints = kinds.count("joint")
    yield say(
        "tokens.summary", model=name, typed=str(len(typed(trace.text))), count=Strong(str(len(kinds))),
        special=str(kinds.count("special")), joints=str(joints),
    )  # fmt: skip
    found = zip(words(trace), trace.tokens, strict=True)
    unknown = list(dict.fromkeys(word.label for word, token in found if word.kind == "unknown" or token.id < 0))
    if unknown:
        key = "tokens.summary.unknown" if len(unknown) > 1 else "tokens.summary.unknown.one"
        yield say(key, words=Strong(quotations(query.lang, unknown, LISTED)))
    if trace.written:
        count = str(len(trace.written.words))
        yield say("tokens.summary.written", sentence=Strong(trace.written.sentence), count=count)


def compared(traces: Sequence[Trace], pairs: Pairs) -> Message:
    """Whether two runs have the same tokens, and in which order."""
    ids = [[token.id for token in trace.tokens] for trace in traces]
    if traces[0].model == traces[1].model and ids[0] == ids[1]:
        return say("tokens.summary.same")
    if traces[0].model == traces[1].model and sorted(ids[0]) == sorted(ids[1]):
        moved = sum(one != other for one, other in zip(*ids, strict=True))
        return say("tokens.summary.permutation", moved=Strong(str(moved)), count=str(len(ids[0])))
    ours, theirs = ({pair[run] for pair in pairs} for run in range(2))
    return say(
        "tokens.summary.partners", first=Strong(f"{len(ours)}/{len(ids[0])}"), second=f"{len(theirs)}/{len(ids[1])}"
    )


def table(traces: Sequence[Trace]) -> Table:
    """Every token; where a model writes, which side it is of."""
    sides = any(trace.written for trace in traces)
    columns = ("column.model", "column.run", "column.position", "column.word", "column.piece", "column.id",
               "column.start", "column.end", *(("column.side",) if sides else ()))  # fmt: skip
    count = sum(len(tokens) for trace in traces for _, _, tokens in sided(trace))
    lines = partial(rows, traces, sides)
    return Table(columns, lines, count, columns, lines)


def sided(trace: Trace) -> list[tuple[str, Sequence[Word], Sequence[Token]]]:
    """The tokens that a run has read, and those that it has written, if any."""
    found: list[tuple[str, Sequence[Word], Sequence[Token]]] = [("read", words(trace), trace.tokens)]
    return [*found, ("written", written(trace), trace.written.words)] if trace.written else found


def rows(traces: Sequence[Trace], sides: bool) -> Iterable[tuple[Cell, ...]]:
    """Model, run, position, word, piece of the vocabulary, its number, and its characters in the text."""
    for run, trace in enumerate(traces, start=1):
        for side, labelled, tokens in sided(trace):
            more = (Term(side, say(f"tokens.side.{side}")),) if sides else ()
            for word, token in zip(labelled, tokens, strict=True):
                yield (trace.model, run, word.position, word.label, token.text, token.id, token.start, token.end, *more)


VIEW = View(
    name="tokens",
    chapter="words",
    place=1,
    query=TokensQuery,
    needs=frozenset({"inputs"}),
    figure=figure,
    preferred=("encoder", "decoder", "lstm", "word_vectors", "translator", *registry.snapshots("encoder")),
    only_preferred=True,
)
