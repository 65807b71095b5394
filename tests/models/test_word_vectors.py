"""Word vectors: a few with known angles, and the learned ones once they are there."""

import numpy as np
import pytest

from models import registry
from models.errors import EmptyText, TooManyTokens
from models.families import word_vectors
from models.word_vectors import WORD, WordVectors

WORDS = {"Hund": (2, 0), "Hunde": (4, 3), "Katze": (3, 4), "weil": (0, 1)}
VECTORS = WordVectors(tuple(WORDS), np.array(list(WORDS.values()), np.float32))
(MODEL,) = word_vectors.MODELS


@pytest.fixture
def read():
    return word_vectors.Table(MODEL, VECTORS).forward


def test_cosines_are_those_of_the_angles():
    assert VECTORS.cosine("Hund", "Hunde") == pytest.approx(0.8)
    assert VECTORS.cosine("Hunde", "Katze") == pytest.approx(24 / 25)
    assert VECTORS.cosine("weil", "Hund") == 0


def test_the_nearest_words_come_first_without_the_word_itself():
    assert [word for word, _ in VECTORS.nearest("Hund", 2)] == ["Hunde", "Katze"]
    assert VECTORS.nearest("hund", 1)[0].cosine == pytest.approx(0.8)


def test_a_word_is_found_in_another_case():
    assert [VECTORS.row(word) for word in ("Hund", "hund", "HUND", "WEIL", "Weil", "Ufo")] == [0, 0, 0, 3, 3, None]


def test_an_unknown_word_has_no_neighbours():
    with pytest.raises(KeyError, match="Ufo"):
        VECTORS.nearest("Ufo")


def test_words_keep_their_hyphens_and_signs_stand_alone():
    assert WORD.findall("Die U-Bahn, Bau- und 3-mal „so“!") == [
        "Die", "U-Bahn", ",", "Bau-", "und", "3-mal", "„", "so", "“", "!",
    ]  # fmt: skip


def test_each_word_is_looked_up(read):
    trace = read("Hund Ufo, weil")
    assert [(token.text, token.id) for token in trace.tokens] == [("Hund", 0), ("Ufo", -1), (",", -1), ("weil", 3)]
    assert [trace.text[token.start : token.end] for token in trace.tokens] == ["Hund", "Ufo", ",", "weil"]
    assert trace.states.inputs.tolist() == [[2, 0], [0, 0], [0, 0], [0, 1]]
    assert {field for field, _, _ in trace.arrays()} == set(MODEL.fields)


def test_the_same_word_has_the_same_vector_in_every_sentence(read):
    assert (read("Katze weil Katze").states.inputs[0] == read("weil Katze").states.inputs[1]).all()


def test_a_text_without_words_or_with_too_many_is_told(read):
    with pytest.raises(EmptyText):
        read(" \n")
    with pytest.raises(TooManyTokens) as caught:
        read("Hund " * 300)
    assert caught.value.values == {"count": 300, "limit": 256, "characters": 5 * 256 - 1}


def test_a_robot_is_nearer_to_a_machine_than_to_a_conjunction():
    learned = registry.load("word_vectors").vectors
    assert learned.cosine("Roboter", "Maschine") > learned.cosine("Roboter", "weil") + 0.2
    assert learned.nearest("Roboter")[0].word != "weil"
