"""Classification: probabilities are the raw networks', progress is runs on prefixes, contributions are real re-runs."""

import base64

import numpy as np
import pytest
import torch

from app.classes import contributions, said
from app.messages import percent, translate
from app.options import settled
from app.views import network_title
from app.views.classification import MODELS, ClassificationQuery, figure, unsure_of
from models import registry
from models.run import Change, Run, perform

TEXT = "Wie wird das Wetter morgen?"


def drawn(**stated):
    query = ClassificationQuery(**({"text": TEXT, "lang": "en"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


def values(trace):
    shape = [int(size) for size in trace["z"]["shape"].split(",")]
    return np.frombuffer(base64.b64decode(trace["z"]["bdata"]), np.float32).reshape(shape)


def told(found):
    return " ".join(message.text("en") for message in found.summary)


def called(name):
    return translate("en", f"class.{name}")


def raw(name, trace):
    """The class probabilities of the bare network."""
    network = registry.load(name).network
    ids = torch.tensor([[token.id for token in trace.tokens]])
    with torch.inference_mode():
        output = network(ids)
        if name.startswith("encoder"):
            output = output.logits
        elif name.split("-")[0] in ("rnn", "lstm", "gru"):
            output = network.logits(output)[:, -1]
    return output.softmax(-1)[0].numpy()


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_are_those_of_the_bare_network(name):
    trace = perform(Run(name, TEXT))
    assert said(trace).class_probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert said(trace).class_probabilities == pytest.approx(raw(name, trace), abs=1e-5)


def test_rows_are_networks_and_sum_to_one():
    _, traces, found = drawn()
    shown = values(found.plot.data[0])
    assert shown.shape == (6, 9) and shown.sum(1) == pytest.approx(np.ones(6), abs=1e-5)
    for row, trace in zip(shown, traces[::-1], strict=True):
        assert row.max() == pytest.approx(said(trace).class_probabilities.max())
    assert [trace.model for trace in traces[::-1]] == list(MODELS)
    assert "10" in found.plot.layout["xaxis"]["ticktext"][-1] and len(said(traces[0]).class_names) == 8 + 10
    answers = {said(trace).class_names[int(said(trace).class_probabilities.argmax())] for trace in traces}
    assert answers == {"weather"} and "All networks" in told(found) and "weather" in told(found)


def test_of_two_sentences_it_is_said_which_is_meant():
    alone, pair = (drawn(model="gru-intent", **vs)[2].summary for vs in ({}, {"vs": "Spiel Jazz"}))
    assert [message.values["sentence"] for message in (*alone, *pair)] == ["", "First sentence: ", "Second sentence: "]


def test_networks_that_differ_are_told_apart():
    _, traces, found = drawn(text="Der Mann biss den Hund")
    answers = {int(said(trace).class_probabilities.argmax()) for trace in traces}
    assert (len(answers) == 1) is ("All networks" in told(found))


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_progress_is_that_of_runs_on_prefixes(kind):
    _, (trace,), found = drawn(show="progress", of=kind)
    progress = said(trace).class_progress
    for place, token in enumerate(trace.tokens[1:], start=1):
        prefix = perform(Run(f"{kind}-intent", TEXT[: token.end]))
        assert [each.id for each in prefix.tokens] == [each.id for each in trace.tokens[: place + 1]]
        assert progress[place] == pytest.approx(said(prefix).class_probabilities, abs=1e-5)
    assert len(found.plot.playback) == len(trace.tokens)


@pytest.mark.parametrize(("text", "kind"), [("Mach die Musik leiser.", "gru"), ("Hallo", "gru"), (TEXT, "lstm")])
def test_the_word_is_named_from_which_on_the_answer_stays_ahead(text, kind):
    _, (trace,), found = drawn(text=text, show="progress", of=kind)
    progress, names = said(trace).class_progress, said(trace).class_names
    best = [names[place] for place in progress.argmax(1)]
    since = next(place for place in range(len(best)) if set(best[place:]) == {best[-1]})
    (message,) = found.summary
    ahead = "always" if not since else "last" if since == len(best) - 1 else "since"
    assert message.key.endswith(ahead) and message.values["name"] == called(best[-1])
    assert message.values["share"] == percent("en", progress[-1].max())
    if since:
        assert message.values["word"].strip("#") == trace.tokens[since].text.strip("#")
        assert message.values["then"] == percent("en", progress[since].max())
        assert message.values["before"] == called(best[since - 1])


@pytest.mark.parametrize(("show", "unsure"), [("models", "Bag of words, RNN"), ("progress", "RNN")])
def test_networks_whose_answer_stays_below_a_half_are_called_unsure(show, unsure):
    _, traces, found = drawn(text="Hallo", show=show, of="rnn")
    below = [trace.model for trace in traces[::-1] if said(trace).class_probabilities.max() < 0.5]
    assert ", ".join(network_title(name, "en") for name in below) == unsure
    assert found.summary[1].text("en") == f"Unsure, below 50%: {unsure}. The sentence may fit none of the 18 topics."


def test_one_network_says_what_it_finds_with_and_without_the_word():
    _, (trace,), found = drawn(text="Spiel Jazz", show="words", model="lstm-intent")
    best = int(said(trace).class_probabilities.argmax())
    without = perform(Run(trace.model, trace.text, change=Change("erased", 1))).classification.class_probabilities[best]
    shares = [percent("en", float(share)) for share in (said(trace).class_probabilities[best], without)]
    assert "“Spiel” (LSTM, topic “playing”: {1} instead of {0})".format(*shares) in told(found)
    assert [row[1] for row in drawn(show="words", model="lstm-intent", vs="Jazz")[2].table.rows()][-1] == 2
    assert list(found.table.rows())[0][-2:] == pytest.approx(
        (without, said(trace).class_probabilities[best] - without), abs=1e-6
    )


def test_contributions_are_what_a_real_run_without_the_word_loses():
    _, traces, found = drawn(show="words")
    assert [message.key for message in found.summary] == ["classification.summary.erasure"]
    for row, trace in zip(values(found.plot.data[0]), traces[::-1], strict=True):
        whole = perform(Run(trace.model, TEXT)).classification.class_probabilities
        best = int(whole.argmax())
        places = [place for place, token in enumerate(trace.tokens) if not token.special]
        lost = [
            whole[best] - perform(Run(trace.model, TEXT, change=Change("erased", place))).classification
            .class_probabilities[best]
            for place in places
        ]  # fmt: skip
        assert contributions(trace) == pytest.approx(100 * np.array(lost), abs=1e-3)
        assert row == pytest.approx(100 * np.array(lost), abs=1e-3)
        strongest = trace.text[trace.tokens[places[int(np.abs(lost).argmax())]].start :]
        if max(map(abs, lost)) >= 0.005:
            assert f"“{strongest.split()[0].strip('?')}" in told(found)


def test_gradient_times_input_is_drawn_where_it_is_asked_for():
    query, traces, found = drawn(show="words", by="gradient_input")
    assert {run.experiment for run in query.runs()} == {"gradient_input"}
    for row, trace in zip(values(found.plot.data[0]), traces[::-1], strict=True):
        own = [trace.slope.gradient_input[place] for place, token in enumerate(trace.tokens) if not token.special]
        assert row == pytest.approx(own, abs=1e-6)
        assert trace.erasure is None
        strongest = trace.text[trace.tokens[int(np.nanargmax(np.abs(trace.slope.gradient_input)))].start :]
        name, word = network_title(trace.model, "en"), strongest.split()[0].strip("?")
        named = [part for part in told(found).split("; ") if f"“{word}” (" in part and name in part.split("(")[-1]]
        assert bool(named) is bool(max(map(abs, own)) >= 0.1)
    assert "Encoder" in told(found) and "gradient × input" in told(found)
    assert {run.experiment for run in ClassificationQuery(by="gradient_input").runs()} == {"forward"}


def test_a_bag_of_words_does_not_see_the_order():
    _, traces, _ = drawn(vs="morgen Wetter das wird Wie?")
    first, second = (trace for trace in traces if trace.model == "bag_of_words-intent")
    assert (said(first).class_probabilities == said(second).class_probabilities).all()


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize(
    "options",
    [
        "",
        "&show=progress&of=gru",
        "&show=words",
        "&vs=Spiel+Musik",
        "&show=words&vs=!",
        "&show=words&by=gradient_input&vs=!",
    ],
)
def test_pages(client, lang, options):
    assert client.get(f"/{lang}/classification?text=Wie+wird+das+Wetter{options}").status_code == 200


def test_two_networks_are_both_and_a_threshold_that_is_written_is_reached():
    assert told(drawn(model="lstm-intent", vs_model="gru-intent", text="Hund")[2]).startswith("Both networks say")
    assert [unsure_of(share) for share in (0.494, 0.496, 0.5)] == [True, False, False]
