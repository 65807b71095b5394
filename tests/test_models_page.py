"""The models' cards: each model has one in both languages, with the numbers of its files, nothing slow loaded."""

import base64
import html
import json
import re

import numpy as np
import pytest

from app import cards, views
from app.messages import LANGUAGES, translate
from app.query import Query
from models import record, registry
from models.training.kinds import KINDS, SOURCES, WEAK, kind_of
from tests.test_architecture import loaded_after
from tests.test_pages import Reader

MODELS = list(registry.catalogue())
MAIN = {"language": "lm", "entities": "entities", "intents": "intent", "vectors": "similarity"}


def written(value: float, digits: int, lang: str) -> str:
    """A number as this language writes it, by another way than the app's."""
    text = format(value, f",.{digits}f")
    return text.translate(str.maketrans(",.", ".,")) if lang == "de" else text


def trained(name: str):
    return record.training(registry.get(name).folder)


def cells(page: str) -> list[str]:
    """The text of every cell of every table, blanks as one."""
    found = re.findall(r"<t([hd])\b[^>]*>(.*?)</t\1>", page, re.S)
    return [" ".join(html.unescape(re.sub(r"<[^>]*>", "", cell)).split()) for _, cell in found]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_table_lists_every_model_once_with_its_size_and_main_score(client, lang):
    page = client.get(f"/{lang}/models").text
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.S)
    for name, model in registry.catalogue().items():
        (row,) = (row for row in rows if f"<code>{name}</code>" in row)
        assert f'href="/{lang}/models/{name}?' in row
        assert f">{written(model.parameters, 0, lang)}<" in row
        task = MAIN.get(cards.group_of(model))
        if task and (results := record.scores(model.folder, model.hash).get(task)):
            (result,) = results.values()
            numbers = {"lm": "bits_per_character", "entities": "f1", "intent": "accuracy", "similarity": "spearman"}
            assert f"<b>{written(result[numbers[task]], 3, lang)}</b>" in row


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_its_page(client, name, lang):
    answer = client.get(f"/{lang}/models/{name}")
    assert answer.status_code == 200
    page, model = answer.text, registry.get(name)
    assert Reader(page).open == [] and f'<html lang="{lang}"' in page
    assert re.search(r"<h1>(.*?)</h1>", page)[1] == html.escape(views.model_title(name, lang))
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", page)]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    assert model.hash in cells(page) and written(model.parameters, 0, lang) in cells(page)
    assert kind_of(name), f"{name} has no entry in models/training/kinds.py"
    for source in kind_of(name).sources:
        assert translate(lang, f"card.source.{source}") in html.unescape(page) and SOURCES[source].licence in page
    for key in kind_of(name).weak:
        assert str(cards.coded(translate(lang, f"card.weak.{key}"))) in page
    for view in views.catalogue().values():
        leads = re.search(rf'class="chip act" href="/{lang}/{view.name}(\?[^"]*)?"', page)
        assert bool(leads) == (name in view.models)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", MODELS)
def test_its_numbers_are_those_of_its_files(client, name, lang):
    page = client.get(f"/{lang}/models/{name}").text
    shown, told = cells(page), trained(name)
    for key in ("steps", "tokens", "tokens_per_second") if told else ():
        assert written(told[key], 0, lang) in shown
    assert told is None or written(told["minutes"], 1, lang) in shown
    model = registry.get(name)
    for task, files in record.scores(model.folder, model.hash).items():
        for file, result in files.items():
            for measure, digits in cards.MEASURES[task].items():
                exact = result[measure]
                told = written(exact, digits, lang) if digits is not None else f"{exact:.0%}"
                assert told in [cell.replace(" %", "%") for cell in shown], (task, measure)
            for part in ("classes", "cases"):
                for title, value in result.get(part, {}).items():
                    assert shown[shown.index(title) + 1] == written(value, 3, lang)
            assert html.escape(record.command(task, name, file)) in page


@pytest.mark.parametrize("name", [name for name in MODELS if (trained(name) or {}).get("loss")])
def test_the_learning_curve_is_the_one_of_the_file(client, name):
    page = client.get(f"/de/models/{name}").text
    figure = json.loads(re.search(r'class="figure-data">(.*?)</script>', page, re.S)[1])
    across, up = (
        np.concatenate([np.frombuffer(base64.b64decode(line[axis]["bdata"]), "f4") for line in figure["data"]])
        for axis in ("x", "y")
    )
    assert np.allclose(np.stack([across, up], 1), trained(name)["loss"])


def test_numbers_over_a_part_of_the_items_say_how_many(client):
    shown = cells(client.get("/en/models/word_vectors").text)
    place = shown.index("0.624")
    assert shown[place + 1] == "1,243"  # 1,524 pairs, 281 of them with an unknown word
    assert shown[shown.index("82%") + 1] == "1,524"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_own_sentences_stand_on_the_card_with_all_that_is_on_record(client, lang):
    for name, task, columns in (
        ("encoder", "masked", ("sentence", "removed", "top")),
        ("decoder", "next_word", ("sentence", "top")),
        ("lstm-entities", "names", ("sentence", "names", "top")),
    ):
        shown, model = cells(client.get(f"/{lang}/models/{name}").text), registry.get(name)
        (result,) = record.scores(model.folder, model.hash)[task].values()
        for one in result["sentences"]:
            row = [one[key] if isinstance(one[key], str) else ", ".join(one[key]) or "–" for key in columns]
            place = shown.index(row[0].replace("[MASK]", "＿＿"))
            assert shown[place + 1 : place + len(row)] == row[1:]


def test_borrowed_word_vectors_are_told_apart(client):
    page = client.get("/de/models/lstm-entities").text
    assert "2.688.000" in cells(page)  # 14,000 pieces of 192 numbers
    assert '<a href="/de/models/lstm?' in page
    assert '<a href="/de/models/lstm-entities?' in client.get("/de/models/lstm").text


def test_scores_of_other_weights_are_not_shown(monkeypatch):
    monkeypatch.setitem(vars(registry.get("rnn")), "hash", "00000000")
    page = cards.model_page(registry.get("rnn"), Query(lang="de"))
    assert "Für dieses Modell liegen keine Messwerte vor." in page and "1,514" not in page


def test_what_the_page_and_the_written_card_say_in_english_is_the_same():
    for name, kind in KINDS.items():
        assert translate("en", f"card.what.{name}") == kind.what
    for key, text in WEAK.items():
        assert translate("en", f"card.weak.{key}") == text
    for name, source in SOURCES.items():
        assert (translate("en", f"card.source.{name}"), translate("en", f"card.source.{name}.by")) == (
            source.title,
            source.by,
        )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_unknown_model_is_not_found(client, lang):
    answer = client.get(f"/{lang}/models/parrot")
    assert answer.status_code == 404 and "parrot" in answer.text
    assert f"<h1>{html.escape(translate(lang, 'error.title'))}</h1>" in answer.text


@pytest.mark.parametrize("path", ["/fr/models", "/fr/models/lstm", "/de/models/../lstm", "/de/models/lstm/more"])
def test_other_addresses_lead_nowhere(client, path):
    assert client.get(path).status_code == 404


def test_every_page_leads_to_the_models_and_the_sentence_goes_along(client):
    for path in ("/de", "/de/gates?text=Katze", "/de/nope", "/de/models/lstm?text=Katze"):
        (link,) = set(re.findall(r'id="models" href="([^"]*)"', client.get(path).text))
        assert link == "/de/models" + ("?text=Katze" if "Katze" in path else "")
        assert client.get(html.unescape(link)).status_code == 200


def test_a_card_says_what_has_become_known_since(client, monkeypatch):
    assert "Modell lässt sich nicht laden" not in client.get("/de/models/gru").text
    monkeypatch.setitem(registry._status, "gru", "failed: no room")
    page = client.get("/de/models/gru")
    assert "Modell lässt sich nicht laden. <code>no room</code>" in page.text
    assert page.headers["content-encoding"] == "gzip"


def test_cards_load_nothing_slow():
    code = (
        "from app import cards; from app.query import Query; from models import registry; cards.index_page(Query()); "
        "[cards.model_page(model, Query()) for model in registry.catalogue().values()]"
    )
    assert loaded_after(code) <= {"babel"}
