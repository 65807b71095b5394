"""Tables: HTML in the reader's notation whose rows have names, and CSV with every number."""

import csv
import io
import re
from dataclasses import replace

import orjson
import pytest

from app import tables, views
from app.attended import AttentionMapQuery
from app.messages import say, whole
from app.views import Ranked, Table, Term, change_term
from tests.conftest import NASTY

ATTENTION = views.catalogue()["attention_map"]
GATES = views.catalogue()["gates"]


def test_a_small_table_has_every_number_in_the_readers_notation(attention):
    _, _, figure = attention
    german = tables.page_table(figure.table, "de", ATTENTION)
    english = tables.page_table(figure.table, "en", ATTENTION)
    assert german["rows"].count("<tr>") == figure.table.count == 4 and german["note"] == ""
    value = next(iter(figure.table.rows()))[-1]
    assert f"{value:.4f}".replace(".", ",") in german["rows"] and f"{value:.4f}" in english["rows"]
    assert NASTY not in german["rows"] and "&lt;/script&gt;" in german["rows"]
    assert german["columns"] == ["Platz", "Schaut", "Platz (angeschaut)", "Wird angeschaut", "Wert"]
    assert german["caption"] == "Attention-Karte · Modell: encoder", german["caption"]


@pytest.mark.parametrize("count", [tables.TABLE_ROWS, tables.TABLE_ROWS + 1])
def test_a_large_table_is_condensed_and_says_so(count):
    table = Table(("column.word", "column.value"), lambda: (("a", 0.5) for _ in range(count)), count,
                  ("column.word",), lambda: [("short",)])  # fmt: skip
    shown = tables.page_table(table, "de", GATES)
    condensed = count > tables.TABLE_ROWS
    assert (shown["rows"].count("<tr>") == 1) == condensed
    assert (whole("de", count) in shown["note"]) == condensed


def test_numbers_beside_words_have_the_readers_decimal_sign_and_a_point_in_the_data():
    guesses = Ranked([("ist", 0.1134), ("hat", 0.0878)])
    table = Table(("column.word", "column.guesses"), lambda: [("biss", guesses)], 1)
    assert "„ist“ 0,113 · „hat“ 0,088" in tables.page_table(table, "de", GATES)["rows"]
    assert "“ist” 0.113 · “hat” 0.088" in tables.page_table(table, "en", GATES)["rows"]
    assert "biss,ist 0.113 · hat 0.088" in tables.as_csv(table)
    said = Table(("column.word", "column.guesses"), lambda: [("biss", guesses._replace(said="ist 11 %"))], 1)
    assert ">ist 11 %</td>" in tables.page_table(said, "en", GATES)["rows"]


def test_rows_of_a_table_are_escaped_cell_by_cell():
    rows = tables.table_rows([["<i>", "a & b"], ["c", "%s"]])
    assert rows == (
        '<tr><th scope="row">&lt;i&gt;</th><td>a &amp; b</td></tr>\n<tr><th scope="row">c</th><td>%s</td></tr>'
    )
    assert tables.table_rows([]) == ""


def test_words_begin_where_their_column_does_and_numbers_end_there():
    columns = ("column.position", "column.guesses", "column.value", "column.piece")
    rows = [(1, Ranked([("ist", 0.1)]), 0.5, "##s"), (2, Ranked([("hat", 0.2)]), None, "##t")]
    shown = tables.page_table(Table(columns, lambda: rows, 2), "en", GATES)
    assert shown["worded"] == {0, 1, 3}  # the first is the rows' header
    assert '<th scope="row">1</th><td class="worded" lang="de">“ist” 0.100</td><td>0.5000</td>' in shown["rows"]
    assert '<td>–</td><td class="worded" lang="de">##t</td>' in shown["rows"]


def test_the_words_of_a_row_are_its_headers_and_what_all_rows_share_is_not():
    columns = ("column.model", "column.position", "column.looking", "column.looked_at", "column.value")
    rows = [("encoder", place, word, other, 0.5) for place, word in enumerate("ab") for other in "ab"]
    table = Table(columns, lambda: rows, len(rows))
    first = tables.page_table(table, "de", GATES)["rows"].splitlines()[0]
    assert re.findall(r'<th scope="row">(.*?)</th>', first) == ["0", "a", "a"]
    english = tables.page_table(table, "en", GATES)["rows"].splitlines()[1]
    assert re.findall(r'<t[dh][^>]* lang="de">(.*?)<', english) == ["a", "b"] and "lang=" not in first
    assert tables.page_table(table, "en", GATES)["caption"] == "Gates · Model: encoder"
    alone = tables.page_table(Table(columns, lambda: rows[:1], 1), "de", GATES)["rows"]
    assert re.findall(r'<th scope="row">(.*?)</th>', alone) == ["encoder"], "a row is never without a name"


@pytest.mark.parametrize(
    ("cell", "german"),
    [
        (None, "–"),
        (0.12345, "0,1235"),
        (-1.0, "−1,0000"),
        (3, "3"),
        ("a", "a"),
        (0.0, "0,0000"),
        (4.1e-5, "4,1·10⁻⁵"),
        (-0.000049, "−4,9·10⁻⁵"),
        (0.00005, "0,0001"),
        (1e-12, "1,0·10⁻¹²"),
    ],
)
def test_cells(cell, german):
    assert tables.cell_text(cell, "de") == german
    assert tables.column_texts([cell], "de") == [german], "alone, among its like and among others it is the same"
    assert tables.column_texts([cell, cell], "de") == [german] * 2
    assert tables.column_texts([cell, None, 0.5, "b", 7], "de") == [german, "–", "0,5000", "b", "7"]


def test_the_model_of_all_rows_stands_once_in_the_caption_and_a_measure_never_does():
    columns = ("column.model", "column.run", "column.change", "column.position", "column.value")
    rows = [("lstm", 1, None, place, 0.5) for place in range(3)]
    shown = tables.page_table(Table(columns, lambda: rows, len(rows)), "de", GATES)
    assert shown["caption"] == "Gates · Modell: lstm"
    assert shown["columns"] == ["Platz", "Wert"]
    assert shown["rows"].splitlines()[2] == '<tr><th scope="row">2</th><td>0,5000</td></tr>'
    wiped = [("lstm", 1, Term("reset_after(2)", say("change.reset_after", amount=2)), place, 0.5) for place in range(3)]
    told = tables.page_table(Table(columns, lambda: wiped, 3), "en", GATES)["caption"]
    assert told == "Gates · Model: lstm · Change: memory wiped after 2"
    words = [("lstm", "Hund", place) for place in range(3)]
    after = tables.page_table(Table(("column.model", "column.after", "column.position"), lambda: words, 3), "en", GATES)
    assert after["caption"] == "Gates · Model: lstm" and len(after["columns"]) == 2, "a word stays with its number"
    assert after["rows"].splitlines()[1] == '<tr><td class="worded" lang="de">Hund</td><th scope="row">1</th></tr>'
    two = [*rows, ("gru", 2, None, 0, 0.5)]
    both = tables.page_table(Table(columns, lambda: two, len(two)), "de", GATES)
    assert both["columns"] == ["Modell", "Satz", "Platz", "Wert"] and both["caption"] == "Gates"
    none = tables.page_table(Table(columns, lambda: (), 0), "de", GATES)
    assert none["rows"] == "" and len(none["columns"]) == len(columns)


def test_the_csv_has_every_number_in_full_and_points(attention):
    _, _, figure = attention
    lines = list(csv.reader(io.StringIO(tables.as_csv(figure.table))))
    assert lines[0] == ["model", "run", "position", "looking", "position_at", "looked_at", "value"]
    assert len(lines) == 1 + figure.table.count
    for line, row in zip(lines[1:], figure.table.rows(), strict=True):
        assert float(line[-1]) == row[-1]
        assert line[3] == row[3]


def test_a_masked_cell_is_an_empty_field(make_attentive):
    trace = make_attentive(causal=True)
    query = AttentionMapQuery(layer=1, head=1, stage="masked", special="shown")
    table = ATTENTION.figure(query, [trace]).table
    lines = list(csv.reader(io.StringIO(tables.as_csv(table))))[1:]
    assert sum(line[-1] == "" for line in lines) == 6


def test_a_name_in_a_table_is_told_on_the_page_and_the_same_in_all_data(make_recurrent):
    cell = change_term(replace(make_recurrent(), change="reset_after(2)"))
    assert [tables.cell_text(cell, lang) for lang in ("de", "en")] == [
        "Gedächtnis gelöscht nach 2",
        "memory wiped after 2",
    ]
    assert tables.as_csv(Table(("column.change",), lambda: [(cell,)], 1)).splitlines() == ["change", "reset_after(2)"]
    assert orjson.dumps([cell]) == b'["reset_after(2)"]' and change_term(make_recurrent()) is None
