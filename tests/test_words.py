"""Tokens are written as they were typed; what cannot be seen shows its code point."""

import gc
import weakref
from dataclasses import replace

import pytest

from app.messages import visible
from app.words import LONGEST, indexed, kind, label, place_label, shortened, usual, words
from models.trace import Token


@pytest.mark.parametrize("text", ["Straße", "<b>x</b>", "$\\frac$", "&amp;", "שלום", "e\u0301", "👍🏽", "a b"])
def test_what_can_be_seen_stays_as_typed(text):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\0b", "aU+0000b"),
        ("\u202eab", "U+202Eab"),
        ("\u200d", "U+200D"),
        ("\ufeffa", "U+FEFFa"),
        ("a\u00a0b", "aU+00A0b"),
        ("\u2028", "U+2028"),
        ("\U000e0041", "U+E0041"),
    ],
)
def test_what_cannot_be_seen_shows_its_code_point(text, seen):
    assert visible(text) == seen


def test_joiners_inside_an_emoji_belong_to_it():
    family = "👩\u200d👩\u200d👧"
    assert visible(family) == family
    assert visible("\u200d") == "U+200D"


def test_pieces_that_continue_a_word_carry_joints_and_special_tokens_their_name(make_recurrent):
    trace = make_recurrent("[CLS]", "Hund", "##e")
    assert [word.label for word in words(trace)] == ["[CLS]", "Hund", "##e"]
    assert [word.kind for word in words(trace)] == ["special", "word", "joint"]
    assert [word.position for word in words(trace)] == [0, 1, 2]


def test_a_word_that_the_model_does_not_know_is_shown_as_typed():
    token = Token("[UNK]", 1, 3, 6, special=False)
    assert label(token, "ab ☃☃☃") == "☃☃☃"
    assert kind(token, "ab ☃☃☃") == "unknown"


def test_a_typed_name_of_a_special_token_is_no_special_token():
    assert kind(Token("[UNK]", 1, 0, 5, special=False), "[CLS]") == "unknown"


def test_an_invisible_character_is_announced():
    assert kind(Token("a", 7, 0, 2, special=False), "a\0") == "invisible"


def test_long_labels_are_cut_with_a_sign_that_they_are():
    assert shortened("x" * LONGEST) == "x" * LONGEST
    assert shortened("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"


def test_a_control_offers_a_token_by_its_place_and_as_typed(make_recurrent):
    trace = make_recurrent("[CLS]", "Hund", "##e", "y" * (LONGEST + 1))
    shown = [place_label(trace, place) for place in range(4)]
    assert shown == ["0 · [CLS]", "1 · Hund", "2 · ##e", f"3 · {'y' * (LONGEST - 1)}…"]


@pytest.mark.parametrize(
    ("tokens", "place"), [("[CLS] a b c d [SEP]", 3), ("[CLS] a , b c [SEP]", 4), ("[CLS] a [SEP]", 1), ("[CLS]", 0)]
)
def test_the_usual_word_is_the_third_or_the_last(make_attentive, tokens, place):
    assert usual(make_attentive(*tokens.split()).tokens) == place


def test_of_words_that_come_twice_a_sentence_says_the_how_many_th(make_recurrent):
    found = words(make_recurrent("[CLS]", "der", "Hund", "der", "Der"))
    assert [indexed(found, at) for at in range(5)] == ["[CLS]", "der₁", "Hund", "der₂", "Der"]
    many = words(make_recurrent(*["a"] * 12))
    assert indexed(many, 11) == "a₁₂"


def test_words_are_labelled_once_for_a_run_and_go_with_it(make_recurrent):
    trace = make_recurrent("[CLS]", "Hund")
    assert words(trace) is words(trace) and words(replace(trace)) is not words(trace)
    kept = weakref.ref(trace)
    del trace
    gc.collect()
    assert kept() is None
