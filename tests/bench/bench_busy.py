"""Ten visible panes at 20 KB/s each: python -m tests.bench.bench_busy [panes seconds]."""

import sys

from tests.bench import rivals
from tests.bench.measure import CpuMeter, table


def main(panes: int = 10, seconds: int = 10) -> None:
    words = [rivals.program("busy")] * panes
    with rivals.agentdeck(words) as (world, seat):
        seat.drain(2.0)
        meter = CpuMeter(deck=seat.pid, hub=world.hub_pid())
        frames, sent = seat.frames, seat.bytes
        seat.drain(float(seconds))
        used = meter.read()
        rate, drawn = (seat.frames - frames) / seconds, (seat.bytes - sent) / seconds
    rows = [*used.items(), ("deck + hub", used["deck"] + used["hub"])]
    table(f"{panes} visible panes at 20 KB/s, {seconds} s", ("process", "% of a core"), rows)
    print(f"  {rate:.0f} frames/s, {drawn / 1024:.0f} KB/s to the terminal")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
