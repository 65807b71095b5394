"""The beginnings and how a model goes on."""

import pytest
import torch

from models import weights
from models.tokenizer import CLS, UNK, tokenizer
from models.training import evaluate, next_word


def ids(sentence):
    return tokenizer().encode(sentence, add_special_tokens=False).ids


def test_each_beginning_is_read_in_few_known_pieces():
    assert len(set(next_word.BEGINNINGS)) == 20
    for beginning in next_word.BEGINNINGS:
        assert len(ids(beginning)) <= 8
        assert UNK not in ids(beginning)


def test_the_likeliest_next_words_are_those_of_the_whole_model(folders, tmp_path):
    file = tmp_path / "beginnings.txt"
    file.write_text("Der Hund\n", encoding="utf-8")
    (row,) = evaluate.score("next_word", "decoder", file, weights=folders)["sentences"]
    with torch.no_grad():
        logits = weights.next_word_model(folders / "decoder")(torch.tensor([[CLS, *ids("Der Hund")]])).logits[0, -1]
    best = logits.softmax(-1).topk(5)
    assert row["top"] == [tokenizer().id_to_token(id_) for id_ in best.indices.tolist()]
    assert row["probabilities"] == pytest.approx(best.values.tolist(), abs=1e-4)
