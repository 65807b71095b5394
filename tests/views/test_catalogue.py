"""Every view with every model it fits, one run, two sentences, two models, in both languages, on shared ranges."""

import base64
import html
import itertools
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from app import views
from app.messages import LANGUAGES, known
from app.options import settled
from app.plotting.colours import THEMES
from models import registry
from models.experiments import takes
from models.run import Run, perform

FIRST, SECOND = "Der Mann biss den Hund", "Hund den biss Mann Der"
PAIRS = [(name, model) for name, view in views.catalogue().items() for model in view.models]


def drawn(name, lang, **stated):
    """The settled query, the traces and the figure of a view."""
    view = views.catalogue()[name]
    query = view.query(lang=lang, text=FIRST, **stated)
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0]) if traces else query
    return query, traces, view.figure(query, traces)


def numbers(values):
    """The values of a trace, NaN for gaps."""
    if not isinstance(values, dict):
        return np.array(values, np.float64)
    kinds = {"f4": np.float32, "f8": np.float64, "i4": np.int32, "u1": np.uint8, "u2": np.uint16}
    return np.frombuffer(base64.b64decode(values["bdata"]), kinds[values["dtype"]])


def reach(told, axis):
    """From where to where an axis goes, if the figure says so."""
    return tuple(told["layout"][f"{axis[0]}axis{axis[1:]}"].get("range", ()))


def check_ranges(traces, told):
    """All runs are drawn on one colour range that holds every value, and on axes of one reach; what is a difference
    has a range of its own, around zero, and so have the planes of two models."""
    maps = [drawn for drawn in told["data"] if drawn["type"] == "heatmap"]
    for drawn in maps:
        axis, values = told["layout"][drawn["coloraxis"]], numbers(drawn["z"])
        beyond = (
            np.nanmin(values, initial=0) < axis["cmin"] - 1e-6 or np.nanmax(values, initial=0) > axis["cmax"] + 1e-6
        )
        assert not beyond or re.search(r"\(.*\d[.,]\d\d\)", axis["colorbar"]["title"]["text"])  # the bar says how far
        assert not {"zmin", "zmax", "colorscale"} & drawn.keys()
    if told["panels"]["kind"] == "stack":  # each row of numbers has a colour range of its own there
        return
    assert {drawn["coloraxis"] for drawn in maps} <= {"coloraxis", "coloraxis2"}
    differing = {drawn["xaxis"] for drawn in maps if drawn["coloraxis"] == "coloraxis2"}
    for axis in ("coloraxis2",) if "coloraxis2" in told["layout"] else ():
        assert told["layout"][axis]["cmin"] == -told["layout"][axis]["cmax"]
    curves = [drawn for drawn in told["data"] if drawn["type"] in ("scatter", "bar")]
    for lines in ([one for one in curves if (one.get("xaxis") in differing) == apart] for apart in (False, True)):
        lines = [one for one in lines if "overlaying" not in told["layout"][f"yaxis{one['yaxis'][1:]}"]]
        reaches = {(reach(told, one["yaxis"]), () if maps else reach(told, one["xaxis"])) for one in lines}
        planes = len({one["xaxis"] for one in lines}) if "scaleanchor" in told["layout"].get("yaxis", {}) else 1
        assert len(reaches) <= (planes if len({trace.model for trace in traces}) > 1 else 1)
        for one in lines if maps else ():
            low, high = reach(told, one["yaxis"])
            assert low <= np.nanmin(numbers(one["y"]), initial=0) and np.nanmax(numbers(one["y"]), initial=0) <= high


def check(query, traces, figure):
    """Valid in each theme; words as typed; shared ranges; numbers and sentences."""
    for theme in THEMES:
        told = figure.plot.json(theme)
        found = go.Figure(data=told["data"], layout=told["layout"]).to_plotly_json()
    assert told["data"]
    check_ranges(traces, told)
    shown = str([told["layout"], told["data"]])
    for trace in traces:
        assert all(html.escape(word) in shown for word in trace.text.split())
    assert figure.summary
    for message in figure.summary:
        sentence = message.text(query.lang)
        assert known(query.lang, message.key) and "{" not in sentence and not re.search(r"\bnan\b", sentence)
        assert sentence.endswith((".", "…"))
    rows = list(figure.table.rows())
    assert len(rows) == figure.table.count > 0
    assert {row[0] for row in rows} - {None} == {trace.model for trace in traces}  # invented guests have no model
    if "column.run" in figure.table.columns:
        runs = {row[figure.table.columns.index("column.run")] for row in rows}
        assert runs == set(range(1, max(runs) + 1))
    for column in (*figure.table.columns, *figure.table.brief_columns):
        assert known(query.lang, column)
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("name", "model"), PAIRS)
def test_one_run(name, model, lang):
    query, traces, figure = drawn(name, lang, model=model)
    found = {trace.model for trace in traces}
    assert found == (set() if "model" in query.idle() else {model}) or compares(name) and model in found
    check(query, traces, figure)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", [name for name, view in views.catalogue().items() if not view.chooses_model])
def test_networks_beside_each_other_are_all_shown_where_none_is_named(name, lang):
    query, traces, figure = drawn(name, lang)
    assert len({trace.model for trace in traces}) > 2
    check(query, traces, figure)


@pytest.mark.parametrize(("align", "lang"), [("word", "de"), ("position", "en")])
@pytest.mark.parametrize(("name", "model"), PAIRS)
def test_two_sentences(name, model, align, lang):
    query, traces, figure = drawn(name, lang, model=model, vs=SECOND, align=align)
    assert {trace.text for trace in traces} == {FIRST, SECOND}
    check(query, traces, figure)


@pytest.mark.parametrize(
    ("name", "model", "other", "lang"),
    [  # each language in every other pair; further models are further heads on the same networks
        (name, *pair, LANGUAGES[number % 2])
        for name, view in views.catalogue().items()
        for number, pair in enumerate(itertools.product(view.models[:6], repeat=2))
    ],
)
def test_two_models(name, model, other, lang):
    query, traces, figure = drawn(name, lang, model=model, vs_model=other)
    found = list(dict.fromkeys(trace.model for trace in traces))
    assert set(found) == {model, other}
    assert found[0] == model or not views.catalogue()[name].chooses_model  # beside each other: lecture order
    check(query, traces, figure)


@pytest.mark.parametrize("name", views.catalogue())
def test_two_sentences_and_two_models(name):
    """No view has fewer than two runs where one asks for four: a model says nothing of one sentence only."""
    fitting = views.catalogue()[name].models
    first, last = fitting[0], fitting[-1]
    query, traces, figure = drawn(name, "de", model=first, vs=SECOND, vs_model=last)
    assert {(trace.model, trace.text) for trace in traces} >= {(first, FIRST), (last, SECOND)}
    check(query, traces, figure)


@pytest.mark.parametrize("name", views.catalogue())
def test_how_sentences_are_matched_can_be_chosen_where_it_changes_the_picture(name):
    by_word, by_position = (drawn(name, "en", vs=SECOND, align=how, model=own(name)) for how in ("word", "position"))
    changes = by_word[2].plot.json() != by_position[2].plot.json()
    assert changes == ("align" not in by_word[0].idle())


def compares(name):
    """Whether a view compares with a model of its own choice where no second one is named."""
    return known("de", f"{name}.vs_model.none")


def own(name):
    """The model that a page of a view shows first, if it shows one."""
    view = views.catalogue()[name]
    return view.models[0] if view.chooses_model else ""


@pytest.mark.parametrize("name", views.catalogue())
def test_the_address_says_which_models_are_drawn(client, name):
    """In the data and in the controls; a model that does not fit is refused with the models that do."""
    view = views.catalogue()[name]
    first, last = view.models[0], view.models[-1]
    for stated, expected in (
        ({"model": last}, {last}), ({"model": first, "vs_model": last}, {first, last}),
        ({} if view.chooses_model else {"vs_model": last}, {first} if view.chooses_model else {last}),
    ):  # fmt: skip
        told = client.get(f"/de/{name}.json", params={"text": FIRST, "vs": SECOND, **stated}).json()
        found = {run["model"] for run in told["runs"]}
        assert found > expected if compares(name) and len(expected) == 1 else found == expected
        assert told["model"] == told["runs"][0]["model"]
        assert {row[0] for row in told["table"]["rows"]} >= found
    page = client.get(f"/de/{name}", params={"text": FIRST, "vs": SECOND, "model": first, "vs_model": last}).text
    for field, model in {"model": first, "vs_model": last}.items() if len(view.models) > 1 else ():
        select = re.search(rf'<select id="control-{field}".*?</select>', page, re.DOTALL).group()
        assert re.search(rf'value="{model}"[^>]* selected', select)
    unfit = next(model for model in registry.catalogue() if model not in view.models)
    for field in ("model", "vs_model"):
        refused = client.get(f"/de/{name}.json", params={"text": FIRST, field: unfit})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "unfit_model")
        assert refused.json()["error"]["field"] == field and first in refused.json()["error"]["message"]


TABLES = [
    *((name, {}) for name in views.catalogue() if name != "speed"),  # it is measured
    ("tokens", {"model": "translator"}), ("positions", {"show": "permuted"}), ("pipeline", {"model": "encoder-intent"}),
    ("pipeline", {"model": "encoder-entities", "text": "Angela Merkel"}), ("classification", {"show": "progress"}),
    ("classification", {"show": "words"}), ("faithfulness", {"show": "heads"}),
    ("faithfulness", {"show": "heads", "layer": 1, "head": 1}),
    ("faithfulness", {"show": "heads", "model": "encoder-entities", "text": "Angela Merkel"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "stated"), TABLES, ids=str)
def test_data_name_things_alike_in_every_language(client, name, stated):
    answers = [client.get(f"/{lang}/{name}.csv", params={"text": FIRST} | stated) for lang in LANGUAGES]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].text == answers[1].text


def test_a_views_name_is_that_of_its_file_and_its_texts():
    for name, view in views.catalogue().items():
        assert view.figure.__module__ == f"app.views.{name}"
        assert view.chapter in views.CHAPTERS
        for lang in LANGUAGES:
            for part in ("title", "question", "lead", "read", "limits"):
                assert known(lang, f"{name}.{part}"), f"{name}.{part} has no text"


def test_views_come_in_the_order_of_the_lecture():
    found = list(views.catalogue().values())
    places = [(views.CHAPTERS.index(view.chapter), view.place) for view in found]
    assert places == sorted(places)
    shared = [f"{one.name}, {other.name}" for one, other in itertools.combinations(found, 2)
              if (one.chapter, one.place) == (other.chapter, other.place)]  # fmt: skip
    assert shared == [], "two views have one place in a chapter"


def test_a_view_offers_the_models_that_have_what_it_needs_its_own_choice_first():
    for view in views.catalogue().values():
        asked = {run.experiment for run in view.query().runs()}
        taking = {name for name, model in registry.catalogue().items() if all(takes(model, one) for one in asked)}
        fitting = {name for name in taking if view.needs <= set(registry.get(name).fields)}
        assert fitting, f"no model has what {view.name} needs: {', '.join(view.needs)}"
        assert set(view.models) <= fitting and len(view.models) == len(set(view.models))
        assert set(view.models) == fitting or view.only_preferred or not view.chooses_model
        preferred = [name for name in view.preferred if name in fitting]
        assert view.models[: len(preferred)] == preferred


def test_a_run_says_which_model_read_which_text():
    assert perform(Run("gru", FIRST)).text == FIRST
