"""Offline files: each carried state is what the server shows, those that fit are there, and the file says which."""

import base64
import html
import json
import re
import zlib
from urllib.parse import urlencode

import pytest

from app import offline, views

TEXT = "Anna mag den Hund"
VIEWS = [name for name, view in views.catalogue().items() if view.models or not view.needs]
LONG = "Der Mann, der sehr skeptisch ist und gestern spät gekommen ist, war da und sah die große Katze. " * 5


def file_of(client, view, **asked):
    answer = client.get(f"/de/{view}.html?{urlencode({'text': TEXT} | asked)}")
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def states_of(page):
    """The states beside the one shown: what they choose, and their part of a page."""
    packed = re.search(r'<script type="application/octet-stream"[^>]*>(.*?)</script>', page)
    lines = zlib.decompress(base64.b64decode(packed[1]), 31).splitlines() if packed else []
    return [json.loads(line) for line in lines]


def figure_of(part):
    return json.loads(re.search(r'class="figure-data">(.*?)</script>', part, re.S)[1])


def told(page):
    found = re.search(r'<p class="carried">(.*?)</p>', page)
    return html.unescape(found[1]) if found else ""


def equal(client, view, asked, part):
    """The part of a page shows what the view's JSON holds."""
    found = client.get(f"/de/{view}.json?{urlencode({'text': TEXT} | asked)}").json()
    wanted = {name: value for name, value in found["figure"].items() if name != "links"}
    assert figure_of(part) == wanted, asked
    label = re.search(r'class="figure" role="img" tabindex="0" aria-label="(.*?)"', part, re.S)[1]
    assert html.unescape(label) == found["summary"]
    rows = found["table"]["rows"]
    if "table-note" in part:  # a page shortens it
        assert str(len(rows)) in re.search(r'table-note">(.*?)</p>', part)[1].replace(".", "")
        return
    assert len(re.findall(r"<tr><t[dh]", part[part.index("<tbody>") :])) == len(rows)
    first = next(cell for row in rows for cell in row if isinstance(cell, float))
    assert f"{first:.4f}".replace(".", ",").replace("-", "−") in part


@pytest.mark.parametrize("view", VIEWS)
def test_each_state_is_what_the_server_shows(client, view):
    page = file_of(client, view, theme="light")
    assert len(page.encode()) <= offline.LIMIT
    states = states_of(page)
    step = len(states) // 12 + 1
    for state in states[::step]:
        equal(client, view, state["chosen"] | {"theme": "light"}, state["html"])
    assert len({json.dumps(state["chosen"], sort_keys=True) for state in states}) == len(states)


@pytest.mark.parametrize(
    ("view", "options"),
    [("hidden_states", {"layer": 2, "sort": 3}), ("gates", {"layer": 2, "gate": 3, "line": 3}),
     ("attention_map", {"layer": 4, "head": 5, "stage": 4, "special": 3}), ("translation", {"layer": 3, "head": 5})],
)  # fmt: skip
def test_all_layers_heads_and_gates_are_carried(client, view, options):
    states = [state["chosen"] for state in states_of(file_of(client, view))]
    states = [chosen for chosen in states if chosen.keys() >= options.keys() and chosen.get("show") != "lines"]
    count = 1
    for name, values in options.items():
        assert len({chosen[name] for chosen in states}) == values, name
        count *= values
    assert len(states) == count - 1


def test_what_has_a_sign_has_no_line_to_choose(client):
    states = [state["chosen"] for state in states_of(file_of(client, "gates"))]
    signed = [chosen for chosen in states if "line" not in chosen]
    assert len(signed) == 2 * 2 and {chosen["gate"] for chosen in signed} == {"candidate", "cell"}


def test_a_rollout_has_no_heads_to_choose_from(client):
    rollouts = [state["chosen"] for state in states_of(file_of(client, "attention_map"))]
    rollouts = [chosen for chosen in rollouts if chosen["stage"] == "rollout" and chosen["show"] == "map"]
    assert len(rollouts) == 4 * 3
    assert all(chosen.keys() == {"layer", "stage", "special", "show"} for chosen in rollouts)


def test_two_sentences_are_carried_with_both_alignments(client):
    pair = {"vs": "Den Hund mag Anna"}
    states = states_of(file_of(client, "gates", **pair))
    assert {state["chosen"]["align"] for state in states} == {"word", "position"}
    state = next(state for state in states if state["chosen"]["align"] == "position")
    equal(client, "gates", pair | state["chosen"], state["html"])


def test_all_heads_come_before_anything_else(client):
    nearest = [state["chosen"] for state in states_of(file_of(client, "attention_map"))[:19]]
    assert len({(chosen["layer"], chosen["head"]) for chosen in nearest}) == 19
    assert {(chosen["stage"], chosen["special"]) for chosen in nearest} == {("softmax", "renormalised")}


def test_an_option_that_changes_nothing_makes_no_state_of_its_own(client):
    states = states_of(file_of(client, "training"))
    shown = [set(state["chosen"]) for state in states if state["chosen"]["show"] == "guesses"]
    assert shown and all(names == {"show", "word"} for names in shown)
    now = json.loads(html.unescape(re.search(r'data-now="(.*?)"', file_of(client, "training"))[1]))
    assert set(now["chosen"]) == {"show", "layer", "head", "word"} and "word" not in now["matters"]


def test_what_needs_another_run_is_left_to_the_page(client):
    page = file_of(client, "classification")
    assert {state["chosen"]["show"] for state in states_of(page)} == {"progress"}
    page = file_of(client, "memory")
    assert not states_of(page) and "Bild" in told(page) and 'id="states"' not in page


def test_the_file_says_what_is_in_it(client):
    assert told(file_of(client, "gates")).startswith("Ohne Server wählbar: Schicht, Gate, Linie (22 Bilder")
    page = file_of(client, "gates", text=LONG)
    states = states_of(page)
    assert len(page.encode()) <= offline.LIMIT
    assert 0 < len(states) < 21
    assert f"{len(states) + 1} Bilder sind in dieser Datei" in told(page) and "2,5 MB" in told(page)


def test_where_nothing_fits_the_one_picture_stands_alone(client, monkeypatch):
    monkeypatch.setattr(offline, "LIMIT", 1_500_000)
    page = file_of(client, "attention_map", text="Etwas anderes")
    assert states_of(page) == [] and "zu groß würde (1,5 MB): Bild, Schicht, Kopf" in told(page)
    assert 'href="#layer' not in page


def test_no_more_states_than_a_reader_waits_for(client, monkeypatch):
    monkeypatch.setattr(offline, "MOST", 7)
    page = file_of(client, "attention_map", text="Noch etwas")
    assert len(states_of(page)) == 6 and "höchstens 7 Bilder" in told(page)


@pytest.mark.parametrize("view", ["attention_map", "loss_per_step", "attention_heads"])
def test_an_offline_file_asks_for_nothing(client, view):
    whole = file_of(client, view)
    for part in (whole, *(state["html"] for state in states_of(whole)[:3])):
        page = re.sub(r"<script>.*?</script>|<style.*?</style>", "", part, flags=re.S)
        assert not re.search(r"""(?:src|href)=(?!["']?(?:data:|#))""", page)
    assert "default-src 'none'" in html.unescape(whole)


def test_links_lead_to_the_public_address_where_there_is_one(make_client, monkeypatch):
    from app import settings as module

    chosen = module.Settings(public_url="https://example.org")
    monkeypatch.setattr(offline, "settings", lambda: chosen)
    monkeypatch.setattr("app.pages.settings", lambda: chosen)
    page = file_of(make_client(), "attention_map")
    assert 'href="https://example.org/de/attention_map?text=Anna' in page


def test_sliders_are_named_among_what_only_the_page_can_do(client):
    said = told(file_of(client, "party"))
    assert "Temperatur" in said and "q·k Steuerberater" in said and "option." not in said
