"""Bits per character against known distributions, and texts scored in batches."""

import gzip
import math

import pytest
import torch

from models import weights
from models.tokenizer import CLS, SEP, UNK, tokenizer
from models.training import evaluate, likelihood


def ids(sentence):
    return tokenizer().encode(sentence, add_special_tokens=False).ids


def test_bits_per_character_are_those_of_a_known_distribution(folders, tmp_path):
    file = tmp_path / "text.txt.gz"
    file.write_bytes(gzip.compress(b"  Der Mann lacht.\n\nlacht\n"))
    result = evaluate.score("lm", "gru", file, weights=folders)
    rest = math.log2(tokenizer().get_vocab_size() - 1 + math.exp(3))
    surprises = [rest] * (3 + 1) + [rest - 3 / math.log(2)] + [rest] + [rest - 3 / math.log(2)]
    assert result["bits_per_character"] == pytest.approx(
        sum(surprises) / (len("Der Mann lacht.") + len("lacht")), abs=1e-4
    )
    assert result["perplexity_per_piece"] == pytest.approx(2 ** (sum(surprises) / 7), rel=1e-4)
    assert (result["items"], result["pieces"], result["unknown_share"]) == (2, 5, 0)


@pytest.mark.parametrize("name", ["lstm", "decoder"])
def test_a_line_is_scored_the_same_alone_and_in_a_batch(folders, name):
    model = weights.read(folders / name)
    texts = [ids(sentence) for sentence in ("Der Mann lacht.", "Hund", "Die Katze schläft auf der Bank am Fluss.")]
    together = likelihood.of_texts(model, texts)
    for sequence, found in zip(texts, together, strict=True):
        row = torch.tensor([[CLS, *sequence, SEP]])
        logits = model.logits(model(row)) if name == "lstm" else model(row).logits
        expected = logits[0].log_softmax(-1)[:-1].gather(1, row[0, 1:, None]).sum()
        assert found == pytest.approx(float(expected), abs=1e-4)


def test_long_lines_are_cut_into_windows_that_hold_each_piece_once():
    sequence = list(range(5, 600))
    parts = likelihood.windows(sequence)
    assert [len(part) for part in parts] == [256, 256, 87]
    assert all(part[0] == CLS for part in parts)
    assert [id_ for part in parts for id_ in part[1:]] == [*sequence, SEP]
    assert likelihood.windows(sequence[:254]) == [(CLS, *sequence[:254], SEP)]


def test_unknown_characters_are_counted(folders, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("Mann \U00012000", encoding="utf-8")
    assert ids("\U00012000") == [UNK]
    assert evaluate.score("lm", "gru", file, weights=folders)["unknown_share"] == 0.5
