"""Speed: curves and sentences are those of hand-made measurements with known numbers; one real one for the page."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import torch

from app import tradeoffs
from app.address import read
from app.options import settled
from app.pace import Network, amount, rounded
from app.views.speed import ATTEMPTS, SpeedQuery, figure
from models.run import Run, perform
from models.timing import LENGTHS
from models.trace import Check, Machine, Timing, Token, Trace

SHOWS = ("time", "one_more", "memory", "operations", "ratios")
STEPS = np.arange(1, 257)


def made(model, *, whole, step=None, kept, maps=None, linear, quadratic=0, text="Der Hund", attempt=0):
    """A trace with these seconds for whole texts and single words, one for each length or place."""
    lengths = np.array(LENGTHS)
    timing = Timing(
        attempt=attempt, measured_at=datetime(2026, 11, 25, 9, 5, tzinfo=UTC), machine=Machine(2, "2.13.0"),
        lengths=lengths, seconds=(whole(lengths)[:, None] * [0.5, 1, 1, 1, 4]).astype(np.float32),
        step_seconds=None if step is None else (step(STEPS)[None] * [[1], [1]]).astype(np.float32),
        kept_bytes=kept(lengths).astype(np.int64),
        map_bytes=(maps(lengths) if maps else 0 * lengths).astype(np.int64), linear=linear, quadratic=quadratic,
        core_parameters=linear,
    )  # fmt: skip
    tokens = tuple(Token(word, number, 0, len(word), special=False) for number, word in enumerate(text.split()))
    return Trace(model=model, text=text, tokens=tokens, check=Check(0.0, "NumPy"), timing=timing)


def lstm(**more):
    """Grows with T, 0.1 ms a token; a word more costs 1 ms at any place."""
    parts = {"whole": lambda t: 1e-4 * t, "step": lambda t: 1e-3 + 0 * t, "kept": lambda t: 3_000 + 0 * t}
    return made("lstm", linear=1_000, **(parts | more))


def decoder(**more):
    """Grows with T²; a word more costs 1 ms and 1 µs for each before it."""
    parts = {"whole": lambda t: 1e-5 * t**2, "step": lambda t: 1e-3 + 1e-5 * t, "kept": lambda t: 6_000 * t,
             "maps": lambda t: 64 * t**2, "linear": 6_000, "quadratic": 10}  # fmt: skip
    return made("decoder", **(parts | more))


def values(trace, name):
    found = trace[name]
    return np.frombuffer(base64.b64decode(found["bdata"]), np.float32) if isinstance(found, dict) else np.array(found)


def curves(found):
    """The named curves of a figure: x and y."""
    return {
        trace["name"]: (values(trace, "x"), values(trace, "y"))
        for trace in found.plot.data
        if trace["name"] and trace["mode"] != "text" and trace["line"]["dash"] != "dot"
    }


def drawn(*traces, lang="en", **stated):
    return figure(SpeedQuery(**({"model": traces[0].model, "lang": lang} | stated)), list(traces))


def sentence(found, lang="en"):
    return " ".join(message.text(lang) for message in found.summary).replace("\u00a0", " ")


def test_times_are_medians_in_milliseconds():
    found = curves(drawn(lstm(), decoder()))
    assert set(found) == {
        f"{network}, {way}" for network in ("LSTM", "Decoder") for way in ("one call", "word by word")
    }
    x, y = found["LSTM, one call"]
    assert x.tolist() == list(LENGTHS) and y == pytest.approx([0.1 * length for length in LENGTHS], rel=1e-5)
    assert found["LSTM, word by word"][1] == pytest.approx(LENGTHS, rel=1e-5)
    assert found["Decoder, word by word"][1][0] == pytest.approx(8 + 0.01 * 36, rel=1e-5)


def test_strokes_span_the_middle_eight_tenths():
    strokes = [trace for trace in drawn(lstm(), decoder()).plot.data if not trace["name"]]
    first = values(strokes[0], "y").reshape(-1, 3)
    spread = np.quantile([0.5, 1, 1, 1, 4], (0.1, 0.9))
    assert first[:, :2] == pytest.approx(np.outer([0.1 * length for length in LENGTHS], spread), rel=1e-4)
    assert np.isnan(first[:, 2]).all()


def test_the_growth_is_told_as_an_exponent():
    told = sentence(drawn(lstm(), decoder()))
    assert "LSTM 1.0; Decoder 2.0" in told and "LSTM 26 ms and 256 ms; Decoder 655 ms and 585 ms" in told
    assert "LSTM 1,0; Decoder 2,0" in sentence(drawn(lstm(), decoder(), lang="de"), "de")


def test_both_answers_to_the_course_can_come_out():
    assert "Unlike in the lecture’s table, the decoder is slower than the LSTM" in sentence(drawn(lstm(), decoder()))
    fast = decoder(whole=lambda t: 1e-6 * t)
    for pair in ((lstm(), fast), (fast, lstm())):
        assert "As in the lecture’s table, the decoder is faster than the LSTM" in sentence(drawn(*pair))
    assert "table" not in sentence(drawn(lstm(), replace(lstm(), model="gru")))


def test_one_more_word_is_taken_from_the_last_quarter():
    found = drawn(lstm(), decoder(), show="one_more")
    assert curves(found)["LSTM, one more word"][1] == pytest.approx([1] * 6, rel=1e-5)
    expected = [1 + 0.01 * np.median(STEPS[length - length // 4 : length]) for length in LENGTHS]
    assert curves(found)["Decoder, one more word"][1] == pytest.approx(expected, rel=1e-5)
    assert curves(found)["Decoder, all read again"][1] == pytest.approx(
        [0.01 * length**2 for length in LENGTHS], rel=1e-5
    )
    assert "takes 3.0 times as long after 256 tokens" in sentence(found) and "30% of the operations" in sentence(found)
    flat = sentence(drawn(lstm(), decoder(step=lambda t: 1e-3 + 0 * t), show="one_more"))
    assert "does not show it clearly (median: 1.0 times)" in flat
    noisy = decoder(step=lambda t: (1e-3 + 1e-5 * t) * np.where(t % 2, 1, 6))
    assert "does not show it clearly" in sentence(drawn(lstm(), noisy, show="one_more"))


def test_an_encoder_reads_everything_again():
    encoder = replace(decoder(step=None), model="encoder")
    assert encoder.timing.step_seconds is None
    found = drawn(lstm(), encoder, show="one_more", vs_model="encoder")
    assert set(curves(found)) == {"LSTM, one more word", "Encoder, all read again"}
    assert "The encoder cannot read on" in sentence(found)
    assert "Encoder 655 ms" in sentence(drawn(lstm(), encoder, vs_model="encoder"))


def test_memory_is_what_the_arrays_take():
    found = drawn(lstm(), decoder(), show="memory")
    assert curves(found)["LSTM, state"][1].tolist() == [3_000] * 6
    assert curves(found)["Decoder, keys and values"][1].tolist() == [6_000 * length for length in LENGTHS]
    assert curves(found)["Decoder, attention maps"][1].tolist() == [64 * length**2 for length in LENGTHS]
    assert "512 times as much" in sentence(found) and "3.0 kB" in sentence(found) and "1.5 MB" in sentence(found)


def test_operations_come_from_the_formula_and_go_beyond_what_is_measured():
    found = drawn(lstm(), decoder(), show="operations")
    x, y = curves(found)["Decoder, all"]
    assert x.tolist() == [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
    assert y == pytest.approx([6_000 * length + 10 * length**2 for length in x], rel=1e-6)
    assert curves(found)["Decoder, T² only"][1] == pytest.approx(10 * x**2, rel=1e-6)
    told = sentence(found)
    assert "LSTM 256 thousand; Decoder 2.2 million" in told and "30% of that" in told
    assert "more than half only from 600 tokens on" in told and "From 100 tokens on" in told


def test_ratios_point_to_the_network_that_needs_more():
    found = drawn(lstm(), decoder(), show="ratios")
    x, _ = curves(found)["Decoder needs more"]
    expected = [14_615 / 5_610, 6, (6_000 + 2_560) / 1_000, 512, 1 + 0.01 * 224.5, 25.6]
    assert x == pytest.approx(expected, rel=1e-4)
    back = drawn(decoder(), lstm(), show="ratios", vs_model="lstm")
    assert curves(back)["Decoder needs more"][0] == pytest.approx(1 / x)
    names = [trace["text"] for trace in found.plot.data if trace["name"] == "" and "text" in trace]
    assert names[-1] == ["\u2002reading 256 tokens: 655\u00a0ms against 26\u00a0ms"] and len(names) == len(x)
    assert "needs more than the LSTM" in sentence(found) and "needs less than the decoder" in sentence(back)


def test_names_stand_at_the_ends_of_the_curves():
    found = drawn(lstm(), decoder())
    labels = [trace for trace in found.plot.data if trace["mode"] == "text"]
    assert [trace["text"] for trace in labels] == [
        [f"\u2002{network}<br>\u2002{way}"] for network in ("LSTM", "Decoder") for way in ("one call", "word by word")
    ]
    heights = np.sort([np.log(values(trace, "y")[0]) for trace in labels])
    low, high = found.plot.layout["yaxis"]["range"]
    assert (np.diff(heights) > 0.12 * (high - low) * np.log(10)).all() and not found.plot.layout["showlegend"]


def test_the_length_of_each_sentence_is_marked():
    texts = ("Der Hund", "Der Mann biss den Hund")
    traces = [make(text=text) for text in texts for make in (lstm, decoder)]
    found = drawn(*traces, text=texts[0], vs=texts[1])
    marks = [trace for trace in found.plot.data if trace.get("line", {}).get("dash") == "dot"]
    assert [set(values(mark, "x")) for mark in marks] == [{2}, {5}]
    assert texts[1] in marks[1]["hovertext"][0] and marks[0]["text"][1].split() == ["sentence", "1:<br>", "2", "tokens"]
    assert found.table.count == 12 and list(found.token_runs) == [0, 2]
    assert found.plot.layout["xaxis"]["range"][0] < np.log10(2)


def test_the_second_network_is_of_the_other_kind_if_nothing_else_is_asked():
    assert SpeedQuery(model="gru").networks == ("gru", "decoder")
    assert SpeedQuery(model="encoder").networks == ("encoder", "lstm")
    assert SpeedQuery(model="lstm", vs_model="gru").networks == ("lstm", "gru")
    assert SpeedQuery(model="lstm", vs_model="lstm").networks == ("lstm",)
    two = SpeedQuery(model="lstm", text="a", vs="b", again=3).runs()
    assert two == [Run(name, text, "timing", attempt=3) for text in "ab" for name in ("lstm", "decoder")]


def test_a_measurement_can_be_made_anew():
    query = read(SpeedQuery, b"model=lstm", "de")
    assert settled(query, lstm()).again == 0
    assert settled(read(SpeedQuery, b"again=4", "de"), lstm(attempt=4)).again == 4
    choices = SpeedQuery.model_fields["again"].metadata[-1]
    assert list(choices.of(lstm(attempt=4))) == [0, 1, 2, 3, 4, 5]
    assert list(choices.of(lstm(attempt=ATTEMPTS - 1))) == list(range(ATTEMPTS))
    told = [choices.label(lstm(attempt=1), value).text("de") for value in choices.of(lstm(attempt=1))]
    assert told == ["1.", "2.", "neu messen"]


def test_the_table_of_the_course_has_measured_cells():
    networks = [Network.of(trace, "en") for trace in (lstm(), decoder())]
    told = {row.title: row for row in tradeoffs.table("en", networks).rows}
    state, kept = (found.replace("\u00a0", " ") for found in told["Memory"].found)
    assert state == "state: 3.0 kB, at any length" and kept == "keys and values: 48 kB at 8 tokens, 1.5 MB at 256"
    assert told["Memory"].verdict == "True: 512 times as much."
    assert told["Order"].found[1].startswith("49,152 numbers for places")
    assert told["Operations"].verdict.endswith("outweighs the rest only from 600 on.")
    note = tradeoffs.table("de", networks).note
    assert "25. November 2026, 9:05 Uhr (UTC)" in note and "torch 2.13.0" in note and "Prozessorkerne 2" in note
    same = tradeoffs.table("en", networks[:1] * 2)
    assert all(row.verdict == "" for row in same.rows)


def test_scores_and_paces_are_those_of_the_cards():
    assert tradeoffs.trained("lstm") == 14_615 and tradeoffs.trained("decoder") == 5_610
    assert tradeoffs.agreement("decoder") == pytest.approx(0.869, abs=1e-3)


def test_rows_carry_names_and_raw_numbers():
    found = drawn(lstm(), decoder())
    rows = list(found.table.rows())
    assert len(rows) == found.table.count == 12 and {row[0] for row in rows} == {"lstm", "decoder"}
    last = dict(zip(found.table.columns, rows[-1], strict=True))
    assert last["column.operations"] == 6_000 * 256 + 10 * 256**2 and last["column.square"] == 655_360
    assert last["column.whole_ms"] == pytest.approx(655.36, rel=1e-5) and last["column.kept_bytes"] == 6_000 * 256


@pytest.mark.parametrize(
    ("value", "german"),
    [
        (0.0834, "0,083"),
        (6.94, "6,9"),
        (21.4, "21"),
        (626.6, "627"),
        (1_234, "1.234"),
        (0, "0"),
        (9.99, "10"),
        (0.0996, "0,10"),
    ],
)
def test_numbers_have_two_digits(value, german):
    assert rounded("de", value) == german


def test_amounts_have_units_which_stay_on_their_line():
    assert amount("de", 1_572_864, "bytes") == "1,6\u00a0MB" and amount("en", 3_072, "bytes") == "3.1\u00a0kB"
    assert amount("de", 553_648_128, "operations") == "554\u00a0Mio." and amount("en", 2.5, "ms") == "2.5\u00a0ms"
    assert amount("de", 1_000_000, "bytes", 1) == "1\u00a0MB"


def test_a_real_measurement_keeps_its_orders():
    """No times: what must hold on any machine."""
    query = SpeedQuery(model="lstm", lang="en")
    traces = [perform(run) for run in query.runs()]
    rows = list(figure(query, traces).table.rows())
    by_length = {(row[0], row[1]): row for row in rows}
    assert (
        by_length["lstm", 256][5] > by_length["lstm", 256][2]
        and by_length["decoder", 256][5] > by_length["decoder", 256][2]
    )
    assert by_length["lstm", 256][7] == by_length["lstm", 8][7] < by_length["decoder", 8][7]
    assert by_length["decoder", 256][9] == 1_769_472 * 256 + 1_536 * 256**2


@pytest.mark.parametrize("lang", ["de", "en"])
def test_pages(client, lang):
    found = client.get(f"/{lang}/speed").text
    assert f"torch {torch.__version__.partition('+')[0]}" in found and "Decoder</th>" in found
    for show in SHOWS:
        page = client.get(f"/{lang}/speed?text=Hund&vs=Der+Mann&show={show}&vs_model=encoder")
        assert page.status_code == 200 and "comparison-note" in page.text, show
        still = client.get(f"/{lang}/speed.svg?text=Hund&show={show}")
        assert still.status_code == 200 and "Decoder" in still.text, show


@pytest.mark.parametrize(
    ("address", "status"), [("again=9", 200), ("again=10", 422), ("again=-1", 422), ("again=x", 422)]
)
def test_attempts_have_a_limit(client, monkeypatch, address, status):
    from models import timing

    made_before = perform(Run("lstm", "a", "timing")), perform(Run("decoder", "a", "timing"))
    again = {trace.model: (replace(trace.timing, attempt=9), trace.check) for trace in made_before}
    monkeypatch.setitem(timing._made, 9, again)
    answer = client.get(f"/en/speed.json?text=a&{address}")
    assert answer.status_code == status
    assert status == 200 or answer.json()["error"]["field"] == "again"


@pytest.mark.parametrize("text", ["weil", "!", "👩‍🚀", "<b>&amp;", "Der Hund " * 120])
@pytest.mark.parametrize("show", SHOWS)
def test_any_text_is_answered(client, text, show):
    assert client.get("/de/speed.json", params={"text": text, "show": show}).status_code == 200


def test_a_text_that_is_too_long_is_told_as_everywhere(client):
    answer = client.get("/de/speed.json", params={"text": "Hund " * 300})
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "too_many_tokens"


def test_who_cannot_read_on_keeps_nothing():
    found = drawn(decoder(), replace(decoder(step=None), model="encoder"), show="memory", vs_model="encoder")
    assert [message.key for message in found.summary] == ["speed.summary.keys", "speed.summary.keys.once"]
