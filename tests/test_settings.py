"""Every limit can be set in the environment and is documented."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings, settings

README = Path(__file__).parent.parent / "README.md"


def rows() -> dict[str, tuple[str, str]]:
    """The README's settings: default and meaning by variable."""
    return {
        name: (default.strip(), meaning.strip())
        for name, default, meaning in re.findall(
            r"^\| `(SATZBLICK_\w+)` \|(.*?)\|(.*)\|$", README.read_text("utf-8"), re.M
        )
    }


def shown(default) -> str:
    """A default as the README writes it."""
    if default == "":
        return "empty"
    return (
        f"{default:,}" if isinstance(default, int) else f"{default:g}" if isinstance(default, float) else str(default)
    )


def test_the_readme_documents_each_setting_and_no_other():
    fields = Settings.model_fields
    stated = {f"SATZBLICK_{name.upper()}": (shown(field.default), field.description) for name, field in fields.items()}
    assert rows() == stated


def test_the_environment_sets_them(monkeypatch):
    monkeypatch.setenv("SATZBLICK_CHARACTERS", "17")
    monkeypatch.setenv("SATZBLICK_PUBLIC_URL", "https://satzblick.example")
    found = Settings()
    assert (found.characters, found.public_url) == (17, "https://satzblick.example")


@pytest.mark.parametrize("name", ["CHARACTERS", "MODEL_WORKERS", "WAITING_SECONDS", "WAITING_RUNS"])
def test_a_senseless_value_stops_the_server(monkeypatch, name):
    monkeypatch.setenv(f"SATZBLICK_{name}", "0")
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize(
    "url",
    ["satz.example", "//satz.example", "ftp://satz.example", "https://", "https://a.example/a", "https://ä.example"],
)
def test_an_address_that_no_snippet_could_use_stops_the_server(monkeypatch, url):
    monkeypatch.setenv("SATZBLICK_PUBLIC_URL", url)
    with pytest.raises(ValidationError, match="such as https://example.org"):
        Settings()


@pytest.mark.parametrize("url", ["", "https://satz.example", "https://satz.example/", "http://127.0.0.1:8000"])
def test_an_address_is_a_scheme_and_a_host(monkeypatch, url):
    monkeypatch.setenv("SATZBLICK_PUBLIC_URL", url)
    assert Settings().public_url == url.removesuffix("/")


def test_a_process_has_one_set_of_settings():
    assert settings() is settings()
