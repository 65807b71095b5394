"""Training: every snapshot's attention, guesses and losses are those of single runs of that very model."""

import base64

import numpy as np
import pytest
import torch

from app import views
from app.options import settled
from app.views import model_title
from app.views.training import TrainingQuery, figure, guesses, mean_loss, snapshots
from models import record, registry
from models.run import Run, perform
from models.tokenizer import MASK

TEXT = "Der Mann biss den Hund"


def drawn(**stated):
    query = TrainingQuery(**({"text": TEXT, "lang": "en"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


def values(trace, name="z"):
    shape = [int(size) for size in trace[name]["shape"].split(",")]
    return np.frombuffer(base64.b64decode(trace[name]["bdata"]), np.float32).reshape(shape)


def test_the_snapshots_come_in_the_order_of_the_training():
    steps = list(snapshots().values())
    assert steps == sorted(steps) and steps[0] == 0 and list(snapshots())[-1] == "encoder" and len(steps) >= 5


def test_a_server_without_the_encoder_has_its_snapshots(monkeypatch):
    others = {name: model for name, model in registry.catalogue().items() if name != "encoder"}
    whole = snapshots()
    monkeypatch.setattr(registry, "catalogue", lambda: others)
    assert list(snapshots()) == list(whole)[:-1]


def test_an_encoder_without_a_learning_curve_has_no_place_among_its_snapshots(monkeypatch):
    whole = snapshots()
    monkeypatch.setattr(record, "training", lambda _: None)
    assert list(snapshots()) == list(whole)[:-1]


@pytest.mark.parametrize("name", ["encoder@0", "encoder"])
def test_losses_are_those_of_one_masked_reading_each(name):
    trace = perform(Run(name, TEXT, "masked"))
    loaded = registry.load(name)
    for place in range(1, 6):
        ids = torch.tensor([[token.id for token in trace.tokens]])
        ids[0, place] = MASK
        with torch.inference_mode():
            state = loaded.network(input_ids=ids).last_hidden_state[0, place]
            likely = loaded.head(state[None])[0].double().log_softmax(-1)
        assert trace.filling.masked_loss[place] == pytest.approx(-float(likely[trace.tokens[place].id]), abs=1e-4)
        best = likely.topk(5)
        assert trace.filling.masked_ids[place].tolist() == best.indices.tolist()
        assert trace.filling.masked_probabilities[place] == pytest.approx(best.values.exp().numpy(), abs=1e-5)
    assert np.isnan(trace.filling.masked_loss[[0, 6]]).all()


def test_a_frame_for_each_snapshot_beside_the_map_before_training():
    query, traces, found = drawn(layer=3, head=3)
    steps = snapshots()
    still, *frames = found.plot.data
    assert "meta" not in still
    assert [frame["meta"]["frame"] for frame in frames] == list(range(len(steps)))
    assert [frame["visible"] for frame in frames] == [False] * (len(steps) - 1) + [True]
    assert len(found.plot.playback) == len(steps)
    for frame, name in zip(frames, steps, strict=True):
        own = np.asarray(perform(Run(name, TEXT)).attention.attention)[2, 2, 1:-1, 1:-1]
        assert values(frame) == pytest.approx(own / own.sum(1, keepdims=True), abs=1e-6)
    assert values(still) == pytest.approx(values(frames[0]))
    before, after = (values(frame).max(1).mean() for frame in (frames[0], frames[-1]))
    assert before < 0.25 < 0.8 < after  # learned, in plain sight
    assert f"{100 * before:.0f}%" in found.summary[0].text("en") and f"{100 * after:.0f}%" in found.summary[0].text(
        "en"
    )


def test_guesses_and_the_right_word_at_each_snapshot():
    query, traces, found = drawn(show="guesses", word=4)
    (panel,) = found.plot.data
    assert values(panel).shape == (6, len(snapshots()))
    for column, trace in enumerate(traces):
        assert [row[column] for row in panel["text"][:5]] == [guess for guess, _ in guesses(trace, 4)]
        assert panel["hovertext"][0][column].startswith(f"“{guesses(trace, 4)[0][0]}”: ")
        assert values(panel)[5, column] == pytest.approx(np.exp(-trace.filling.masked_loss[4]))
    assert "“den”" in found.summary[0].text("en")


def test_the_loss_stands_over_the_updates():
    _, traces, found = drawn(show="loss")
    assert found.plot.layout["xaxis"]["type"] == "log"
    assert found.plot.data[0]["y"] == pytest.approx([mean_loss(trace) for trace in traces])
    assert found.plot.data[0]["x"] == [10, *list(snapshots().values())[1:]] and found.plot.data[0]["meta"]["walked"]
    assert found.plot.layout["xaxis"]["ticktext"][0] == "0"
    assert mean_loss(traces[-1]) < mean_loss(traces[0]) - 2
    (told,) = [message.values for message in found.summary if message.key.startswith("training.summary.loss")]
    assert [told["before"], told["after"]] == [f"{mean_loss(traces[place]):.2f}" for place in (0, -1)]


def test_the_start_alone_has_an_axis_too():
    _, _, found = drawn(show="loss", model="encoder@0")
    low, high = found.plot.layout["xaxis"]["range"]
    assert np.isfinite([low, high]).all() and low < high


def test_two_sentences_and_their_difference_at_each_step():
    _, traces, found = drawn(vs="Der Hund biss den Mann")
    assert len(found.plot.data) == 3 * len(snapshots()) and len(traces) == 2 * len(snapshots())
    assert [traces[place].model for place in found.token_runs] == ["encoder", "encoder"]
    assert len(found.summary) == 2 and all("gets" in each.text("en") for each in found.summary)
    assert all("−log\u00a0p" in each.text("en") for each in drawn(show="loss", vs="Der Hund")[2].summary)
    largest = max(np.abs(values(trace)).max() for trace in found.plot.data if trace["coloraxis"] == "coloraxis2")
    assert found.plot.layout["coloraxis2"]["cmax"] == pytest.approx(largest)


@pytest.mark.parametrize("text", ["weil", "!", "👩‍🚀", "Der Hund " * 120])
@pytest.mark.parametrize("show", ["attention", "guesses", "loss"])
def test_any_text_is_answered(text, show):
    _, traces, found = drawn(text=text, show=show)
    assert all(message.text("en") for message in found.summary)
    assert len(list(found.table.rows())) == found.table.count
    if len(text) > 100:
        assert "64 of its 240 pieces" in found.summary[-1].text("en")


@pytest.mark.parametrize("snapshot", [name for name in snapshots() if name != "encoder"])
def test_every_other_view_of_the_encoder_takes_a_snapshot(client, snapshot):
    alike = {"order", "speed", "training"}  # its yardstick is that of the finished weights; as fast; all of them
    fitting = [view for view in views.catalogue().values() if "encoder" in view.models and view.name not in alike]
    assert len(fitting) >= 10
    for view in fitting:
        assert client.get(f"/de/{view.name}?text=Der+Hund&model={snapshot}").status_code == 200, view.name


@pytest.mark.parametrize("lang", ["de", "en"])
def test_pages(client, lang):
    for options in ("", "&show=guesses&word=2", "&show=loss", "&vs=Der+Hund", "&vs="):
        status = client.get(f"/{lang}/training?text=Der+Mann{options}").status_code
        assert status == (422 if options == "&vs=" else 200)


def test_snapshots_are_named_with_their_thousands_set_apart():
    assert model_title("encoder@2000", "de") == "Encoder nach 2.000 Schritten"
    assert model_title("encoder@2000", "en").split()[2] == "2,000"
