"""Every view with every model it fits, one run, two sentences, two models, in both languages."""

import html
import itertools
import re

import plotly.graph_objects as go
import pytest

from app import views
from app.messages import LANGUAGES, known
from app.plotting import THEMES
from app.query import settled
from models import registry
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


def check(query, traces, figure):
    """Valid in each theme; words as typed; one range per colour axis that holds every value; numbers and sentences."""
    for theme in THEMES:
        told = figure.plot.json(theme)
        found = go.Figure(data=told["data"], layout=told["layout"]).to_plotly_json()
    assert told["data"]
    for drawn in told["data"]:
        assert drawn["type"] != "heatmap" or drawn["coloraxis"] in told["layout"]
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
    for column in (*figure.table.columns, *figure.table.brief_columns):
        assert known(query.lang, column)
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("name", "model"), PAIRS)
def test_one_run(name, model, lang):
    check(*drawn(name, lang, model=model))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("align", ["word", "position"])
@pytest.mark.parametrize(("name", "model"), PAIRS)
def test_two_sentences(name, model, align, lang):
    query, traces, figure = drawn(name, lang, model=model, vs=SECOND, align=align)
    check(query, traces, figure)
    if "coloraxis2" in figure.plot.layout:
        assert figure.plot.layout["coloraxis2"]["cmin"] == -figure.plot.layout["coloraxis2"]["cmax"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "model", "other"),
    [
        (name, *pair)
        for name, view in views.catalogue().items()
        for pair in itertools.product(
            view.models[:6], repeat=2
        )  # further models are further heads on the same networks
        if view.chooses_model
    ],
)
def test_two_models(name, model, other, lang):
    query, traces, figure = drawn(name, lang, model=model, vs_model=other)
    assert list(dict.fromkeys(trace.model for trace in traces)) == list(dict.fromkeys([model, other]))
    check(query, traces, figure)


def test_a_views_name_is_that_of_its_file_and_its_texts():
    for name, view in views.catalogue().items():
        assert view.figure.__module__ == f"app.views.{name}"
        assert view.chapter in views.CHAPTERS
        for lang in LANGUAGES:
            for part in ("title", "question", "lead", "read", "limits"):
                assert known(lang, f"{name}.{part}")


def test_views_come_in_the_order_of_the_lecture():
    places = [(views.CHAPTERS.index(view.chapter), view.place) for view in views.catalogue().values()]
    assert places == sorted(places) and len(set(places)) == len(places)


def test_a_view_offers_the_models_that_have_what_it_needs_its_own_choice_first():
    for view in views.catalogue().values():
        fitting = {name for name, model in registry.catalogue().items() if view.needs <= set(model.fields)}
        assert set(view.models) <= fitting and len(view.models) == len(set(view.models))
        assert set(view.models) == fitting or view.only_preferred or not view.chooses_model
        preferred = [name for name in view.preferred if name in fitting]
        assert view.models[: len(preferred)] == preferred


def test_a_run_says_which_model_read_which_text():
    assert perform(Run("gru", FIRST)).text == FIRST
