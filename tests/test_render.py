"""What goes out: a figure that cannot end its element, summary, check, notes, and the JSON twin of a page."""

import json
from dataclasses import replace

import pytest

from app import render, views
from app.options import settled
from app.views import Figure
from app.views.gates import GatesQuery
from models.trace import Check
from tests.conftest import NASTY

ATTENTION = views.catalogue()["attention_map"]
GATES = views.catalogue()["gates"]


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
def test_the_check_states_the_worst_of_all_runs(attention, make_attentive, errors, german, english):
    traces = [replace(make_attentive(), check=Check(error, "X")) for error in errors]
    figure = replace(attention[2], layers=())
    assert (render.checked(traces, figure, "de"), render.checked(traces, figure, "en")) == (german, english)


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
    line = render.token_line(make_recurrent("[CLS]", "Hund", "##e", "<b>"), 1, "de")
    first, word, joint, nasty = line["buttons"].split("\n")
    assert first.startswith('<button type="button" id="token-1-0" class="token special" tabindex="0" data-run="1"')
    assert word.endswith('class="token word" tabindex="-1" data-run="1" data-position="1">Hund</button>')
    assert " title=" in first and " title=" in joint and " title=" not in word
    assert joint.endswith(">##e</button>") and nasty.endswith(">&lt;b&gt;</button>")


def test_a_figure_needs_nothing_but_its_parts(make_recurrent):
    trace = make_recurrent()
    query = settled(GatesQuery(model="gru"), trace)
    figure = GATES.figure(query, [trace])
    assert isinstance(figure, Figure)
    found = render.result(GATES, query, [trace], figure)
    assert found["label"] and found["links"]["csv"].startswith("/de/gates.csv?")
    assert found["links"]["slides"].startswith("/de/slides/gates?")
    assert len(found["tokens"]) == 1 and not render.result(GATES, query, [trace], figure, {})["tokens"]
