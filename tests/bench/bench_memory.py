"""Memory of deck, hub, holders and screens: python -m tests.bench.bench_memory [sessions lines]."""

import sys

from tests.bench.measure import memory, table
from tests.bench.programs import READY
from tests.bench.rivals import program
from tests.bench.seat import COLS, ROWS, Seat
from tests.e2e.world import World


def main(sessions: int = 5, lines: int = 10_000) -> None:
    with World() as world:
        world.env |= {"COLUMNS": str(COLS), "LINES": str(ROWS)}
        first = world.shell("first", *program("idle"))
        world.wait_for_screen(first, READY)
        with Seat(world.argv("attach", first), world.env, world.project) as seat:
            seat.wait_for(READY.encode())
            seat.drain(3.0)
            hub = world.hub_pid()
            deck_before, hub_before = memory(seat.pid), memory(hub)
            for number in range(sessions):
                words = ("run", "shell", "--detach", "--name", f"s{number}", "--", "-c", 'exec "$@"', "sh")
                session = world.agentdeck(*words, *program("lines", str(lines))).strip()
                seat.drain(1.0)
                world.wait_for_screen(session, READY)
            seat.drain(3.0)
            size = next((s["cols"], s["rows"]) for s in world.sessions() if s["id"] == session)
            holders = [int(s["holder_pid"]) for s in world.sessions() if s.get("holder_pid")]
            rows: list[tuple[str, float]] = [("deck", deck_before), ("deck with all sessions", memory(seat.pid))]
            rows += [
                ("hub", hub_before),
                (f"each screen, {lines} lines, {size}", (memory(hub) - hub_before) / sessions),
            ]
            rows += [("largest holder", max(map(memory, holders)))] if holders else []
    table("proportional set size", ("process", "MB"), rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
