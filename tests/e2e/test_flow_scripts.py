"""The commands for scripts, against a real hub: what they print, and what they return when something is wrong."""

import json
import os

import pytest

from tests.e2e.patience import until
from tests.e2e.world import World, alive


def test_a_session_by_script_from_start_to_end(world: World) -> None:
    session = world.agentdeck(
        "run", "shell", "--detach", "--name", "oak", "--", "-c", "read a; echo got $a; exec sleep 99"
    )
    assert session.strip().isalnum()
    session = session.strip()
    found = world.session("oak")
    assert found["id"] == session
    assert {"id", "name", "provider", "pid", "state", "cwd", "started", "exit_status"} <= found.keys()
    assert (found["provider"], found["cwd"], found["exit_status"]) == ("shell", str(world.project), None)
    assert alive(found["pid"])
    world.agentdeck("send", "oak", "acorn")
    world.wait_for_screen(session[:5], "got acorn")
    world.agentdeck("stop", "oak")
    found = world.session("oak")
    assert found["state"] == "exited"
    assert not alive(found["pid"])


def test_text_can_be_sent_without_enter_and_keys_by_name(world: World) -> None:
    session = world.shell("oak", "stty -echo; echo up; while read line; do echo got $line; done")
    world.wait_for_screen(session, "up")
    world.agentdeck("send", session, "half", "--no-enter")
    world.agentdeck("key", session, "x", "y", "enter")
    world.wait_for_screen(session, "got halfxy")
    world.agentdeck("key", session, "ctrl+d")
    until(lambda: world.session(session)["exit_status"] == 0)


def test_the_screen_is_given_plain_coloured_and_as_data(world: World) -> None:
    session = world.shell("oak", r"printf '\033[31mred\033[0m leaves\n'; exec sleep 1000")
    world.wait_for_screen(session, "red leaves")
    assert "\x1b" not in world.screen(session)
    assert "\x1b[" in world.agentdeck("screen", session, "--ansi")
    data = json.loads(world.agentdeck("screen", session, "--json"))
    assert data["lines"][0] == "red leaves"


def test_a_real_sigint_and_the_interrupt_byte_are_two_things(world: World) -> None:
    session = world.shell("oak", "stty raw -echo; echo up; exec cat -v")
    world.wait_for_screen(session, "up")
    world.agentdeck("interrupt", session)
    assert world.session(session)["exit_status"] is None


def test_several_sessions_are_told_apart_by_name_and_by_the_beginning_of_an_id(world: World) -> None:
    one, two = world.shell("oak", "exec sleep 1000"), world.shell("elm", "exec sleep 1000")
    world.agentdeck("stop", "oak")
    assert world.session(one)["state"] == "exited"
    assert world.session(two)["exit_status"] is None


@pytest.mark.parametrize(
    ("words", "status", "named"),
    [
        (("screen", "nobody"), 3, "nobody"),
        (("stop", "nobody"), 3, "nobody"),
        (("send", "nobody", "hello"), 3, "nobody"),
        (("interrupt", "nobody"), 3, "nobody"),
        (("run", "nonsense", "--detach"), 2, "nonsense"),
        (("run", "shell", "--detach", "--cwd", "/no/such/place"), 2, "/no/such/place"),
        (("key", "oak", "hyper+q"), 2, "hyper+q"),
        (("frobnicate",), 2, "frobnicate"),
        (("run",), 2, "PROVIDER"),
        (("ls", "--frob"), 2, "--frob"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_bad_call_is_one_sentence_a_hint_and_changes_nothing(
    world: World, words: tuple[str, ...], status: int, named: str
) -> None:
    world.shell("oak", "exec sleep 1000")
    before = [session["id"] for session in world.sessions()]
    answer = world.call(*words)
    assert answer.status == status, answer
    assert answer.out == ""
    lines = answer.err.strip().splitlines()
    assert len(lines) == 2, answer.err
    assert lines[0].startswith("agentdeck: ")
    assert named in answer.err
    assert [session["id"] for session in world.sessions()] == before


def test_an_ambiguous_beginning_is_refused_with_the_candidates(world: World) -> None:
    world.configure("[limits]\nsessions = 20\n")
    firsts: list[str] = []
    for number in range(17):  # 17 ids of hexadecimal digits: two begin alike
        firsts.append(world.shell(f"tree{number}", "exec sleep 1000")[0])
        if len(set(firsts)) < len(firsts):
            break
    answer = world.call("stop", firsts[-1])
    assert answer.status == 3
    assert "2 sessions" in answer.err
    assert all(session["exit_status"] is None for session in world.sessions())


def test_two_running_sessions_cannot_have_one_name(world: World) -> None:
    world.shell("oak", "exec sleep 1000")
    answer = world.call("run", "shell", "--detach", "--name", "oak")
    assert answer.status == 2
    assert "oak" in answer.err
    assert len(world.sessions()) == 1


def test_the_hub_is_asked_about_ended_and_started_again(world: World) -> None:
    assert world.call("hub", "status").status == 5
    world.agentdeck("ls")
    pid = world.hub_pid()
    os.kill(pid, 0)
    world.agentdeck("hub", "restart")
    assert world.hub_pid() != pid
    world.agentdeck("hub", "stop")
    assert world.call("hub", "status").status == 5


def test_the_doctor_names_what_is_there_and_how_to_get_the_rest(world: World) -> None:
    world.program("claude", "#!/bin/sh\necho '9.9.9 (Claude Code)'\n")
    answer = world.call("doctor")
    told = answer.out
    assert "9.9.9" in told
    assert "npm install" in told
    assert str(world.paths.state) in told
    assert "Traceback" not in answer.err


def test_the_configuration_is_shown_with_its_path(world: World) -> None:
    path = world.configure("theme = 'paper'\n")
    assert world.agentdeck("config", "path").strip() == str(path)
    assert "paper" in world.agentdeck("config", "show")
