"""The lecture as slides: which figure stands on which slide; the texts are in app/lecture/, one file per language."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from app import pages, views
from app.messages import Lang, translate
from app.query import Query, Value, located

TEXTS = Path(__file__).parent / "lecture"
REVEAL = "vendor/reveal.js-6.0.2"
BITTEN = "Der Hund biss den Mann"
# Reveal writes its window for speaker notes as inline code: these hashes let its script and style run, nothing else.
NOTES_SCRIPT = "'sha256-GzCveToXhSIzS3M5eQeRm3McVRB7cYneYKwTkzA3wDk='"
NOTES_STYLE = "'sha256-FO8+tEZY4XAJsThREbo8dTCiyACqv1VGgxX0NfVfEAs='"
# The same for the size of a printed page, which reveal adds as a style.
PRINT_STYLES = (
    "'sha256-P7379LHHS1islcyRtolAfypCkVRvG4S6m6qz3c3TUjk=' 'sha256-AQ1Rup+sfRMid+jMjYcK8Gnh5UlxtbXLT/YRRbHGtW8='"
)
PRINTED = 1.1  # the size of a still on paper, which is read from near


class Slide(NamedTuple):
    """A slide's name in the texts, and its figure if it has one: the view, what its address says, its size."""

    name: str
    view: str = ""
    asks: dict[str, Value] = {}  # noqa: RUF012 never changed
    scale: float = 1.35  # as large as the frame allows: the last row reads it


SLIDES = (
    Slide("opening"),
    Slide("order", "order", {"vs": BITTEN}),
    Slide("feed_forward"),
    Slide("tokens", "tokens"),
    Slide("vectors", "embedding_space"),
    Slide("recurrence"),
    Slide("hidden_states", "hidden_states", {"model": "rnn"}),
    Slide("trajectory", "trajectory", {"vs": BITTEN}),
    Slide("vanishing", "gradient_flow"),
    Slide("gates"),
    Slide("lstm", "gates", {"model": "lstm"}, 1.2),
    Slide("gru", "gates", {"model": "gru"}, 1.25),
    Slide("bottleneck"),
    Slide("party", "party"),
    Slide("formula"),
    Slide("attention_steps", "attention_steps", scale=1.3),
    Slide("attention_map", "attention_map", {"vs": BITTEN, "layer": 3, "head": 1}),
    Slide("attention_heads", "attention_heads"),
    Slide("reordered", "positions", {"model": "encoder", "show": "permuted"}),
    Slide("positions", "positions"),
    Slide("pipeline", "pipeline"),
    Slide("next_word", "next_word"),
    Slide("translation", "translation"),
    Slide("speed", "speed"),
    Slide("tradeoffs"),
    Slide("classification", "classification"),
    Slide("entities", "entities", {"text": "Angela Merkel besuchte am Montag Siemens in München."}),
    Slide("faithfulness", "faithfulness", scale=1.25),
    Slide("closing"),
)


@cache
def texts(lang: Lang) -> dict[str, dict[str, Any]]:
    """Title, points and notes of every slide."""
    return tomllib.loads((TEXTS / f"{lang}.toml").read_text("utf-8"))


def shown() -> list[Slide]:
    """The slides whose figure this server has."""
    catalogue = views.catalogue()
    return [slide for slide in SLIDES if not slide.view or (slide.view in catalogue and catalogue[slide.view].models)]


def address(path: str, slide: Slide, **more: Value) -> str:
    """An address of a slide's figure."""
    text = views.catalogue()[slide.view].query.model_fields["text"].default
    return located(path, {"text": text} | slide.asks | more)


def html_page(query: Query) -> str:
    """The deck: every figure a live embed, its still for print and for readers without scripts."""
    lang, look = query.lang, "dark" if query.theme == "dark" else "light"
    told = texts(lang)
    slides = []
    for slide in shown():
        found: dict[str, Any] = {"name": slide.name, **told[slide.name], "live": "", "still": "", "page": ""}
        if slide.view:
            dressed: dict[str, Value] = {"theme": look, "bg": "transparent", "scale": slide.scale}
            found["live"] = address(f"/{lang}/embed/{slide.view}", slide, **dressed, caption=0, autoplay=1)
            found["still"] = address(
                f"/{lang}/{slide.view}.svg", slide, **dressed | {"scale": PRINTED}, width=1180, height=540
            )
            found["page"] = address(f"/{lang}/{slide.view}", slide)
        slides.append(found)
    return pages.page(
        "deck.html", lang, "/deck", query, page_title=translate(lang, "deck.title"),
        described=". ".join(told[SLIDES[0].name]["points"]) + ".",
        look=look, reveal=REVEAL, slides=slides, printed=f"/{lang}/deck?view=print",
    )  # fmt: skip
