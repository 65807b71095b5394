"""The commands, and what they hand on."""

import socket
import subprocess
import sys

import pytest
import uvicorn
from typer.testing import CliRunner

from app.benchmarks import Line
from app.cli import SERVED, app
from app.settings import settings
from app.static import asset
from models import registry


def invoke(*arguments, **environment):
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_models_lists_each_with_its_size_and_weights():
    result = invoke("models")
    assert result.exit_code == 0
    for model in registry.catalogue().values():
        (line,) = (line for line in result.stdout.splitlines() if line.split()[0] == model.name)
        assert f"{model.parameters:,}" in line and model.hash in line
    assert len({len(line) for line in result.stdout.splitlines()}) == 1  # columns


def test_no_command_shows_help():
    assert "serve" in invoke().output


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, ("127.0.0.1", 8000)),
        (["--host", "0.0.0.0", "--port", "81"], {}, ("0.0.0.0", 81)),
        ([], {"HOST": "::1", "PORT": "82"}, ("::1", 82)),
        (["--port", "83"], {"PORT": "82"}, ("127.0.0.1", 83)),
    ],
)
def test_serve_listens_where_it_is_told(monkeypatch, arguments, environment, expected):
    seen = []
    monkeypatch.delenv("HOST", raising=False)
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setattr(uvicorn, "run", lambda target, **options: seen.append((target, options)))
    assert invoke("serve", *arguments, **environment).exit_code == 0
    ((target, options),) = seen
    assert target == "app.main:create_app" and options["factory"]
    assert (options["host"], options["port"]) == expected


def test_a_reader_who_takes_nothing_does_not_keep_the_server():
    assert SERVED["timeout_graceful_shutdown"] < 10  # what Docker waits
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    options = f"port={port}, **SERVED | {{'timeout_graceful_shutdown': 1}}"
    run = f"import uvicorn; from app.cli import SERVED; uvicorn.run('app.main:create_app', factory=True, {options})"
    with (
        subprocess.Popen([sys.executable, "-c", run], stderr=subprocess.PIPE, text=True) as process,
        socket.socket() as reader,
    ):
        for line in process.stderr:
            if "running on" in line:
                break
        reader.connect(("127.0.0.1", port))
        plotly = asset("vendor/plotly.js-cartesian-3.7.0/plotly-cartesian.min.js")
        reader.sendall(30 * f"GET {plotly} HTTP/1.1\r\nHost: here\r\n\r\n".encode())  # 40 MB
        assert reader.recv(99).startswith(b"HTTP/1.1 200 ")
        process.terminate()
        try:
            assert "Application shutdown complete." in process.communicate(timeout=20)[1]
        finally:
            process.kill()


def test_python_m_app_is_the_same():
    result = subprocess.run([sys.executable, "-m", "app", "models"], capture_output=True, text=True, check=True)
    assert result.stdout == invoke("models").stdout


def test_figures_can_be_written_to_a_file_on_windows(monkeypatch):
    """There a file or pipe gets cp1252, which has neither ≤ nor −."""
    line = Line("a", 1.0, bar=2.0, note="(3 − 2) ÷ 1")
    monkeypatch.setattr("app.bench.measure", lambda *_, **__: [line])
    result = CliRunner(charset="cp1252").invoke(app, ["bench", "--quick"])
    assert result.exit_code == 0, result.exception
    assert result.stdout.split() == ["a", "1.00", r"\u2264", "2.00", r"\u2713", "(3", r"\u2212", "2)", "÷", "1"]


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_there_is_not_is_refused(monkeypatch, port):
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: pytest.fail("it started"))
    result = invoke("serve", PORT=port)
    assert result.exit_code == 2 and "'PORT'" in result.output


@pytest.mark.parametrize("arguments", [["serve"], ["models"], ["export", "/de/gates.json", "--out", "never"]])
def test_every_command_says_which_setting_is_wrong(monkeypatch, arguments):
    settings.cache_clear()
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: pytest.fail("it started"))
    result = invoke(*arguments, SATZBLICK_PUBLIC_URL="satz.example")
    settings.cache_clear()
    assert result.exit_code == 2
    assert result.output.startswith("SATZBLICK_PUBLIC_URL=satz.example: must be http:// or https://")
