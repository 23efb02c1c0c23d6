"""The program in the pane dies the hard way, or leaves others behind."""

import os
import signal

import pytest

from tests.e2e.patience import until
from tests.e2e.world import World, alive


def test_a_killed_program_is_shown_as_killed(world: World) -> None:
    session = world.shell("victim", "echo up; exec sleep 1000")
    world.wait_for_screen(session, "up")
    os.kill(world.session(session)["pid"], signal.SIGKILL)
    until(lambda: world.session(session)["state"] == "exited")
    assert world.session(session)["exit_status"] == 128 + signal.SIGKILL
    assert "up" in world.screen(session)


def test_a_stop_ends_children_that_left_the_group(world: World) -> None:
    pids = world.root / "pids"
    session = world.shell(
        "parent", f"setsid sleep 1000 & echo $! > {pids}; (trap '' TERM HUP; exec sleep 1000) & echo $! >> {pids}; wait"
    )
    until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    children = [int(pid) for pid in pids.read_text().split()]
    assert all(map(alive, children))
    world.agentdeck("stop", session)
    until(lambda: not any(map(alive, children)), what="the children to be gone")
    assert world.session(session)["state"] == "exited"


@pytest.mark.tmux
def test_the_deck_shows_the_end_of_the_program_that_is_typed_into(world: World) -> None:
    session = world.shell("victim", "echo up; exec sleep 1000")
    seat = world.deck("attach", session)
    seat.wait_for("up")
    os.kill(world.session(session)["pid"], signal.SIGKILL)
    seat.wait_for("SIGKILL")
    assert "up" in seat.screen()
    assert not seat.ended
