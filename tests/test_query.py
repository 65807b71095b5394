"""What an address states: read, checked, written again."""

from typing import Annotated, Literal
from urllib.parse import quote, urlencode

import pytest
from pydantic import Field

from app import views
from app.address import read, salvaged
from app.options import allowed, fitted, label, options, settled
from app.query import DEFAULT_TEXT, Choices, Query, QueryError
from app.settings import settings
from app.views.attention_map import AttentionMapQuery
from app.views.attention_steps import AttentionStepsQuery
from app.views.gates import GatesQuery
from app.views.party import PartyQuery
from app.views.speed import SpeedQuery
from models.run import Run

KINDS = [Query, *(view.query for view in views.catalogue().values())]


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


@pytest.mark.parametrize("kind", KINDS)
def test_every_constrained_option_can_say_what_it_takes(kind):
    free = {name for name, field in kind.model_fields.items() if field.annotation in (str, str | None)}
    for name in kind.model_fields.keys() - {"lang"} - free:
        assert allowed(kind, name, "en")


def test_numbers_and_switches_say_what_they_take():
    class Frame(Query):
        scale: float = Field(1.0, ge=0.5, le=4)
        controls: bool = False
        bg: Literal["solid"] = "solid"

    assert allowed(Frame, "scale", "en") == "0.5 … 4"
    assert allowed(Frame, "controls", "en") == "0, 1"
    assert allowed(Frame, "bg", "en") == "solid"
    assert allowed(Frame, "scale", "de") == "0,5 … 4" and allowed(PartyQuery, "match1", "de") == "−10 … 30"
    assert (
        allowed(SpeedQuery, "again", "en") == "0 … 9" and allowed(AttentionStepsQuery, "looking", "en") == "0, 1, 2 …"
    )
    assert allowed(AttentionMapQuery, "layer", "en") == "1, 2, 3 …"


def test_one_run_two_sentences_two_models():
    assert Query(model="lstm", text="a").runs() == [Run("lstm", "a")]
    assert Query(model="lstm", text="a", vs="b").runs() == [Run("lstm", "a"), Run("lstm", "b")]
    assert Query(model="lstm", text="a", vs_model="gru").runs() == [Run("lstm", "a"), Run("gru", "a")]
    both = Query(model="lstm", text="a", vs="b", vs_model="gru")
    assert both.runs() == [Run("lstm", "a"), Run("gru", "b")]
    assert not both.same_text and Query(text="a", vs="a").same_text and Query(text="a").same_text


def test_an_address_says_the_text_and_what_differs():
    query = AttentionMapQuery(text="a & b=c", model="encoder", layer=2, head=3, special="shown")
    address = query.address("/de/attention_map")
    assert address == "/de/attention_map?text=a+%26+b%3Dc&model=encoder&layer=2&head=3&special=shown"
    assert read(AttentionMapQuery, address.partition("?")[2].encode(), "de") == query
    assert query.address("/x", bg="solid").endswith("&bg=solid")


def test_the_default_text_stays_in_the_address():
    assert "text=" in Query().address("/de")


def test_options_are_what_a_view_adds():
    assert list(options(AttentionMapQuery)) == ["part", "layer", "head", "stage", "special"]
    assert list(options(Query)) == []


def test_what_depends_on_the_run_is_filled_in(make_attentive, make_recurrent):
    query = settled(AttentionMapQuery(), make_attentive())
    assert (query.layer, query.head) == (2, "mean")
    assert settled(GatesQuery(), make_recurrent(model="lstm")).gate == "forget"
    assert settled(GatesQuery(), make_recurrent(model="gru")).gate == "update"


@pytest.mark.parametrize(("option", "value", "told"), [("layer", 3, "1, 2"), ("head", 4, "mean, 1, 2, 3")])
def test_what_the_run_does_not_have_is_an_error_that_says_what_it_has(make_attentive, option, value, told):
    with pytest.raises(QueryError) as caught:
        settled(AttentionMapQuery(**{option: value}), make_attentive())
    assert (caught.value.code, caught.value.field) == ("out_of_range", option)
    assert told in caught.value.message.text("de")


def test_another_model_falls_back_to_its_own_choice(make_recurrent):
    query = GatesQuery(layer=1, gate="forget")
    assert fitted(query, make_recurrent(model="gru")).gate == "update"
    assert fitted(query, make_recurrent(model="lstm")) == query


def test_choices_may_stand_beside_any_type():
    class Own(Query):
        word: Annotated[str | None, Choices(lambda trace: [token.text for token in trace.tokens], standard=-1)] = None

    assert list(options(Own)) == ["word"]


@pytest.mark.parametrize("name", ["model", "layer", "head", "stage", "align", "vs"])
def test_addresses_of_many_values_are_those_of_each(name):
    query = AttentionMapQuery(text="Der Hund & <b>", layer=2, head=3, special="hidden", theme="dark")
    values = {"model": ["encoder", "decoder"], "layer": [1, 2, 4], "head": ["mean", 1, 3],
              "stage": ["raw", "softmax"], "align": ["word", "position"], "vs": ["Ü", "a&b"]}[name]  # fmt: skip
    each = [query.changed(**{name: value}).address("/de/attention_map", scale=1.5) for value in values]
    assert query.addresses("/de/attention_map", name, values, scale=1.5) == each
