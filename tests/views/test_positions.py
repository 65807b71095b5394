"""Positions: the tables against the models', products by hand, and permutations against runs of their own."""

import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import views
from app.messages import percent
from app.options import settled
from app.reordered import Reordered
from app.views.positions import NEAR, PositionsQuery
from models import registry
from models.run import Change, Run, perform

TEXT, REVERSED = "Der Mann biss den Hund", "Hund den biss Mann Der"
MODELS = ["encoder", "decoder", "translator", "encoder@0", "encoder-intent"]


def drawn(**stated):
    query = PositionsQuery(**({"model": "encoder", "text": TEXT} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, views.catalogue()["positions"].figure(query, traces)


def told(figure, lang="de"):
    return " ".join(message.text(lang) for message in figure.summary)


def array(packed):
    values = np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])
    return values.reshape([int(size) for size in packed.get("shape", str(values.size)).split(",")])


def table_of(model):
    loaded = registry.load(model)
    found = loaded.translator.network.get_encoder().embed_positions if model == "translator" else loaded.positions
    return found.weight.numpy()


@pytest.mark.parametrize("model", MODELS)
def test_the_vectors_drawn_are_the_models_own(model):
    _, (trace,), figure = drawn(model=model)
    table = table_of(model)
    np.testing.assert_array_equal(array(figure.plot.data[0]["z"]), table[: NEAR["vectors"]].T)
    np.testing.assert_array_equal(trace.states.positions, table[: len(trace.tokens)])
    assert array(drawn(model=model, extent="all")[2].plot.data[0]["z"]).shape == table.T.shape
    assert str(len(table)) in told(figure)


def test_what_is_added_for_a_place_is_its_vector():
    (trace,) = drawn(model="decoder")[1]
    np.testing.assert_array_equal(trace.states.embeddings, trace.states.inputs + trace.states.positions)


def test_the_sinusoidal_ones_are_told_by_their_waves():
    (trace,), figure = drawn(model="translator", lang="en")[1:]
    units = trace.positional.position_table.shape[1]
    longest = 2 * np.pi * 10_000 ** ((units - 2) / units)
    said = f"{units // 2} pairs of sine and cosine, with waves from 6.3 to {longest:,.0f} places long"
    assert said in told(figure, "en") and f"Each has length {(units / 2) ** 0.5:.2f};" in told(figure, "en")


def test_two_models_have_a_picture_and_an_axis_each():
    products = drawn(model="decoder", vs_model="translator", show="products", extent="all")[2].plot
    for panel, model in zip(products.data, ("decoder", "translator"), strict=True):
        table = table_of(model).astype(float)
        assert array(panel["z"])[17, 3] == pytest.approx(table[17] @ table[3], abs=2e-5)
    both = {"model": "decoder", "vs_model": "translator", "lang": "en", "show": "curve"}
    product, cosine = (drawn(**both, measure=measure)[2].plot.layout for measure in ("product", "cosine"))
    titles = [product[axis]["title"]["text"] for axis in ("yaxis", "yaxis2")]
    assert ["Decoder" in titles[0], "Translator" in titles[1], "yaxis2" in cosine] == [True, True, False], titles


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("measure", ["product", "cosine"])
def test_products_are_those_of_the_vectors(model, measure):
    figure = drawn(model=model, show="products", measure=measure, extent="all")[2]
    table = table_of(model).astype(float)
    for run, place, other in [(0, 0, 0), (0, 3, 17), (0, 17, 3), (0, 100, 99)]:
        expected = table[place] @ table[other]
        if measure == "cosine":
            expected /= np.linalg.norm(table[place]) * np.linalg.norm(table[other])
        assert array(figure.plot.data[run]["z"])[place, other] == pytest.approx(expected, abs=2e-5)
    rows = list(figure.table.rows())
    assert len(rows) == figure.table.count == len(table) ** 2
    nearest = list(figure.table.brief())[5]
    assert nearest[3] != 5 and nearest[4] == max(row[4] for row in rows[5 * len(table) : 6 * len(table)] if row[3] != 5)


def test_units_of_the_sinusoidal_ones_say_whether_they_are_sines_or_cosines():
    plot = drawn(model="translator")[2].plot
    first = array(plot.data[0]["z"])[:, 0]  # sin 0 = 0, cos 0 = 1
    said = plot.layout["yaxis"]["labelalias"]
    assert len(said) == len(first)
    for unit, value in enumerate(first, start=1):
        assert said[str(unit)] == f"{unit} ({'cos' if value else 'sin'})"
    assert "labelalias" not in drawn(model="encoder")[2].plot.layout["yaxis"]


def test_the_curve_of_the_sinusoidal_ones_has_no_tails_since_the_distance_says_all():
    (curve,) = drawn(model="translator", show="curve")[2].plot.data
    table = table_of("translator").astype(float)
    for away in (0, 1, 8, len(table) - 1):
        assert np.diagonal(table @ table.T, away) == pytest.approx(array(curve["y"])[away], abs=1e-3)


@pytest.mark.parametrize("model", ["encoder", "decoder"])
def test_the_curve_is_the_mean_over_each_diagonal_with_its_tails(model):
    figure = drawn(model=model, show="curve")[2]
    table = table_of(model).astype(float)
    mean, low, high = (array(trace["y"]) for trace in figure.plot.data)
    assert len(mean) == len(table)
    for away in (0, 1, 8, len(table) - 1):
        pairs = [table[place] @ table[place + away] for place in range(len(table) - away)]
        expected = (np.mean(pairs), *np.quantile(pairs, [0.1, 0.9]))
        assert (mean[away], low[away], high[away]) == pytest.approx(expected, abs=1e-4)
    assert np.abs(high - low).max() > 1e-4


def test_the_page_of_the_sinusoidal_ones_states_how_exact_the_identity_is():
    _, (trace,), figure = drawn(model="translator", show="products")
    assert trace.check.max_abs_error <= 1e-5 and "cos" in trace.check.against
    assert "Σ cos(ωᵢ(p − q)), hier auf 2·10⁻⁶ genau" in told(figure)
    assert "Σ cos" not in told(drawn(model="encoder", show="products")[2])


WORDS = st.lists(st.sampled_from("Der Mann biss den Hund Tom lacht 😀 ö! skeptischer , Mann".split()), min_size=2,
                 max_size=12)  # fmt: skip


@pytest.mark.parametrize("model", ["encoder", "translator", "encoder-intent"])
@settings(max_examples=20, deadline=None)
@given(typed=WORDS, dice=st.randoms(use_true_random=False))
def test_any_permutation_without_positions_permutes_states_and_attention(model, typed, dice):
    other = list(typed)
    dice.shuffle(other)
    runs = [perform(Run(model, " ".join(each), change=Change("no_positions"))) for each in (typed, other)]
    pair = Reordered.of(*runs)
    assert pair.whole
    assert pair.states_error <= 1e-5 and pair.attention_error <= 1e-5
    first, second = (np.asarray(run.attention.attention) for run in runs)
    for place, there in enumerate(pair.partners):
        assert runs[0].tokens[place].id == runs[1].tokens[there].id
        np.testing.assert_allclose(first[:, :, place], second[:, :, there][..., pair.partners], atol=1e-5)


@pytest.mark.parametrize("model", ["encoder", "translator"])
def test_with_positions_and_for_the_decoder_without_they_do_not(model):
    on = Reordered.of(*drawn(model=model, show="permuted")[1][:2])
    assert on.whole and on.states_error > 0.1 and on.attention_error > 0.01
    off = Reordered.of(*drawn(model="decoder", show="permuted")[1][2:])
    assert off.whole and off.states_error > 0.1 and off.attention_error > 0.1


def test_the_difference_is_drawn_in_the_order_of_the_first_sentence():
    for stated in ({"positions": "on", "layer": 2, "head": 3}, {"positions": "on"}, {"positions": "off"}):
        query, traces, figure = drawn(show="permuted", **stated)
        runs = traces[:2] if stated["positions"] == "on" else traces[2:]
        layer, head = stated.get("layer", 4) - 1, stated.get("head")
        first, second = (run.attention.attention[layer] for run in runs)
        first, second = ((each.mean(0) if head is None else each[head - 1]) for each in (first, second))
        back = [0, 5, 4, 3, 2, 1, 6]
        expected = second[back][:, back] - first
        drawn_first, drawn_second, difference = (array(trace["z"]) for trace in figure.plot.data)
        np.testing.assert_array_equal(drawn_first, first)
        np.testing.assert_array_equal(drawn_second, second)
        np.testing.assert_allclose(difference, expected, atol=1e-4)
        assert (difference == 0).all() == (stated["positions"] == "off")


def test_rounding_looks_like_nothing_on_the_range_that_positions_give():
    limits = [drawn(show="permuted", positions=how)[2].plot.layout["coloraxis2"]["cmax"] for how in ("on", "off")]
    assert limits[0] == limits[1] > 0.01


def test_the_summary_has_the_errors_of_the_run_and_says_why_the_decoder_differs():
    _, traces, figure = drawn(show="permuted")
    off = Reordered.of(*traces[2:])
    assert 0 < off.states_error <= 1e-5
    said = told(figure)
    assert "P·A·Pᵀ" in said and REVERSED in said and "Maske" not in said
    exponent = int(np.floor(np.log10(off.states_error)))
    assert f"10{str(exponent).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}" in said
    decoder = told(drawn(show="permuted", model="decoder")[2])
    assert "Maske" in decoder and "sieht in der ersten Wortfolge 6 Tokens, in der zweiten 2." in decoder


@pytest.mark.parametrize("layer", [2, 3])
def test_how_far_the_states_move_is_told_of_the_layer_shown_and_of_one_model_only(layer):
    _, traces, figure = drawn(show="permuted", layer=layer)
    share = float(np.nanmean(Reordered.of(*traces[:2]).moved(layer - 1)))
    (moved,) = [message for message in figure.summary if message.key == "positions.summary.moved"]
    assert moved.values == {"layer": layer, "share": percent("de", share)}
    beside = drawn(show="permuted", layer=layer, vs_model="decoder")[2].summary
    assert not any(message.key == moved.key for message in beside)


def test_a_second_sentence_of_the_same_words_is_the_permutation_another_is_told():
    pair = drawn(show="permuted", vs="Der Hund biss den Mann")
    assert {trace.text for trace in pair[1]} == {TEXT, "Der Hund biss den Mann"}
    other = drawn(show="permuted", vs="Es regnet.")
    assert {trace.text for trace in other[1]} == {TEXT, REVERSED}
    assert "„Es regnet.“ besteht nicht aus denselben Wörtern" in told(other[2])
    assert "nichts umzustellen" in told(drawn(show="permuted", text="Hund")[2])


def test_two_models_show_their_differences_side_by_side():
    _, traces, figure = drawn(show="permuted", vs_model="decoder")
    assert [trace.model for trace in traces] == ["encoder"] * 4 + ["decoder"] * 4
    encoder, decoder = (array(trace["z"]) for trace in figure.plot.data)
    assert not encoder.any() and np.abs(decoder).max() > 0.1
    models = {row[0] for row in figure.table.rows()}
    assert models == {"encoder", "decoder"}


def test_the_table_says_how_far_each_word_has_moved():
    _, traces, figure = drawn(show="permuted")
    on = [row for row in figure.table.rows() if row[1] == "on"]
    first, second = (np.asarray(trace.states.hidden[-1]) for trace in traces[:2])
    assert [row[4] for row in on] == [0, 5, 4, 3, 2, 1, 6]
    moved = np.linalg.norm(second[1] - first[5]) / np.linalg.norm(first[5])
    assert on[5][3] == "Hund" and on[5][5] == pytest.approx(moved, rel=1e-5)
    assert all(row[5] < 1e-5 for row in figure.table.rows() if row[1] == "abgeschaltet")


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("show", ["vectors", "products", "curve", "permuted"])
@pytest.mark.parametrize(
    "options",
    ["", "&model=decoder", "&vs=Hallo", "&vs=Hund+Der", "&model=encoder&vs_model=translator&vs=Hund+Der",
     "&positions=on&measure=cosine&extent=all", "&model=encoder&vs_model=encoder"],
)  # fmt: skip
def test_pages(client, lang, show, options):
    assert client.get(f"/{lang}/positions?text=Der+Hund&show={show}{options}").status_code == 200


@pytest.mark.parametrize("model", ["encoder", "decoder"])
@pytest.mark.parametrize("show", ["vectors", "products", "permuted"])
def test_long_and_odd_texts(client, model, show):
    for text in ("a+" * 250, "😀", "[CLS]", "Mann,+Mann,+„Mann“+–+Mann", "%00+ä"):
        answer = client.get(f"/de/positions?text={text}&model={model}&show={show}")
        assert answer.status_code == 200


@pytest.mark.parametrize(("stated", "reason"), [({"text": "Hund"}, "Umgekehrt bleibt"), ({"vs": TEXT}, "Beide")])
def test_why_there_is_nothing_to_rearrange(stated, reason):
    assert f"nichts umzustellen: {reason}" in told(drawn(show="permuted", **stated)[2])


def test_of_two_tables_of_other_sizes_no_one_size_is_told():
    said = told(drawn(model="encoder", vs_model="translator")[2])
    assert "jeweils die ersten 32 Plätze" in said and "von 256" not in said and "von 128" not in said
