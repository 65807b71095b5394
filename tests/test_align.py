"""Which tokens of two sentences are compared."""

from app.align import pairs

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
