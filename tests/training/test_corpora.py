import gzip

import pytest

from models.training import corpora
from models.training.corpora import WrongFormat

TEXT = 'Der Hund bellt.\nDie Katze schläft.\n\n\n  Ein "Vogel" singt.\r\n'


@pytest.fixture(params=["text.txt", "text.txt.gz"])
def file(request, tmp_path):
    path = tmp_path / request.param
    path.write_bytes(gzip.compress(TEXT.encode()) if path.suffix == ".gz" else TEXT.encode())
    return path


def test_paragraphs_are_parted_by_blank_lines(file):
    assert list(corpora.paragraphs(file)) == [["Der Hund bellt.", "Die Katze schläft."], ['Ein "Vogel" singt.']]


def test_lines_are_those_with_text(file):
    assert list(corpora.lines(file)) == ["Der Hund bellt.", "Die Katze schläft.", 'Ein "Vogel" singt.']


def test_quotes_are_ordinary_characters(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text('"Ja"\tyes\n"\tquote\n', encoding="utf-8")
    assert list(corpora.rows(path)) == [['"Ja"', "yes"], ['"', "quote"]]


def test_a_table_gives_the_lines_under_its_header(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("a\tb\n1\t2\n3\t4\n", encoding="utf-8")
    assert list(corpora.table(path, ["a", "b"])) == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [("x\ty\n1\t2\n", "must name the columns a, b"), ("a\tb\n1\t2\n3\n", "Line 3 of .* has 1 cells instead of 2")],
)
def test_a_table_of_another_form_is_refused_with_its_line(tmp_path, content, message):
    path = tmp_path / "table.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(WrongFormat, match=message):
        list(corpora.table(path, ["a", "b"]))


def test_each_tatoeba_sentence_is_a_paragraph_of_its_own(tmp_path):
    for name, content in {
        corpora.TATOEBA: "Ja.\tYes.\nNein.\tNo.\n",
        corpora.KLEXIKON: "Eins.\nZwei.\n\nDrei.\n",
        corpora.WIKIPEDIA: "Vier.\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(content.encode()))
    assert corpora.german_text(tmp_path) == {
        "tatoeba": [["Ja."], ["Nein."]],
        "klexikon": [["Eins.", "Zwei."], ["Drei."]],
        "wikipedia": [["Vier."]],
    }
