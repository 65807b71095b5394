"""Cards say what was measured."""

import shutil
from dataclasses import replace

from typer.testing import CliRunner

from models.training import card, evaluate, word_vectors
from models.training.lesson import Job


def run(folders, *arguments):
    return CliRunner().invoke(evaluate.app, [*map(str, arguments), "--weights", str(folders)])


def test_a_card_states_what_was_measured_and_the_command_that_prints_it(folders, pairs, tmp_path):
    for name in ("gru", "encoder"):
        shutil.copytree(folders / name, tmp_path / name)
    run(tmp_path, "agreement", "--model", "gru", "--file", pairs, "--save")
    run(tmp_path, "masked", "--model", "encoder", "--save")
    for name in ("gru", "encoder"):
        assert CliRunner().invoke(card.app, [name, "--weights", str(tmp_path)]).exit_code == 0
    gru, encoder = ((tmp_path / name / "README.md").read_text(encoding="utf-8") for name in ("gru", "encoder"))
    assert f"evaluate agreement --model gru --file CORPORA/{pairs.parent.name}/pairs.tsv" in gru
    assert "**0.750** mean over cases (far 1.000, near 0.500)" in gru
    assert "CC BY-SA" in gru and "CC BY 2.0 FR" in gru
    assert encoder.count("＿＿") == 20


def test_scores_of_other_weights_stay_off_the_card(folders, pairs, tmp_path):
    for file in (folders / "gru").iterdir():
        (tmp_path / "gru").mkdir(exist_ok=True)
        (tmp_path / "gru" / file.name).write_bytes(file.read_bytes())
    run(tmp_path, "agreement", "--model", "gru", "--file", pairs, "--save")
    (tmp_path / "gru" / "model.safetensors").write_bytes((folders / "lstm" / "model.safetensors").read_bytes())
    assert "Not scored yet." in card.text("gru", tmp_path / "gru")


def test_a_model_below_the_line_has_not_learned_agreement():
    scores = {"agreement": {"x": {"accuracy": 0.55, "cases": {"a": 0.55}}}}
    assert "has not learned agreement" in card.measured_weaknesses(scores)[0]
    scores["agreement"]["x"]["accuracy"] = 0.7
    assert "worst in `a`" in card.measured_weaknesses(scores)[0]


def test_there_is_no_card_for_an_unknown_model(folders):
    answer = CliRunner().invoke(card.app, ["parrot", "--weights", str(folders)])
    assert answer.exit_code == 2
    assert "'parrot' has no entry in models/training/kinds.py" in answer.stderr
    answer = CliRunner().invoke(card.app, ["word_vectors", "--weights", str(folders)])
    assert answer.exit_code == 2
    assert f"'word_vectors' has no model.safetensors in {folders / 'word_vectors'}" in answer.stderr


def test_a_model_that_was_not_trained_by_the_loop_has_a_card_too(folders, tmp_path):
    (tmp_path / "gru").mkdir()
    shutil.copy(folders / "gru" / "model.safetensors", tmp_path / "gru")
    assert CliRunner().invoke(card.app, ["gru", "--weights", str(tmp_path)]).exit_code == 0
    text = (tmp_path / "gru" / "README.md").read_text(encoding="utf-8")
    assert "MB, fingerprint" in text and "Not scored yet." in text and "updates" not in text


def test_every_model_here_has_a_card(folders, corpora_folder, tmp_path):
    for name in ("decoder", "translator"):
        shutil.copytree(folders / name, tmp_path / name)
    recipe = replace(word_vectors.RECIPE, units=8, rarest=1)
    word_vectors.train(Job("word_vectors", corpora_folder, weights=tmp_path), recipe)
    shutil.copytree(folders / "encoder", tmp_path / "encoder@100")
    cards = {
        name: card.text(name, tmp_path / name) for name in ("decoder", "translator", "word_vectors", "encoder@100")
    }
    for name, text in cards.items():
        assert text.startswith(f"# {name}\n") and "CC BY 2.0 FR" in text
    assert "5 epochs of skip-gram: 8 units" in cards["word_vectors"]
    assert "pieces" not in cards["word_vectors"]  # its table is one of words
    assert "Tatoeba, German–English sentence pairs" in cards["translator"]
    assert "a snapshot" in cards["encoder@100"]


def test_figures_are_told_as_they_were_measured():
    similarity = {"task": "similarity", "spearman": 0.6234, "coverage": 0.8182, "left_out": 277}
    assert card.figures(similarity).startswith("Spearman's ρ **0.623** over 81.8% of the pairs; 277 left out")
    translation = {"task": "translation", "bleu": 31.26, "beams": 4, "bleu_greedy": 30.04, "signature": "nrefs:1"}
    assert card.figures(translation) == "BLEU **31.3** with 4 beams, 30.0 with one (sacrebleu, `nrefs:1`)"


def test_the_next_words_stand_on_the_card(folders, tmp_path):
    shutil.copytree(folders / "decoder", tmp_path / "decoder")
    run(tmp_path, "next_word", "--model", "decoder", "--save")
    text = card.text("decoder", tmp_path / "decoder")
    assert text.count("| Ich trinke gern |") == 1
    assert "python -m models.training.evaluate next_word --model decoder\n" in text
