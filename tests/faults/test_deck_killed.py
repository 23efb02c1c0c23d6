"""The deck is killed or its window closed; the sessions go on and the next deck shows them as they are."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.e2e.patience import until
from tests.e2e.world import World, alive
from tests.faults import numbered

pytestmark = pytest.mark.tmux

BACK = re.compile(r"hub .*is back")


def test_killing_the_deck_ends_no_session_and_loses_no_line(world: World) -> None:
    enough = world.root / "enough"
    session = world.shell("numbers", *numbered.program(enough, last=4000, pause=0.01))
    for _ in range(3):
        seat = world.deck("attach", session)
        seat.wait_for("line ")
        os.kill(seat.pid, signal.SIGKILL)
        until(lambda seat=seat: seat.ended)  # type: ignore[misc]
        seat.close()
    assert world.session(session)["exit_status"] is None
    enough.touch()
    screen = world.wait_for_screen(session, "printed ")
    count = int(screen.split("printed ")[1].split()[0])
    assert numbered.numbers(world.paths, session) == list(range(count))


def test_closing_the_terminal_ends_no_session(world: World) -> None:
    session = world.shell("kept", "read line; echo you said $line; exec sleep 1000")
    seat = world.deck("attach", session)
    seat.wait_for("kept")
    deck = seat.pid
    hub = world.hub_pid()
    seat.close()
    until(lambda: not alive(deck), what="the deck to end with its terminal")
    assert world.session(session)["exit_status"] is None
    assert world.hub_pid() == hub
    again = world.deck("attach", session)
    again.wait_for("kept")
    again.wait_until_still()
    again.send(b"hello\r")
    again.wait_for("you said hello")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_deck_that_is_asked_to_end_gives_the_terminal_back(world: World, number: signal.Signals) -> None:
    session = world.shell("kept", "echo up; exec sleep 1000")
    seat = world.sit_down("/bin/sh", "-c", f"echo before; {' '.join(world.argv('attach', session))}; echo after; cat")
    seat.wait_for("up")
    assert seat.alternate
    deck = int(seat.run("list-panes", "-F", "#{pane_pid}"))
    (child,) = Path(f"/proc/{deck}/task/{deck}/children").read_text().split()
    os.kill(int(child), number)
    seat.wait_for("after")
    assert not seat.alternate
    assert "before" in seat.screen()
    seat.send(b"plain typing\r")
    seat.wait_for("plain typing\nplain typing")
    assert world.session(session)["exit_status"] is None


def test_the_deck_starts_a_killed_hub_again_and_shows_the_same_session(world: World) -> None:
    session = world.shell("kept", "echo up; while read line; do echo you said $line; done")
    seat = world.deck("attach", session)
    seat.wait_for("up")
    killed = world.kill_hub()
    seat.wait_for(BACK, 30)
    assert numbered.hub_pid(world.paths) != killed
    seat.send(b"hello\r")
    seat.wait_for("you said hello")
    assert not seat.ended


def test_the_deck_finds_a_hub_that_somebody_else_started(world: World) -> None:
    session = world.shell("kept", "echo up; while read line; do echo you said $line; done")
    seat = world.deck("attach", session)
    seat.wait_for("up")
    for word in ("one", "two", "three"):
        world.agentdeck("hub", "restart")
        until(lambda: world.hub_clients() > 0, what="the deck to be a client of the new hub")
        seat.send(word.encode() + b"\r")
        seat.wait_for(f"you said {word}")
    assert not seat.ended
