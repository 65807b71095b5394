"""States and gates as pictures: the numbers of the trace, the difference of matched words, all of them in the table."""

import base64
from types import SimpleNamespace

import numpy as np
import pytest

from app import units
from app.query import Query
from app.views.gates import GatesQuery


def arrays(plot, kind="heatmap", part="z"):
    """The plotted arrays, in the order of the panels."""
    found = []
    for trace in plot.data:
        if trace["type"] == kind:
            packed = trace[part]
            flat = np.frombuffer(base64.b64decode(packed["bdata"]), np.float32)
            found.append(flat.reshape([int(size) for size in packed.get("shape", str(len(flat))).split(",")]))
    return found


def drawn(traces, query=None, scale="signed"):
    """States of the first layer, and their means as lines."""
    values = [trace.states.hidden[0] for trace in traces]
    lines = [value.mean(1) for value in values]
    scales, named = [scale] * len(traces), ["mean", "other"][: len(traces)]
    plot, table = units.drawing(query or Query(lang="en"), traces, values, lines, scales, named, "hidden_states")
    return SimpleNamespace(plot=plot, table=table, values=values, lines=lines)


def test_units_run_down_and_words_across(make_recurrent):
    found = drawn([make_recurrent()])
    (shown,) = arrays(found.plot)
    assert np.array_equal(shown, found.values[0].T)
    assert np.array_equal(arrays(found.plot, "scatter", "y")[0], found.lines[0])
    assert found.plot.layout["xaxis"]["ticktext"] == ["<b>[CLS]</b>", "<b>Der</b>", "<b>Hund</b>", "<b>##e</b>"]


def test_the_difference_is_second_minus_first_of_the_same_word(make_recurrent):
    traces = [make_recurrent("[CLS]", "a", "b", "c"), make_recurrent("[CLS]", "b", "x")]
    found = drawn(traces, Query(lang="en", text="a b c", vs="b x"))
    first, second, difference = arrays(found.plot)
    assert np.array_equal(difference[:, 0], second[:, 0] - first[:, 0])
    assert np.array_equal(difference[:, 2], second[:, 1] - first[:, 2])
    assert np.isnan(difference[:, [1, 3]]).all()
    line = arrays(found.plot, "scatter", "y")[2]
    assert line[2] == found.lines[1][1] - found.lines[0][2] and np.isnan(line[1])


def test_a_title_says_what_the_line_is_but_not_that_of_a_difference(make_recurrent):
    traces = [make_recurrent("[CLS]", "a"), make_recurrent("[CLS]", "b")]
    titles = [note["text"] for note in drawn(traces, Query(lang="en", text="a", vs="b")).plot.layout["annotations"]]
    assert [title.rsplit(" · ", 1)[-1] for title in titles[:2]] == ["Line: mean", "Line: other"]
    assert len(titles) == 3 and "Line" not in titles[2]


def test_by_position_the_nth_word_is_compared_with_the_nth(make_recurrent):
    traces = [make_recurrent("[CLS]", "a", "b"), make_recurrent("[CLS]", "c")]
    first, second, difference = arrays(drawn(traces, Query(text="a b", vs="c", align="position")).plot)
    assert np.array_equal(difference[:, :2], second - first[:, :2])
    assert np.isnan(difference[:, 2]).all()


def test_nothing_in_common_is_all_masked(make_recurrent):
    traces = [make_recurrent("a"), make_recurrent("b")]
    assert np.isnan(arrays(drawn(traces, Query(text="a", vs="b")).plot)[2]).all()


def test_one_range_for_both_runs(make_recurrent):
    traces = [make_recurrent(), make_recurrent("[CLS]", "Hund")]
    found = drawn(traces, Query(text="a", vs="b"))
    largest = max(float(np.abs(value).max()) for value in found.values)
    axis = found.plot.layout["coloraxis"]
    assert (axis["cmin"], axis["cmax"]) == (-largest, largest)
    assert [trace["coloraxis"] for trace in found.plot.data if trace["type"] == "heatmap"][:2] == ["coloraxis"] * 2


def test_units_of_two_models_are_not_compared(make_recurrent):
    traces = [make_recurrent(model="lstm"), make_recurrent(model="gru")]
    found = drawn(traces, Query(model="lstm", vs_model="gru"))
    assert len(arrays(found.plot)) == 2


def test_every_number_is_in_the_table(make_recurrent):
    found = drawn([make_recurrent()])
    rows = list(found.table.rows())
    assert len(rows) == found.table.count == 4 * 5
    assert all(len(row) == len(found.table.columns) for row in rows)
    for model, run, position, word, unit, value in rows:
        assert (model, run, word) == ("gru", 1, ["[CLS]", "Der", "Hund", "##e"][position])
        assert value == float(found.values[0][position, unit - 1])


def test_the_brief_table_has_mean_smallest_and_largest_of_each_word(make_recurrent):
    found = drawn([make_recurrent()])
    rows = list(found.table.brief())
    assert all(len(row) == len(found.table.brief_columns) for row in rows)
    for row, value in zip(rows, found.values[0], strict=True):
        assert row[4:] == pytest.approx((value.mean(), value.min(), value.max()))


def test_a_run_is_called_by_what_tells_it_from_the_other(make_recurrent):
    one, other = make_recurrent("Hund", model="lstm"), make_recurrent("Katze", model="gru")
    assert units.panel_title(Query(model="lstm", text="Hund", vs="Katze"), one) == "Hund"
    both = GatesQuery(model="lstm", text="Hund", vs_model="gru", layer=1, gate="forget")
    assert units.panel_title(both, one) == "LSTM · Schicht 1 · Forget-Gate f"
    assert units.panel_title(both, make_recurrent("Hund")) == "GRU · Schicht 1 · Update-Gate z"
    sentences = both.changed(vs="Katze")
    assert units.panel_title(sentences, other).endswith(" · Katze")


def test_a_summary_names_the_sentence_only_where_there_are_two(make_recurrent):
    trace = make_recurrent(model="lstm")
    assert units.run_name(Query(text="a", vs_model="gru"), [trace], 0) == "LSTM"
    assert units.run_name(Query(text="a", vs="b"), [trace, trace], 1) == "Zweiter Satz"
    assert units.run_name(Query(lang="en", text="a", vs="b"), [trace, trace], 0) == "LSTM, first sentence"


def test_a_title_has_the_model_only_where_there_are_two(make_recurrent):
    trace = make_recurrent(model="gru")
    for query, title in (
        (GatesQuery(model="gru"), trace.text),
        (GatesQuery(model="gru", vs_model="gru"), trace.text),
        (GatesQuery(model="lstm", vs_model="gru"), f"GRU · {trace.text}"),
    ):
        assert units.run_title(query, trace) == title
