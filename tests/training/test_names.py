"""Our own sentences with names: what is marked is what the pages mark, and the cards say no more than is on record."""

import pytest

from models import registry, weights
from models.entities import CLASSES
from models.run import Run, perform
from models.training import evaluate, names
from models.training.kinds import WEAK

MODELS = ("rnn-entities", "lstm-entities", "gru-entities", "encoder-entities")


@pytest.fixture(scope="module", params=MODELS)
def result(request):
    return evaluate.score("names", request.param, None)


def test_each_name_stands_once_in_its_sentence():
    assert len({sentence for sentence, _ in names.SENTENCES}) == 20
    for sentence, there in names.SENTENCES:
        assert all(sentence.count(text) == 1 and name in CLASSES for text, name in there.items())


def test_what_is_marked_is_what_the_pages_mark(result):
    for row in result["sentences"]:
        labelling = perform(Run(result["model"], text := row["sentence"])).labelling
        assert row["top"] == [f"{text[one.start : one.end]} {one.name}" for one in labelling.entities]


def test_a_name_is_right_only_with_its_boundaries_and_its_class():
    rows = [
        {"names": ["Angela Merkel PER", "Berlin LOC"], "top": ["Angela PER", "Berlin LOC"]},
        {"names": ["Faust OTH"], "top": ["Faust PER"]},
        {"names": ["Rhein LOC"], "top": []},
    ]
    assert names.counts(rows) == {"names": 4, "right": 1, "wrong": 2}


def test_the_committed_scores_are_those_of_the_committed_weights(result):
    kept = evaluate.json.loads((registry.get(result["model"]).folder / evaluate.SCORES).read_text("utf-8"))
    assert kept["names"]["own sentences"] == {**result, "file": "own sentences"}


def test_what_is_printed_has_the_names_beside_what_is_marked(result):
    printed = "\n".join(evaluate.readable(result))
    assert "Berlin LOC  (names: Angela Merkel PER, Berlin LOC)" in printed and "  (names: none)" in printed


def test_what_the_cards_tell_of_all_four_is_on_record(result):
    found = {row["sentence"]: set(row["top"]) & set(row["names"]) for row in result["sentences"]}
    for said in ("Paris Hilton", "ANGELA MERKEL BESUCHTE SIEMENS IN MÜNCHEN."):
        assert f"“{said}”" in WEAK["names_hard"]
    assert "Paris Hilton PER" not in found["Paris Hilton reiste nach London."]
    assert not found["ANGELA MERKEL BESUCHTE SIEMENS IN MÜNCHEN."]


def test_a_file_has_no_names_to_compare_with(tmp_path):
    file = tmp_path / "sentences.txt"
    file.write_text("Köln liegt am Rhein.\n", encoding="utf-8")
    found = names.marked(weights.read(registry.get("gru-entities").folder), file, None)
    assert found == {"items": 1, "sentences": [{"sentence": "Köln liegt am Rhein.", "top": ["Köln LOC", "Rhein LOC"]}]}
