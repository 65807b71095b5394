"""Next word: the distribution against the model itself, temperature by hand, and the text that goes on."""

import numpy as np
import pytest
import torch

from app import views
from app.guesses import NextWordQuery, tempered
from app.messages import whole
from app.options import settled
from app.views.next_word import joined, replaced
from models import registry, tokenizer
from models.run import Run, perform

TEXT = "Der Mann biss den Hund"


def drawn(**stated):
    query = NextWordQuery(**({"model": "decoder", "text": TEXT} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, views.catalogue()["next_word"].figure(query, traces)


@pytest.mark.parametrize("model", ["decoder", "gru", "lstm", "rnn"])
def test_the_distribution_is_the_models_own(model):
    (trace,) = drawn(model=model)[1]
    logs = trace.expectation.log_probabilities
    np.testing.assert_allclose(np.exp(logs).sum(1), 1, atol=1e-4)
    ids = [token.id for token in trace.tokens]
    said = perform(Run(model, trace.text)).prediction
    np.testing.assert_allclose(-np.asarray(logs)[np.arange(len(ids) - 1), ids[1:]], said.loss[1:], atol=1e-4)
    assert (logs[-1].argsort()[::-1][:3] == said.ids[-1][:3]).all()


def test_a_prefix_is_asked_as_if_it_were_the_text():
    whole = drawn(after=3)[1][0].expectation.log_probabilities[3]
    prefix = drawn(text="Der Mann biss")[1][0].expectation.log_probabilities[-1]
    np.testing.assert_allclose(whole, prefix, atol=1e-4)


def test_a_question_is_told_that_a_text_goes_on_and_is_not_answered():
    _, _, ended = drawn(text="Warum ist der Himmel blau?", lang="en")
    assert "“after” shows what might follow" in ended.summary[-1].text("en")
    _, _, twice = drawn(text="Warum ist der Himmel blau?", vs="Ist der Himmel blau?", lang="en")
    assert [message.key for message in twice.summary].count("next_word.summary.end") == 1
    _, _, open_ = drawn(text="Warum ist der Himmel", lang="en")
    assert not any("[SEP]" in message.text("en") for message in open_.summary)


@pytest.mark.parametrize(("temperature", "told"), [(0.1, "next_word.entropy.none"), (3, "next_word.entropy")])
def test_a_model_that_is_all_but_certain_is_not_called_undecided(temperature, told):
    _, _, found = drawn(text="Warum ist der Himmel blau?", temperature=temperature)
    assert told in [message.key for message in found.summary]


@pytest.mark.parametrize("temperature", [0.1, 0.7, 1, 3])
def test_temperature_divides_the_logits(temperature):
    query, (trace,), _ = drawn(temperature=temperature)
    loaded = registry.load("decoder")
    with torch.inference_mode():
        logits = loaded.call(torch.tensor([[token.id for token in trace.tokens]]))[1][-1]
    expected = (logits.double() / temperature).softmax(-1).numpy()
    np.testing.assert_allclose(np.exp(tempered(trace.expectation.log_probabilities[-1], query)), expected, atol=1e-6)


def test_bars_and_table_are_the_likeliest_pieces():
    _, (trace,), figure = drawn(k=4, temperature=0.5)
    rows = list(figure.table.rows())
    logs = trace.expectation.log_probabilities[-1].astype(float) / 0.5
    shares = np.exp(logs - np.logaddexp.reduce(logs))
    best = np.argsort(-shares)[:4]
    assert [row[4] for row in rows] == best.tolist()
    assert [row[5] for row in rows] == pytest.approx(shares[best])
    assert [row[3] for row in rows] == [tokenizer.piece(int(piece)) for piece in best]


def test_two_runs_stand_at_the_same_pieces():
    _, _, figure = drawn(vs="Der Hund biss den Mann", vs_model="gru", k=3)
    rows = list(figure.table.rows())
    first, second = ([row[4] for row in rows if row[1] == run] for run in (1, 2))
    assert first == second and 3 <= len(first) <= 6
    numbered = ["text" in bar for k in (3, 10) for bar in drawn(vs="Der Hund biss den Mann", k=k)[2].plot.data]
    assert numbered == [True, True, False, False]


def test_a_click_appends_the_piece():
    query, traces, figure = drawn()
    assert figure.links and all(link.view == "next_word" for link in figure.links)
    for link in figure.links:
        assert link.query.text.startswith(TEXT) and len(link.query.text) > len(TEXT) and link.query.after is None
    run = type("Run", (), {"trace": traces[0], "place": 5, "behind": False})
    assert [joined(run, piece) for piece in ("Haus", "##e", ".", "[SEP]")] == [
        f"{TEXT} Haus",
        f"{TEXT}e",
        f"{TEXT}.",
        None,
    ]
    assert joined(type("Run", (), {"trace": traces[0], "place": 0, "behind": False}), "Es") == "Es"


def test_summary_tells_what_really_came():
    _, (trace,), figure = drawn(after=1)
    told = figure.summary[-1].text("de")
    share = float(np.exp(trace.expectation.log_probabilities[1, trace.tokens[2].id]))
    assert "„Mann“" in told and f"{100 * share:.0f}".replace(".", ",") in told


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize(
    "options", ["", "&after=0", "&temperature=0.1&k=1", "&k=25&temperature=3", "&model=rnn", "&vs=Hallo"]
)
def test_pages(client, lang, options):
    assert client.get(f"/{lang}/next_word?text=Der+Mann{options}").status_code == 200


@pytest.mark.parametrize("wrong", ["temperature=0", "temperature=3.1", "k=0", "k=26"])
def test_what_cannot_be_drawn_is_refused(client, wrong):
    answer = client.get(f"/de/next_word.json?text=Hund&{wrong}")
    assert answer.status_code == 422 and answer.json()["error"]["field"] == wrong.partition("=")[0]


def test_a_decoder_has_no_word_to_hide(client):
    answer = client.get("/de/next_word.json?text=Hund&word=1")
    assert answer.status_code == 422 and answer.json()["error"]["field"] == "word"


def filling(**stated):
    return drawn(**({"model": "encoder"} | stated))


@pytest.mark.parametrize("word", [1, 3, 5])
def test_the_encoder_is_asked_with_the_word_hidden_from_it(word):
    query, (trace,), figure = filling(word=word, temperature=0.5)
    loaded = registry.load("encoder")
    ids = torch.tensor([[token.id for token in trace.tokens]])
    ids[0, word] = tokenizer.MASK
    with torch.inference_mode():
        logits = loaded.head(loaded.network(input_ids=ids).last_hidden_state)[0, word].double()
    expected = (logits / 0.5).softmax(-1).numpy()
    logs = trace.expectation.log_probabilities
    np.testing.assert_allclose(np.exp(tempered(logs[word], query)), expected, atol=1e-5)
    assert np.isnan(np.delete(logs, word, axis=0)).all() and trace.change == f"masked({word})"
    best = np.argsort(-expected)[:10]
    assert [row[4] for row in figure.table.rows()] == best.tolist()


def test_the_hidden_word_has_no_say():
    for text in ("Der Mann sah den Hund", "Der Mann biss den Hund"):
        logs = filling(text=text, word=3)[1][0].expectation.log_probabilities[3]
        np.testing.assert_allclose(np.exp(logs).sum(), 1, atol=1e-4)
    first, second = (filling(text=text, word=3)[1][0].expectation.log_probabilities[3]
                     for text in ("Der Mann sah den Hund", TEXT))  # fmt: skip
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_it_tells_what_stands_there_and_that_it_was_hidden():
    _, (trace,), figure = filling()  # the third word
    said = " ".join(message.text("de") for message in figure.summary)
    logs = trace.expectation.log_probabilities[3]
    rank = int((logs > logs[trace.tokens[3].id]).sum())
    assert "„biss“ ist verdeckt" in said and f"Rang {whole('de', rank + 1)})" in said
    assert figure.plot.layout["xaxis"]["title"]["text"] == "Der Mann [MASK] den Hund"


def test_a_click_puts_the_word_in_that_place():
    figure = filling(word=3)[2]
    for link in figure.links:
        before, behind = link.query.text[:8], link.query.text[-9:]
        assert (before, behind) == ("Der Mann", " den Hund") and link.query.word in (3, None)
        assert "einsetzen" in link.label.text("de")


@pytest.mark.parametrize(
    ("text", "place", "piece", "expected"),
    [
        ("Der Mann lacht.", 3, "weint", "Der Mann weint."),
        ("Der Mann lacht.", 4, "!", "Der Mann lacht!"),
        ("Der Mann lacht.", 4, "laut", "Der Mann lacht laut"),
        ("Der Mann lacht.", 2, "##mann", "Dermann lacht."),
        ("Der Mann lacht.", 2, ",", "Der, lacht."),
        ("Der Mann lacht.", 3, "[SEP]", None),
        ("Hund", 1, "Der", "Der"),
        ("U-Bahn", 2, "und", "U und Bahn"),
    ],
)
def test_replacing(text, place, piece, expected):
    tokens = tokenizer.tokenize(text, 99, end=True)
    run = type("Run", (), {"trace": type("Trace", (), {"tokens": tokens, "text": text}), "place": place})
    assert replaced(run, piece) == expected


def test_the_same_word_is_hidden_in_a_second_sentence():
    _, traces, figure = filling(word=3, vs="Hund den biss Mann Der heute")
    assert [trace.change for trace in traces] == ["masked(3)", "masked(3)"]
    assert {row[2] for row in figure.table.rows()} == {"biss"}
    assert filling(word=5, vs="Hund den biss Mann Der")[1][1].change == "masked(1)"
    assert filling(word=5, vs="Der Mann")[1][1].change == "masked(2)"


def test_decoder_and_encoder_are_asked_for_the_same_place():
    _, traces, figure = drawn(after=2, vs_model="encoder")
    assert traces[1].change == "masked(3)"
    assert {(row[1], row[2]) for row in figure.table.rows()} == {(1, "Mann"), (2, "biss")}
    _, traces, figure = filling(word=3, vs_model="decoder")
    assert {(row[1], row[2]) for row in figure.table.rows()} == {(1, "biss"), (2, "Mann")}


def test_behind_the_text_a_place_is_made():
    _, traces, figure = drawn(vs_model="encoder")
    ids = [token.id for token in traces[1].tokens]
    ids = torch.tensor([[*ids[:-1], tokenizer.MASK, ids[-1]]])
    loaded = registry.load("encoder")
    with torch.inference_mode():
        expected = loaded.head(loaded.network(input_ids=ids).last_hidden_state)[0, -2].log_softmax(-1).numpy()
    np.testing.assert_allclose(traces[1].expectation.log_probabilities[-1], expected, atol=1e-4)
    assert "next_word.behind.summary" in [message.key for message in figure.summary]


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize(
    "options", ["", "&word=1", "&temperature=0.1&k=1", "&vs=Hallo&word=2", "&vs_model=gru", "&vs_model=encoder"]
)
def test_pages_of_the_encoder(client, lang, options):
    answer = client.get(f"/{lang}/next_word?text=Der+Mann{options}&model=encoder")
    assert answer.status_code == 200 and "[MASK]" in answer.text


def test_texts_say_which_of_the_two_the_model_does(client):
    encoder, decoder = (client.get(f"/de/next_word?text=Hund&model={model}").text for model in ("encoder", "decoder"))
    assert "Welches Wort steht hier?" in encoder and "Was kommt als Nächstes?" in decoder
    assert "Einsetzen" in encoder and "Weiterschreiben" not in encoder.split("places")[-1].split("</nav>")[0]


def test_wrong_places_of_the_encoder_are_told(client):
    address = "/de/next_word.json?text=Hund&model=encoder"
    for wrong in ("word=9", "word=2"):  # 2 is [SEP]
        answer, usual = client.get(f"{address}&{wrong}").json(), client.get(address).json()
        assert wrong[-1] in answer["summary"] and answer["figure"] == usual["figure"]
    answer = client.get(f"{address}&after=1")
    assert answer.status_code == 422 and answer.json()["error"]["field"] == "after"


@pytest.mark.parametrize("text", ["a+" * 300, "😀", "%00", "a+" * 120])
def test_odd_texts_of_the_encoder(client, text):
    assert client.get(f"/de/next_word?text={text}&model=encoder").status_code in (200, 422)


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("temperature", [0.1, 1.0, 3.0])
def test_the_axis_speaks_in_percent_as_the_bars_do(lang, temperature):
    axis = drawn(lang=lang, temperature=temperature)[2].plot.layout["yaxis"]
    said = dict(zip(axis["tickvals"], axis["ticktext"], strict=True))
    assert 3 <= len(said) == len(set(said.values())) <= 7
    for value, text in said.items():
        number = float(text.removesuffix("%").strip().replace(",", ".")) / 100
        assert number == pytest.approx(value, abs=1e-9) and value <= axis["range"][1]
