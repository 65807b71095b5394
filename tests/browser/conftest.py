"""A real server, a real Chromium, and windows that fail their test where anything went wrong behind the scenes."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from .screen import Screen

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
START = 120  # seconds a server may take to answer
HOST = "127.0.0.1"

OpenWindow = Callable[..., Screen]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def alive(port: int) -> bool:
    """Whether the server says it is well."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def served(log: Path) -> Iterator[str]:
    """The address of a server in a process of its own; nothing in its log may speak of a crash."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SATZBLICK_")}
    environment |= {"HOST": HOST, "PORT": str(port), "SATZBLICK_WAITING_SECONDS": "300"}
    with log.open("wb") as file:
        command = [sys.executable, "-m", "app", "serve"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        end = time.monotonic() + START
        while not alive(port):
            assert process.poll() is None and time.monotonic() < end, f"the server did not start:\n{log.read_text()}"
            time.sleep(0.1)
        yield f"http://{HOST}:{port}"
        ended = process.poll()
    finally:
        process.terminate()
        process.wait(30)
    said = log.read_text()
    assert ended is None, f"the server ended by itself, with {ended}:\n{said}"
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server for all tests."""
    with served(tmp_path_factory.mktemp("server") / "log") as address:
        yield address


@pytest.fixture
def another(tmp_path: Path) -> Iterator[str]:
    """The address of a second server, which has answered nothing yet."""
    with served(tmp_path / "log") as address:
        yield address


# For this folder only: while Playwright runs, the thread has a running event loop, and other tests may want their own.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The machine's Chromium, else Playwright's own; without one the tests fail, they are never skipped."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    try:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
    except Error as error:
        pytest.fail(
            f"No Chromium that starts ({found or 'none on the PATH'}): install the system's package 'chromium', "
            f"or run 'python -m playwright install chromium'.\n{error}",
            pytrace=False,
        )
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def open_window(browser: Browser, server: str) -> Iterator[OpenWindow]:
    """Opens windows; takes the options of a Playwright context."""
    contexts = []

    def opened(**options: Any) -> Screen:
        usual = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", "locale": "de-DE"}
        contexts.append(browser.new_context(**(usual | options)))
        return Screen(contexts[-1].new_page(), server)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def desktop(open_window: OpenWindow) -> Screen:
    """A wide window, the same for all tests of a file: a new one costs a second each."""
    return open_window()


@pytest.fixture
def screen(desktop: Screen) -> Iterator[Screen]:
    """The wide window as new, light; ends its test with nothing to complain about."""
    with desktop.watched() as watched:
        yield watched
