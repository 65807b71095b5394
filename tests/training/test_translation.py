"""Translations and their BLEU."""

import pytest
import torch

from models import weights
from models.tokenizer import CLS, SEP, tokenizer
from models.training import evaluate
from models.translation import Translator


def ids(sentence):
    return tokenizer().encode(sentence, add_special_tokens=False).ids


def test_a_search_with_one_beam_takes_the_likeliest_piece_each_time(folders):
    model = weights.translator(folders / "translator")
    source = torch.tensor([[CLS, *ids("Der Hund schläft."), SEP]])
    written = [CLS]
    with torch.no_grad():
        while written[-1] != SEP and len(written) < 127:
            logits = model.network(source, decoder_input_ids=torch.tensor([written])).logits[0, -1]
            written.append(int(logits.argmax()))
    found = model.translate(["Der Hund schläft."], beams=1)
    assert found == [model.english.decode(written)]


def test_translations_come_back_in_the_order_of_the_texts(folders):
    model = weights.translator(folders / "translator")
    texts = ["Die Katze schläft auf der Bank am Fluss.", "Hund", "Der Mann kommt."]
    assert model.translate(texts) == [model.translate([text])[0] for text in texts]


def test_bleu_is_that_of_sacrebleu(folders, tmp_path, monkeypatch):
    file = tmp_path / "pairs.tsv"
    file.write_text("Hund\tThe dog barks at the cat.\nKatze\tThe cat sleeps.\n", encoding="utf-8")
    monkeypatch.setattr(Translator, "translate", lambda *_: ["The dog barks at a cat.", "The cat sleeps."])
    result = evaluate.score("translation", "translator", file, weights=folders)
    # n-grams found: 10 of 11 words, 7 of 9, 4 of 7, 2 of 5; as long as the reference
    assert result["bleu"] == pytest.approx(100 * (10 / 11 * 7 / 9 * 4 / 7 * 2 / 5) ** (1 / 4), abs=1e-3)
    assert (result["items"], result["beams"]) == (2, 4)
    assert "version:" in result["signature"]
