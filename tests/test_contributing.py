"""CONTRIBUTING.md is true: its two files, put in place and nothing else touched, are a model and a view."""

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from starlette.testclient import TestClient

from app import views
from app.main import create_app
from models import families, registry

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text("utf-8")
SENTENCE = "Der Mann biss den Hund"


def example(heading: str) -> str:
    """The code under a heading."""
    return re.search(rf"^## {heading}$.*?^```python\n(.*?)^```$", TEXT, re.M | re.S)[1]


def forget() -> None:
    """Makes the catalogues look at their folders again."""
    for view in views.catalogue().values():
        view.__dict__.pop("models", None)
    registry.catalogue.cache_clear()
    views.catalogue.cache_clear()


@pytest.fixture
def added(monkeypatch, tmp_path):
    """Puts the file of a heading into a folder of its own that the package looks into as well; gives a new client."""
    clients = []

    def add(heading: str, package, name: str) -> TestClient:
        (tmp_path / f"{name}.py").write_text(example(heading), "utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)
        forget()
        clients.append(TestClient(create_app(), raise_server_exceptions=False))
        return clients[-1].__enter__()

    yield add
    for client in clients:
        client.__exit__(None, None, None)
    monkeypatch.undo()
    for module in [name for name in sys.modules if name.endswith((".forgetful", ".lookup"))]:
        package, _, name = module.rpartition(".")
        vars(sys.modules[package]).pop(name, None)
        del sys.modules[module]
    for known in (registry._loaded, registry._status, registry._locks):
        known.pop("forgetful", None)
    forget()


def test_add_a_model(added, monkeypatch, tmp_path):
    weights = tmp_path / "weights"
    (weights / "forgetful").mkdir(parents=True)
    for folder in registry.WEIGHTS.iterdir():
        (weights / folder.name).symlink_to(folder)
    vectors = load_file(registry.get("lstm").weights)["vectors.weight"]
    save_file({"vectors": vectors}, weights / "forgetful" / "model.safetensors")
    monkeypatch.setattr(registry, "WEIGHTS", weights)
    client = added("Add a model", families, "forgetful")

    assert "forgetful" in registry.catalogue()
    assert client.get("/health").json()["models"]["forgetful"] == "not loaded"
    told = {entry["name"]: entry for entry in client.get("/api/v1/models").json()["models"]}
    assert told["forgetful"]["parameters"] == vectors.size
    assert told["forgetful"]["views"] == ["hidden_states", "trajectory"] and told["forgetful"]["title"] == "No memory"
    trace = client.get("/api/v1/trace", params={"model": "forgetful", "text": SENTENCE}).json()
    ids = [token["id"] for token in trace["tokens"]]
    assert np.array_equal(np.array(trace["fields"]["hidden"]["data"], np.float32)[0], vectors[ids])
    page = client.get("/de/hidden_states", params={"model": "forgetful", "text": SENTENCE})
    assert page.status_code == 200 and "No memory" in page.text and "geprüft gegen NumPy" in page.text
    assert "model=forgetful" in client.get("/de/hidden_states").text
    assert client.get("/de/gates.json?model=forgetful").status_code == 422
    compared = client.get("/en/hidden_states.json", params={"model": "lstm", "vs_model": "forgetful", "text": SENTENCE})
    assert [run["model"] for run in compared.json()["runs"]] == ["lstm", "forgetful"]
    assert client.get("/health").json()["models"]["forgetful"] == "loaded"


def test_add_a_view(added):
    client = added("Add a view", views, "lookup")

    chapter = {view.name: view.place for view in views.catalogue().values() if view.chapter == "words"}
    assert "lookup" in chapter and len(set(chapter.values())) == len(chapter)
    told = {entry["name"]: entry for entry in client.get("/api/v1/views").json()["views"]}
    assert set(told["lookup"]["models"]) == set(registry.catalogue())
    assert all("lookup" in entry["views"] for entry in client.get("/api/v1/models").json()["models"])
    assert "/{lang}/lookup.json" in client.get("/api/openapi.json").json()["paths"]
    for lang in ("de", "en"):
        assert f'href="/{lang}/lookup"' in client.get(f"/{lang}").text
        for address in (f"/{lang}/lookup", f"/{lang}/embed/lookup", f"/{lang}/lookup.csv"):
            assert client.get(address, params={"text": SENTENCE, "model": "gru"}).status_code == 200
    page = client.get("/de/lookup", params={"text": SENTENCE, "vs": "Der Hund biss den Mann"})
    assert page.status_code == 200 and 'class="figure-data"' in page.text
    shown = client.get("/de/lookup.json", params={"text": SENTENCE, "model": "gru"}).json()
    trace = client.get("/api/v1/trace", params={"text": SENTENCE, "model": "gru", "fields": "embeddings"}).json()
    numbers = [row[-1] for row in shown["table"]["rows"]]
    assert numbers == pytest.approx(np.ravel(trace["fields"]["embeddings"]["data"]))
    assert client.get("/de/lookup.json?text=").json()["error"]["field"] == "text"


def test_afterwards_everything_is_as_it_was():
    assert "lookup" not in views.catalogue() and "forgetful" not in registry.catalogue()
    assert not [name for name in sys.modules if name.endswith((".forgetful", ".lookup"))]


@pytest.mark.parametrize("heading", ["Add a model", "Add a view"])
def test_the_examples_are_short(heading):
    code = example(heading)
    assert code.startswith('"""') and max(map(len, code.splitlines())) <= 120
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    functions = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)]
    for function in functions:  # as mypy wants them
        untyped = [one.arg for one in function.args.args if one.annotation is None and one.arg != "self"]
        assert untyped == [] and (function.returns or function.name == "__init__")
