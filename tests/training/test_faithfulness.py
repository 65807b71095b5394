"""The yardstick: what is asked of which sentences, and quartiles that are those of the runs."""

import gzip
import random

import numpy as np
import pytest

from models import faithfulness
from models.run import Run, perform
from models.training import faithfulness as training

LINES = [f"Der Hund Nummer {number} bellt heute laut." for number in range(150)] + [
    f"Die Katze schläft schon {number} Tage." for number in range(150)
]


NAMED = [f"Angela Merkel wohnt seit {number} Tagen in Berlin ." for number in range(60)] + LINES[:60]


def requests(lines):
    return "text\tszenario\tintent\n" + "".join(f"{line.lower()}\talarm\tset\n" for line in lines)


def labelled(lines):
    label = {"Angela": "B-PER", "Merkel": "I-PER", "Hund": "B-OTH"}
    return "\n\n".join("\n".join(f"{word}\t{label.get(word, 'O')}" for word in line.split()) for line in lines)


def corpora(folder):
    content = {
        training.TEXT: "\n".join([*LINES, "Zu kurz."]),
        training.TEXT_LEARNED: LINES[0],
        training.INTENTS: requests(LINES),
        training.INTENTS_LEARNED: requests(LINES[:1]),
        training.ENTITIES: labelled(NAMED),
        training.ENTITIES_LEARNED: labelled(NAMED[:1]),
    }
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(gzip.compress(text.encode()))
    return folder


def test_each_model_is_asked_its_own_question(tmp_path, monkeypatch):
    folder = corpora(tmp_path)
    monkeypatch.setattr(training, "SENTENCES", 40)
    intents = training.intents("encoder-intent", folder, random.Random(1))
    assert len({run.text for run in intents}) == 40 and all(run.text[0].isupper() for run in intents)
    names = training.names("encoder-entities", folder, random.Random(1))
    assert all(perform(Run("encoder-entities", run.text)).labelling.entities for run in names)  # not those of the dog
    assert LINES[0].capitalize() not in {run.text for run in intents} and NAMED[0] not in {run.text for run in names}
    hidden = training.hidden_words("encoder", folder, random.Random(1))
    assert all(1 <= run.at <= 12 for run in hidden) and len({run.at for run in hidden}) > 3
    cut = training.next_words("decoder", folder, random.Random(1))
    assert all(any(line.startswith(run.text) and line != run.text for line in LINES) for run in cut)
    assert cut == training.next_words("decoder", folder, random.Random(1))


def test_quartiles_are_those_of_the_runs():
    runs = [Run("decoder", text, "attributions") for text in LINES[::60]]
    found = training.measured(runs)
    taus = np.stack([faithfulness.agreement(perform(run)) for run in runs])
    assert found["sentences"] == 5
    assert np.array(found["median"]) == pytest.approx(np.median(taus, 0), abs=1e-4)
