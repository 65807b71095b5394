"""Sentences, numbers and their notation in both languages."""

import numpy as np
import pytest

from app.messages import (
    LANGUAGES,
    Lang,
    Strong,
    bound,
    chance,
    decimal,
    decimals,
    known,
    percent,
    percents,
    quotations,
    say,
    translate,
    translator,
)


def test_texts_come_in_both_languages():
    assert translate("de", "error.not_found") == "Diese Adresse führt nirgendwohin."
    assert translate("en", "error.not_found") == "This address leads nowhere."
    assert translator("de")("form.show") == translate("de", "form.show")


def test_a_key_without_text_stands_for_itself():
    assert translate("de", "no.such.key") == "no.such.key"
    assert not known("de", "no.such.key")
    assert known("en", "form.show")


def test_values_fill_the_sentence_and_are_not_read_as_fields():
    told = say("error.unknown_view", name="{count} {0}")
    assert "{count} {0}" in told.text("de")
    assert "{count} {0}" in told.html("de")


def test_only_strong_values_are_set_off_and_everything_is_escaped():
    told = say("attention_map.summary.one", looking=Strong("<b>"), looked_at="<i>", share=Strong("3 %"))
    html = told.html("en")
    assert '<b class="num" dir="auto">&lt;b&gt;</b>' in html
    assert "&lt;i&gt;" in html and "<i>" not in html
    assert '<b class="num" dir="auto">3 %</b>' in html
    assert told.text("en") == "The strongest look goes from “<b>” to “<i>”: 3 %."


def test_what_is_quoted_from_the_other_language_says_so():
    told = say("attention_map.summary.one", looking="den", looked_at=Strong("biss"), share="3 %")
    english = told.html("en")
    assert '“<span lang="de">den</span>”' in english
    assert '“<span lang="de"><b class="num" dir="auto">biss</b></span>”' in english
    assert "lang=" not in told.html("de") and "lang=" not in told.text("en")
    translated = say("translation.summary.greedy", text="Der Hund", english="The dog")
    assert '„<span lang="en">The dog</span>“' in translated.html("de")
    assert translated.html("en") == '“<span lang="de">Der Hund</span>” becomes “The dog” (greedy).'


def test_a_message_in_a_message_is_said_in_the_same_language():
    told = say("error.missing", field=say("option.layer"))
    assert translate("de", "option.layer") in told.text("de")
    assert translate("en", "option.layer") in told.html("en")


@pytest.mark.parametrize(
    ("value", "digits", "german", "english"),
    [(0.5, 2, "0,50", "0.50"), (-1.25, 1, "−1,2", "−1.2"), (-0.004, 2, "0,00", "0.00"), (12.0, 0, "12", "12")],
)
def test_numbers_in_the_notation_of_the_language(value, digits, german, english):
    assert (decimal("de", value, digits), decimal("en", value, digits)) == (german, english)


@pytest.mark.parametrize(
    ("share", "german", "english"),
    [
        (0.54, "54\u202f%", "54%"),
        (0.0, "0\u202f%", "0%"),
        (0.005, "< 1\u202f%", "< 1%"),
        (0.996, "> 99\u202f%", "> 99%"),
        (1.0, "100\u202f%", "100%"),
    ],
)
def test_shares(share, german, english):
    assert (percent("de", share), percent("en", share)) == (german, english)


@pytest.mark.parametrize(
    ("value", "said"), [(2.7e-8, "3·10⁻⁸"), (2.3e-8, "3·10⁻⁸"), (3e-8, "3·10⁻⁸"), (1.01e-7, "2·10⁻⁷"), (0.2, "2·10⁻¹")]
)
def test_a_bound_is_never_below_the_number(value, said):
    assert bound(value) == said


def test_a_bound_that_overflows_its_digit_goes_up_a_power():
    assert bound(9.4e-8) == "1·10⁻⁷"


def test_a_small_share_may_have_decimals():
    assert (percent("de", 0.0027, 2), percent("en", 0.0027, 2)) == ("0,27\u202f%", "0.27%")


@pytest.mark.parametrize(
    ("probability", "german", "english"),
    [(0.4, "40\u202f%", "40%"), (4.04e-5, "4,0·10⁻⁵", "4.0·10⁻⁵"), (0.0099, "9,9·10⁻³", "9.9·10⁻³"),
     (0.01, "1\u202f%", "1%"), (0.9951, "99,5\u202f%", "99.5%"), (0.999_99, "99,9\u202f%", "99.9%"),
     (1.0, "100\u202f%", "100%"), (0.0, "0\u202f%", "0%")],
)  # fmt: skip
def test_a_chance_is_never_rounded_to_nothing_or_to_certainty(probability: float, german: str, english: str) -> None:
    assert (chance("de", probability), chance("en", probability)) == (german, english)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_many_numbers_are_written_as_each_alone(lang: Lang) -> None:
    shares = np.linspace(0, 1, 4001).astype(np.float32)
    shares = np.concatenate([shares, np.float32([1e-9, 0.005, 0.995, 1 - 1e-7, np.nan])])
    assert percents(lang, shares) == [percent(lang, share) for share in shares.tolist()]
    values = [0.0, -0.00001, -1.5, 12345.678, float("nan"), float("inf")]
    assert decimals(lang, values, 4) == [decimal(lang, value, 4) for value in values]
    assert decimals(lang, [], 4) == []


def test_of_many_words_only_the_first_are_quoted_and_how_many_more_there_are_is_said():
    words = [",", "Hund", "a"]
    assert quotations("de", words) == "„,“, „Hund“, „a“"
    assert quotations("de", words, 1) == "„,“ und 2 weitere"
    assert quotations("en", words, 1) == "“,” and 2 more"
    assert quotations("en", words, 2).endswith("“a”"), "one more takes no more room than to say so"
    assert quotations("en", words, 3).endswith("“a”")
