"""A big file through a visible pane, agentdeck against tmux: python -m tests.bench.bench_flood [megabytes]."""

import sys
import tempfile
import time
from pathlib import Path

from tests.bench import rivals
from tests.bench.measure import table
from tests.bench.seat import Seat


def write_ascii(path: Path, size: int) -> None:
    block = b"".join(
        b"%06d the quick brown fox jumps over the lazy dog, again and again and again\r\n" % n for n in range(800)
    )
    path.write_bytes(block * (size // len(block) + 1))


def write_sgr(path: Path, size: int) -> None:
    words = b"".join(
        b"\x1b[38;2;%d;%d;%dmword%02d\x1b[0m " % (n * 9 % 256, n * 5 % 256, n * 3 % 256, n) for n in range(12)
    )
    path.write_bytes((words + b"\r\n") * (size // len(words) + 1))


def flood(seat: Seat) -> tuple[float, float]:
    """Return the seconds until the end of the file was on the screen, and frames a second."""
    seat.clear()
    frames, start = seat.frames, time.perf_counter()
    seat.press(b"x")
    seconds = seat.wait_for(b"THE-END", 120.0) - start
    return seconds, (seat.frames - frames) / seconds


def main(megabytes: int = 50) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("ascii", write_ascii), ("SGR", write_sgr)):
            path = Path(folder, name)
            write(path, megabytes * 1_000_000)
            panes = [rivals.program("flood", str(path))]
            with rivals.agentdeck(panes) as (_, seat):
                ours, rate = flood(seat)
            with rivals.tmux(panes) as (_, seat):
                theirs, _ = flood(seat)
            rows.append((name, megabytes / ours, rate, megabytes / theirs, theirs / ours))
    table(f"cat of {megabytes} MB at 200×50", ("kind", "deck MB/s", "frames/s", "tmux MB/s", "throughput ratio"), rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
