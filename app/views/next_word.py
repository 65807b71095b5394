"""Next word: what a language model expects to come, or an encoder in place of a hidden word, at a temperature.

A click goes on with the text, or puts the word in.
"""

from collections.abc import Iterable
from functools import partial

import numpy as np

from app import units
from app.guesses import Asked, NextWordQuery, asked, expectation, tokens
from app.messages import Lang, Message, Strong, decimal, percent, say, translate, whole
from app.plotting import Axis, Curve, chart
from app.views import Cell, Figure, Link, Table, View
from app.words import shortened, words
from models import tokenizer
from models.trace import Trace, typed_places

LEAST_SHARE = 0.0005  # bars lower than this cannot be pointed at
DECIDED = 0.1  # bits of entropy under which there is no talk of being undecided
NUMBERED = 12  # more bars have no room for their numbers
STEPS = (0.2, 0.5, 1, 2)  # of an axis, in powers of ten
MOST_STEPS = 7
CLOSING = tuple(".,;:!?…)”“»'")  # stand without a space before them
HIDDEN = "[MASK]"


def figure(query: NextWordQuery, traces: list[Trace]) -> Figure:
    """A bar for each likely piece; two runs stand beside each other at the same pieces."""
    found = [asked(query, number, traces) for number in range(len(traces))]
    shown = list(dict.fromkeys(guess.id for run in found for guess in run.best(query.k)))
    room = len(shown) * len(found) <= NUMBERED
    curves = [curve(query, run, shown, room) for run in found]
    labels = [shortened(tokenizer.piece(piece)) for piece in shown]
    title = translate(query.lang, "next_word.axis", temperature=decimal(query.lang, query.temperature, 1))
    top = max(float(np.exp(run.logs[shown]).max()) for run in found)
    begun = " / ".join(dict.fromkeys(map(gap, found)))
    plot = chart(curves, query.lang, Axis(begun, ticks=labels), shares(query.lang, title, top * 1.12), height=400)
    links = [link for run in found[:1] for link in onward(query, run, shown, top)]
    summary = [message for run in found for message in summaries(query, run, traces)]
    if any(run.ends for run in found):
        summary.append(say("next_word.summary.end", option=translate(query.lang, "option.after")))
    return Figure(plot, summary, table(found, shown), links=links)


def shares(lang: Lang, title: str, top: float) -> Axis:
    """An axis of probabilities from 0, in percent as over the bars."""
    power = 10.0 ** np.floor(np.log10(top))
    step = next(step for part in STEPS if top / (step := part * power) < MOST_STEPS)
    at = np.arange(0, top, step).tolist()
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)) - 2)
    return Axis(title, [percent(lang, share, digits) for share in at], limits=(0, top), at=at)


def gap(run: Asked) -> str:
    """The text that goes on, or that has a gap."""
    token, text = run.trace.tokens[run.place], run.trace.text
    if run.behind:
        return f"{text} {HIDDEN}"
    if run.hides:
        return f"{text[: token.start]}{HIDDEN}{text[token.end :]}"
    return "…" if token.special else f"{text[: token.end]} …"


def curve(query: NextWordQuery, run: Asked, shown: list[int], numbered: bool) -> Curve:
    """A run's bars, with their numbers where there is room."""
    guesses = [run.guess(piece) for piece in shown]
    hover = [
        translate(query.lang, f"{run.key}.hover", last=run.word, word=guess.written,
                  share=percent(query.lang, guess.share))
        for guess in guesses
    ]  # fmt: skip
    texts = [percent(query.lang, guess.share) for guess in guesses] if numbered else []
    return Curve(units.run_title(query, run.trace), np.array([guess.share for guess in guesses]), series=run.number,
                 kind="bar", hovers=hover, texts=texts)  # fmt: skip


def onward(query: NextWordQuery, run: Asked, shown: list[int], top: float) -> Iterable[Link]:
    """The text with one of the pieces behind it, or in place of the hidden word, which stays the one asked for."""
    puts = run.hides and not run.behind
    group = translate(query.lang, "next_word.put" if puts else "next_word.append")
    for place, guess in enumerate(map(run.guess, shown)):
        text = replaced(run, guess.written) if puts else joined(run, guess.written)
        if text is None or guess.share < LEAST_SHARE:
            continue
        share = percent(query.lang, guess.share)
        label = say("next_word.put.link" if puts else "next_word.link", word=guess.written, share=share)
        kept = run.place if puts and run.place in typed_places(tokens(text)) else None
        on = query.changed(text=text, after=None, word=kept)
        yield Link("next_word", on, label, group, ("x", "y"), (place - 0.5, 0, place + 0.5, top * 1.12))


def joined(run: Asked, piece: str) -> str | None:
    """The text up to the place with a piece behind it; None for what ends a text or is no word."""
    if piece.startswith("["):
        return None
    token = run.trace.tokens[run.place]
    before = run.trace.text[: token.end] if run.behind or not token.special else ""
    if piece.startswith("##"):
        return before + piece[2:]
    return before + piece if piece in CLOSING or not before else f"{before} {piece}"


def replaced(run: Asked, piece: str) -> str | None:
    """The text with a piece in place of the hidden token; None for what is no word."""
    if piece.startswith("["):
        return None
    token, text = run.trace.tokens[run.place], run.trace.text
    before, behind = text[: token.start], text[token.end :]
    if piece.startswith("##"):
        return before.rstrip() + piece[2:] + behind
    if piece in CLOSING:
        return before.rstrip() + piece + behind
    letter = piece[0].isalnum()
    glued = letter and (before[-1:].isalnum() or before[-1:] in tuple(".,;:!?…"))  # a sign or a joint stood there
    goes_on = run.place + 1 < len(run.trace.tokens) and run.trace.tokens[run.place + 1].text.startswith("##")
    apart = letter and behind[:1].isalnum() and not goes_on
    return f"{before}{' ' * bool(glued and before)}{piece}{' ' * apart}{behind}"


def entropy(logs: np.ndarray) -> float:
    """−Σ p·log₂ p in bits."""
    return float(-(np.exp(logs) * logs).sum() / np.log(2))


def summaries(query: NextWordQuery, run: Asked, traces: list[Trace]) -> Iterable[Message]:
    """The likeliest piece, how undecided the model is, what the k together have, and what stands in the text."""
    best = run.best(query.k)
    bits = entropy(run.logs)
    together = sum(guess.share for guess in best)
    yield say(
        f"{run.key}.summary", model=units.run_name(query, traces, run.number), last=run.word,
        word=Strong(best[0].written), share=Strong(percent(query.lang, best[0].share)),
    )  # fmt: skip
    yield say(
        "next_word.entropy.none" if bits < DECIDED else "next_word.entropy", bits=decimal(query.lang, bits, 1),
        words=whole(query.lang, round(2**bits)) if bits > 3.3 else decimal(query.lang, 2**bits, 1),
    )  # fmt: skip
    if not run.ends and len(best) > 1 and query.vs is None:  # two sentences are long
        yield say(
            "next_word.summary.k", k=len(best), together=percent(query.lang, together), word=best[0].written,
            share=percent(query.lang, best[0].share / together),
        )  # fmt: skip
    if run.real is not None:
        token = run.trace.tokens[run.real]
        share = float(np.exp(run.logs[token.id]))
        rank = int((run.logs > run.logs[token.id]).sum()) + 1
        yield say(
            "next_word.hidden.real" if run.hides else "next_word.summary.real",
            word=Strong(words(run.trace)[run.real].label), share=percent(query.lang, share),
            rank=whole(query.lang, rank),
        )  # fmt: skip


def table(found: list[Asked], shown: list[int]) -> Table:
    """Each shown piece in each run, at the temperature, and at 1 as the model has it."""
    columns = ("column.model", "column.run", "column.after", "column.word", "column.id", "column.probability",
               "column.untempered")  # fmt: skip
    lines = partial(rows, found, shown)
    return Table(columns, lines, len(found) * len(shown), columns, lines)


def rows(found: list[Asked], shown: list[int]) -> Iterable[tuple[Cell, ...]]:
    """One row for each piece and run."""
    for run in found:
        logs = expectation(run.trace).log_probabilities[run.place]
        for piece in shown:
            guess, plain = run.guess(piece), float(np.exp(logs[piece]))
            yield run.trace.model, run.number + 1, run.word, guess.written, piece, guess.share, plain


VIEW = View(
    name="next_word",
    chapter="transformer",
    place=2,
    query=NextWordQuery,
    needs=frozenset({"hidden"}),
    figure=figure,
    experiment="expectations",
    preferred=("decoder", "gru", "lstm", "rnn", "encoder"),
)
