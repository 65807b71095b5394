"""Trajectory: the line goes through the points of the plane, labels do not hide each other, two paths part."""

import numpy as np
import plotly.graph_objects as go
import pytest

from app.options import settled
from app.plotting import label_places
from app.views.trajectory import TrajectoryQuery, figure
from models.run import perform


def drawn(**stated):
    query = TrajectoryQuery(**({"text": "Der Mann biss den Hund", "model": "lstm", "lang": "en"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


@pytest.mark.parametrize("layer", [1, 2])
def test_the_line_is_the_path_of_the_layer(layer):
    _, traces, found = drawn(layer=layer)
    (line,) = found.plot.data
    assert np.array([line["x"], line["y"]]).T == pytest.approx(traces[0].path.points[layer - 1], abs=1e-6)
    assert found.plot.layout["yaxis"]["scaleanchor"] == "x" and found.plot.layout["yaxis"]["scaleratio"] == 1
    assert len(line["textposition"]) == len(line["text"]) == len(traces[0].tokens)
    assert line["meta"] == {"walked": True} and found.plot.playback == ["[CLS]", *"Der Mann biss den Hund".split()]
    shares = traces[0].path.explained[layer - 1]
    assert f"{100 * shares.sum():.0f}%" in found.summary[0].text("en")
    steps = np.linalg.norm(np.diff(traces[0].path.points[layer - 1], axis=0), axis=1)
    longest = found.summary[1].values
    assert longest["word"] == traces[0].tokens[1 + int(steps.argmax())].text
    assert longest["distance"] == f"{steps.max():.2f}"


def test_two_sentences_share_the_plane_and_part_where_they_differ():
    _, traces, found = drawn(vs="Der Mann kam")
    assert len(found.plot.data) == 2 and "xaxis2" not in found.plot.layout
    said = found.summary[-1].text("en")
    assert "at place 3" in said and "“biss”" in said and "“kam”" in said
    end = np.linalg.norm(traces[0].path.points[1, -1] - traces[1].path.points[1, -1])
    assert f"{end:.2f}" in said
    assert drawn(vs="Der Mann biss")[2].summary[-1].key == "trajectory.summary.together"


def test_what_the_plane_shows_is_said_once():
    said = [message.text("en") for message in drawn(lang="en", vs="Der Hund biss den Mann")[2].summary]
    assert said[0].startswith("LSTM: ") and "variance" in said[0]
    assert said[1].startswith("First sentence: ") and said[2].startswith("Second sentence: ")
    assert sum("variance" in sentence for sentence in said) == 1 and said[3].endswith("apart in the plane.")


def test_two_models_have_a_plane_each():
    _, _, found = drawn(vs_model="encoder")
    assert [trace["xaxis"] for trace in found.plot.data] == ["x", "x2"]
    go.Figure(data=found.plot.data, layout=found.plot.json()["layout"])
    assert all("part" not in sentence.key for sentence in found.summary)


def test_labels_that_are_shown_do_not_lie_on_each_other():
    points = np.array([[0, 0], [0.01, 0], [0.02, 0], [0, 0.01], [5, 5]], np.float32)
    places = label_places(points, ["lange Wörter"] * 5, np.array([-1, -1]), np.array([6, 6]))
    assert places[0] == "top center" and places[4] == "top center"
    assert len({place for place in places[:4] if place}) == len([place for place in places[:4] if place])


@pytest.mark.parametrize("text", ["weil", "<b>x</b> & y", "Der Hund " * 100])
def test_any_text_has_a_path(text):
    _, _, found = drawn(text=text)
    assert found.summary and "<b>" not in str(found.plot.data[0]["text"])


def test_labels_keep_off_the_path_where_they_can():
    path = np.array([[0.0, 0.0], [0.0, 3.0], [3.0, 3.0]])  # up, then to the right
    low, high = np.array([-1.0, -1.0]), np.array([4.0, 4.0])
    assert label_places(path, ["a"] * 3, low, high)[0] == "top center"
    assert label_places(path, ["a"] * 3, low, high, [path]) == ["bottom center", "top center", "top center"]


def test_words_of_a_path_are_numbered_in_the_order_of_reading():
    found = drawn()[2]
    assert [text for text in found.plot.data[0]["text"] if text] == [
        "0 [CLS]", "1 Der", "2 Mann", "3 biss", "4 den", "5 Hund",
    ]  # fmt: skip


def test_one_step_is_not_the_longest_and_paths_of_one_sentence_do_not_part():
    assert drawn(text="Hund")[2].summary[-1].key == "trajectory.summary.one"
    assert drawn(text="Hund", model="decoder")[2].summary[-1].key == "trajectory.summary.parallel.one"
    assert drawn(vs="Der Mann biss den Hund")[2].summary[-1].text("en") == "Both paths are the same."


def test_where_all_is_read_at_once_no_word_parts_the_paths():
    _, traces, found = drawn(model="encoder", vs="Der Hund biss den Mann")
    first, second = (trace.path.points[-1][0] for trace in traces)
    assert np.abs(first - second).max() > 1e-4  # [CLS], which both begin with
    assert "apart at “[CLS]” already" in found.summary[-1].text("en")
