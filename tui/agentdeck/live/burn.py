"""Which tool call burned the machine: samples of the process tree joined with the calls that ran meanwhile.

Pure. A sample counts for the newest call that runs a command: agents run several at once only rarely, and which
process belongs to which call cannot be told from outside.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from agentdeck.events import ToolUsed

KEPT: Final = 500
"""Calls whose figures are kept."""

WORTH: Final = 10.0
"""Percent of a core from which it is worth telling."""

RUNNING: Final = frozenset({"command", "mcp", "agent"})
"""Categories of calls that start processes or keep them busy."""

SLOPE_SPAN: Final = 600.0
"""Seconds over which a server's memory is followed."""

SLOPE_SAMPLES: Final = 20
SLOPE_BYTES: Final = 64 * 1024 * 1024
"""Growth over the span that looks like a leak."""


class Burned(NamedTuple):
    name: str
    """The busiest process."""
    cpu: float
    """Its highest percentage of a core."""
    seconds: float
    """CPU seconds of the whole tree while the call ran."""


@dataclass(slots=True)
class Burn:
    _calls: OrderedDict[str, Burned] = field(default_factory=OrderedDict)

    def sample(self, pending: Sequence[ToolUsed], busiest: str, busiest_cpu: float, cpu: float, elapsed: float) -> None:
        """Take one sample of a session's tree: `cpu` percent over the last `elapsed` seconds."""
        running = [used for used in pending if used.category in RUNNING]
        if not running or elapsed <= 0:
            return
        call = running[-1].call
        before = self._calls.pop(call, Burned("", 0.0, 0.0))
        name, highest = (busiest, busiest_cpu) if busiest_cpu > before.cpu else (before.name, before.cpu)
        self._calls[call] = Burned(name, highest, before.seconds + cpu * elapsed / 100)
        while len(self._calls) > KEPT:
            self._calls.popitem(last=False)

    def of(self, call: str) -> str:
        """Return what a call burned in words, such as `pytest 92 %`; empty when it is not worth telling."""
        burned = self._calls.get(call)
        if burned is None or burned.cpu < WORTH or not burned.name:
            return ""
        return f"{burned.name} {burned.cpu:.0f} %"


@dataclass(slots=True)
class Memory:
    """The memory of one long-lived process, such as an MCP server, and how it grows."""

    name: str
    _samples: list[tuple[float, int]] = field(default_factory=list)

    def add(self, at: float, rss: int) -> None:
        """`at` is monotonic. Samples closer together than a few seconds are left out."""
        if self._samples and at - self._samples[-1][0] < SLOPE_SPAN / SLOPE_SAMPLES / 2:
            return
        self._samples.append((at, rss))
        while self._samples and at - self._samples[0][0] > SLOPE_SPAN:
            del self._samples[0]

    @property
    def rss(self) -> int:
        return self._samples[-1][1] if self._samples else 0

    @property
    def slope(self) -> float:
        """Bytes per second by least squares; 0 while there are too few samples."""
        if len(self._samples) < SLOPE_SAMPLES // 2:
            return 0.0
        count = len(self._samples)
        mean_t = sum(at for at, _ in self._samples) / count
        mean_m = sum(rss for _, rss in self._samples) / count
        spread = sum((at - mean_t) ** 2 for at, _ in self._samples)
        return sum((at - mean_t) * (rss - mean_m) for at, rss in self._samples) / spread if spread else 0.0

    @property
    def leaks(self) -> bool:
        """Whether at this slope it grows by more than a leak's worth in the time that is followed."""
        return self.slope * SLOPE_SPAN > SLOPE_BYTES
