"""What 20 sessions that do nothing cost: python -m tests.bench.bench_idle [sessions seconds]."""

import sys

import psutil

from tests.bench import rivals
from tests.bench.measure import CpuMeter, table


def main(sessions: int = 20, seconds: int = 20) -> None:
    with rivals.agentdeck([rivals.program("idle")] * sessions, visible=False) as (world, seat):
        seat.drain(5.0)
        holder = int(world.sessions()[0].get("holder_pid") or 0)
        hub = world.hub_pid()
        pids = {"deck": seat.pid, "hub": hub} | ({"one holder": holder} if holder else {})
        for child in psutil.Process(hub).children():
            if "agentdeck.worker.main" in child.cmdline():
                pids["worker"] = child.pid
        meter = CpuMeter(**pids)
        before = seat.bytes
        seat.drain(float(seconds))
        used = meter.read()
        drawn = (seat.bytes - before) / seconds
    rows = [*used.items(), ("deck + hub", used["deck"] + used["hub"])]
    table(f"{sessions} idle sessions, {seconds} s", ("process", "% of a core"), rows)
    print(f"  drawn meanwhile: {drawn:.0f} bytes/s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
