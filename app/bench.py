"""Measures what the server adds to its models: a real server on loopback, everything in turn, medians.

The overhead ratio of a view is (an uncached request − a page that runs no model) ÷ the model call that its trace makes.
"""

import gzip
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import quote_plus

from app.benchmarks import ROOT, Line, Plan
from app.calls import VIEWS, Sentences
from app.load import HOST, Client, Load, crowd

STARTING = 120.0  # seconds that a server may take until it listens
IMPORTS = {
    "gates": "import torch",
    "attention_map": "import torch; from transformers.models.bert.modeling_bert import BertForMaskedLM",
}
START_BARS = {"gates": 2.0, "attention_map": 1.5}
CROWDED = ("attention_map", "gates")
FLOORS = {"attention_map": "encoder", "gates": "lstm"}
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


def measure(plan: Plan, told: Callable[[str], None]) -> Iterator[Line]:
    """Everything, in one run, each figure as soon as it is there; `told` hears how far it has come."""
    told("starts of the server …")
    yield from starts(plan)
    with server() as (port, process):
        told("memory …")
        yield memory(plan, port, process)
    with server() as (port, _):
        told(f"requests, {plan.repetitions} rounds …")
        yield from requests(plan, port)
        told("faithfulness …")
        for model in ASKED:
            yield faithful(model, plan, port)
        told(f"{plan.clients} clients …")
        yield from crowds(plan, port)
    told("the floor …")
    yield from floors(plan)
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


def memory(plan: Plan, port: int, process: int) -> Line:
    """Resident memory after ten requests, five for either kind of model."""
    sentences = Sentences(seed=1)
    with closing(Client(port)) as client:
        for _ in range(5):
            for view in CROWDED:
                client.get(address(view, sentences.new(view, plan.crowd_tokens)))
    return Line("resident memory after ten requests", resident(process), "MB")


def requests(plan: Plan, port: int) -> list[Line]:
    """Overhead ratios, answers that are there already, and bytes; all views and lengths in turn, round by round."""
    sentences = Sentences(seed=2)
    for view in VIEWS:
        sentences.call(view, "Hallo")  # loads the model here, before a connection could become idle
    rounds = {(view, tokens): Timings() for view in VIEWS for tokens in plan.tokens}
    sizes: dict[tuple[str, int], tuple[int, int]] = {}
    with closing(Client(port)) as client:
        for repetition, (view, tokens) in product(range(-plan.warm_up, plan.repetitions), list(rounds)):
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
    for repetition in range(-plan.warm_up, max(1, plan.repetitions // 5)):
        sentence = sentences.new("attention_map", plan.crowd_tokens)
        with closing(Client(port)) as client:  # the passes in between may outlast an idle connection
            seconds = client.get(f"{address('faithfulness', sentence)}&model={model}", 200)
            alone = client.get(f"/de/faithfulness?text=&model={model}&n={repetition}", 422)
        own = sentences.passes(model, sentence)
        if repetition >= 0:
            asked.append(seconds)
            empty.append(alone)
            passes.append(own)
    request, page, own = (1e3 * median(times) for times in (asked, empty, passes))
    name = f"faithfulness ÷ its own forwards and backwards ({model}), {plan.crowd_tokens} tokens"
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


def floors(plan: Plan) -> list[Line]:
    """The overhead ratio of a server that draws nothing."""
    from app.floor import SETTINGS

    sentences = Sentences(seed=5)
    rounds = {(view, tokens): Timings() for view in FLOORS for tokens in plan.tokens}
    for view in FLOORS:
        sentences.call(view, "Hallo")  # loads the model here
    with server("uvicorn", "app.floor:app", "--log-level", "warning", "--no-access-log", **SETTINGS) as (port, _):
        with closing(Client(port)) as client:
            for repetition, (view, tokens) in product(range(-plan.warm_up, plan.repetitions), list(rounds)):
                if repetition == 0:
                    rounds[view, tokens] = Timings()
                timings, sentence = rounds[view, tokens], sentences.new(view, tokens)
                for seconds, what in (
                    (timings.request, f"/?model={FLOORS[view]}&text={quote_plus(sentence)}"), (timings.empty, "/"),
                ):  # fmt: skip
                    timings.call.append(sentences.call(view, sentence))
                    seconds.append(client.get(what))
    return [
        Line(f"overhead ratio of a server that draws nothing ({FLOORS[view]}), {tokens} tokens", timings.overhead(),
             note=timings.note())
        for (view, tokens), timings in rounds.items()
    ]  # fmt: skip


def crowds(plan: Plan, port: int) -> Iterable[Line]:
    """Many clients at once, all with one sentence and all with sentences of their own."""
    sentences = Sentences(seed=3)
    for view in CROWDED:
        shared = address(view, sentences.new(view, plan.crowd_tokens))
        own = [address(view, sentences.new(view, plan.crowd_tokens)) for _ in range(plan.clients * plan.different)]
        same = crowd(port, plan.clients, [shared] * (plan.clients * plan.same))
        different = crowd(port, plan.clients, own)
        name = f"{plan.clients} clients, {view}, {plan.crowd_tokens} tokens"
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
def server(*command: str, **settings: str) -> Iterator[tuple[int, int]]:
    """A fresh server with the default settings and these; gives its port and process once it listens.

    `command` is a module with its arguments that serves in place of Satzblick. What a server says is shown only if it
    does not come up.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SATZBLICK_")}
    environment |= settings
    started = [sys.executable, "-m", *(command or ("app", "serve")), "--host", HOST, "--port", str(port)]
    with TemporaryFile() as told, subprocess.Popen(started, cwd=ROOT, env=environment, stderr=told) as process:
        try:
            wait_for(port, process, told)
            yield port, process.pid
        finally:
            process.terminate()


def wait_for(port: int, process: "subprocess.Popen[bytes]", told: IO[bytes]) -> None:
    """Until the server listens; RuntimeError, with what it has told, if it ends or takes too long."""
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((HOST, port), 1).close()
            return
        except OSError:
            time.sleep(0.005)
    told.seek(0)
    raise RuntimeError(f"the server did not start (exit code {process.poll()})\n{told.read().decode(errors='replace')}")


def resident(process: int) -> float:
    """Megabytes of memory that a process holds; NaN where the system does not tell."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")) / 1024
