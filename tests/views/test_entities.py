"""Entities: labels are the bare networks', words join their pieces, the marked sentence is the one that was typed."""

import base64

import numpy as np
import pytest
import torch

from app.options import settled
from app.views.entities import MODELS, EntitiesQuery, figure
from models import registry
from models.entities import LABELS, may_follow
from models.run import Run, perform

SENTENCES = [
    "Angela Merkel besuchte am Montag Siemens in München.",
    "Paris Hilton wohnt in Paris.",
    "Jörg Müller-Lüdenscheidt fährt nach Österreich.",
    "„Der Spiegel“ berichtet über Volkswagen.",
    "angela merkel wohnt in berlin",
    "ANGELA MERKEL BESUCHTE MÜNCHEN.",
    "Der Hund schläft.",
    "👩‍🚀 Müller ß",
    "weil",
]


def drawn(text, **stated):
    query = EntitiesQuery(text=text, lang="en", **stated)
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


@pytest.mark.parametrize("text", SENTENCES)
def test_words_join_their_pieces_and_the_marked_parts_are_the_sentence(text):
    _, traces, found = drawn(text)
    for trace in traces:
        joined = [(word.start, word.end) for word in trace.labelling.words]
        starts = [token.start for token in trace.tokens if not token.special and not token.text.startswith("##")]
        assert [start for start, _ in joined] == starts
        for (start, end), label in zip(joined, trace.labelling.words, strict=True):
            pieces = [token for token in trace.tokens if start <= token.start < end and not token.special]
            assert (pieces[0].start, pieces[-1].end) == (start, end)
            place = trace.tokens.index(pieces[0] if trace.model.startswith("encoder") else pieces[-1])
            assert label.token == place
        for entity in trace.labelling.entities:
            assert entity.start in starts and entity.end in [end for _, end in joined]
            assert entity.name in ("PER", "LOC", "ORG", "OTH")
    for marked in found.marked:
        assert "".join(part.text for part in marked.parts) == text
    assert len(found.marked) == len(MODELS)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("text", SENTENCES[:4])
def test_labels_are_those_of_the_bare_network(name, text):
    trace, network = perform(Run(name, text)), registry.load(name).network
    ids = torch.tensor([[token.id for token in trace.tokens]])
    with torch.inference_mode():
        output = network(ids)
        logits = output.logits if name.startswith("encoder") else network.logits(output)
    expected = logits[0].softmax(-1).numpy()
    assert trace.labelling.label_probabilities == pytest.approx(expected, abs=1e-5)
    assert trace.labelling.label_probabilities.sum(1) == pytest.approx([1] * len(trace.tokens), abs=1e-5)
    before = "O"
    for word in trace.labelling.words:
        allowed = [number for number, label in enumerate(LABELS) if may_follow(label, before)]
        assert word.label == LABELS[max(allowed, key=lambda number: expected[word.token, number])]
        before = word.label


def test_a_network_that_reads_from_the_left_does_not_know_what_follows():
    for name in MODELS[:3]:
        first, second = (perform(Run(name, text)).labelling for text in ("Paris Hilton wohnt", "Paris ist groß"))
        assert first.words[0].label == second.words[0].label
        assert first.label_probabilities[1] == pytest.approx(second.label_probabilities[1], abs=1e-6)
    encoder = [perform(Run(MODELS[3], text)).labelling for text in ("Paris Hilton wohnt", "Paris ist groß")]
    assert abs(encoder[0].label_probabilities[1] - encoder[1].label_probabilities[1]).max() > 1e-3


def test_the_right_context_decides_for_the_encoder_alone_as_the_page_says():
    """“Bayern München spielt in München.”, and where all four go wrong: “Paris Hilton wohnt in Paris.”"""
    club, person = ("Bayern München spielt in München.", "Paris Hilton wohnt in Paris.")
    for name in MODELS:
        found = [
            (club[entity.start : entity.end], entity.name) for entity in perform(Run(name, club)).labelling.entities
        ]
        assert (("Bayern München", "ORG") in found) is (name == "encoder-entities")
        assert ("München", "LOC") in found
        assert {entity.name for entity in perform(Run(name, person)).labelling.entities} == {"LOC"}
    _, _, figured = drawn(club)
    summary = " ".join(message.text("en") for message in figured.summary)
    _, _, pair = drawn(person, vs=club)
    assert [marked.network for marked in pair.marked][3:5] == ["1 · Encoder", "2 · RNN"]
    assert "at “Bayern”, “München”." in summary


def test_how_likely_a_word_is_part_of_a_name_is_what_no_name_leaves():
    _, traces, found = drawn(SENTENCES[1], show="probabilities")
    shown = np.frombuffer(base64.b64decode(found.plot.data[0]["z"]["bdata"]), np.float32).reshape(len(MODELS), -1)
    for row, trace in zip(shown, sorted(traces, key=lambda trace: MODELS.index(trace.model)), strict=True):
        places = [word.token for word in trace.labelling.words]
        names = np.delete(trace.labelling.label_probabilities, LABELS.index("O"), axis=1).sum(1)
        assert row == pytest.approx(names[places], abs=1e-5)


def test_sentences_say_what_was_found():
    _, traces, found = drawn("Der Hund schläft.")
    summary = " ".join(message.text("en") for message in found.summary)
    if not any(trace.labelling.entities for trace in traces):
        assert len(found.summary) == 1
    assert [message.text("en") for message in drawn("Der Hund schläft.", vs="Der Mann schläft.")[2].summary] == [
        "None of the 4 networks finds a name in either sentence."
    ]
    _, traces, found = drawn(SENTENCES[0])
    summary = " ".join(message.text("en") for message in found.summary)
    for trace in traces:
        for entity in trace.labelling.entities:
            assert trace.text[entity.start : entity.end] in summary
    assert any(entity.name == "PER" for entity in traces[0].labelling.entities)


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("options", ["", "&show=probabilities", "&vs=Der+Hund"])
def test_pages(client, lang, options):
    assert client.get(f"/{lang}/entities?text=Paris+Hilton+wohnt+in+Paris.{options}").status_code == 200


def test_of_two_networks_both_are_meant():
    two = {"model": "rnn-entities", "vs_model": "encoder-entities"}
    assert drawn("Hund", **two)[2].summary[0].text("en") == "Neither network finds a name here."
    assert drawn("Hund", **two, vs="Katze")[2].summary[0].text("de").startswith("Keines der beiden Netze findet in")
    assert drawn("Hund", model="encoder-entities", vs="Katze")[2].summary[1].text("en") == (
        "Encoder, second sentence: no name."
    )
