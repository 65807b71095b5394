"""What models/README.md shows can be typed into a notebook as it stands, and its scores are those of the files."""

import json
import re
from pathlib import Path

import pytest

from models import record, registry

README = Path(registry.__file__).parent / "README.md"
LANGUAGE_MODELS = ("rnn", "lstm", "gru", "decoder", "encoder")
PROBED = (0, 1, 2, 3, 4, 8, 16)  # steps back
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in README.read_text("utf-8").splitlines()
    if line[:1] == "|"
]
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example):
    exec(compile(example, str(README), "exec"), {})


def test_one_text_alone_is_not_translated_letter_by_letter():
    with pytest.raises(TypeError, match="list of texts .* \\['Der Hund'\\]"):
        registry.load("translator").translator.translate("Der Hund")


def scored(name, task):
    """What a model has scored on the one file of a task."""
    model = registry.get(name)
    (result,) = record.scores(model.folder, model.hash)[task].values()
    return result


def rows_of(first):
    """The rows of all tables that begin with this cell."""
    return [row[1:] for row in ROWS if row[0] == first]


def told(values):
    return [f"{value:.3f}" for value in values]


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_its_scores_of_language_models_are_those_of_the_files(name):
    bits = "–" if name == "encoder" else f"{scored(name, 'lm')['bits_per_character']:.3f}"
    row = rows_of(f"`{name}`")[0]
    assert row[:3] == [f"{registry.get(name).parameters:,}", bits, f"{scored(name, 'agreement')['accuracy']:.3f}"]


def test_its_agreement_by_case_and_place_is_that_of_the_files():
    results = [scored(name, "agreement") for name in LANGUAGE_MODELS]
    for case, count in results[0]["case_items"].items():
        (row,) = (row for row in ROWS if row[0].startswith(f"`{case}`"))
        assert row[1:] == [f"{count:,}", *told(result["cases"][case] for result in results)]
    for place in set(results[0]["word_positions"]) - {"2"}:  # the third word is a case of its own
        (row,) = rows_of(f"verb is word {int(place) + 1}")
        assert row[1:] == told(result["word_positions"][place] for result in results)


def test_its_memory_is_that_of_the_files():
    for name in ("rnn", "lstm", "gru"):
        kept = json.loads((registry.get(name).folder / "memory.json").read_text("utf-8"))
        assert rows_of(f"`{name}`")[1] == told(kept["accuracy"][k] for k in PROBED)
        assert rows_of("guessing: what most often stands there") == [told(kept["baseline"][k] for k in PROBED)]


def test_its_scores_of_classifiers_are_those_of_the_files():
    for name in ("rnn", "lstm", "gru", "encoder"):
        intent, names = scored(f"{name}-intent", "intent"), scored(f"{name}-entities", "entities")
        assert rows_of(f"`{name}`")[-1][1:] == told([intent["accuracy"], intent["accuracy_written"], names["f1"]])
    for name in ("bag_of_words", "feed_forward"):
        intent = scored(f"{name}-intent", "intent")
        row = rows_of(f"nothing: `{name}`")[0]
        assert [row[0], row[2]] == told([intent["accuracy"], intent["accuracy_written"]])


def test_what_it_says_of_word_vectors_and_translator_is_that_of_the_files():
    similar, translated = scored("word_vectors", "similarity"), scored("translator", "translation")
    text = " ".join(README.read_text("utf-8").split())
    assert f"Spearman {similar['spearman']:.3f} with" in text and f"{similar['coverage'] * 100:.1f} % (" in text
    assert f"BLEU {translated['bleu']:.1f} with four beams, {translated['bleu_greedy']:.1f} greedy" in text
