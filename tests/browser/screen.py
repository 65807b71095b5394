"""A browser window on Satzblick: opens addresses, waits for drawings, reads what stands there, notes what is wrong."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Frame, Page, Request

HERE = Path(__file__).parent
PATIENCE = 60  # seconds: the first drawing waits for a model to load, on a machine that may be busy
TICK = 40  # milliseconds between two looks at the page
LOCAL = ("data", "blob", "about", "file")  # addresses of these kinds leave nothing: they have no host

T = TypeVar("T")


class Witness:
    """Notes what must never happen: console messages, page errors, violations of the policy, foreign requests."""

    def __init__(self, context: BrowserContext):
        self.seen: list[str] = []
        self.requests: list[str] = []
        self.expected: set[str] = set()  # parts of messages that this test provokes
        context.expose_binding("reportViolation", lambda _, text: self.seen.append(f"policy: {text}"))
        context.add_init_script(path=HERE / "screen.js")
        context.on("console", self.console)
        context.on("weberror", lambda error: self.seen.append(f"page error: {error.error}"))
        context.on("request", self.request)

    def console(self, message: ConsoleMessage) -> None:
        """Keeps errors and warnings, except those that were asked for."""
        expected = any(part in message.text for part in self.expected)
        if message.type in ("error", "warning") and not expected:
            self.seen.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def request(self, request: Request) -> None:
        """Keeps a request's address; one that leaves the machine is noted."""
        self.requests.append(request.url)
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL and parts.hostname != "127.0.0.1":
            self.seen.append(f"request: {request.url}")

    def expect_status(self, status: int) -> None:
        """Lets a status of 4xx pass, which Chromium calls an error."""
        self.expected.add(f"status of {status} ")

    def forget(self) -> None:
        """Starts anew."""
        self.seen.clear()
        self.requests.clear()
        self.expected.clear()

    def check(self) -> None:
        """Fails where anything was noted."""
        assert not self.seen, "\n".join(self.seen)


class Screen:
    """What one person has before them: one page that goes from address to address, as in a reader's own window."""

    def __init__(self, page: Page, base: str):
        self.page, self.base, self.witness = page, base, Witness(page.context)
        self.size = page.viewport_size

    @contextmanager
    def watched(self) -> Iterator[Self]:
        """As new, for one test; fails where something went wrong behind the scenes."""
        assert self.size
        self.page.set_viewport_size(self.size)
        self.page.emulate_media(color_scheme="light", media="null")
        self.page.context.set_offline(False)
        if len(self.page.frames) > 1:  # a frame of another process ends after its page: nobody may take it for his own
            self.page.goto("about:blank")
            self.until(lambda: len(self.page.frames) == 1, "the end of the last test's frames")
        self.witness.forget()
        yield self
        self.witness.check()

    def go(self, path: str, **parameters: str | int) -> int:
        """Opens an address of the server; gives its status."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        response = self.page.goto(f"{self.base}{path}{query}", timeout=PATIENCE * 1000)
        assert response is not None
        return response.status

    def open(self, path: str, **parameters: str | int) -> None:
        """Opens an address and waits for its figure."""
        assert self.go(path, **parameters) == 200
        self.drawn()

    def until(self, met: Callable[[], T], what: str) -> T:
        """Looks again and again, until something true is seen; a page that is just leaving shows nothing."""
        end = time.monotonic() + PATIENCE
        while not (found := self.unless_leaving(met)):
            assert time.monotonic() < end, f"waited {PATIENCE} s for: {what}\n" + "\n".join(self.witness.seen)
            self.page.wait_for_timeout(TICK)
        return found

    @staticmethod
    def unless_leaving(met: Callable[[], T]) -> T | None:
        """What is seen, or None where the page went to another address during the look."""
        try:
            return met()
        except Error as error:
            if "Execution context was destroyed" not in error.message:
                raise
            return None

    def drawn(self, frame: Frame | None = None) -> None:
        """Waits until the figure that belongs to the page is drawn to the end."""
        place = frame or self.page
        self.until(lambda: place.evaluate("onScreen.ready()"), "a drawn figure")

    def click(self, selector: str) -> None:
        """Clicks a link that brings another figure, and waits for that figure."""
        before = self.page.url
        self.page.click(selector)
        self.until(lambda: self.page.url != before, f"another address after {selector}")
        self.drawn()

    def panels(self) -> list[dict[str, Any]]:
        """The panels as drawn: values, words across and down, title, place."""
        panels: list[dict[str, Any]] = self.page.evaluate("onScreen.panels()")
        return panels

    def values(self) -> list[Any]:
        """Only the drawn values of all panels."""
        return [panel["z"] for panel in self.panels()]

    def pixels(self, panel: int = 0) -> list[list[str]]:
        """The colour in the middle of each cell of a panel's picture."""
        pixels: list[list[str]] = self.page.evaluate("index => onScreen.pixels(index)", panel)
        return pixels

    def parameters(self) -> Mapping[str, str]:
        """What the address says."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    def text(self, selector: str) -> str:
        """The text of the first element that matches."""
        return self.page.locator(selector).first.inner_text()

    def history(self) -> int:
        """How many addresses the window remembers."""
        length: int = self.page.evaluate("history.length")
        return length

    def focused(self, selector: str) -> bool:
        """Whether the element that has the focus matches."""
        matches: bool = self.page.evaluate("selector => document.activeElement.matches(selector)", selector)
        return matches
