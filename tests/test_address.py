"""Addresses are read as they are meant; what is wrong in one is named."""

from urllib.parse import quote, urlencode

import pytest

from app.address import read, salvaged
from app.attended import AttentionMapQuery
from app.options import label
from app.query import DEFAULT_TEXT, Query, QueryError
from app.settings import settings
from app.views.gates import GatesQuery


def wrong(kind, raw: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        read(kind, raw.encode(), "de")
    return caught.value


def test_an_empty_address_means_the_first_example():
    query = read(Query, b"", "en")
    assert (query.text, query.lang, query.vs, query.theme) == (DEFAULT_TEXT, "en", None, "auto")


def test_text_is_read_escaped_and_as_plain_bytes():
    assert read(Query, quote("text=Süß & „so“", safe="=").encode(), "de").text == "Süß & „so“"
    assert read(Query, "text=Süß".encode(), "de").text == "Süß"
    assert read(Query, b"text=a+b", "de").text == "a b"


def test_what_no_view_knows_is_ignored():
    query = read(AttentionMapQuery, b"utm_source=x&utm_source=y&fbclid=%FF&head=2&lang=fr", "de")
    assert (query.head, query.lang) == (2, "de")


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        ("text=", "empty_text", "text"),
        ("text=+%09", "empty_text", "text"),
        ("vs=+", "empty_text", "vs"),
        ("text=a&text=b", "repeated", "text"),
        ("layer=1&layer=1", "repeated", "layer"),
        ("text=%ED%A0%80", "not_utf8", "text"),
        ("vs=%FF", "not_utf8", "vs"),
        ("layer=NaN", "wrong_value", "layer"),
        ("layer=0", "wrong_value", "layer"),
        ("layer=1.5", "wrong_value", "layer"),
        ("layer=", "wrong_value", "layer"),
        ("layer=" + "9" * 5000, "wrong_value", "layer"),
        ("head=-1", "wrong_value", "head"),
        ("head=all", "wrong_value", "head"),
        ("stage=SOFTMAX", "wrong_value", "stage"),
        ("theme=neon", "wrong_value", "theme"),
        ("align=colour", "wrong_value", "align"),
        (f"text={'x' * 4001}", "too_many_characters", "text"),
        (f"vs={'x' * 4001}", "too_many_characters", "vs"),
    ],
)
def test_wrong_values_name_their_field(raw, code, field):
    error = wrong(AttentionMapQuery, raw)
    assert (error.code, error.field, error.status) == (code, field, 422)
    for lang in ("de", "en"):
        assert "{" not in error.message.text(lang)


def test_too_long_a_text_is_offered_shortened():
    limit = settings().characters
    error = wrong(Query, f"text={'ä' * (limit + 7)}")
    assert error.fix == {"text": "ä" * limit}
    assert str(limit + 7) in error.message.text("de") and str(limit) in error.message.text("de")
    assert read(Query, urlencode({"text": "ä" * limit}).encode(), "de").text == "ä" * limit


def test_the_second_sentence_is_made_of_the_first_and_goes_before_a_typed_one():
    turned = read(Query, b"text=Der+Mann+biss+den+Hund.&vs_from=reverse", "de")
    assert (turned.vs, turned.vs_from) == ("Hund den biss Mann Der.", None)
    swapped = read(GatesQuery, b"text=Der+Mann+biss+den+Hund&vs=&vs_from=swap&layer=2", "de")
    assert swapped.vs == "Der Hund biss den Mann" and swapped.layer == 2
    assert read(Query, b"text=der+mann+biss+den+hund&vs=weil&vs_from=swap", "de").vs == "der hund biss den mann"
    assert read(Query, b"vs=weil&vs_from=", "de").vs == "weil"
    assert "vs_from" not in turned.parameters() and turned.parameters()["vs"] == turned.vs


def test_a_sentence_without_two_nouns_has_none_to_swap():
    error = wrong(Query, "text=weil&vs_from=swap")
    assert (error.code, error.field, error.status) == ("too_few_nouns", "text", 422)
    assert "zwei Nomen" in error.message.text("de")
    assert salvaged(Query, b"text=weil&vs_from=swap&vs=Hund", "de").vs == "Hund"
    assert read(Query, b"text=weil&vs_from=reverse", "de").vs == "weil"
    assert wrong(Query, "vs_from=mirror").field == "vs_from"


def test_an_error_names_the_option_as_the_page_calls_it():
    assert "Schicht" in wrong(AttentionMapQuery, "layer=x").message.text("de")
    assert "Layer" in wrong(AttentionMapQuery, "layer=x").message.text("en")
    assert label("layer").text("de") == "Schicht"
