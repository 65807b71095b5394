"""Translation: the search of transformers itself, rows of cross-attention, and what is told of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from app import views
from app.messages import percent
from app.options import settled
from app.views.translation import TranslationQuery, pieces
from app.words import words
from models import registry
from models.run import perform
from models.translation import source

SENTENCES = ("Der Mann biss den Hund.", "Wo ist der nächste Bahnhof?", "Sie spielt seit drei Jahren Klavier.")


def drawn(text, **stated):
    query = TranslationQuery(model="translator", text=text, **stated)
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, views.catalogue()["translation"].figure(query, traces)


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize(("search", "beams"), [("greedy", 1), ("beams", 4)])
def test_it_is_what_generate_writes(text, search, beams):
    trace = drawn(text, search=search)[1][0]
    translator = registry.load("translator").translator
    assert trace.written.sentence == translator.translate([text], beams)[0] and trace.written.ended


@pytest.mark.parametrize("text", SENTENCES)
def test_steps_look_at_the_whole_sentence(text):
    trace = drawn(text)[1][0]
    cross = np.asarray(trace.decoding.cross_attention)
    assert cross.shape == (3, 4, len(trace.written.words), len(trace.tokens))
    np.testing.assert_allclose(cross.sum(-1), 1, atol=1e-5)
    eager = registry.load("translator").translator.network
    ids = torch.tensor([[token.id for token in trace.tokens]])
    assert ids.tolist() == source([ids[0, 1:-1].tolist()]).tolist()
    written = trace.written.target_ids.tolist()
    out = torch.tensor([[2, *written[:-1]]])
    with torch.inference_mode():
        logits = eager(input_ids=ids, decoder_input_ids=out).logits[0].softmax(-1)
    expected = [float(logits[step, piece]) for step, piece in enumerate(written)]
    np.testing.assert_allclose(trace.written.target_probabilities, expected, atol=1e-5)


def test_columns_are_steps():
    query, (trace,), figure = drawn(SENTENCES[0], layer=2, head=3)
    assert pieces(trace) == ["The", "man", "bit", "the", "dog", ".", "[SEP]"]
    assert figure.plot.playback == pieces(trace)
    look = np.array([row[6] for row in figure.table.rows()]).reshape(7, -1)
    np.testing.assert_array_equal(look, trace.decoding.cross_attention[1, 2])
    assert [row[2] for row in figure.table.brief()] == list(range(1, 8))
    assert "The man bit the dog." in figure.summary[0].text("de")


def test_the_sentences_tell_the_translation_its_least_sure_step_and_whether_it_ended():
    query, (trace,), found = drawn(SENTENCES[1], search="greedy", layer=1, head=2, lang="en")
    least = int(trace.written.target_probabilities.argmin())
    look = trace.decoding.cross_attention[0, 1][least]
    sure, share = percent("en", float(trace.written.target_probabilities[least])), percent("en", float(look.max()))
    assert [message.text("en") for message in found.summary] == [
        f"“{trace.text}” becomes “{trace.written.sentence}” (greedy).",
        f"The least sure is “{pieces(trace)[least]}” ({sure}); there the decoder looks mostly at "
        f"“{words(trace)[int(look.argmax())].label}” ({share}).",
    ]
    beside = drawn(SENTENCES[1], search="greedy", vs_model="translator", lang="en")[2].summary[0]
    assert beside.key == "translation.summary.by.greedy" and beside.values["sentence"] == trace.written.sentence
    broken = replace(trace, written=replace(trace.written, ended=False))
    assert views.catalogue()["translation"].figure(query, [broken]).summary[2].values == {"count": len(pieces(trace))}


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("text", ["Hallo", "😀", "Hund " * 60, "Der Mann"])
def test_pages(client, lang, text):
    assert client.get(f"/{lang}/translation", params={"text": text, "vs": "Die Katze schläft."}).status_code == 200


def test_too_long_is_told(client):
    answer = client.get("/de/translation.json", params={"text": "Hund " * 140})
    assert answer.status_code == 422 and "128" in answer.json()["error"]["message"]
