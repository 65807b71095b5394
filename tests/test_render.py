"""What goes out: JSON that cannot end its element, tables and CSV with every number, notes, examples, the form."""

import csv
import io
import json
import re
from dataclasses import replace

import orjson
import pytest

from app import render, views
from app.options import settled
from app.query import Query
from app.views import Figure, Ranked, Table, change_term
from app.views.attention_map import AttentionMapQuery
from app.views.gates import GatesQuery
from models.trace import Check

ATTENTION = views.catalogue()["attention_map"]
GATES = views.catalogue()["gates"]
NASTY = "</script><b>&amp;"


@pytest.fixture
def attention(make_attentive):
    """A drawn attention map whose first word would be markup."""
    trace = make_attentive("[CLS]", NASTY, "Hund", "[SEP]")
    query = settled(AttentionMapQuery(text=trace.text, model="encoder"), trace)
    return query, [trace], ATTENTION.figure(query, [trace])


def test_no_character_of_the_figure_can_end_its_element(attention):
    text = str(render.figure_json(attention[2], "auto"))
    assert not set(text) & set("<>&")
    ticks = json.loads(text)["layout"]["xaxis"]["ticktext"]
    assert ticks[0] == "<b>&lt;/script&gt;&lt;b&gt;&amp;amp;</b>"


def test_the_summary_is_escaped_and_its_plain_twin_is_not(attention):
    _, _, figure = attention
    assert NASTY not in render.sentences(figure.summary, "de")
    assert '<b class="num" dir="auto">' in render.sentences(figure.summary, "de")
    assert "<b class" not in render.plain(figure.summary, "de")


@pytest.mark.parametrize(
    ("errors", "german", "english"),
    [
        ([0.0], "geprüft gegen X: keine Abweichung", "checked against X: no deviation"),
        ([2.7e-8], "geprüft gegen X: Abweichung ≤ 3·10⁻⁸", "checked against X: deviation ≤ 3·10⁻⁸"),
        ([1e-9, 2e-7], "geprüft gegen X: Abweichung ≤ 2·10⁻⁷", "checked against X: deviation ≤ 2·10⁻⁷"),
    ],
)
def test_the_check_states_the_worst_of_all_runs(make_attentive, errors, german, english):
    traces = [replace(make_attentive(), check=Check(error, "X")) for error in errors]
    assert (render.checked(traces, [], "de"), render.checked(traces, [], "en")) == (german, english)


def test_a_small_table_has_every_number_in_the_readers_notation(attention):
    _, _, figure = attention
    german = render.page_table(figure.table, "de", ATTENTION)
    english = render.page_table(figure.table, "en", ATTENTION)
    assert german["rows"].count("<tr>") == figure.table.count == 4 and german["note"] == ""
    value = next(iter(figure.table.rows()))[-1]
    assert f"{value:.4f}".replace(".", ",") in german["rows"] and f"{value:.4f}" in english["rows"]
    assert NASTY not in german["rows"] and "&lt;/script&gt;" in german["rows"]
    assert len(german["columns"]) == 7 and not any("column." in name for name in german["columns"])


@pytest.mark.parametrize("count", [render.TABLE_ROWS, render.TABLE_ROWS + 1])
def test_a_large_table_is_condensed_and_says_so(count):
    table = Table(("column.word", "column.value"), lambda: (("a", 0.5) for _ in range(count)), count,
                  ("column.word",), lambda: [("short",)])  # fmt: skip
    shown = render.page_table(table, "de", GATES)
    condensed = count > render.TABLE_ROWS
    assert (shown["rows"].count("<tr>") == 1) == condensed
    assert (str(count) in shown["note"]) == condensed


def test_numbers_beside_words_have_the_readers_decimal_sign_and_a_point_in_the_data():
    guesses = Ranked([("ist", 0.1134), ("hat", 0.0878)])
    table = Table(("column.word", "column.guesses"), lambda: [("biss", guesses)], 1)
    assert "ist 0,113 · hat 0,088" in render.page_table(table, "de", GATES)["rows"]
    assert "ist 0.113 · hat 0.088" in render.page_table(table, "en", GATES)["rows"]
    assert "biss,ist 0.113 · hat 0.088" in render.as_csv(table)
    assert Ranked([]) == ""


def test_rows_of_a_table_are_escaped_cell_by_cell():
    rows = render.table_rows([["<i>", "a & b"], ["c", "%s"]])
    assert rows == (
        '<tr><th scope="row">&lt;i&gt;</th><td>a &amp; b</td></tr>\n<tr><th scope="row">c</th><td>%s</td></tr>'
    )
    assert render.table_rows([]) == ""


def test_the_words_of_a_row_are_its_headers_and_what_all_rows_share_is_not():
    columns = ("column.model", "column.position", "column.looking", "column.looked_at", "column.value")
    rows = [("encoder", place, word, other, 0.5) for place, word in enumerate("ab") for other in "ab"]
    table = Table(columns, lambda: rows, len(rows))
    first = render.page_table(table, "de", GATES)["rows"].splitlines()[0]
    assert re.findall(r'<th scope="row">(.*?)</th>', first) == ["0", "a", "a"]
    english = render.page_table(table, "en", GATES)["rows"].splitlines()[1]
    assert re.findall(r'<t[dh][^>]* lang="de">(.*?)<', english) == ["a", "b"] and "lang=" not in first
    alone = render.page_table(Table(columns, lambda: rows[:1], 1), "de", GATES)["rows"]
    assert re.findall(r'<th scope="row">(.*?)</th>', alone) == ["encoder"], "a row is never without a name"


def test_choices_are_escaped_and_share_the_start_of_their_addresses():
    choices = [
        {"value": value, "label": f'{value} · <i> & "co"', "selected": value == 2, "url": f"/de/x?text=a&reset={value}"}
        for value in (1, 2)
    ]
    assert render.option_rows(choices, "/de/x?text=a") == (
        '<option value="1" data-rest="&amp;reset=1">1 · &lt;i&gt; &amp; &#34;co&#34;</option>\n'
        '<option value="2" data-rest="&amp;reset=2" selected>2 · &lt;i&gt; &amp; &#34;co&#34;</option>'
    )


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
    assert render.cell_text(cell, "de") == german


def test_the_csv_has_every_number_in_full_and_points(attention):
    _, _, figure = attention
    lines = list(csv.reader(io.StringIO(render.as_csv(figure.table))))
    assert lines[0] == ["model", "run", "position", "looking", "position_at", "looked_at", "value"]
    assert len(lines) == 1 + figure.table.count
    for line, row in zip(lines[1:], figure.table.rows(), strict=True):
        assert float(line[-1]) == row[-1]
        assert line[3] == row[3]


def test_a_masked_cell_is_an_empty_field(make_attentive):
    trace = make_attentive(causal=True)
    query = AttentionMapQuery(layer=1, head=1, stage="masked", special="shown")
    table = ATTENTION.figure(query, [trace]).table
    lines = list(csv.reader(io.StringIO(render.as_csv(table))))[1:]
    assert sum(line[-1] == "" for line in lines) == 6


def test_the_json_twin_carries_query_runs_figure_and_numbers(attention):
    query, traces, figure = attention
    told = render.data(ATTENTION, query, traces, figure)
    assert list(told) == ["query", "model", "tokens", "runs", "figure", "summary", "table", "check"]
    assert told["query"]["view"] == "attention_map" and told["query"]["layer"] == 2
    assert told["runs"][0] | {"weights": ""} == {
        "model": "encoder",
        "text": traces[0].text,
        "tokens": told["tokens"],
        "change": None,
        "check": {"max_abs_error": 0.0, "against": "transformers"},
        "weights": "",
    }
    assert told["table"]["columns"][0] == "model"
    assert told["table"]["rows"] == [list(row) for row in figure.table.rows()]
    assert told["figure"] == figure.plot.json("auto")


@pytest.mark.parametrize("lang", ["de", "en"])
def test_notes_are_the_texts_of_the_view(lang):
    found = render.notes(ATTENTION, ATTENTION.query(lang=lang, model="encoder"))
    assert len(found) == 3
    assert '<p class="formula">softmax(Q · Kᵀ ÷ √d) · V</p>' in found[1]["body"]


def test_notes_are_escaped():
    assert render.formatted("a < b\n= x < y") == '<p>a &lt; b</p><p class="formula">x &lt; y</p>'


def test_token_lines_explain_what_is_no_plain_word(make_recurrent):
    line = render.token_line(make_recurrent("[CLS]", "Hund", "##e"), "de")
    seen = [(int(position), label, kind) for position, label, kind, _ in line["tokens"]]
    assert seen == [(0, "[CLS]", "special"), (1, "Hund", "word"), (2, "##e", "joint")]
    assert [bool(token[3]) for token in line["tokens"]] == [True, False, True]


def test_examples_keep_the_view_and_its_options():
    found = render.examples(GatesQuery(model="gru", layer=2), "/de/gates")
    assert 5 <= len(found) <= 8
    assert all("model=gru" in one["url"] and "layer=2" in one["url"] and one["lang"] == "de" for one in found)
    assert "vs=Der+Hund+biss+den+Mann" in found[0]["url"]
    assert "vs=" not in found[2]["url"]


def test_a_name_in_a_table_is_told_on_the_page_and_the_same_in_all_data(make_recurrent):
    cell = change_term(replace(make_recurrent(), change="reset_after(2)"))
    assert [render.cell_text(cell, lang) for lang in ("de", "en")] == [
        "Gedächtnis gelöscht nach 2",
        "memory wiped after 2",
    ]
    assert render.as_csv(Table(("column.change",), lambda: [(cell,)], 1)).splitlines() == ["change", "reset_after(2)"]
    assert orjson.dumps([cell]) == b'["reset_after(2)"]' and change_term(make_recurrent()) is None


def test_a_field_of_one_line_has_blanks_for_line_breaks():
    made = render.form(Query(text="Der\nMann\r\nbiss", vs="a\rb"), "/de/gates", {}, {})
    assert (made["text"], made["vs"]) == ("Der Mann biss", "a b")


def test_the_form_carries_everything_else_along():
    form = render.form(GatesQuery(text="a", model="gru"), "/de/gates", {"model": "gru"}, {"text_error": "!"})
    assert form["hidden"] == [("model", "gru")] and form["text_error"] == "!" and not form["vs_open"]
    assert "vs=a" in form["compare_url"] and "vs=" not in form["uncompare_url"]


def test_a_figure_needs_nothing_but_its_parts(make_recurrent):
    trace = make_recurrent()
    query = settled(GatesQuery(model="gru"), trace)
    figure = GATES.figure(query, [trace])
    assert isinstance(figure, Figure)
    found = render.result(GATES, query, [trace], figure)
    assert found["label"] and found["links"]["csv"].startswith("/de/gates.csv?")
    assert found["links"]["embed"].startswith("/de/embed/gates?")
