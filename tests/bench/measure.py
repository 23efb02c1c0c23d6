"""Numbers that a benchmark prints: percentiles, CPU time and memory of processes that it started, tables."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def percentile(values: Iterable[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid: int) -> float:
    """Proportional set size in MB: shared pages count once, divided between those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has no Pss")


class CpuMeter:
    """Percent of one core that each of some processes used since the meter was made."""

    def __init__(self, **pids: int) -> None:
        self._pids = pids
        self._start = {name: cpu(pid) for name, pid in pids.items()}
        self._at = time.monotonic()

    def read(self) -> dict[str, float]:
        passed = time.monotonic() - self._at
        return {name: 100 * (cpu(pid) - self._start[name]) / passed for name, pid in self._pids.items()}


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    cells = [list(head)] + [[f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}")
    cells.insert(1, ["-" * width for width in widths])
    for first, *rest in cells:
        print("  ".join(["", first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(rest, widths[1:], strict=True))]))
