"""Benchmarks: what a measurement found, line by line, and BENCHMARKS.md, which says on what machine and how."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "BENCHMARKS.md"


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    tokens: tuple[int, ...] = (8, 32, 128)  # as the model sees them, [CLS] and [SEP] counted
    repetitions: int = 100
    warm_up: int = 2  # rounds before them that do not count
    starts: int = 5
    clients: int = 32
    crowd_tokens: int = 32  # of their sentences, and of those for memory and faithfulness
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


def number(value: float, unit: str) -> str:
    """A figure with as many decimals as its unit deserves."""
    return f"{value:,.0f}" if unit in ("bytes", "MB", "requests/s") else f"{value:.2f}"


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
- **A server that draws nothing** (`app/floor.py`): what of an overhead ratio is no drawing. The same web server reads
  the text, hands it to the model's thread, makes the call and sends one map, or the last states, in base64, packed;
  its page without a model is a few bytes. What is left of a ratio where nothing is drawn.
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
