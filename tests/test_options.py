"""A view's options say what they take; what depends on a run is filled in by it."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from app import views
from app.attended import AttentionMapQuery
from app.controls import controlled
from app.options import allowed, fitted, numbers, options, settled, sliders
from app.query import Choices, Query, QueryError
from app.views.attention_steps import AttentionStepsQuery
from app.views.gates import GatesQuery
from app.views.party import PartyQuery
from app.views.speed import SpeedQuery

KINDS = [Query, *(view.query for view in views.catalogue().values())]


@pytest.mark.parametrize("view", views.catalogue().values(), ids=lambda view: view.name)
def test_every_option_of_a_view_becomes_a_control(view):
    kind = view.query
    controls = {name for name, fixed, depending in controlled(kind) if fixed or depending}
    rule = "an option is a Literal, a number with ge= and le=, or Annotated with Choices or Places (app/query.py)"
    assert options(kind).keys() <= controls | numbers(kind).keys() | sliders(kind).keys(), rule


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
        border: float = Field(0.1, ge=0.01, le=0.5)

    assert allowed(Frame, "border", "en") == "0.01 … 0.5" and allowed(Frame, "border", "de") == "0,01 … 0,5"
    assert allowed(Frame, "scale", "en") == "0.5 … 4"
    assert allowed(Frame, "controls", "en") == "0, 1"
    assert allowed(Frame, "bg", "en") == "solid"
    assert allowed(Frame, "scale", "de") == "0,5 … 4" and allowed(PartyQuery, "match1", "de") == "−10 … 30"
    assert (
        allowed(SpeedQuery, "again", "en") == "0 … 9" and allowed(AttentionStepsQuery, "looking", "en") == "0, 1, 2 …"
    )
    assert allowed(AttentionMapQuery, "layer", "en") == "1, 2, 3 …"


def test_options_are_what_a_view_adds():
    assert list(options(AttentionMapQuery)) == ["part", "show", "layer", "head", "stage", "special"]
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
