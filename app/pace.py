"""One network's share of a measurement: medians with their spread, what it keeps and computes, and amounts in words."""

import math
from dataclasses import dataclass

import numpy as np

from app.messages import Lang, decimal, translate, whole
from app.views import network_title
from models import registry
from models.trace import Timing, Trace

FAR = 256  # tokens: the longest text measured, for which numbers are told
NEAR, QUARTER = 8, 64  # the shortest, and a quarter of the longest
SPREAD = (0.1, 0.5, 0.9)
TRANSFORMERS = ("encoder", "decoder")


@dataclass(frozen=True)
class Network:
    """A network and what was measured of it; times are milliseconds, low, median and high."""

    name: str
    title: str
    timing: Timing

    def the(self, lang: Lang, opens: bool = False) -> str:
        """The network with its article; `opens` a sentence."""
        told = translate(lang, f"network.{self.name}.the")
        return told[0].upper() + told[1:] if opens else told

    @classmethod
    def of(cls, trace: Trace, lang: Lang) -> "Network":
        """The network of a run."""
        assert trace.timing is not None
        return cls(trace.model, network_title(trace.model, lang), trace.timing)

    @property
    def transformer(self) -> bool:
        """Whether it reads all tokens at once."""
        return self.timing.quadratic > 0

    @property
    def lengths(self) -> np.ndarray:
        """In tokens, [lengths]."""
        return self.timing.lengths

    @property
    def whole(self) -> np.ndarray:
        """For the whole text in one call, [spread, lengths]."""
        found: np.ndarray = np.quantile(1e3 * self.timing.seconds.astype(float), SPREAD, axis=1)
        return found

    @property
    def words(self) -> np.ndarray | None:
        """For the whole text word by word, [spread, lengths]; None where the network cannot go on."""
        if self.timing.step_seconds is None:
            return None
        sums = 1e3 * self.timing.step_seconds.astype(float).cumsum(axis=1)
        found: np.ndarray = np.quantile(sums[:, self.lengths - 1], SPREAD, axis=0)
        return found

    @property
    def next(self) -> np.ndarray:
        """For one more word after so many, [spread, lengths]: of the last quarter before, or, where the network cannot
        go on, for reading everything again."""
        steps = self.timing.step_seconds
        if steps is None:
            return self.whole
        windows = [steps[:, length - length // 4 : length].astype(float) for length in self.lengths]
        return np.array([np.quantile(1e3 * window, SPREAD) for window in windows]).T

    def at(self, times: np.ndarray, length: int) -> float:
        """The median for a text of this length."""
        return float(times[1][self.place(length)])

    def place(self, length: int) -> int:
        """Where a length stands."""
        return int(np.flatnonzero(self.lengths == length)[0])

    def operations(self, length: float) -> float:
        """Multiply–adds for the whole text."""
        return self.timing.linear * length + self.timing.quadratic * length**2

    def square_share(self, length: int) -> float:
        """Which share of them grows with the square of the length."""
        return self.timing.quadratic * length**2 / self.operations(length)

    def grown_share(self, length: int) -> float:
        """Which share of the multiply–adds for one more word is for looking at so many before it."""
        grown = self.timing.quadratic * length
        return grown / (grown + self.timing.linear)

    @property
    def turning(self) -> float:
        """From which length on that is more than half; infinite where there is none."""
        return self.timing.linear / self.timing.quadratic if self.timing.quadratic else math.inf

    @property
    def kept(self) -> int:
        """Bytes kept of the longest text."""
        return int(self.timing.kept_bytes[self.place(FAR)])

    @property
    def parameters(self) -> int:
        """All learned numbers."""
        return registry.get(self.name).parameters


def rounded(lang: Lang, value: float, digits: int = 2) -> str:
    """A positive number to so many digits: 0,083 or 6,9 or 630."""
    if value <= 0:
        return "0"
    digits = max(0, digits - 1 - math.floor(math.log10(float(f"{value:.{digits - 1}e}"))))
    return decimal(lang, value, digits) if digits else whole(lang, round(value))


def amount(lang: Lang, value: float, unit: str, digits: int = 2) -> str:
    """A time in "ms" or "µs", or a count of "bytes" or "operations" in thousands, millions …; no line ends in it."""
    if unit in ("ms", "µs"):
        return f"{rounded(lang, value, digits)}\u00a0{unit}"
    power = max((power for power in (9, 6, 3, 0) if value >= 10**power), default=0)
    return translate(lang, f"speed.{unit}.{power}", value=rounded(lang, value / 10**power, digits))
