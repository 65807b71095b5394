"""The lexicon: every word in both languages, in the alphabet, with a view that shows it; the sentence goes along."""

import html
import re

import pytest

from app import lexicon
from app.messages import LANGUAGES
from app.query import Query
from tests.test_pages import Reader

MOST = 420  # characters of an explanation
QUOTES = {"de": "„“", "en": "“”"}


def test_every_word_is_explained_in_both_languages_and_leads_to_a_view():
    for name, entry in lexicon.terms().items():
        assert entry.keys() == {"view", *LANGUAGES}, name
        for lang in LANGUAGES:
            assert entry[lang].keys() == {"term", "text"}, name
            assert 60 < len(entry[lang]["text"]) <= MOST and entry[lang]["text"].endswith("."), name
            opening, closing = QUOTES[lang]
            text = entry[lang]["term"] + entry[lang]["text"]
            assert text.count(opening) == text.count(closing) and not re.search("[\"']| - |\\.\\.\\.", text), name


def test_the_course_is_covered():
    named = {entry["view"] for entry in lexicon.terms().values()}
    assert named >= {"order", "embedding_space", "hidden_states", "gates", "attention_steps", "pipeline", "speed"}


def test_umlauts_are_sorted_as_their_vowels():
    assert sorted(["Überblick", "Vektor", "Unit", "ähnlich", "Zelle"], key=lexicon.sorting) == [
        "ähnlich",
        "Überblick",
        "Unit",
        "Vektor",
        "Zelle",
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_has_every_word_in_its_order_with_a_way_to_its_view(client, lang):
    answer = client.get(f"/{lang}/lexicon?text=Der+Hund+schl%C3%A4ft")
    assert answer.status_code == 200 and Reader(answer.text).open == []
    shown = [html.unescape(term) for term in re.findall(r"<dt>(.*?)</dt>", answer.text)]
    assert shown == sorted((entry[lang]["term"] for entry in lexicon.terms().values()), key=lexicon.sorting)
    anchors = re.findall(r'<div id="(\w+)">', answer.text)
    assert sorted(anchors) == sorted(lexicon.terms())
    assert {target for target in re.findall(r'href="#(\w+)">\w<', answer.text)} <= set(anchors)
    for entry in lexicon.entries(Query(lang=lang, text="Der Hund schläft")):
        if entry["view"]:
            assert html.escape(entry["view"]["url"]) in answer.text and "text=Der+Hund+schl" in entry["view"]["url"]


def test_every_page_leads_to_the_lexicon(client):
    assert 'href="/de/lexicon?text=Hallo' in client.get("/de/gates?text=Hallo").text
