"""The masked sentences and the guesses for them."""

from models.tokenizer import MASK, tokenizer
from models.training import evaluate, masked


def ids(sentence):
    return tokenizer().encode(sentence, add_special_tokens=False).ids


def test_each_removed_word_is_one_piece_of_the_vocabulary():
    assert len(masked.SENTENCES) == 20
    for sentence, removed in masked.SENTENCES:
        assert ids(sentence).count(MASK) == 1
        assert len(ids(removed)) == 1, removed


def test_the_five_likeliest_words_are_listed(folders):
    result = evaluate.score("masked", "encoder", None, limit=2, weights=folders)
    assert result["items"] == 2
    for row in result["sentences"]:
        assert len(row["top"]) == 5
        assert row["probabilities"] == sorted(row["probabilities"], reverse=True)
