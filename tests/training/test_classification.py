"""Sentence classifiers of a few units learn nine sentences; what they score is counted by hand."""

import json
import random
import shutil
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from transformers.models.bert.modeling_bert import BertForMaskedLM

from models import weights
from models.classifiers import RecurrentClassifier
from models.recurrence import RecurrentLanguageModel
from models.tokenizer import PAD, tokenizer
from models.training import classification, encoder, evaluate, outcome, teachers, train
from models.training.classification import Spelling
from models.training.lesson import Job
from models.training.loop import Progress
from tests.training.conftest import RECIPE, untaught

HEADER = "text\tszenario\tintent\n"
SENTENCES = """weck mich um sieben\talarm\talarm_set
stell den wecker aus\talarm\talarm_remove
wecker für morgen\talarm\talarm_set
wie wird das wetter\tweather\tweather_query
regnet es morgen\tweather\tweather_query
scheint heute die sonne\tweather\tweather_query
spiel musik\tplay\tplay_music
spiel das lied noch einmal\tplay\tplay_music
ich will ein spiel spielen\tplay\tplay_game
"""


UNITS = 16


@pytest.fixture
def folder(corpora_folder, monkeypatch):
    """The corpora with nine sentences for a voice assistant."""
    monkeypatch.setattr(classification, "TRAINED_ON", "intents_massive/train.tsv")
    (corpora_folder / "intents_massive").mkdir()
    (corpora_folder / classification.TRAINED_ON).write_text(HEADER + SENTENCES, encoding="utf-8")
    return corpora_folder


@pytest.fixture
def bases(tmp_path):
    """A folder of weights with the language models that classifiers go on from, which have learned nothing."""
    torch.manual_seed(4)
    vocabulary = tokenizer().get_vocab_size()
    networks = {cell: RecurrentLanguageModel(cell, vocabulary, UNITS, 2) for cell in ("rnn", "lstm", "gru")}
    for name, network in (networks | {"encoder": BertForMaskedLM(encoder.configuration(UNITS))}).items():
        outcome.write(untaught(network), RECIPE, Progress(), tmp_path / "bases" / name)
    return tmp_path / "bases"


@pytest.fixture
def no_teachers(monkeypatch):
    """Teachers that answer every text with each of the three classes alike."""
    monkeypatch.setattr(teachers, "answers", lambda *asked: torch.full((len(asked[-1]), 3), 1 / 3))


def trained(name, corpora, bases, steps=4, rate=1e-3, seed=1, **changes):
    """The scores of a small classifier on its own sentences."""
    job = Job(name, corpora, checkpoints=bases / "cache", weights=bases, steps=steps, units=UNITS, **changes)
    recipe = replace(classification.RECIPES[name], learning_rate=rate, seed=seed)
    train.network(classification.lesson, recipe, job)
    return evaluate.score("intent", name, corpora / classification.TRAINED_ON, weights=bases)


@pytest.mark.parametrize("name", ["feed_forward-intent", "gru-intent"])
def test_the_same_seed_twice_gives_the_same_weights_and_scores(name, folder, bases):
    one = trained(name, folder, bases)
    again = trained(name, folder, bases)  # what the teachers answered is known now
    shutil.rmtree(bases / "cache")
    assert trained(name, folder, bases) == again == one
    assert trained(name, folder, bases, seed=2)["weights"] != one["weights"]


@pytest.mark.usefixtures("no_teachers")
@pytest.mark.parametrize("name", classification.RECIPES)
def test_sentences_that_were_learned_are_known_however_they_are_typed(name, folder, bases):
    rate = 3e-3 if name == "encoder-intent" else 1e-2
    result = trained(name, folder, bases, steps=150, rate=rate)
    assert result["accuracy"] == result["accuracy_written"] == 1
    assert result["classes"] == {"alarm": 1, "play": 1, "weather": 1}


@pytest.mark.usefixtures("no_teachers")
@pytest.mark.parametrize("kind", ["gru", "encoder"])
def test_a_classifier_goes_on_from_the_language_model_of_its_name(kind, folder, bases):
    trained(f"{kind}-intent", folder, bases, rate=1e-9)
    before, after = (weights.read(bases / name).state_dict() for name in (kind, f"{kind}-intent"))
    shared = [name for name in after if name in before]
    assert len(shared) > 8
    assert all(torch.allclose(before[name], after[name], atol=1e-3) for name in shared)
    base = json.loads((bases / f"{kind}-intent" / "config.json").read_text("utf-8"))["base"]
    assert base == {"model": kind, "weights": weights.fingerprint(bases / kind)}


def test_four_teachers_learn_alone_and_their_mean_is_half_of_what_is_wanted(folder, bases, monkeypatch):
    asked = []

    def logits_of(network, texts):
        asked.append((type(network).__name__, getattr(network, "cell", None)))
        assert not network.training
        return torch.tensor([[float(len(asked)), 0.0, 0.0]] * len(texts))

    monkeypatch.setattr(classification, "logits_of", logits_of)
    job = Job("gru-intent", folder, checkpoints=bases / "cache", weights=bases, steps=2, units=UNITS)
    recipe = replace(classification.RECIPES["gru-intent"], steps=2)
    lesson = classification.lesson(job, recipe)
    cells = [("RecurrentClassifier", cell) for cell in ("rnn", "lstm", "gru")]
    assert asked == [*cells, ("BertForSequenceClassification", None)]
    alarm = np.mean([np.exp(logit) / (np.exp(logit) + 2) for logit in (1, 2, 3, 4)])
    wanted = lesson.loss_of.args[1]
    assert wanted.shape == (classification.EPOCHS * 9, 3)
    others = (1 - alarm) / 2
    for row, place in ((0, 0), (3, 2), (6, 1), (9, 0)):  # an alarm, the weather, a song; the second epoch begins
        expected = [others / 2] * 3
        expected[0] = alarm / 2
        expected[place] += 0.5
        assert wanted[row].tolist() == pytest.approx(expected)
    assert [file.suffix for file in (bases / "cache").iterdir()] == [".npy"]
    classification.lesson(job, recipe)
    assert len(asked) == 4  # nobody is asked twice


@pytest.mark.usefixtures("no_teachers")
def test_each_text_meets_its_own_answer_in_every_epoch(folder, bases):
    job = Job("gru-intent", folder, checkpoints=bases / "cache", weights=bases, steps=2, units=UNITS)
    lesson = classification.lesson(job, classification.RECIPES["gru-intent"])
    course = classification.Course(job, 1)
    texts = [text for epoch in range(classification.EPOCHS) for text in course.with_gaps(epoch)]
    read = {}
    for ids, numbers in islice(lesson.batches_from(0), 40):
        for row, number in zip(ids.tolist(), numbers[:, 0].tolist(), strict=True):
            read.setdefault(number, set()).add(tuple(token for token in row if token != PAD))
    expected = classification.encoded(lesson.network, texts)
    assert read == {number: {tuple(ids)} for number, ids in enumerate(expected)}


def test_gaps_leave_words_in_their_order_and_never_nothing(folder):
    course = classification.Course(Job("gru-intent", folder), 1)
    left_out = 0
    for epoch in range(100):
        for whole, rest in zip(course.typed(epoch), course.with_gaps(epoch), strict=True):
            words = iter(whole.split())
            assert rest and all(word in words for word in rest.split())
            left_out += len(whole.split()) - len(rest.split())
    total = 100 * sum(len(sentence.split()) for sentence in course.sentences)
    assert left_out / total == pytest.approx(classification.SHARE_LEFT_OUT, abs=0.02)


@pytest.mark.parametrize("name", ["bag_of_words-intent", "lstm-intent"])
def test_a_baseline_and_a_network_from_scratch_have_no_teachers(name, folder, bases, monkeypatch):
    monkeypatch.setattr(teachers, "answers", None)
    trained(name, folder, bases, from_scratch=True)
    assert "base" not in json.loads((bases / name / "config.json").read_text("utf-8"))


def test_accuracy_is_counted_over_all_sentences_and_for_each_class(monkeypatch, folder):
    answers = {"wie wird das wetter": "play", "spiel musik": "alarm", "Spiel musik.": "play"}
    known = dict(classification.read(folder / classification.TRAINED_ON))
    known |= {f"{text[:1].upper()}{text[1:]}.": scenario for text, scenario in known.items()}
    monkeypatch.setattr(classification, "likeliest", lambda _, texts: [(known | answers)[text] for text in texts])
    network = classification.BagOfWords(10, 2, ["alarm", "play", "weather"])
    result = classification.accuracy(network, folder / classification.TRAINED_ON, None)
    assert (result["items"], result["accuracy"], result["accuracy_written"]) == (9, round(7 / 9, 5), 1)
    assert result["classes"] == {"alarm": 1, "play": round(2 / 3, 5), "weather": round(2 / 3, 5)}
    assert result["class_items"] == {"alarm": 3, "play": 3, "weather": 3}


def test_each_text_gets_its_own_answer_whatever_its_length(folder, monkeypatch):
    monkeypatch.setattr(classification, "BATCH", 2)
    torch.manual_seed(6)
    network = RecurrentClassifier("gru", 14_000, 8, 2, ["alarm", "play", "weather"]).eval()
    torch.nn.init.zeros_(network.head.bias)
    texts = [text for text, _ in classification.read(folder / classification.TRAINED_ON)]
    together = classification.likeliest(network, texts)
    assert together == [classification.likeliest(network, [text])[0] for text in texts]
    assert len(set(together)) > 1


def test_a_scenario_that_the_model_does_not_know_is_told(folder):
    network = classification.BagOfWords(10, 2, ["alarm", "play"])
    with pytest.raises(evaluate.WrongModel, match="does not know the scenario “weather”"):
        classification.accuracy(network, folder / classification.TRAINED_ON, None)


def test_words_are_typed_as_german_writes_them_or_in_lower_case(corpora_folder):
    spelling = Spelling(corpora_folder)
    assert {"hund", "katze", "bank", "mann", "haus"} == spelling.capitals
    typed = {spelling.typed("leg den schal auf die bank", random.Random(seed)) for seed in range(200)}
    ways = {f"{leg} den schal auf die {bank}" for leg in ("leg", "Leg") for bank in ("bank", "Bank")}
    assert {text.rstrip(".?!") for text in typed} == ways - {"leg den schal auf die Bank"}
    assert {text[-1] for text in typed} == {"k", ".", "?", "!"}
