"""`satzblick export` writes what the server would answer."""

import json

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.export import ExportError, export


def test_the_file_holds_the_views_numbers(tmp_path):
    file = tmp_path / "gates.json"
    result = CliRunner().invoke(app, ["export", "/en/gates.json?text=Der+Hund+schl%C3%A4ft", "--out", str(file)])
    assert result.exit_code == 0, result.output
    found = json.loads(file.read_bytes())
    assert found["runs"][0]["text"] == "Der Hund schläft"
    assert [token["text"] for token in found["tokens"]][:3] == ["[CLS]", "Der", "Hund"]


def test_typed_letters_beyond_ascii_need_no_escaping():
    assert json.loads(export("de/gates.json?text=schläft"))["runs"][0]["text"] == "schläft"


def test_a_wrong_address_says_why(tmp_path):
    with pytest.raises(ExportError, match="422.*layer|Layer"):
        export("/en/gates.json?layer=99")
    file = tmp_path / "none.json"
    result = CliRunner().invoke(app, ["export", "/en/nothing.json", "--out", str(file)])
    assert result.exit_code == 1
    assert not file.exists()
