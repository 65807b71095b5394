"""The field's features by hand, and the command on a corpus that it can learn by heart."""

import gzip

import pytest
from typer.testing import CliRunner

from models.training import crf


@pytest.mark.parametrize(
    ("word", "shape"), [("Köln-Ost", "Xx-Xx"), ("DFB", "X"), ("1900er", "0x"), ("…", "…"), ("A380", "X0")]
)
def test_shapes(word, shape):
    assert crf.shape(word) == shape


def test_features_know_the_neighbours_and_the_edges():
    found = set(crf.features(["In", "Köln", "regnet", "es"], 1))
    assert {"word=Köln", "lower=köln", "shape=Xx", "begin=Kö", "end=öln"} <= found
    assert {"-1:lower=in", "1:shape=x", "2:lower=es"} <= found
    assert "-2:edge" in found and not any(feature.startswith("0:") for feature in found)


def test_the_command_prints_the_f1_of_whole_names(tmp_path):
    text = "Anna\tB-PER\nwohnt\tO\nin\tO\nBad\tB-LOC\nEms\tI-LOC\n.\tO\n\nEs\tO\nregnet\tO\n.\tO\n\n"
    file = tmp_path / crf.TRAINED_ON
    file.parent.mkdir()
    file.write_bytes(gzip.compress((text * 20).encode()))
    app = crf.typer.Typer()
    app.command()(crf.main)
    answer = CliRunner().invoke(app, ["--corpora", str(tmp_path), "--file", str(file)])
    assert answer.stdout == "precision 1.000, recall 1.000, F1 1.000 over 40 names\n"
