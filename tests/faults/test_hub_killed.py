"""The hub is killed in the middle of everything; no session notices."""

import os
import signal

import pytest

from tests.e2e.patience import until
from tests.e2e.world import World, alive
from tests.faults import numbered

KILLS = 50


@pytest.mark.timeout(300)
def test_fifty_kills_in_mid_stream_lose_no_line_and_repeat_none(world: World) -> None:
    enough = world.root / "enough"
    session = world.shell("numbers", *numbered.program(enough, last=9000, pause=0.005))
    world.wait_for_screen(session, "line 20")
    child = world.session(session)["pid"]
    killed = set()
    for _ in range(KILLS):
        assert "line " in world.screen(session)  # starts a hub, which finds the session again
        hub = numbered.hub_pid(world.paths)
        os.kill(hub, signal.SIGKILL)
        killed.add(hub)
        until(lambda hub=hub: not alive(hub), what="the hub to be gone")  # type: ignore[misc]
    assert len(killed) == KILLS
    enough.touch()
    screen = world.wait_for_screen(session, "printed ")
    count = int(screen.split("printed ")[1].split()[0])
    assert numbered.numbers(world.paths, session) == list(range(count))
    assert world.session(session)["pid"] == child


def test_a_session_is_the_same_after_the_hub_was_killed(world: World) -> None:
    session = world.shell("kept", "read line; echo you said $line; exec sleep 1000")
    before = world.session(session)
    old = world.kill_hub()
    after = world.session(session)
    assert world.hub_pid() != old
    same = ("id", "name", "provider", "pid", "cwd", "started")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    world.agentdeck("send", session, "still here")
    world.wait_for_screen(session, "you said still here")


def test_an_exit_that_no_hub_saw_is_known_to_the_next(world: World) -> None:
    go = world.root / "go"
    session = world.shell("short", f"echo last words; until [ -e {go} ]; do sleep 0.05; done; exit 7")
    world.wait_for_screen(session, "last words")
    child = world.session(session)["pid"]
    world.kill_hub()
    go.touch()
    until(lambda: not alive(child), what="the program to end")
    found = world.session(session)
    assert (found["state"], found["exit_status"]) == ("exited", 7)
    assert "last words" in world.screen(session)


def test_scripts_ask_a_dead_hub_and_get_an_answer_from_a_new_one(world: World) -> None:
    session = world.shell("asked", "sleep 1000")
    world.kill_hub()
    assert world.agentdeck("ls").count(session) == 1
    world.kill_hub()
    world.agentdeck("stop", session)
    assert world.session(session)["state"] == "exited"
