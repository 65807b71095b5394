"""The trigram's probabilities against Witten and Bell's formula by hand."""

import gzip
import math

import pytest
from typer.testing import CliRunner

from models.tokenizer import CLS, SEP, tokenizer
from models.training import trigram
from models.training.trigram import WittenBell

A, B, C = 10, 11, 12


@pytest.fixture
def model():
    """Counts of A B and A C, with twenty words that there could be."""
    return WittenBell(iter([[A, B], [A, C]]), vocabulary=20)


def test_probabilities_are_those_of_the_formula(model):
    # six pieces were seen, of four kinds: A A B C SEP SEP
    alone = {A: (2 + 4 / 20) / 10, B: (1 + 4 / 20) / 10, SEP: (2 + 4 / 20) / 10}
    assert model.probability(A, ()) == pytest.approx(alone[A])
    after_a = (1 + 2 * alone[B]) / (2 + 2)  # A was followed by B and C, once each
    assert model.probability(B, (A,)) == pytest.approx(after_a)
    assert model.probability(B, (A, CLS)) == pytest.approx((1 + 2 * after_a) / (2 + 2))
    assert model.probability(SEP, (99, 98)) == pytest.approx(alone[SEP])  # nothing is known after 99


def test_probabilities_sum_to_one(model):
    for context in ((), (A,), (A, CLS), (B, A), (99,)):
        assert math.fsum(model.probability(piece, context) for piece in range(20)) == pytest.approx(1)


def test_a_text_is_the_product_of_its_pieces(model):
    steps = [(A, (CLS,)), (B, (A, CLS)), (SEP, (B, A))]
    assert model.nats([A, B]) == pytest.approx(-sum(math.log(model.probability(*step)) for step in steps))


def test_the_command_prints_bits_per_character(corpora_folder, tmp_path):
    file = tmp_path / "held_out.txt.gz"
    file.write_bytes(gzip.compress(b"Der Hund bellt laut.\n\nDie Katze bellt.\n"))
    arguments = ["--corpora", str(corpora_folder), "--file", str(file), "--checkpoints", str(tmp_path / "cache")]
    app = trigram.typer.Typer()
    app.command()(trigram.main)
    answer = CliRunner().invoke(app, arguments)
    bits, *rest = answer.stdout.split(maxsplit=1)
    assert rest == ["bits per character in 2 lines\n"]
    assert 0 < float(bits) < math.log2(tokenizer().get_vocab_size())
