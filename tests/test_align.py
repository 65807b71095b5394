"""Which tokens of two sentences are compared."""

import base64
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import views
from app.align import pairs
from app.messages import translate
from models.run import Run, perform

FIRST = ["Der", "Mann", "biss", "den", "Hund"]
REVERSED = ["Hund", "den", "biss", "Mann", "Der"]


def test_by_position_the_nth_belongs_to_the_nth():
    assert pairs(FIRST, REVERSED, "position") == [0, 1, 2, 3, 4]


def test_by_position_what_is_longer_stays_alone():
    assert pairs(["a", "b", "c"], ["x"], "position") == [0, None, None]
    assert pairs(["a"], ["x", "y"], "position") == [0]


def test_by_word_the_word_is_found_wherever_it_stands():
    assert pairs(FIRST, REVERSED, "word") == [4, 3, 2, 1, 0]


def test_by_word_repeated_words_are_taken_in_order_and_once():
    assert pairs(["a", "b", "a", "a"], ["a", "a", "b"], "word") == [0, 2, 1, None]


def test_nothing_in_common():
    assert pairs(["a"], ["b"], "word") == [None]
    assert pairs([], ["b"], "word") == []


WORDS = st.lists(st.sampled_from(["der", "Hund", "Mann", "biss", ","]), max_size=9)


@given(WORDS, WORDS)
def test_as_many_words_as_both_have_are_paired_each_once_and_in_order(first, second):
    found = pairs(first, second, "word")
    taken = [place for place in found if place is not None]
    assert len(found) == len(first) and len(set(taken)) == len(taken)
    assert all(place is None or second[place] == word for word, place in zip(first, found, strict=True))
    assert len(taken) == (Counter(first) & Counter(second)).total()
    for word in set(first):
        own = [place for place, typed in zip(found, first, strict=True) if typed == word and place is not None]
        assert own == [place for place, typed in enumerate(second) if typed == word][: len(own)]


def difference(client, view, text, vs, align):
    """The last map of a figure: the difference of two runs, [rows, columns]."""
    asked = {"text": text, "vs": vs, "align": align, "model": MODELS[view]}
    told = client.get(f"/de/{view}.json", params=asked).json()
    last = [drawn for drawn in told["figure"]["data"] if drawn["type"] == "heatmap"][-1]
    assert last["coloraxis"] == "coloraxis2"
    shape = [int(size) for size in last["z"]["shape"].split(",")]
    values = np.frombuffer(base64.b64decode(last["z"]["bdata"]), np.float32).reshape(shape)
    titles = [note["text"] for note in told["figure"]["layout"]["annotations"]]
    return values, titles


MODELS = {"hidden_states": "lstm", "gates": "gru", "attention_map": "encoder"}
CASES = {  # text, second sentence, the places of the first one's words without partner: by word, by position
    "repeated": ("der Hund und der Hund", "der Hund", [2, 3, 4], [2, 3, 4]),
    "moved": ("Der Mann biss den Hund", "Hund den biss Mann Der", [], []),
    "longer": ("Hund", "der Hund bellt", [], []),
    "shorter": ("Der Hund kam heute", "heute", [0, 1, 2], [1, 2, 3]),
    "nothing in common": ("Der Hund", "Eine Katze schläft", [0, 1], []),
}


@pytest.mark.parametrize("view", MODELS)
@pytest.mark.parametrize("case", CASES)
def test_a_word_without_partner_is_shown_as_such(client, view, case):
    """In the difference its column has no value, not 0, and the title says what that is."""
    text, vs, *alone = CASES[case]
    for align, expected in zip(("word", "position"), alone, strict=True):
        values, titles = difference(client, view, text, vs, align)
        own = 0 if view == "attention_map" else 1  # the map leaves [CLS] out, states begin with it
        grey = [place - own for place in range(values.shape[1]) if np.isnan(values[:, place]).all()]
        assert grey == expected
        assert (translate("de", "difference.title.partial") in titles) == bool(expected)


def test_moved_words_are_compared_with_themselves(client):
    """Word vectors of the same words do not differ, wherever they stand; by position they do."""
    values, _ = difference(client, "hidden_states", "Hund Hund", "Hund Hund", "word")
    assert not values.any()
    text, vs = "Der Mann biss den Hund", "Der Hund biss den Mann"
    runs = [np.asarray(perform(Run("lstm", each)).states.hidden[-1]) for each in (text, vs)]
    for align, partners in (("word", [0, 1, 5, 3, 4, 2]), ("position", range(6))):
        values, _ = difference(client, "hidden_states", text, vs, align)
        expected = runs[1][list(partners)] - runs[0]
        assert np.sort(values, axis=0) == pytest.approx(np.sort(expected.T, axis=0), abs=1e-6)


@pytest.mark.parametrize("name", views.catalogue())
@pytest.mark.parametrize("vs", ["", "   ", "%0A"])
def test_an_empty_second_sentence_is_told_beside_its_field(client, name, vs):
    answer = client.get(f"/de/{name}.json?text=Hund&vs={vs}")
    told = answer.json()["error"]
    assert (answer.status_code, told["code"], told["field"]) == (422, "empty_text", "vs")
    assert told["message"].startswith("Hier fehlt ein Satz")
