"""The description names every data address with its parameters, and its page needs no other host."""

import re

from app import views
from app.openapi import Refusal
from app.query import Query


def description(client):
    return client.get("/api/openapi.json").json()


def test_the_description_is_valid_enough_to_read(client):
    told = description(client)
    assert told["openapi"].startswith("3.")
    assert told["info"]["title"] == "Satzblick"
    for path, entry in told["paths"].items():
        assert path.startswith("/") and list(entry) == ["get"]
        for parameter in entry["get"].get("parameters", []):
            assert parameter["in"] in ("path", "query") and parameter["name"] and parameter["schema"]


def test_the_api_is_described(client):
    paths = description(client)["paths"]
    assert {"/health", "/api/v1/models", "/api/v1/views", "/api/v1/trace"} <= set(paths)
    names = {parameter["name"] for parameter in paths["/api/v1/trace"]["get"]["parameters"]}
    assert names == {"model", "text", "fields", "format"}


def test_errors_are_described_as_they_are(client):
    told = description(client)
    assert set(told["components"]["schemas"]) == {"Refusal", "Wrong"}
    for entry in told["paths"].values():
        answers = entry["get"]["responses"]
        assert list(answers) == ["200", "default"]
        assert answers["default"]["content"]["application/json"]["schema"]["$ref"] == "#/components/schemas/Refusal"
    for address in ("/api/v1/trace", "/en/gates.json?layer=9", "/oembed?url=x", "/api/v1/nothing"):
        answer = client.get(address)
        assert answer.status_code >= 400 and Refusal.model_validate(answer.json()).model_dump() == answer.json()


def test_the_forms_of_a_trace_are_named(client):
    (form,) = (each for each in description(client)["paths"]["/api/v1/trace"]["get"]["parameters"]
               if each["name"] == "format")  # fmt: skip
    assert form["schema"]["enum"] == ["json", "npz"]


def test_every_view_is_described_with_its_options(client):
    paths = description(client)["paths"]
    for name, view in views.catalogue().items():
        operation = paths[f"/{{lang}}/{name}.json"]["get"]
        assert operation["summary"] and operation["description"] and "." not in operation["summary"]
        stated = {parameter["name"] for parameter in operation["parameters"]}
        assert stated == set(view.query.model_fields) and set(Query.model_fields) <= stated


def test_everything_is_explained():
    shared = {name: field for name, field in Query.model_fields.items() if name != "lang"}
    assert all(field.description for field in shared.values())


def test_the_page_loads_everything_from_here(client):
    page = client.get("/api/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/static/")
        assert client.get(address).status_code == 200
    assert 'data-description="/api/openapi.json"' in page
