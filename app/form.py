"""The form of a page: the text fields, what it carries along, and the lecture's examples."""

from typing import Any

from app import transforms
from app.messages import translate
from app.options import choice_label
from app.query import DEFAULT_TEXT, LONG_TEXT, Query

Json = dict[str, Any]

# What the chip says, the sentence, the second one. German in both languages: these are what the models read.
EXAMPLES: tuple[tuple[str, str, str | None], ...] = (
    ("Mann biss Hund ↔ Hund biss Mann", DEFAULT_TEXT, "Der Hund biss den Mann"),
    ("Katze beißt Hund ↔ Hund beißt Katze", "Katze beißt Hund", "Hund beißt Katze"),
    ("Der skeptische Mann", LONG_TEXT, None),
    ("Roboter · Maschine · weil", "Roboter, Maschine, weil", None),
    ("Bank am Fluss ↔ Bank mit Geld", "Ich sitze auf der Bank am Fluss.", "Ich bringe mein Geld zur Bank."),
    ("Merkel in München", "Angela Merkel besuchte am Montag Siemens in München.", None),
    ("Paris Hilton ↔ Bayern München", "Paris Hilton wohnt in Paris.", "Bayern München spielt in München."),
)


def filled(query: Query, action: str, hidden: dict[str, Any], errors: Json) -> Json:
    """The text fields, what the form carries along, and the examples."""
    opened = query.changed(vs=query.text) if query.vs is None else query
    lang, how = query.lang, transforms.made_by(query.text, query.vs)
    return {
        "action": action,
        "text": one_line(query.text),
        "vs": query.vs and one_line(query.vs),
        "vs_open": query.vs is not None,
        "hidden": list(hidden.items()),
        "compare_url": opened.address(action),
        "uncompare_url": query.changed(vs=None).address(action),
        "transforms": [
            {"value": value, "label": choice_label("vs_from", value, lang)} for value in transforms.TRANSFORMS
        ],
        "vs_note": translate(lang, f"form.note.{how}") if how else "",
        "examples": examples(query, action),
        "text_error": None,
        "vs_error": None,
        "fix": None,
        **errors,
    }


def one_line(text: str) -> str:
    """The text for a field of one line, from which a browser would take line breaks without a blank in their place."""
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")


def examples(query: Query, action: str) -> list[Json]:
    """Sentences of the lecture, minimal pairs first; each keeps the view and its options."""
    return [
        {
            "label": label,
            "url": query.changed(text=text, vs=vs).address(action),
            "lang": "de",
        }
        for label, text, vs in EXAMPLES
    ]
