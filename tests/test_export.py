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


@pytest.mark.parametrize(
    ("page", "data"),
    [
        ("/en/nothing", "/en/nothing.json"),
        ("/de/gates?layer=99", "/de/gates.json?layer=99"),
        ("/de/embed/gates?layer=99", "/de/gates.json?layer=99"),
        ("/de/gates?text=", "/de/gates.json?text="),
    ],
)
def test_what_is_wrong_is_the_same_sentence_whatever_was_asked_for(page, data):
    said = []
    for address in (page, data):
        with pytest.raises(ExportError) as error:
            export(address)
        assert str(error.value) == f"{address}: {404 if 'nothing' in page else 422} {error.value.sentence}"
        said.append(error.value.sentence)
    assert said[0] == said[1] != ""


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    result = CliRunner().invoke(app, ["export", "/de/lexicon", "--out", str(tmp_path / "none" / "page.html")])
    assert result.exit_code == 1 and "page.html" in result.stderr and not isinstance(result.exception, OSError)
