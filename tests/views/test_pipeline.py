"""Pipeline: what each step adds against the models' own layers, and what comes out against their heads."""

import base64

import numpy as np
import pytest
import torch

from app import outputs, views
from app.messages import decimal, percent
from app.options import settled
from app.views import pipeline
from app.views.pipeline import PARTS, STEPS, PipelineQuery, Stream, shares
from models import registry, tokenizer
from models.run import Run, perform

TEXT = "Der Mann biss den Hund"
MODELS = ["encoder", "decoder", "translator", "encoder@100", "encoder-intent", "encoder-entities"]


def drawn(**stated):
    query = PipelineQuery(**({"model": "encoder", "text": TEXT} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, views.catalogue()["pipeline"].figure(query, traces)


def array(packed):
    values = np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])
    return values.reshape([int(size) for size in packed["shape"].split(",")])


def told(figure):
    return " ".join(message.text("de") for message in figure.summary)


def test_shares_are_what_is_added_in_both():
    assert shares(np.array([1.0, 1, 3, 0]), np.array([1.0, 0, 1, 0])).tolist() == [0.5, 0, 0.25, 0]


@pytest.mark.parametrize("model", MODELS)
def test_the_colours_are_the_shares_of_each_step(model):
    query, (trace,), figure = drawn(model=model, layer=2)
    values, states = array(figure.plot.data[0]["z"]), trace.states
    assert len(values) == len(STEPS) == 7
    length = lambda vectors: np.linalg.norm(vectors, axis=1)  # noqa: E731
    first, last = states.embeddings, np.asarray(states.hidden)[-1]
    word, place, entering = length(states.inputs), length(states.positions), length(states.hidden[0])
    attention, fed = (length(getattr(trace.attention, name)[1]) for name in ("attention_output", "feed_forward"))
    moved = length(last - first)
    expected = [
        0 * word, 0 * word, place / (word + place), attention / (entering + attention), fed / (entering + fed),
        moved / (length(first) + moved), 0 * word,
    ]  # fmt: skip
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert figure.plot.data[0]["text"][0][1].endswith(str(trace.tokens[1].id))
    assert decimal("de", float(moved[3]), 2) in figure.plot.data[0]["hovertext"][STEPS.index("layers")][3]


def test_the_decoders_stream_is_the_sum_of_what_is_added():
    stream = Stream.of(drawn(model="decoder")[1][0])
    attention = stream.trace.attention
    for layer in range(stream.depth - 1):  # behind the last one comes a normalisation
        after = stream.states[layer] + attention.attention_output[layer] + attention.feed_forward[layer]
        np.testing.assert_allclose(stream.states[layer + 1], after, atol=1e-4)


def test_the_encoders_layers_normalise_the_sums():
    stream, layer = Stream.of(drawn()[1][0]), 1
    block = registry.load("encoder").network.encoder.layer[layer]
    attention = stream.trace.attention
    with torch.inference_mode():
        middle = block.attention.output.LayerNorm(
            torch.tensor(stream.states[layer] + attention.attention_output[layer])
        )  # fmt: skip
        after = block.output.LayerNorm(middle + torch.tensor(attention.feed_forward[layer])).numpy()
    np.testing.assert_allclose(stream.states[layer + 1], after, atol=1e-4)


def test_every_layer_has_its_row_in_three_panels():
    _, (trace,), figure = drawn(show="layers", model="decoder")
    stream = Stream.of(trace)
    assert len(figure.plot.data) == len(PARTS) and not figure.links
    assert PARTS == ("attention", "feed_forward", "layer")
    entering, part = stream.states[:-1], trace.attention
    for added, panel in zip(
        (part.attention_output, part.feed_forward, np.diff(stream.states, axis=0)), figure.plot.data, strict=True
    ):
        before, more = np.linalg.norm(entering, axis=-1), np.linalg.norm(np.asarray(added), axis=-1)
        np.testing.assert_allclose(array(panel["z"]), more / (before + more), atol=1e-6)
        assert panel["text"][2][3] == percent("de", float(more[2, 3] / (before + more)[2, 3]))
    titles = [note["text"] for note in figure.plot.layout["annotations"]]
    pair = drawn(show="layers", model="decoder", vs="Der Hund biss den Mann")[2].plot.layout["annotations"]
    assert [note["text"] for note in pair][: len(PARTS)] == [f"{title} · {TEXT}" for title in titles]


def test_the_cosine_is_that_of_before_and_after():
    stream = Stream.of(drawn()[1][0])
    one, other = stream.states[1][3], stream.states[2][3]
    expected = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    assert stream.cosine(1, 1)[3] == pytest.approx(expected, rel=1e-5)
    assert f"{stream.cosine(0, 3)[1:-1].min():.2f}".replace(".", ",") in told(drawn()[2])


def test_the_encoder_fills_each_place_with_it_hidden():
    _, (trace,), figure = drawn()
    loaded = registry.load("encoder")
    ids = torch.tensor([[token.id for token in trace.tokens]])
    ids[0, 3] = tokenizer.MASK
    with torch.inference_mode():
        best = loaded.head(loaded.network(input_ids=ids).last_hidden_state)[0, 3].softmax(-1).max(-1)
    kind, said = outputs.outputs(trace, "de")
    assert kind == "filled" and [each.place for each in said] == [1, 2, 3, 4, 5]
    assert said[2].text == tokenizer.piece(int(best.indices))
    assert said[2].share == pytest.approx(float(best.values), rel=1e-4)  # of one text, not of a batch
    assert figure.plot.data[0]["text"][-1][3] == said[2].text


def test_of_two_sentences_only_what_each_layer_does_is_said():
    alone, beside = told(drawn()[2]), told(drawn(vs="Der Hund biss den Mann")[2])
    assert "Einheiten gehen durch" in alone and "Am Ende rät das Modell" in alone
    assert "Einheiten gehen" not in beside and "Am Ende" not in beside and beside.count("Am weitesten dreht sich") == 2


def test_the_decoder_says_the_next_word_after_each():
    _, (trace,), figure = drawn(model="decoder")
    kind, said = outputs.outputs(trace, "de")
    assert kind == "next" and [each.text for each in said] == [row[0] for row in trace.prediction.words]
    assert f"Nach „Hund“ kommt „{said[-1].text}“" in told(figure)


def test_the_translator_writes_english_at_the_words_it_looks_at():
    _, (trace,), figure = drawn(model="translator")
    kind, said = outputs.outputs(trace, "de")
    looked = np.asarray(trace.decoding.cross_attention)[-1].mean(0)
    assert kind == "english" and len(said) == len(trace.written.words) - trace.written.ended
    assert [each.place for each in said] == looked.argmax(1)[: len(said)].tolist()
    assert trace.written.sentence in told(figure)


def test_classifiers_say_a_class_and_names():
    _, (trace,), figure = drawn(model="encoder-intent", text="Stell einen Wecker auf sieben Uhr")
    kind, (said,) = outputs.outputs(trace, "de")
    assert kind == "class" and said.place == 0 and said.text in told(figure)
    assert said.share == pytest.approx(float(trace.classification.class_probabilities.max()))
    _, (trace,), figure = drawn(model="encoder-entities", text="Angela Merkel wohnt in Berlin.")
    assert outputs.outputs(trace, "de")[0] == "name" and "Berlin (Ort)" in told(figure)
    assert "keinen Namen" in told(drawn(model="encoder-entities")[2])


def test_each_row_leads_to_its_view():
    steps = ["tokens", "embedding_space", "positions", "attention_map", "pipeline", "hidden_states"]
    ends = {"encoder": ["next_word"], "decoder": ["next_word"], "translator": ["translation"]}
    for model, end in ends.items():
        names = [*steps, *end]
        links = drawn(model=model, layer=3)[2].links
        assert [link.view for link in links][: len(names)] == names
        assert links[3].query.layer == 3 and links[4].query.show == "layers"
        assert all(link.query.model in ("", model) and link.query.text == TEXT for link in links)
        assert [link.box[1] for link in links] == [row - 0.5 for row in range(len(links))]


def test_links_are_answered(client):
    for model in ("encoder", "decoder", "translator", "encoder-intent", "encoder-entities"):
        for link in drawn(model=model)[2].links:
            assert client.get(link.query.address(f"/de/{link.view}")).status_code == 200, link.view


def test_the_table_has_every_length():
    _, (trace,), figure = drawn(model="decoder")
    rows = list(figure.table.rows())
    assert len(rows) == figure.table.count == 4 * len(trace.tokens)
    row = next(row for row in rows if row[2] == 3 and row[6] == 2)
    assert row[8] == pytest.approx(float(np.linalg.norm(trace.attention.attention_output[1][3])), rel=1e-5)
    assert row[9] == pytest.approx(float(np.linalg.norm(trace.attention.feed_forward[1][3])), rel=1e-5)


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("model", ["encoder", "decoder", "translator"])
@pytest.mark.parametrize("show", ["steps", "layers"])
@pytest.mark.parametrize("options", ["", "&vs=Hallo+Welt", "&vs_model=encoder-intent&layer=3"])
def test_pages(client, lang, model, show, options):
    answer = client.get(f"/{lang}/pipeline?text=Der+Hund&model={model}&show={show}{options}")
    assert answer.status_code == 200


@pytest.mark.parametrize("text", ["a+" * 120, "😀", "[CLS]", "%3Cb%3E%26amp;"])
def test_long_and_odd_texts(client, text):
    for model in ("encoder", "translator"):
        assert client.get(f"/de/pipeline?text={text}&model={model}").status_code == 200


def test_a_run_of_the_pipeline_is_that_of_the_model_with_its_output():
    plain, whole = perform(Run("encoder", TEXT)), perform(Run("encoder", TEXT, "pipeline"))
    np.testing.assert_allclose(np.asarray(plain.states.hidden), np.asarray(whole.states.hidden), atol=1e-5)
    assert plain.filling is None and whole.filling is not None


def test_a_length_is_taken_once_however_many_words_there_are(monkeypatch):
    taken = []
    monkeypatch.setattr(pipeline, "lengths", lambda vectors: taken.append(1) or np.linalg.norm(vectors, axis=1))
    counts = []
    for text in (TEXT, " ".join([TEXT] * 9)):
        taken.clear()
        assert list(drawn(text=text)[2].table.rows())
        counts.append(len(taken))
    assert counts[0] == counts[1]


def test_one_word_is_not_the_one_that_turns_farthest():
    assert "Am weitesten" not in told(drawn(text="Hund")[2])
