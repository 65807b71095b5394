"""What is wrong with the corpora or with a model's name is told in one sentence, whichever command reads them."""

import gzip
import os

import pytest
import typer
from typer.testing import CliRunner

from models.training import corpora, crf, faithfulness, memory, nouns, train, trigram
from models.training.faults import sentence

COMMANDS = {
    "train": (train.train, ["gru"]),
    "train translator": (train.train, ["translator"]),
    "train gru-intent": (train.train, ["gru-intent"]),
    "trigram": (trigram.main, ["--file", "FILE"]),
    "crf": (crf.main, ["--file", "FILE"]),
    "nouns": (nouns.write, ["--file", "FILE"]),
    "memory": (memory.train, ["rnn"]),
    "faithfulness": (faithfulness.main, ["--model", "decoder"]),
}


def answer(tmp_path, folder, name):
    """What a command says of this folder of corpora; all it writes goes elsewhere."""
    command, arguments = COMMANDS[name]
    app = typer.Typer()
    app.command()(command)
    given = [str(tmp_path / "file") if argument == "FILE" else argument for argument in arguments]
    for option in ("--weights", "--checkpoints"):
        if command is train.train or (option == "--checkpoints" and command is trigram.main):
            given += [option, str(tmp_path / option[2:])]
    return CliRunner().invoke(app, [*given, "--corpora", str(folder)])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_folder_is_told(tmp_path, name):
    found = answer(tmp_path, tmp_path / "nowhere", name)
    assert found.exit_code == 2, found.exception
    assert found.stderr.startswith(f"Error: There is no file {tmp_path / 'nowhere'}/") and found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"Go.\tGeh.\tCC-BY\n"), "Line 1 of FILE has 3 cells instead of 2."),  # as manythings.org has it
        (b"Geh.\tGo.\n", "A file of the corpora is cut off"),
        (gzip.compress(b"Geh.\tGo.\n" * 50)[:-12], "A file of the corpora is cut off"),
        (gzip.compress("Über.\tAbove.\n".encode("latin-1")), "A file of the corpora is cut off"),
    ],
    ids=["three cells", "no gzip", "cut off", "no UTF-8"],  # a packed file has its time in it
)
@pytest.mark.parametrize("name", ["train", "train translator", "trigram", "nouns"])
def test_a_file_in_another_format_is_told(tmp_path, name, content, message):
    file = tmp_path / corpora.TATOEBA
    file.parent.mkdir()
    file.write_bytes(content)
    found = answer(tmp_path, tmp_path, name)
    assert found.exit_code == 2, found.exception
    assert found.stderr.startswith("Error: " + message.replace("FILE", str(file))) and found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (memory.train, ["encoder"], "'encoder' is no recurrent language model; rnn, lstm and gru are."),
        (faithfulness.main, ["--model", "lstm"], "'lstm' cannot be asked what counted for an answer; decoder, encoder"),
        (faithfulness.main, ["--model", "parrot"], "'parrot' cannot be asked what counted"),
    ],
)
def test_a_model_that_the_command_cannot_take_is_told(tmp_path, command, arguments, message):
    app = typer.Typer()
    app.command()(command)
    found = CliRunner().invoke(app, [*arguments, "--corpora", str(tmp_path)])
    assert found.exit_code == 2 and message in found.stderr


def test_a_full_disk_is_not_taken_for_a_wrong_corpus():
    """What fails while it is written has no file's name."""
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space") as found:
        os.write(full.fileno(), b"weights")
    assert sentence(found.value) == "A file cannot be read or written: No space left on device."
