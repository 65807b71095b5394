"""A deck's file becomes a folder; what is wrong in it is told with its line, and the rest is written."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import bundle, deck, views
from app.bundle import DeckError
from app.cli import app

DOCS = Path(__file__).parent.parent / "docs"
TWO = """\
title = "Zwei <Bilder>"
language = "de"

[[entries]]
address = "/gates?text=Hund+beißt+Katze&model=gru"
note = "Ein <Wort> dazu"

[[entries]]
title = "The map"
address = "https://example.org/en/embed/attention_map?text=Hund&theme=dark&scale=1&width=640&height=400"
"""
WRONG = """\
language = "de"

[[entries]]
title = "Gut"
address = "/tokens?text=Hund"

[[entries]]
title = "Schicht"
note = "die siebte"
address = "/attention_map?text=Hund&layer=7"

[[entries]]
address = "/nothing"

[[entries]]
address = "/de/attention_map/more?text=Hund"

[[entries]]
address = "/gates?text=Hund&text=Katze"
"""


def export(file, folder, *more):
    return CliRunner().invoke(app, ["export", str(file), "--out", str(folder), *more])


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deck")
    file = folder / "two.toml"
    file.write_text(TWO, "utf-8")
    return export(file, folder / "out", "--pdf"), folder / "out"


def test_a_deck_is_a_folder_of_files(two):
    result, folder = two
    assert result.exit_code == 0, result.output
    assert f"2 von 2 Abbildungen liegen in {folder}" in result.output
    stems = ("01-gates", "02-attention_map")
    names = {f"{stem}.{form}" for stem in stems for form in ("svg", "html", "pdf")}
    assert {file.name for file in folder.iterdir()} == names | {"index.html"}
    assert (folder / "01-gates.pdf").read_bytes().startswith(b"%PDF")
    first, second = ((folder / f"{stem}.html").read_text("utf-8") for stem in stems)
    assert '<html lang="de" data-theme="light" data-bg="solid" style="--scale: 1.5">' in first
    assert '<html lang="en" data-theme="dark" data-bg="solid" style="--scale: 1.0">' in second, "what the address says"
    stills = [(folder / f"{stem}.svg").read_text("utf-8") for stem in stems]
    assert [re.search(r'width="([\d.]+)pt"', svg)[1] for svg in stills] == ["960", "480"]
    assert "beißt" in stills[0] and re.search(r"gru [0-9a-f]{8}", stills[0]), "the still names model and weights"


def test_the_list_tells_what_there_is(two):
    _, folder = two
    page = (folder / "index.html").read_text("utf-8")
    assert "<h1>Zwei &lt;Bilder&gt;</h1>" in page and "Ein &lt;Wort&gt; dazu" in page
    linked = re.findall(r'(?:href|src)="([^"]+)"', re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.S))
    assert {name for name in linked if name != "data:,"} == {
        file.name for file in folder.iterdir() if file.name != "index.html"
    }
    assert re.findall(r'<span class="title">(.*?)</span>', page) == ["Gates", "The map"]


def test_wrong_entries_are_told_and_the_others_written(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text(WRONG, "utf-8")
    result = export(file, tmp_path / "out")
    assert result.exit_code == 1
    told = [line for line in result.output.splitlines() if line.startswith(f"{file}:")]
    assert [int(line.removeprefix(f"{file}:").split(":")[0]) for line in told] == [10, 13, 16, 19]
    assert "layer=7" in told[0] and "1, 2, 3, 4" in told[0]
    assert "/nothing" in told[1] and "nothing" in told[1].split("/nothing: ")[1]
    assert "keine Adresse einer Abbildung" in told[2]
    assert "mehrmals" in told[3] or "mehr als" in told[3], told[3]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"01-tokens.html", "01-tokens.svg", "index.html"}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("title = ", None, "TOML"),
        ("titel = 'x'\n[[entries]]\naddress = '/gates'", 1, "titel"),
        ("language = 'fr'\n[[entries]]\naddress = '/gates'", 1, "language"),
        ("language = 'de'", 0, "entries"),
        ("entries = []", 1, "entries"),
        ("entries = 3", 1, "entries"),
        ("scale = 9\n[[entries]]\naddress = '/gates'", 1, "scale"),
        ("[[entries]]\naddress = '/gates'\n\n[[entries]]\nnote = 'x'", 4, "address"),
        ("[[entries]]\naddress = '/gates'\nlayer = 3", 2, "layer"),
        ("[[entries]]\naddress = 3", 2, "address"),
        ("entries = [\n  {address = '/gates'},\n  {address = '/tokens', x = 1},\n]", 3, "x "),
    ],
)
def test_what_is_wrong_in_the_file_has_a_line_and_a_reason(text, line, reason):
    with pytest.raises(DeckError) as caught:
        bundle.read(text)
    (wrong,) = caught.value.wrong
    assert reason in wrong.sentence
    assert line is None or wrong.line == line


def test_all_wrong_keys_are_told_at_once(tmp_path):
    file = tmp_path / "deck.toml"
    file.write_text("scale = 'big'\n[[entries]]\n[[entries]]\naddress = '/gates'\nx = 1\n", "utf-8")
    result = export(file, tmp_path / "out")
    assert result.exit_code == 1 and not (tmp_path / "out").exists()
    assert [line.split(":")[1] for line in result.output.splitlines()] == ["1", "2", "4"]


def test_a_file_that_is_not_there_is_told(tmp_path):
    result = export(tmp_path / "none.toml", tmp_path / "out")
    assert result.exit_code == 1 and "none.toml" in result.output and "Traceback" not in result.output


def test_the_lectures_of_both_languages_are_the_same_figures_in_the_courses_order():
    german, english = (bundle.read((DOCS / name).read_text("utf-8")) for name in ("deck.toml", "deck.en.toml"))
    assert (german.language, english.language) == ("de", "en")
    assert [entry.address for entry in german.entries] == [entry.address for entry in english.entries]
    order = list(views.catalogue())
    places = [order.index(bundle.resolved(german, entry.address)[1]) for entry in german.entries]
    assert places == sorted(places)
    lecture = {slide.view for slide in deck.shown() if slide.view}
    assert lecture <= {order[place] for place in places}
    for entry in (*german.entries, *english.entries):
        assert entry.title and entry.note, entry.address
        assert len(entry.title) <= 52
