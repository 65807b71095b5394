"""The lecture has the same slides in both languages, and each figure's address is one that is answered."""

import re

import pytest

from app import deck, views
from app.messages import LANGUAGES


def test_both_languages_have_the_same_slides_with_as_much_on_each():
    german, english = (deck.texts(lang) for lang in LANGUAGES)
    assert list(german) == list(english) == [slide.name for slide in deck.SLIDES]
    for name, slide in german.items():
        assert slide.keys() == english[name].keys() == {"title", "points", "notes"}
        assert len(slide["points"]) == len(english[name]["points"]), name


def test_texts_are_quoted_in_their_language_and_short_enough():
    for lang, opening, closing in (("de", "„", "“"), ("en", "“", "”")):
        for name, slide in deck.texts(lang).items():
            for text in (slide["title"], *slide["points"], slide["notes"]):
                assert text.count(opening) == text.count(closing), (name, text)
                assert '"' not in text and "..." not in text
            assert len(slide["title"]) <= 52 and all(len(point) <= 135 for point in slide["points"]), name


def test_a_view_that_is_not_there_yet_has_no_slide():
    assert {slide.view for slide in deck.shown() if slide.view} == {
        slide.view for slide in deck.SLIDES if slide.view in views.catalogue()
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_figure_is_answered(client, lang):
    page = client.get(f"/{lang}/deck").text
    names = re.findall(r'<section id="(\w+)"', page)
    assert names == [slide.name for slide in deck.shown()]
    for slide in deck.shown():
        if slide.view:
            more = {"caption": 0, "scale": slide.scale}
            response = client.get(deck.address(f"/{lang}/embed/{slide.view}", slide, **more))
            assert response.status_code == 200, slide.name
    assert page.count('class="notes"') == len(names)
