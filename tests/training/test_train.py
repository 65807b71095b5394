"""Tiny models go through the same table of trainings as the real ones."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
import torch
from safetensors.torch import load_file

from models import weights
from models.training import evaluate, recurrent, text, train, translator, word_vectors
from models.training.lesson import Job
from models.training.loop import Progress

HELD_OUT = "Die Katze bellt.\nDer Hund schläft auf der Bank.\n"
TASKS = {
    "gru": "lm",
    "decoder": "lm",
    "encoder": "masked",
    "translator": "translation",
    "word_vectors": "similarity",
}


@pytest.fixture
def files(tmp_path):
    """A small file to score on for each task."""
    contents = {
        "lm": HELD_OUT,
        "translation": "Der Hund bellt.\tThe dog barks.\nDie Katze schläft.\tThe cat sleeps.\n",
        "similarity": "wort_a\twort_b\tscore_0_50\nHund\tKatze\t40\nHund\tHaus\t10\nMann\tBank\t3\nMann\tUfo\t1\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return {task: tmp_path / task if task in contents else None for task in TASKS.values()}


def trained(name, corpora_folder, folder, **changes):
    """The folder of weights in which a tiny model of this name lies, trained for four steps."""
    job = Job(name, corpora_folder, checkpoints=folder, weights=folder, steps=4, units=8)
    if name == "word_vectors":
        word_vectors.train(job, replace(word_vectors.RECIPE, units=8, rarest=1, sample=0))
    else:
        train.TRAININGS[name](replace(job, **changes))
    return folder


@pytest.mark.parametrize("name", TASKS)
def test_the_same_seed_twice_gives_the_same_scores(name, corpora_folder, tmp_path, files):
    scores = [
        evaluate.score(TASKS[name], name, files[TASKS[name]], weights=trained(name, corpora_folder, tmp_path / run))
        for run in ("first", "second")
    ]
    assert scores[0] == scores[1]
    assert (tmp_path / "first" / name / "config.json").read_bytes() == (
        tmp_path / "second" / name / "config.json"
    ).read_bytes()


def test_word_vectors_do_not_depend_on_the_hashes_of_a_process(corpora_folder, tmp_path):
    written = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        command = [sys.executable, "-m", "models.training.train", "word_vectors", "--corpora", str(corpora_folder)]
        subprocess.run([*command, "--weights", str(folder)], env=os.environ | {"PYTHONHASHSEED": seed}, check=True)
        written.append([(folder / "word_vectors" / name).read_bytes() for name in ("words.txt", "model.safetensors")])
    assert written[0] == written[1]


def quick(name):
    """The training of this name with a learning rate for four sentences."""
    lesson_of, recipe = train.TRAININGS[name].args
    return partial(train.network, lesson_of, replace(recipe, learning_rate=3e-2))


@pytest.mark.parametrize("name", ["lstm", "encoder", "decoder", "translator"])
def test_more_training_lowers_the_loss(name, corpora_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "TRAININGS", train.TRAININGS | {name: quick(name)})
    folder = trained(name, corpora_folder, tmp_path, steps=60, units=16)
    curve = json.loads((folder / name / "learning_curve.json").read_text("utf-8"))
    assert curve["loss"][-1][1] < 0.9 * curve["loss"][0][1]


def test_a_run_that_goes_on_starts_from_the_weights_and_adds_to_their_curve(corpora_folder, tmp_path):
    folder = trained("gru", corpora_folder, tmp_path)
    first = load_file(folder / "gru" / "model.safetensors")
    before = json.loads((folder / "gru" / "learning_curve.json").read_text("utf-8"))
    trained("gru", corpora_folder, tmp_path, steps=2, go_on=True)
    second = load_file(folder / "gru" / "model.safetensors")
    after = json.loads((folder / "gru" / "learning_curve.json").read_text("utf-8"))
    assert all(not torch.equal(first[name], second[name]) for name in first)
    assert all((first[name] - second[name]).abs().max() < 0.05 for name in first)  # not started anew
    assert [run["steps"] for run in after["runs"]] == [4, 2]
    assert [step for step, _ in after["loss"]] == [1, 2, 3, 4, 5, 6]
    assert after["loss"][:4] == before["loss"]
    assert after["tokens"] == before["tokens"] + after["runs"][1]["tokens"]
    assert after["runs"][0]["recipe"]["seed"] != after["runs"][1]["recipe"]["seed"]  # other batches, another order


def test_a_run_from_scratch_does_not_go_on_from_another_one(corpora_folder, tmp_path, monkeypatch):
    checkpoints = []
    monkeypatch.setattr(train, "fit", lambda *given: checkpoints.append(given[4]) or Progress())
    for from_scratch in (False, True):
        trained("gru", corpora_folder, tmp_path, from_scratch=from_scratch)
    assert [file.name for file in checkpoints] == ["gru.pt", "gru-from-scratch.pt"]


def test_snapshots_show_the_encoder_on_its_way(corpora_folder, tmp_path):
    folder = trained("encoder", corpora_folder, tmp_path, steps=101)
    assert sorted(path.name for path in folder.glob("encoder*/")) == ["encoder", "encoder@0", "encoder@100"]
    kept = [weights.read(folder / name).state_dict() for name in ("encoder@0", "encoder@100")]
    assert not torch.equal(kept[0]["cls.predictions.bias"], kept[1]["cls.predictions.bias"])
    curve = json.loads((folder / "encoder@100" / "learning_curve.json").read_text("utf-8"))
    assert curve["steps"] == 100


def test_a_snapshot_at_step_0_comes_from_the_seed(corpora_folder, tmp_path):
    files = [
        (trained("encoder", corpora_folder, tmp_path / run) / "encoder@0" / "model.safetensors").read_bytes()
        for run in ("first", "second")
    ]
    assert files[0] == files[1]


def test_an_unknown_name_is_told(corpora_folder):
    with pytest.raises(train.typer.BadParameter, match="There is no model 'parrot'; there are tokenizer, word_vectors"):
        train.train("parrot", corpora_folder)


# what the translator reads and writes


def test_english_comes_back_letter_by_letter(tmp_path):
    sentences = ["I don't know.", 'He said: "Wait!"', "A well-known, 3-year-old dog's tail."] * 5
    english = translator.english_tokenizer(sentences, tmp_path / "english.json")
    for sentence in sentences[:3]:
        assert english.decode(english.encode(sentence, add_special_tokens=False).ids) == sentence


def test_each_pair_is_seen_once_an_epoch(tmp_path):
    sentences = [(f"{'sehr ' * count}gut", f"{'very ' * (30 - count)}good") for count in range(30)]
    english = translator.english_tokenizer([pair[1] for pair in sentences], tmp_path / "english.json")
    pairs = translator.encoded(sentences, english)
    several = translator.batches(pairs, seed=1, tokens=100)
    seen: list[int] = []
    while len(seen) < 30:
        german, foreign = next(several)
        assert len(german) == len(foreign)
        assert len(german) * max(german.shape[1], foreign.shape[1]) <= 100 or len(german) == 1
        seen += (german > 4).sum(1).tolist()
    assert sorted(seen) == list(range(1, 31))


def test_pairs_that_are_too_long_are_left_out(tmp_path):
    sentences = [("gut", "good"), ("sehr " * 200, "very")]
    english = translator.english_tokenizer([pair[1] for pair in sentences] * 3, tmp_path / "english.json")
    assert len(translator.encoded(sentences, english)) == 1
    assert text.LONGEST > translator.LONGEST


def test_a_model_of_a_known_kind_may_have_another_name_and_size(corpora_folder, tmp_path):
    job = Job("gru_small", corpora_folder, checkpoints=tmp_path, weights=tmp_path, steps=2)
    train.network(lambda job, recipe: recurrent.lesson(replace(job, units=4), recipe, "gru"), recurrent.RECIPE, job)
    read = weights.recurrent(tmp_path / "gru_small")
    assert read.cell == "gru" and read.vectors.embedding_dim == 4
