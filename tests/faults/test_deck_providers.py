"""A provider whose program is missing, broken, silent or gone at once: the person is told what is wrong."""

import pytest

from tests.e2e.patience import until
from tests.e2e.world import World


def test_a_missing_program_is_named_with_the_way_to_install_it(world: World) -> None:
    answer = world.call("run", "codex", "--detach")
    assert answer.status == 4
    assert "codex" in answer.err
    assert "npm install" in answer.err
    assert len(answer.err.strip().splitlines()) == 2
    assert world.sessions() == []


def test_a_program_that_may_not_be_executed_is_refused(world: World) -> None:
    world.program("claude", "#!/bin/sh\n", mode=0o644)
    answer = world.call("run", "claude", "--detach")
    assert answer.status == 4
    assert "claude" in answer.err
    assert world.sessions() == []


def test_a_program_that_is_no_program_is_refused(world: World) -> None:
    world.program("claude", "\x00\x01\x02 no program")
    answer = world.call("run", "claude", "--detach")
    found = world.sessions()
    assert answer.status == 4 or found[0]["exit_status"] not in (None, 0)
    assert "Traceback" not in answer.err


def test_a_program_that_exits_at_once_leaves_its_status_and_its_last_words(world: World) -> None:
    world.program("claude", "#!/bin/sh\necho 'no licence found' >&2\nexit 3\n")
    answer = world.call("run", "claude", "--detach", "--name", "hasty")
    assert answer.status == 0
    until(lambda: world.session("hasty")["exit_status"] is not None)
    found = world.session("hasty")
    assert (found["state"], found["exit_status"]) == ("exited", 3)
    assert "no licence found" in world.screen("hasty")


@pytest.mark.tmux
def test_the_pane_says_with_which_status_a_program_ended(world: World) -> None:
    world.program("claude", "#!/bin/sh\necho 'no licence found' >&2\nexit 3\n")
    world.run("claude", "--name", "hasty")
    until(lambda: world.session("hasty")["exit_status"] is not None)
    seat = world.deck()
    screen = seat.wait_for("no licence found")
    assert "hasty" in screen
    seat.wait_for("3")
    assert any("exit" in line and "3" in line for line in seat.screen().splitlines())


@pytest.mark.tmux
def test_a_program_that_prints_nothing_is_shown_as_such_and_can_be_stopped(world: World) -> None:
    world.program("claude", "#!/bin/sh\nexec sleep 1000\n")
    session = world.run("claude", "--name", "silent")
    seat = world.deck()
    seat.wait_for("silent")
    assert world.session(session)["state"] in ("starting", "unknown")
    world.agentdeck("stop", session)
    seat.wait_for("SIGTERM")


def test_a_restart_is_possible_after_the_program_was_mended(world: World) -> None:
    world.program("claude", "#!/bin/sh\nexit 3\n")
    session = world.run("claude")
    until(lambda: world.session(session)["exit_status"] is not None)
    world.program("claude", "#!/bin/sh\necho mended; exec sleep 1000\n")
    world.agentdeck("restart", session)
    world.wait_for_screen(session, "mended")
