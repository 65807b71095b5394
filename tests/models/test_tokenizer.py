"""The shared tokenizer: words of the examples are whole, offsets keep what was typed, limits are errors."""

import re

import pytest

from models.errors import EmptyText, TooManyTokens
from models.tokenizer import CLS, EXAMPLE_SENTENCES, SEP, piece, tokenize, tokenizer


@pytest.mark.parametrize("sentence", EXAMPLE_SENTENCES)
def test_each_word_of_the_examples_is_one_piece(sentence):
    vocabulary = tokenizer().get_vocab()
    assert [word for word in re.findall(r"\w+", sentence) if word not in vocabulary] == []


def test_size_of_the_vocabulary():
    assert 12_000 <= tokenizer().get_vocab_size() <= 16_000


def test_offsets_point_into_the_typed_text():
    text = "Der  Mann\u0000 biß\tden 👩\u200d🚀 Hund"
    for token in tokenize(text, 256):
        if not token.special and token.text != "[UNK]":
            typed = text[token.start : token.end].replace("\u0000", "")
            assert token.text.removeprefix("##") == typed


def test_special_tokens_stand_at_the_ends():
    tokens = tokenize("Hund", 256, end=True)
    assert [token.id for token in tokens if token.special] == [CLS, SEP]
    assert piece(CLS) == "[CLS]"


@pytest.mark.parametrize("text", ["", "  ", "\u0000\u0001", "\n\t"])
def test_a_text_without_a_word_is_an_error(text):
    with pytest.raises(EmptyText):
        tokenize(text, 256)


def test_the_limit_is_exact_and_names_the_text_that_fits():
    text = " ".join(["Hund"] * 300)
    with pytest.raises(TooManyTokens) as caught:
        tokenize(text, 256, end=True)
    assert caught.value.values["count"] == 302
    assert caught.value.values["limit"] == 256
    shorter = text[: caught.value.values["characters"]]
    assert len(tokenize(shorter, 256, end=True)) == 256


def test_a_very_long_word_is_cut_into_pieces_not_lost():
    with pytest.raises(TooManyTokens):
        tokenize("a" * 3_900, 256)
    pieces = tokenize("Donaudampfschifffahrtsgesellschaft", 256)
    assert "".join(token.text.removeprefix("##") for token in pieces[1:]) == "Donaudampfschifffahrtsgesellschaft"
