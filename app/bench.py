"""Measures what the server adds to its models: a real server on loopback, everything in turn, medians.

The overhead ratio of a view is (an uncached request − a page that runs no model) ÷ the model call that its trace makes.
"""

import gzip
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from urllib.parse import quote_plus

from app.calls import VIEWS, Sentences
from app.load import HOST, Client, Load, crowd

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "BENCHMARKS.md"
STARTING = 120.0  # seconds that a server may take until it listens
IMPORTS = {
    "gates": "import torch",
    "attention_map": "import torch; from transformers.models.bert.modeling_bert import BertForMaskedLM",
}
START_BARS = {"gates": 2.0, "attention_map": 1.5}
CROWDED = ("attention_map", "gates")
OVERHEAD_BARS = {
    ("attention_map", 8): 1.6, ("attention_map", 32): 1.3, ("attention_map", 128): 1.2,
    **{(view, tokens): bar for view in list(VIEWS)[1:5] for tokens, bar in ((8, 2.0), (32, 1.5), (128, 1.3))},
    **{(view, tokens): bar for view in list(VIEWS)[5:] for tokens, bar in ((32, 3.0), (128, 2.0))},
}  # fmt: skip
OVERHEAD_BARS[("classification", 32)] = 2.0  # of the sum of the six calls
ASKED = ("encoder-intent", "encoder-entities", "encoder", "decoder")  # what faithfulness asks, each in its own way
FAITHFUL_BAR = 3.0  # a request of faithfulness against the forward and backward passes that it makes
SAME_BAR = 10.0  # the throughput of one sentence for all against that of different ones
BYTES_BAR = 120_000
CROWD_TOKENS = 32
WARM_UP = 2  # rounds that do not count


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    tokens: tuple[int, ...] = (8, 32, 128)  # as the model sees them, [CLS] and [SEP] counted
    repetitions: int = 100
    starts: int = 5
    clients: int = 32
    different: int = 20  # sentences per client
    same: int = 100  # requests per client for the same sentence
    peer: bool = False  # also what app/peer.py measures, which needs the extra `bench`, a browser and npm


QUICK = Plan(repetitions=15, starts=1, different=4, same=25)


@dataclass(frozen=True)
class Line:
    """One measured figure; `bar` is what it must not go over, or under where `least`."""

    name: str
    value: float
    unit: str = ""
    bar: float | None = None
    least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the figure keeps to its bar; None where it has none."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.least else self.value <= self.bar

    def shown(self) -> tuple[str, str, str, str]:
        """Name, figure, bar and note as they are printed."""
        sign = "≥" if self.least else "≤"
        bar = "" if self.bar is None else f"{sign} {number(self.bar, self.unit)} {'✓' if self.met else '✗ missed'}"
        return self.name, f"{number(self.value, self.unit)} {self.unit}".rstrip(), bar, self.note


@dataclass
class Timings:
    """Seconds of one view at one length."""

    request: list[float] = field(default_factory=list)  # a sentence that nobody has asked for
    empty: list[float] = field(default_factory=list)  # the view's page without a figure, drawn anew
    call: list[float] = field(default_factory=list)  # the model alone, in this process
    kept: list[float] = field(default_factory=list)  # the same address again
    redrawn: list[float] = field(default_factory=list)  # the same sentence at another address: the trace is there

    def overhead(self) -> float:
        """What a request costs beyond a page without a model, in units of the model call."""
        return (median(self.request) - median(self.empty)) / median(self.call)

    def note(self) -> str:
        """The medians behind the ratio."""
        request, empty, call = (1e3 * median(times) for times in (self.request, self.empty, self.call))
        return f"({request:.2f} − {empty:.2f}) ÷ {call:.2f} ms"


def number(value: float, unit: str) -> str:
    """A figure with as many decimals as its unit deserves."""
    return f"{value:,.0f}" if unit in ("bytes", "MB", "requests/s") else f"{value:.2f}"


def measure(plan: Plan, told: Callable[[str], None]) -> Iterator[Line]:
    """Everything, in one run, each figure as soon as it is there; `told` hears how far it has come."""
    told("starts of the server …")
    yield from starts(plan)
    with server() as (port, process):
        told("memory …")
        yield memory(port, process)
    with server() as (port, _):
        told(f"requests, {plan.repetitions} rounds …")
        yield from requests(plan, port)
        told("faithfulness …")
        for model in ASKED:
            yield faithful(model, plan, port)
        told(f"{plan.clients} clients …")
        yield from crowds(plan, port)
    if plan.peer:
        from app import peer

        yield from peer.measure(plan.repetitions, told)


def starts(plan: Plan) -> list[Line]:
    """Seconds from the command to a first figure, beside the imports that it cannot do without."""
    first: dict[str, list[float]] = {view: [] for view in IMPORTS}
    imports: dict[str, list[float]] = {view: [] for view in IMPORTS}
    for _ in range(plan.starts):
        for view, statement in IMPORTS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            imports[view].append(time.perf_counter() - started)
            started = time.perf_counter()
            with server() as (port, _), closing(Client(port)) as client:
                client.get(f"/de/{view}?text=Der+Mann+biss+den+Hund")
                first[view].append(time.perf_counter() - started)
    return [
        Line(
            f"first figure ÷ its imports, {view}", median(first[view]) / median(imports[view]), bar=START_BARS[view],
            note=f"{median(first[view]):.2f} ÷ {median(imports[view]):.2f} s",
        )
        for view in IMPORTS if plan.starts
    ]  # fmt: skip


def memory(port: int, process: int) -> Line:
    """Resident memory after ten requests, five for either kind of model."""
    sentences = Sentences(seed=1)
    with closing(Client(port)) as client:
        for _ in range(5):
            for view in CROWDED:
                client.get(address(view, sentences.new(view, CROWD_TOKENS)))
    return Line("resident memory after ten requests", resident(process), "MB")


def requests(plan: Plan, port: int) -> list[Line]:
    """Overhead ratios, answers that are there already, and bytes; all views and lengths in turn, round by round."""
    sentences = Sentences(seed=2)
    for view in VIEWS:
        sentences.call(view, "Hallo")  # loads the model here, before a connection could become idle
    rounds = {(view, tokens): Timings() for view in VIEWS for tokens in plan.tokens}
    sizes: dict[tuple[str, int], tuple[int, int]] = {}
    with closing(Client(port)) as client:
        for repetition, (view, tokens) in product(range(-WARM_UP, plan.repetitions), list(rounds)):
            if repetition == 0:
                rounds[view, tokens] = Timings()
            timings, sentence = rounds[view, tokens], sentences.new(view, tokens)
            here = address(view, sentence)
            asked = (
                (timings.request, here, 200),
                (timings.empty, f"/de/{view}?text=&n={repetition}", 422),
                (timings.kept, here, 200),
                (timings.redrawn, f"{here}&n={repetition}", 200),
            )
            for seconds, what, status in asked:
                timings.call.append(sentences.call(view, sentence))  # before each, so that all meet the same caches
                seconds.append(client.get(what, status))
                if repetition < 0 and what == here:
                    sizes[view, tokens] = bytes_of(client)
    return [line for key, timings in rounds.items() for line in request_lines(*key, timings, *sizes[key])]


def faithful(model: str, plan: Plan, port: int) -> Line:
    """A request of the view faithfulness against the very passes through the network that its experiment makes."""
    sentences, asked, passes, empty = Sentences(seed=4), [], [], []
    sentences.passes(model, "Hallo")  # loads the model here, before a connection could become idle
    for repetition in range(-WARM_UP, max(1, plan.repetitions // 5)):
        sentence = sentences.new("attention_map", CROWD_TOKENS)
        with closing(Client(port)) as client:  # the passes in between may outlast an idle connection
            seconds = client.get(f"{address('faithfulness', sentence)}&model={model}", 200)
            alone = client.get(f"/de/faithfulness?text=&model={model}&n={repetition}", 422)
        own = sentences.passes(model, sentence)
        if repetition >= 0:
            asked.append(seconds)
            empty.append(alone)
            passes.append(own)
    request, page, own = (1e3 * median(times) for times in (asked, empty, passes))
    name = f"faithfulness ÷ its own forwards and backwards ({model}), {CROWD_TOKENS} tokens"
    return Line(name, (request - page) / own, bar=FAITHFUL_BAR, note=f"({request:.1f} − {page:.1f}) ÷ {own:.1f} ms")


def request_lines(view: str, tokens: int, timings: Timings, wire: int, body: int) -> Iterator[Line]:
    """The figures of one view at one length."""
    at = f"{view} ({', '.join(dict.fromkeys(VIEWS[view]))}), {tokens} tokens"
    yield Line(f"overhead ratio, {at}", timings.overhead(), "", OVERHEAD_BARS.get((view, tokens)), note=timings.note())
    empty, kept, redrawn = (1e3 * median(times) for times in (timings.empty, timings.kept, timings.redrawn))
    yield Line(f"cached request ÷ page without a model, {at}", kept / empty, note=f"{kept:.2f} ÷ {empty:.2f} ms")
    yield Line(f"kept trace, page drawn anew ÷ page without a model, {at}", redrawn / empty,
               note=f"{redrawn:.2f} ÷ {empty:.2f} ms")  # fmt: skip
    bar = BYTES_BAR if tokens == 128 else None
    yield Line(f"bytes on the wire, {at}", wire, "bytes", bar, note=f"{body:,} bytes before compression")


def crowds(plan: Plan, port: int) -> Iterable[Line]:
    """Many clients at once, all with one sentence and all with sentences of their own."""
    sentences = Sentences(seed=3)
    for view in CROWDED:
        shared = address(view, sentences.new(view, CROWD_TOKENS))
        own = [address(view, sentences.new(view, CROWD_TOKENS)) for _ in range(plan.clients * plan.different)]
        same = crowd(port, plan.clients, [shared] * (plan.clients * plan.same))
        different = crowd(port, plan.clients, own)
        name = f"{plan.clients} clients, {view}, {CROWD_TOKENS} tokens"
        yield Line(f"{name}: the same sentence", same.rate, "requests/s", note=crowd_note(same))
        yield Line(f"{name}: different sentences", different.rate, "requests/s", note=crowd_note(different))
        yield Line(f"{name}: same ÷ different", same.rate / different.rate, bar=SAME_BAR, least=True)


def crowd_note(load: Load) -> str:
    """What the crowd got, and how busy it was itself."""
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(load.statuses.items()))
    return f"{statuses}; the clients computed {load.busy:.0%} of the time"


def address(view: str, sentence: str) -> str:
    """The page of a view with this sentence."""
    return f"/de/{view}?text={quote_plus(sentence)}"


def bytes_of(client: Client) -> tuple[int, int]:
    """Size of the last answer on the wire and of its body before compression; checks that a figure is in it."""
    page = gzip.decompress(client.connection.body)
    if b'class="figure-data"' not in page:
        raise RuntimeError("the page has no figure")
    return client.connection.wire, len(page)


@contextmanager
def server(**settings: str) -> Iterator[tuple[int, int]]:
    """A fresh server with the default settings and these; gives its port and process once it listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SATZBLICK_")}
    environment |= settings
    command = [sys.executable, "-m", "app", "serve", "--host", HOST, "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        wait_for(port, process)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until the server listens; RuntimeError if it ends or takes too long."""
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((HOST, port), 1).close()
            return
        except OSError:
            time.sleep(0.005)
    raise RuntimeError(f"the server did not start (exit code {process.poll()})")


def resident(process: int) -> float:
    """Megabytes of memory that a process holds; NaN where the system does not tell."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")) / 1024


def machine() -> dict[str, str]:
    """Where and with what it was measured."""
    processor = platform.processor() or platform.machine()
    if (information := Path("/proc/cpuinfo")).exists():
        named = (line for line in information.read_text().splitlines() if line.startswith("model name"))
        processor = next(named, f": {processor}").split(":")[1].strip()
    return {
        "date": date.today().isoformat(),
        "processor": f"{processor}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "fastapi", "uvicorn")),
    }


def report(lines: Sequence[Line], plan: Plan) -> str:
    """BENCHMARKS.md."""
    about = "\n".join(f"- {name}: {value}" for name, value in machine().items())
    table = "\n".join(f"| {' | '.join(line.shown())} |" for line in lines)
    return f"""# Benchmarks

Written by `make bench`.

{about}

| what | measured | bar | how it comes about |
|---|---:|---|---|
{table}

## How it was measured

A fresh server with the default settings runs in a process of its own. One client asks it over loopback, on a raw socket
that keeps its connection and accepts gzip; a time lasts from sending the request to the last byte. {plan.repetitions}
rounds go through all views and lengths in turn, so that whatever else the machine does hits all of them alike. Figures
are medians.

- **Overhead ratio**: (uncached request − page that runs no model) ÷ model call. An *uncached request* is the page of
  a view with a sentence that nobody has asked for: as many tokens as stated, [CLS] and [SEP] counted, made of words
  that are one token each. The *page that runs no model* is the same view's page for an empty text (status 422, with
  the form, the controls and the sentence that says what is wrong), which is never kept. The *model call* is the very
  call that the trace makes (`Transformer.call`, `Recurrent.call`) with the same tokens on one thread, but in the
  process of the bench: once before each request of any kind, so that all of these begin with the same caches, and so
  does the call.
- **Calls of `memory`**: the forward and the products of its seventeen probes, linear models with weights of their own,
  each as large as the network's output layer.
- **Cached request**: the same address again, whose answer is kept as it was sent. Below it the same sentence at an
  address that differs in a meaningless parameter: the trace is kept, and the page is drawn and compressed anew.
- **Clients**: {plan.clients} connections in one thread that asks for the next page as soon as one has arrived. The note
  says which share of the time that thread computed: below 100 %, so that the server is what is measured.
- **BertViz** (`python -m app bench --peer`): the attention of all-MiniLM-L6-v2, 6 × 12 heads, for two texts of 128
  tokens, stacked to 12 × 12; once as the page of the atlas, from the finished run to its HTML, and once as what
  `bertviz.model_view` returns (version 1.4.1). Bytes are before compression; BertViz's page holds its data twice, for
  the name that the data takes the place of stands in a comment too. Noise instead of attention is the worst case of an
  image, and no case of a trained model. Drawing lasts from the navigation to the frame after the picture is there, in
  the same Chromium, with the scripts of both served from here.
- **A published model**: all-MiniLM-L6-v2 by `SATZBLICK_EXTRA_MODELS`, words of one token each; drawn are pages that the
  server has kept.
- **First figure**: from starting `python -m app serve` to the last byte of the first page with a figure, beside a fresh
  Python that only imports what that figure needs: torch, and for attention the model's class from transformers.
"""
