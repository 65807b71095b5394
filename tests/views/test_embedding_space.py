"""Embedding space: cosines as the word vectors have them, near words near, unknown words named."""

import numpy as np
import pytest

from app.options import settled
from app.query import QueryError
from app.views.embedding_space import VIEW
from models import registry
from models.run import perform


def drawn(**stated):
    query = VIEW.query(**({"model": "word_vectors", "lang": "en"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, VIEW.figure(query, traces)


def test_a_robot_is_nearer_to_a_machine_than_to_because():
    vectors = registry.load("word_vectors").vectors
    _, _, found = drawn(show="cosines")
    cosine = {row[2:4]: row[4] for row in found.table.rows()}
    assert cosine["Roboter", "Maschine"] > cosine["Roboter", "weil"]
    for one, other in (("Roboter", "Maschine"), ("Roboter", "weil"), ("Maschine", "weil")):
        ours, theirs = (vectors.vectors[vectors.rows[word]].astype(float) for word in (one, other))
        expected = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
        assert cosine[one, other] == pytest.approx(expected, abs=1e-5)
    assert "“Roboter” and “Maschine”" in found.summary[0].text("en")


def test_the_plane_has_the_words_and_their_neighbours():
    _, traces, found = drawn(neighbours=3)
    rows = list(found.table.rows())
    assert len(rows) == 6 + 3 * 3
    words, near = found.plot.data
    assert words["text"] == ["Roboter", "Maschine", "weil"] and len(near["text"]) <= 9
    assert traces[0].neighbourhood.neighbours[0][:3] == tuple(row[3] for row in rows[6:9])


def test_unknown_words_are_named():
    _, _, found = drawn(text="Roboter Quastenflosserkongress")
    assert "Quastenflosserkongress" in found.summary[-1].text("en")
    with pytest.raises(QueryError) as caught:
        drawn(text="Quastenflosserkongress !")
    assert caught.value.code == "no_known_word"


@pytest.mark.parametrize("show", ["plane", "cosines"])
@pytest.mark.parametrize("text", ["weil", "Der Mann und der Hund " * 40, "Hund <b>x</b> & Katze"])
def test_any_known_word_is_drawn(text, show):
    assert drawn(text=text, show=show, neighbours=0)[2].plot.data
    assert drawn(text=text, show=show, vs="Katze")[2].summary


def test_the_nearest_neighbour_of_each_word_comes_first_when_labels_are_placed():
    _, traces, found = drawn(text="Mann Hund", neighbours=3)
    shown = found.plot.data[1]["hovertext"]
    nearest = [traces[0].neighbourhood.neighbours[place][0] for place in (0, 1)]
    assert shown[:2] == nearest


def test_two_words_have_a_cosine_and_one_has_no_variance():
    assert [message.key for message in drawn(text="Hund bellt", show="cosines")[2].summary] == [
        "embedding_space.summary.pair"
    ]
    assert [message.key for message in drawn(text="Hund", neighbours=0)[2].summary] == ["embedding_space.summary.one"]
