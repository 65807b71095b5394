"""Attention map: every stage shows the numbers it names, and each sentence follows them."""

import base64
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from app.attended import AttentionMapQuery
from app.options import settled
from app.plotting.colours import ACCENT
from app.views.attention_map import figure
from models.faithfulness import rollout

WORDS = ("[CLS]", "a", "b", "c", "d", "[SEP]")


def plotted(drawn):
    found = []
    for trace in drawn.plot.data:
        shape = [int(size) for size in trace["z"]["shape"].split(",")]
        found.append(np.frombuffer(base64.b64decode(trace["z"]["bdata"]), np.float32).reshape(shape))
    return found


def draw(query, *traces):
    return figure(settled(query, traces[0]), list(traces))


def told(query, *traces):
    return [message.text(query.lang) for message in draw(query, *traces).summary]


def looking(trace, *targets, share=0.7):
    """The trace with every token looking at one place, in every layer and head, and a little at all others."""
    count = len(trace.tokens)
    row = np.full((count, count), (1 - share) / (count - 1), np.float32)
    row[np.arange(count), list(targets)] = share
    attention = np.broadcast_to(row, trace.attention.attention.shape).copy()
    return replace(trace, attention=replace(trace.attention, attention=attention))


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("head", [1, 3, "mean"])
@pytest.mark.parametrize("stage", ["raw", "scaled", "masked", "softmax"])
def test_plotted_numbers_are_the_stage_of_layer_and_head(make_attentive, layer, head, stage):
    trace = make_attentive()
    drawn = draw(AttentionMapQuery(layer=layer, head=head, stage=stage, special="shown"), trace)
    part, heads = trace.attention, slice(None) if head == "mean" else slice(head - 1, head)
    product = np.einsum("hqd,hkd->hqk", part.queries[layer - 1, heads], part.keys[layer - 1, heads])
    expected = {
        "raw": product,
        "scaled": product * part.scaling[layer - 1],
        "masked": part.scores[layer - 1, heads],
        "softmax": part.attention[layer - 1, heads],
    }[stage].mean(0)
    (shown,) = plotted(drawn)
    assert shown == pytest.approx(expected, abs=1e-6)
    go.Figure(data=drawn.plot.data, layout=drawn.plot.json()["layout"])


def test_the_softmax_of_what_is_masked_is_what_is_shown_last(make_attentive):
    trace = make_attentive()
    scores, shares = (
        plotted(draw(AttentionMapQuery(head=1, stage=stage, special="shown"), trace))[0]
        for stage in ("masked", "softmax")
    )
    weights = np.exp(scores)
    assert weights / weights.sum(1, keepdims=True) == pytest.approx(shares, abs=1e-6)


def test_only_the_masked_stage_has_masked_cells(make_attentive):
    trace = make_attentive(causal=True)
    for stage in ("raw", "scaled", "masked", "softmax"):
        (shown,) = plotted(draw(AttentionMapQuery(head=1, stage=stage, special="shown"), trace))
        above = shown[np.triu_indices(4, 1)]
        assert np.isnan(above).all() == (stage == "masked")
        if stage == "softmax":
            assert (above == 0).all()


def test_special_tokens_shown_hidden_or_redistributed(make_attentive):
    trace = make_attentive(*WORDS)
    whole = trace.attention.attention[1].mean(0)
    shown, hidden, renormalised = (
        plotted(draw(AttentionMapQuery(special=special), trace))[0] for special in ("shown", "hidden", "renormalised")
    )
    assert shown == pytest.approx(whole)
    assert hidden == pytest.approx(whole[1:-1, 1:-1])
    assert renormalised == pytest.approx(hidden / hidden.sum(1, keepdims=True))
    assert renormalised.sum(1) == pytest.approx(np.ones(4))


def test_the_share_of_the_hidden_tokens_is_said(make_attentive):
    trace = looking(make_attentive(*WORDS), 0, 0, 0, 5, 5, 5, share=0.75)
    assert told(AttentionMapQuery(lang="en"), trace)[-1].startswith("On average 80% of the attention goes to [CLS]")
    assert "80\u202f%" in told(AttentionMapQuery(special="hidden"), trace)[-1]
    shown = told(AttentionMapQuery(special="shown"), trace)
    assert not any(sentence.startswith("Im Mittel") for sentence in shown)


@pytest.mark.parametrize(
    ("lang", "first", "second"),
    [
        ("de", "Am stärksten schaut „c“ auf „a“: 90\u202f%.", "Am stärksten schaut „b“ auf „d“: 90\u202f%."),
        ("en", "The strongest look goes from “c” to “a”: 90%.", "The strongest look goes from “b” to “d”: 90%."),
    ],
)
def test_the_strongest_look_follows_the_numbers(make_attentive, lang, first, second):
    def trace(row, column):
        made = looking(make_attentive(*WORDS), 0, 3, 0, 1, 2, 5, share=0.5)
        made.attention.attention[..., row, :] = 0.02
        made.attention.attention[..., row, column] = 0.9
        return made

    query = AttentionMapQuery(lang=lang, special="shown")
    assert told(query, trace(3, 1))[0] == first
    assert told(query, trace(2, 4))[0] == second


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ((0, 0, 1, 2, 3, 4), "6 of 6 tokens look mostly at the token just before them."),
        ((1, 2, 3, 4, 5, 5), "5 of 6 tokens look mostly at the token just after them."),
        ((0, 1, 2, 3, 4, 5), "6 of 6 tokens look mostly at themselves."),
    ],
)
def test_a_head_that_looks_by_place_is_called_so(make_attentive, targets, expected):
    said = " ".join(told(AttentionMapQuery(lang="en", special="shown"), looking(make_attentive(*WORDS), *targets)))
    hits = expected.replace("6 of 6", "5 of 6") if targets[0] == 0 and targets[1] == 0 else expected
    assert hits in said


@pytest.mark.parametrize("targets", [(5, 0, 4, 1, 2, 3), (0, 0, 1, 5, 5, 2), (2, 3, 4, 5, 0, 1)])
def test_a_head_that_looks_everywhere_or_far_is_not_called_positional(make_attentive, targets):
    said = " ".join(told(AttentionMapQuery(lang="en", special="shown"), looking(make_attentive(*WORDS), *targets)))
    assert "words look mostly" not in said


def test_the_best_match_before_the_softmax_follows_the_numbers(make_attentive):
    trace = make_attentive(*WORDS)
    trace.attention.scores[:] = -1.5
    trace.attention.scores[..., 3, 1] = 2.25
    query = AttentionMapQuery(lang="en", stage="masked")
    assert told(query, trace) == [
        "The best match is “c” (query) with “a” (key): 2.25. The values run from −1.50 to 2.25.",
        "This model masks nothing here: every word may see every other.",
        "What is shown is the mean of all heads; each stage is averaged on its own.",
    ]
    trace.attention.scores[..., 1, 2] = -np.inf
    assert not any("masks nothing" in sentence for sentence in told(query.changed(head=1), trace))
    trace.attention.scores[..., 2, 4] = 7
    assert told(query.changed(lang="de"), trace)[0].startswith(
        "Am besten passen „b“ (Query) und „d“ (Key) zusammen: 7,00."
    )


def test_two_sentences_say_where_the_shared_word_looks(make_attentive):
    query = AttentionMapQuery(lang="en", text="a b c d", vs="d c b a", special="shown")
    first = looking(make_attentive(*WORDS), 5, 4, 3, 2, 1, 0, share=0.6)
    first.attention.attention[..., 1, 4] = 0.8
    second = looking(make_attentive("[CLS]", "d", "c", "b", "a", "[SEP]"), 5, 4, 3, 2, 2, 0, share=0.5)
    assert told(query, first, second)[0] == (
        "“a” looks mostly at “d” in the first sentence (80%), at “c” in the second (50%)."
    )
    second.attention.attention[..., 4, :] = 0.1
    second.attention.attention[..., 4, 1] = 0.5
    assert told(query, first, second)[0] == "“a” looks mostly at “d” both times: first 80%, then 50%."


def test_two_models_on_one_sentence_are_told_as_models(make_attentive):
    query = AttentionMapQuery(lang="en", text="a b c d", model="encoder", vs_model="encoder@0", special="shown")
    first = looking(make_attentive(*WORDS), 5, 4, 3, 2, 1, 0, share=0.6)
    second = looking(make_attentive(*WORDS, model="encoder@0"), 0, 3, 2, 1, 1, 0, share=0.5)
    assert "in the first model" in told(query, first, second)[0] and "sentence" not in told(query, first, second)[0]


def test_matched_by_place_the_sentence_still_speaks_of_one_word(make_attentive):
    first = looking(make_attentive("[CLS]", "a", "b", "[SEP]"), 3, 2, 0, 1, share=0.6)
    first.attention.attention[..., 1, 2] = 0.9
    second = looking(make_attentive("[CLS]", "b", "a", "[SEP]"), 1, 3, 0, 2, share=0.6)
    query = AttentionMapQuery(lang="en", text="a b", vs="b a", align="position", special="shown")
    assert "at “[CLS]” in the second" in told(query, first, second)[0]


def test_no_word_in_common_is_said(make_attentive):
    traces = make_attentive("a", "b"), make_attentive("c", "d")
    drawn = draw(AttentionMapQuery(lang="en", text="a b", vs="c d", special="shown"), *traces)
    assert drawn.summary[0].text("en").startswith("The two sentences share no word")
    assert np.isnan(plotted(drawn)[2]).all()


def test_the_difference_is_second_minus_first_of_matched_words(make_attentive):
    first, second = make_attentive("a", "b", "c"), make_attentive("c", "x", "a")
    drawn = draw(AttentionMapQuery(text="a b c", vs="c x a", head=1, layer=1), first, second)
    one, other, difference = plotted(drawn)
    assert difference[0, 2] == other[2, 0] - one[0, 2]
    assert difference[0, 0] == other[2, 2] - one[0, 0]
    assert np.isnan(difference[1]).all() and np.isnan(difference[:, 1]).all()


def test_scores_of_two_sentences_share_one_range(make_attentive):
    traces = make_attentive(*WORDS), make_attentive("[CLS]", "b", "[SEP]")
    drawn = draw(AttentionMapQuery(text="a", vs="b", stage="raw", special="shown"), *traces)
    largest = max(float(np.abs(values).max()) for values in plotted(drawn)[:2])
    axis = drawn.plot.layout["coloraxis"]
    assert (axis["cmin"], axis["cmax"]) == (-largest, largest)


def test_the_table_has_every_cell_and_none_where_it_is_masked(make_attentive):
    trace = make_attentive(causal=True)
    drawn = draw(AttentionMapQuery(head=2, stage="masked", special="shown"), trace)
    rows = list(drawn.table.rows())
    assert len(rows) == drawn.table.count == 16
    assert all(len(row) == len(drawn.table.columns) for row in rows)
    (shown,) = plotted(drawn)
    for _, run, position, _, position_at, _, value in rows:
        assert run == 1
        assert (value is None) == (position_at > position)
        assert value is None or value == pytest.approx(shown[position, position_at])
    for row in drawn.table.brief():
        assert len(row) == len(drawn.table.brief_columns)


def test_one_word_alone_is_a_map_of_one_cell(make_attentive):
    drawn = draw(AttentionMapQuery(), make_attentive("[CLS]", "a", "[SEP]"))
    assert plotted(drawn)[0].tolist() == [[1.0]]


def test_the_rollout_of_three_words_worked_out_by_hand():
    first = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.4, 0.4]], np.float32)
    second = np.array([[1, 0, 0], [0.8, 0.2, 0], [0, 1, 0]], np.float32)
    # ½(A + I): [1 0 0] [.25 .75 0] [.1 .2 .7], then [1 0 0] [.4 .6 0] [0 .5 .5]
    assert rollout([first]) == pytest.approx(np.array([[1, 0, 0], [0.25, 0.75, 0], [0.1, 0.2, 0.7]]))
    # second times first: .4·1 + .6·.25 = .55, .6·.75 = .45; .5·.25 + .5·.1 = .175, .5·.75 + .5·.2 = .475, .5·.7 = .35
    expected = np.array([[1, 0, 0], [0.55, 0.45, 0], [0.175, 0.475, 0.35]])
    assert rollout([first, second]) == pytest.approx(expected)


@pytest.mark.parametrize("layer", [1, 2])
def test_the_rollout_multiplies_the_layers_up_to_the_chosen_one_whatever_the_head(make_attentive, layer):
    trace = make_attentive(*WORDS)
    query = AttentionMapQuery(layer=layer, stage="rollout", special="shown")
    (shown,), (with_head,) = plotted(draw(query, trace)), plotted(draw(query.changed(head=2), trace))
    mixed = [(heads.astype(np.float64).mean(0) + np.eye(6)) / 2 for heads in trace.attention.attention]
    assert shown == pytest.approx(mixed[0] if layer == 1 else mixed[1] @ mixed[0], abs=1e-6)
    assert shown.sum(1) == pytest.approx(np.ones(6))
    assert np.array_equal(shown, with_head)
    assert any("the mean over all heads" in said for said in told(query.changed(lang="en", head=2), trace))


def test_the_rollout_says_how_much_has_mixed(make_attentive):
    trace = looking(make_attentive(*WORDS), 1, 0, 3, 2, 5, 4, share=1)
    trace.attention.attention[..., 2, :] = [0, 0, 0.2, 0.8, 0, 0]
    said = told(AttentionMapQuery(lang="en", layer=1, stage="rollout", special="shown"), trace)
    assert said[0] == (  # the diagonal: five times ½ and once ½(1 + 0.2)
        "By this count each word is 52% itself on average after layer 1; the word that has most of another is “[CLS]”: "
        "50% from “a”."
    )
    assert len(told(AttentionMapQuery(stage="rollout"), trace)) == 3


def test_the_rollout_of_a_causal_model_sees_nothing_that_comes_later(make_attentive):
    (shown,) = plotted(draw(AttentionMapQuery(stage="rollout", special="shown"), make_attentive(causal=True)))
    assert (shown[np.triu_indices(4, 1)] == 0).all()


def test_each_row_leads_to_its_steps(make_attentive):
    first, second = make_attentive("[CLS]", "a", "b", "c", "[SEP]"), make_attentive("[CLS]", "x", "y", "[SEP]")
    query = AttentionMapQuery(text="a b c", vs="x y", model="encoder", layer=2, head=3)
    rows = draw(query, first, second).rows
    assert [entry.axis for entry in rows] == ["y", "y2"]
    assert [ask["looking"] for ask in rows[0].asks] == [1, 2, 3] and rows[0].words == ["a", "b", "c"]
    assert (rows[0].query.text, rows[0].query.vs, rows[0].query.layer, rows[0].query.head) == ("a b c", "x y", 2, 3)
    assert (rows[1].query.text, rows[1].query.vs) == ("x y", "a b c")
    assert rows[0].first == 2 and rows[1].first == 1
    models = AttentionMapQuery(text="a b c", model="encoder", vs_model="decoder", layer=1, head=1)
    beside = draw(models, first, make_attentive("[CLS]", "a", "b", "c", model="decoder")).rows
    assert [[entry.label[-2:] for entry in found] for found in (rows, beside)] == [[".1", ".2"]] * 2
    turned = beside[1].query
    assert (turned.model, turned.vs_model, turned.text, turned.vs) == ("decoder", "encoder", "a b c", None)


@pytest.mark.parametrize("special", ["renormalised", "hidden", "shown"])
def test_the_first_link_leads_from_the_word_that_the_page_of_steps_begins_with(make_attentive, special):
    trace = make_attentive("[CLS]", "Der", "Mann", ",", "der", "kam", "[SEP]")
    (rows,) = draw(AttentionMapQuery(layer=1, special=special), trace).rows
    assert rows.words[rows.first] == "der"


def test_a_mean_leads_to_the_head_that_looks_hardest(make_attentive):
    trace = make_attentive("[CLS]", "a", "b", "c", "[SEP]")
    (rows,) = draw(AttentionMapQuery(layer=1, special="shown"), trace).rows
    weights = trace.attention.attention[0]
    for ask in rows.asks:
        assert weights[ask["head"] - 1, ask["looking"]].max() == weights[:, ask["looking"]].max()
    told = replace(trace, attention=replace(trace.attention, output_weights=None))
    assert draw(AttentionMapQuery(), told).rows == []


def lines(drawn):
    """Which place looks at which, and how much: read back from the lines of each run."""
    found = {}
    for trace in drawn.plot.data:
        if trace["mode"] == "lines":
            run, (one, other) = trace["meta"]["run"], trace["meta"]["ends"]
            found.setdefault(run, {})[one, other] = (trace["opacity"], trace["line"]["width"])
    return found


def test_each_share_from_five_percent_on_is_a_line_the_stronger_the_thicker(make_attentive):
    trace = looking(make_attentive(*WORDS), 1, 2, 3, 4, 4, 1, share=0.8)
    figure = draw(AttentionMapQuery(show="lines", special="shown", head=2), trace)
    assert lines(figure)[0].keys() == {(place, other) for place, other in enumerate([1, 2, 3, 4, 4, 1])}
    go.Figure(data=figure.plot.data, layout=figure.plot.json()["layout"])
    broad = looking(make_attentive(*WORDS), 1, 2, 3, 4, 4, 1, share=0.4)
    drawn = lines(draw(AttentionMapQuery(show="lines", special="shown", head=2), broad))[0]
    assert len(drawn) == 36, "the rest of a row is an eighth each"
    strong, weak = drawn[0, 1], drawn[0, 2]
    assert strong[0] > weak[0] and strong[1] > weak[1]
    assert draw(AttentionMapQuery(show="lines"), trace).table.count == draw(AttentionMapQuery(), trace).table.count


def test_words_of_lines_tell_whom_they_look_at_and_who_looks_at_them(make_attentive):
    trace = looking(make_attentive("a", "b", "c"), 1, 2, 1, share=0.8)
    left, right = (each for each in draw(AttentionMapQuery(show="lines"), trace).plot.data if each["mode"] != "lines")
    assert left["hovertext"][0] == "b 80\u202f%<br>c 10\u202f%<br>a 10\u202f%"
    assert right["hovertext"][1].startswith("c 80\u202f%<br>a 80\u202f%<br>b 10")


def test_lines_of_two_runs_are_blocks_of_their_own(make_attentive):
    first, second = make_attentive("[CLS]", "a", "b", "c", "[SEP]"), make_attentive("[CLS]", "x", "y", "[SEP]")
    found = draw(AttentionMapQuery(show="lines", text="a b c", vs="x y"), first, second)
    assert lines(found).keys() == {0, 1}
    assert found.plot.tokens == [
        {"run": 0, "axis": "y", "positions": [1, 2, 3]}, {"run": 1, "axis": "y2", "positions": [1, 2]},
    ]  # fmt: skip
    upper, lower = found.plot.layout["yaxis"]["domain"], found.plot.layout["yaxis2"]["domain"]
    assert upper[1] == 1 and upper[0] == lower[1] and lower[0] == pytest.approx(0)
    assert [row.axis for row in found.rows] == ["y", "y2"]
    assert [note["yref"] for note in found.plot.layout["annotations"]] == ["y", "y2"]


def test_scores_are_never_lines(make_attentive):
    query = AttentionMapQuery(show="lines", stage="raw", text="a", vs="b")
    assert [trace["type"] for trace in draw(query, make_attentive(), make_attentive()).plot.data] == ["heatmap"] * 3
    assert "show" in query.idle() and "align" not in query.idle()
    assert AttentionMapQuery(show="lines", stage="rollout").idle() == ("head", "align")


@pytest.mark.parametrize(("lang", "least"), [("de", "Unter 5\u202f%"), ("en", "Below 5%")])
def test_from_which_share_on_there_is_a_line_is_said(make_attentive, lang, least):
    assert least in " ".join(told(AttentionMapQuery(lang=lang, show="lines"), make_attentive()))
    assert least not in " ".join(told(AttentionMapQuery(lang=lang), make_attentive()))


def frames(drawn):
    """What is framed: the axis, the row and the column."""
    found = [shape for shape in drawn.plot.json()["layout"]["shapes"] if shape["line"]["color"] == ACCENT["light"]]
    return [(shape["yref"], shape["y0"] + 0.5, shape["x0"] + 0.5) for shape in found]


@pytest.mark.parametrize("stage", ["raw", "masked", "softmax"])
def test_the_cell_that_the_summary_names_is_framed(make_attentive, stage):
    drawn = draw(AttentionMapQuery(stage=stage, special="shown"), make_attentive())
    (values,) = plotted(drawn)
    row, column = np.unravel_index(np.nanargmax(values), values.shape)
    assert frames(drawn) == [("y", row, column)]
    assert drawn.plot.layout["annotations"][0]["text"] == "Zeile schaut, Spalte wird angeschaut"


def test_of_two_sentences_the_word_that_is_told_is_framed_in_both(make_attentive):
    query = AttentionMapQuery(lang="en", text="a b c d", vs="d c b a", special="shown")
    first = looking(make_attentive(*WORDS), 5, 4, 3, 2, 1, 0, share=0.6)
    first.attention.attention[..., 1, 4] = 0.8
    second = looking(make_attentive("[CLS]", "d", "c", "b", "a", "[SEP]"), 5, 4, 3, 2, 2, 0, share=0.5)
    drawn = draw(query, first, second)
    assert drawn.summary[0].text("en").startswith("“a” looks mostly at “d” in the first sentence (80%), at “c”")
    assert frames(drawn) == [("y", 1, 4), ("y2", 4, 2)]  # a at d, and a at c


def test_a_word_that_sees_only_itself_is_not_the_strongest_look(make_attentive):
    trace = make_attentive("[CLS]", "a", "b", "c", causal=True)
    query = AttentionMapQuery(model="decoder", lang="en", layer=1, head=1)
    shown = trace.attention.attention[0, 0][1:, 1:]
    shown = shown / shown.sum(1, keepdims=True)
    row, column = np.unravel_index(shown[1:].argmax(), (2, 3))
    first = told(query, trace)[0]
    assert f"from “{'bc'[row]}” to “{'abc'[column]}”" in first
    assert "from “[CLS]” to" not in told(query.changed(special="shown"), trace)[0]


def test_looks_without_a_choice_make_no_head_positional(make_attentive):
    trace = looking(make_attentive("[CLS]", *"abcde"), 0, 1, 2, 3, 4, 5)
    masked = replace(trace, attention=replace(trace.attention, attention=np.tril(trace.attention.attention)))
    query = AttentionMapQuery(model="decoder", lang="en")
    assert "5 of 5 tokens look" in told(query, trace)[1] and "4 of 5 tokens look" in told(query, masked)[1]


def test_a_mask_is_there_also_where_one_word_is_shown(make_attentive):
    query = AttentionMapQuery(lang="en", layer=1, head=1, stage="masked")
    said = [told(query, make_attentive("[CLS]", "a", causal=causal)) for causal in (True, False)]
    assert [each[0].startswith("There is only one value, that of “a”") for each in said] == [True, True]
    assert [any("masks nothing" in sentence for sentence in each) for each in said] == [False, True]


def test_the_same_share_is_said_once(make_attentive):
    trace = make_attentive("[CLS]", "a", "b", "c", "[SEP]")
    first = told(AttentionMapQuery(model="encoder", lang="en", vs=trace.text, text=trace.text), trace, trace)[0]
    assert "both times, with" in first and first.count("%") == 1


def test_lines_tell_words_apart_that_come_twice(make_attentive):
    query = AttentionMapQuery(model="encoder", lang="en", show="lines")
    hovers = str(draw(query, make_attentive("[CLS]", "a", "b", "a", "[SEP]")).plot.data)
    assert "a₁ " in hovers and "a₂ " in hovers and "b₁" not in hovers


def test_the_second_of_two_equal_words_is_another_word_than_the_first(make_attentive):
    trace = make_attentive("[CLS]", "a", "b", "a", "[SEP]")
    first, second = looking(trace, 0, 1, 1, 1, 4), looking(trace, 0, 1, 3, 1, 4)
    query = AttentionMapQuery(model="encoder", vs_model="encoder@500", lang="en", layer=1, head=1)
    said = told(query, first, second)[0]
    assert said.startswith("“b” looks mostly at “a₁”") and "at “a₂”" in said
