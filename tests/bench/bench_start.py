"""From exec to the first text of a pane, with a hub and without: python -m tests.bench.bench_start [rounds]."""

import sys

from tests.bench.measure import table
from tests.bench.programs import READY
from tests.bench.rivals import program
from tests.bench.seat import Seat
from tests.e2e.world import World


def first_text(world: World, session: str) -> float:
    with Seat(world.argv("attach", session), world.env, world.project) as seat:
        return seat.wait_for(READY.encode()) - seat.started


def main(rounds: int = 7) -> None:
    cold = []
    with World() as world:
        session = world.shell("pane", *program("idle"))
        world.wait_for_screen(session, READY)
        first_text(world, session)
        warm = [first_text(world, session) for _ in range(rounds)]
        for _ in range(rounds):
            world.agentdeck("hub", "stop")
            cold.append(first_text(world, session))
    rows = [(name, min(times), sorted(times)[len(times) // 2]) for name, times in (("running", warm), ("cold", cold))]
    table(f"first pane text, seconds, {rounds} rounds", ("hub", "best", "median"), rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
