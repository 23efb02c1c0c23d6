"""From a key to its echo, through the whole deck and through tmux: python -m tests.bench.bench_echo [keys]."""

import sys
import time
from collections.abc import Sequence

from tests.bench import rivals
from tests.bench.measure import percentile, table
from tests.bench.programs import token
from tests.bench.seat import Seat

PAUSE = 0.03
"""Seconds between an echo and the next key."""

SCENES: dict[str, Sequence[Sequence[str]]] = {
    "alone": [rivals.program("echo")],
    "9 panes at 20 KB/s": [rivals.program("echo"), *[rivals.program("busy")] * 9],
    "beside a plain flood": [rivals.program("echo"), rivals.program("endless", "plain")],
    "beside a coloured flood": [rivals.program("echo"), rivals.program("endless", "colour")],
}


def type_and_wait(seat: Seat, keys: int) -> list[float]:
    """Return the milliseconds from each key to its echo; the first few are not counted."""
    times = []
    for number in range(keys + 5):
        seat.clear()
        start = time.perf_counter()
        seat.press(b"x")
        times.append(1000 * (seat.wait_for(token(number).encode(), 5.0) - start))
        seat.drain(PAUSE)
    return times[5:]


def main(keys: int = 150) -> None:
    rows = []
    for scene, panes in SCENES.items():
        with rivals.agentdeck(panes) as (_, seat):
            ours = type_and_wait(seat, keys)
        with rivals.tmux(panes) as (_, seat):
            theirs = type_and_wait(seat, keys)
        figures = [percentile(times, p) for times in (ours, theirs) for p in (50, 99)]
        rows.append((scene, *figures, figures[0] / figures[2]))
    head = ("key → echo, ms", "deck p50", "p99", "tmux p50", "p99", "p50 ratio")
    table(f"{keys} keys at 200×50", head, rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
