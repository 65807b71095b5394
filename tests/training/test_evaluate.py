"""The command that scores a model."""

import gzip
import json

import pytest
from typer.testing import CliRunner

from models.training import agreement, evaluate, similarity


def run(folders, *arguments):
    return CliRunner().invoke(evaluate.app, [*map(str, arguments), "--weights", str(folders)])


def test_the_last_line_is_one_json_object(folders, pairs):
    answer = run(folders, "agreement", "--model", "lstm", "--file", pairs, "--json")
    assert answer.exit_code == 0
    result = json.loads(answer.stdout.splitlines()[-1])
    assert (result["task"], result["model"], result["file"], result["items"]) == ("agreement", "lstm", str(pairs), 3)
    assert 0 <= result["accuracy"] <= 1


def test_without_json_the_figures_are_readable_lines(folders, pairs):
    answer = run(folders, "agreement", "--model", "gru", "--file", pairs, "--limit", 2)
    assert any(line.split() == ["accuracy", "0.5"] for line in answer.stdout.splitlines())
    assert any(line.split() == ["limit", "2"] for line in answer.stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("poetry", "--model", "gru"), "There is no task 'poetry'; there are lm, agreement, masked"),
        (("lm", "--model", "gru"), "needs a file"),
        (("lm", "--model", "gru", "--file", "nowhere.txt"), "There is no file nowhere.txt."),
        (("lm", "--model", "parrot", "--file", "FILE"), "The model 'parrot' is not in"),
        (("lm", "--model", "encoder", "--file", "FILE"), "The model 'encoder' does not read from left to right"),
        (("masked", "--model", "gru"), "The model 'gru' does not fill in masked words"),
        (("next_word", "--model", "encoder"), "The model 'encoder' does not read from left to right"),
        (("similarity", "--model", "gru", "--file", "FILE"), "The model 'gru' has no vectors of whole words"),
        (("translation", "--model", "gru", "--file", "FILE"), "The model 'gru' does not translate"),
        (("lm", "--model", "words", "--file", "FILE"), "The model 'words' does not read from left to right"),
        (("agreement", "--model", "words", "--file", "PAIRS"), "The model 'words' does not read from left to right"),
        (("masked", "--model", "words"), "The model 'words' does not fill in masked words"),
        (("similarity", "--model", "words", "--file", "FILE"), "must name the columns wort_a, wort_b, score_0_50"),
        (("similarity", "--model", "words", "--file", "NONE"), "There are no two pairs of known words"),
        (("similarity", "--model", "words", "--file", "SCORE"), "'viel' in"),
        (("translation", "--model", "translator", "--file", "FILE"), "has 1 cells instead of 2"),
        (("agreement", "--model", "gru", "--file", "FILE"), "must name the columns case, right, wrong, word_position"),
        (("lm", "--model", "gru", "--file", "FAKE"), "is not a whole gzip file."),
        (("lm", "--model", "gru", "--file", "CUT"), "is not a whole gzip file."),
        (("lm", "--model", "gru", "--file", "BINARY"), "is not UTF-8 text"),
        (("lm", "--model", "gru", "--file", "EMPTY"), "There is no line with text in"),
        (("lm", "--model", "gru", "--file", "FOLDER"), "cannot be read"),
        (("lm", "--model", "gru", "--file", "FILE", "--limit", "1", "--save"), "not saved"),
        (("next_word", "--model", "gru", "--file", "FILE", "--save"), "only our own sentences are saved"),
        (("names", "--model", "gru"), "The model 'gru' does not mark named entities"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(folders, pairs, tmp_path, arguments, message):
    zipped = gzip.compress(b"Der Hund bellt.\n" * 50)
    contents = {"FILE": b"Hund\n", "FAKE": b"Hund\n", "CUT": zipped[:-12], "BINARY": zipped, "EMPTY": b"\n \n"}
    header = "\t".join(similarity.COLUMNS)
    contents |= {"NONE": f"{header}\nUfo\tUhu\t3\n".encode(), "SCORE": f"{header}\nHund\tKatze\tviel\n".encode()}
    contents |= {"PAIRS": pairs.read_bytes()}
    for name, content in contents.items():
        (tmp_path / name).with_suffix(".gz" if name in ("FAKE", "CUT") else ".txt").write_bytes(content)
    (tmp_path / "FOLDER.txt").mkdir()
    known = {path.stem: path for path in tmp_path.iterdir()}
    answer = run(folders, *(known.get(argument, argument) for argument in arguments))
    assert answer.exit_code == 2
    assert message in answer.stderr.splitlines()[-1]
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\tMann\tMann\t0", "Pair 1 of .* has the same right and wrong sentence"),
        ("a\tMann\tHund\tzero", "Pair 1 of .* has the word position 'zero'"),
        ("a\tMann\tHund", "Line 2 of .* has 3 cells"),
        ("a\t" + "Mann " * 300 + "\tHund\t0", "Pair 1 of .* is longer than 256 tokens"),
        ("", "There are no sentence pairs"),
    ],
)
def test_a_pair_that_cannot_be_scored_is_named(folders, tmp_path, line, message):
    file = tmp_path / "pairs.tsv"
    file.write_text("\t".join(agreement.COLUMNS) + f"\n{line}\n", encoding="utf-8")
    with pytest.raises(evaluate.WrongFormat, match=message):
        evaluate.score("agreement", "gru", file, weights=folders)
