"""A folder of corpora, a few sentences each."""

import gzip

import pytest

from models.training import corpora

SENTENCES = ["Der Hund bellt laut.", "Die Katze schläft auf der Bank.", "Der Mann kommt nicht.", "Das Haus ist groß."]
ENGLISH = ["The dog barks loudly.", "The cat isn't awake.", "The man doesn't come.", "The house is big."]


@pytest.fixture
def corpora_folder(tmp_path):
    """The training files of Tatoeba, Klexikon and Wikipedia, with four sentences."""
    content = {
        corpora.TATOEBA: "".join(f"{german}\t{english}\n" for german, english in zip(SENTENCES, ENGLISH, strict=True)),
        corpora.KLEXIKON: "\n".join([*SENTENCES[:2], "", *SENTENCES[2:], ""]),
        corpora.WIKIPEDIA: "\n\n".join(SENTENCES * 3),
    }
    for name, written in content.items():
        path = tmp_path / "corpora" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(written.encode()))
    return tmp_path / "corpora"
