"""A disk that takes no more bytes: sessions go on, and what could not be written is said, and written later.

The full disk is played by a file-size limit of zero on the running hub: every write to a file fails, sockets work.
"""

import json
import resource
import sys

import pytest

from tests.e2e.patience import until
from tests.e2e.world import World

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit")


def fill(hub: int) -> None:
    resource.prlimit(hub, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def free(hub: int) -> None:
    resource.prlimit(hub, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_sessions_go_on_and_the_hub_says_what_it_cannot_write(world: World) -> None:
    session = world.shell("kept", "echo up; while read line; do echo you said $line; done")
    world.wait_for_screen(session, "up")
    hub = world.hub_pid()
    fill(hub)
    world.agentdeck("rename", session, "renamed")
    world.agentdeck("send", session, "hello")
    world.wait_for_screen(session, "you said hello")
    problems = until(lambda: json.loads(world.agentdeck("hub", "status", "--json"))["problems"])
    assert "record" in " ".join(problems)
    free(hub)
    world.agentdeck("rename", session, "again")
    until(lambda: "again" in (world.paths.run / f"{session}.json").read_text())
    world.kill_hub()
    assert world.session(session)["name"] == "again"


def test_a_start_on_a_full_disk_works_or_says_why_and_leaves_nothing_behind(world: World) -> None:
    kept = world.shell("kept", "echo up; exec sleep 1000")
    world.wait_for_screen(kept, "up")
    hub = world.hub_pid()
    fill(hub)
    answer = world.call("run", "shell", "--detach", "--name", "late", "--", "-c", "echo late; exec sleep 1000")
    free(hub)
    names = {session["name"] for session in world.sessions()}
    if answer.status == 0:
        assert names == {"kept", "late"}
        world.wait_for_screen("late", "late")
    else:
        assert answer.status == 4
        assert len(answer.err.strip().splitlines()) <= 2
        assert names == {"kept"}
    assert world.hub_pid() == hub


def test_a_session_that_ends_while_the_disk_is_full_is_known_as_ended(world: World) -> None:
    session = world.shell("short", sys.executable, "-c", "input(); raise SystemExit(7)")
    hub = world.hub_pid()
    fill(hub)
    world.agentdeck("key", session, "enter")
    until(lambda: world.session(session)["exit_status"] == 7)
    free(hub)
