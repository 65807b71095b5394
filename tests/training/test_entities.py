"""The task `entities`: names are right only whole and with their class, however they are written."""

import pytest

from models import registry, weights
from models.training import entities, evaluate

CORPUS = "Angela\tB-PER\nMerkel\tI-PER\nwohnt\tO\nin\tO\nKöln\tB-LOC\n.\tO\n\nFaust\tB-OTH\nschläft\tO\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "names.bio"
    path.write_text(CORPUS, encoding="utf-8")
    return path


def test_a_name_is_right_only_whole_and_with_its_class():
    right = ["B-PER", "I-PER", "O", "B-LOC"]
    found = entities.compared([(right, ["B-PER", "O", "O", "B-LOC"]), (["B-OTH"], ["B-PER"]), (["O"], ["O"])])
    assert (found["precision"], found["recall"], found["f1"]) == (round(1 / 3, 5), round(1 / 3, 5), round(1 / 3, 5))
    assert found["classes"] == {"PER": 0, "LOC": 1, "ORG": 0, "OTH": 0} and found["names"] == 3


def test_the_same_text_is_scored_in_small_letters_and_in_capitals(file, monkeypatch):
    known = {"Angela": "B-PER", "Merkel": "I-PER", "Köln": "B-LOC", "köln": "B-LOC", "FAUST": "B-PER"}

    def labelled(_, sentences):
        return [[known.get(word, "O") for word in sentence.words] for sentence in sentences]

    monkeypatch.setattr(entities, "labelled", labelled)
    found = evaluate.score("entities", "gru-entities", file)
    assert (found["precision"], found["recall"]) == (1, round(2 / 3, 5))
    assert found["lower"] == {"f1": 0.5, "precision": 1, "recall": round(1 / 3, 5)}
    assert found["upper"] == {"f1": 0, "precision": 0, "recall": 0}


@pytest.mark.parametrize("name", ["rnn-entities", "encoder-entities"])
def test_words_are_labelled_by_the_network(file, name):
    network = weights.read(registry.get(name).folder)
    first, second = entities.labelled(network, list(entities.read(file)))
    assert first[4] == "B-LOC" and first[2:4] == ["O", "O"] and len(second) == 2


def test_what_the_page_says_of_paris_hilton_holds_for_all_four():
    for name in ("rnn", "lstm", "gru", "encoder"):
        labelling = registry.load(f"{name}-entities").forward("Paris Hilton wohnt in Paris.").labelling
        assert all((one.start, one.end, one.name) != (0, 12, "PER") for one in labelling.entities)
