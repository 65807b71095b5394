"""Next word: the distribution against the model itself, temperature by hand, and the text that goes on."""

import numpy as np
import pytest
import torch

from app import views
from app.query import settled
from app.views.next_word import NextWordQuery, joined, tempered
from models import registry, tokenizer
from models.run import perform

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
    np.testing.assert_allclose(-logs[np.arange(len(ids) - 1), ids[1:]], trace.prediction.loss[1:], atol=1e-4)
    assert (logs[-1].argsort()[::-1][:3] == trace.prediction.ids[-1][:3]).all()


def test_a_prefix_is_asked_as_if_it_were_the_text():
    whole = drawn(after=3)[1][0].expectation.log_probabilities[3]
    prefix = drawn(text="Der Mann biss")[1][0].expectation.log_probabilities[-1]
    np.testing.assert_allclose(whole, prefix, atol=1e-4)


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


def test_a_click_appends_the_piece():
    query, traces, figure = drawn()
    assert figure.links and all(link.view == "next_word" for link in figure.links)
    for link in figure.links:
        assert link.query.text.startswith(TEXT) and len(link.query.text) > len(TEXT) and link.query.after is None
    run = type("Run", (), {"trace": traces[0], "place": 5})
    assert [joined(run, piece) for piece in ("Haus", "##e", ".", "[SEP]")] == [
        f"{TEXT} Haus",
        f"{TEXT}e",
        f"{TEXT}.",
        None,
    ]
    assert joined(type("Run", (), {"trace": traces[0], "place": 0}), "Es") == "Es"


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


def test_a_wrong_place_is_told(client):
    answer = client.get("/de/next_word.json?text=Hund&after=9")
    assert answer.status_code == 422 and answer.json()["error"]["field"] == "after"
