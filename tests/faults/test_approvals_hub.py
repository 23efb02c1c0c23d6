"""Approvals when the hub itself is killed, stopped or silent while a call is held, and when an agent answers itself."""

import json
import os
import signal

import pytest

from agentdeck.approvals.install import command
from agentdeck.hub.approvals import log_path, rules_path
from agentdeck.hub.hook_door import NAME
from tests.approvals.asking import Asking
from tests.approvals.conftest import decision
from tests.e2e.patience import until
from tests.e2e.world import World

pytestmark = pytest.mark.timeout(120)


def test_a_killed_hub_lets_nothing_through_and_holds_nothing_up(world: World) -> None:
    asking = Asking(world)
    asking.ask("rm -rf build")
    until(asking.waiting)
    world.kill_hub()
    path = log_path(world.paths)
    until(lambda: path.exists() and "hand back" in path.read_text(), 30, what="the hook to apply the rules by itself")
    answer = asking.answer()
    assert decision(answer) == "ask"
    assert "the hub ended while the call waited" in json.dumps(answer)


def test_a_hub_that_comes_back_soon_goes_on_holding_the_call(world: World) -> None:
    asking = Asking(world)
    asking.ask("rm -rf build")
    before = until(asking.waiting)
    world.kill_hub()
    after = until(asking.waiting)  # asking starts another hub, and the hook finds it
    assert [found["subject"] for found in after] == [found["subject"] for found in before]
    world.agentdeck("approve", str(after[0]["id"]))
    assert decision(asking.answer()) == "allow"


def test_the_clis_own_dialog_stands_when_the_hub_is_killed(world: World) -> None:
    asking = Asking(world)
    asking.ask("touch x", "PermissionRequest")
    until(asking.waiting)
    world.kill_hub()
    until(lambda: not asking.hooks(), 30, what="the hook to give up")  # a command would start another hub
    assert asking.answer() == {}


def test_a_hub_that_hangs_is_not_waited_for(world: World) -> None:
    asking = Asking(world)
    asking.ask("ls")
    assert asking.answer() == {}
    pid = world.hub_pid()
    marker = world.root / "answer"
    payload = json.dumps({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "rm -rf x"}})
    os.kill(pid, signal.SIGSTOP)
    try:
        line = _hook_line(world)
        status = os.system(f"printf '%s' '{payload}' | {{ {line}; }} > {marker}")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert status == 0
    assert decision(json.loads(marker.read_text())) == "ask"


def _hook_line(world: World) -> str:
    return command("claude", "PreToolUse", socket=world.paths.run / NAME, rules=rules_path(world.paths),
                   log=log_path(world.paths))  # fmt: skip


def test_what_an_agent_starts_cannot_answer_for_the_person(world: World) -> None:
    asking = Asking(world)
    asking.ask("rm -rf build")
    until(asking.waiting)
    script = world.program("sly", "")
    world.configure(f'[providers.sly]\ncommand = ["{script}"]\n')
    world.agentdeck("hub", "restart")
    approve = " ".join(world.argv("approve", str(until(asking.waiting)[0]["id"])))
    outs = [world.root / "first", world.root / "second"]
    script.write_text(f"#!/bin/sh\n{approve} > {outs[0]} 2>&1\nsetsid nohup {approve} > {outs[1]} 2>&1 &\nsleep 60\n")
    world.run("sly", "--cwd", str(world.project))
    until(lambda: all(out.exists() and out.read_text() for out in outs), what="both answers")
    for out in outs:
        assert "cannot answer for the person" in out.read_text()
    assert asking.waiting()


def test_a_rule_file_with_an_error_is_named_and_the_rest_stays_on(world: World) -> None:
    path = rules_path(world.paths)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[[rules]]\nname = "deploys"\ncommand = "make deploy"\naction = "stop"\n')
    answer = world.call("approvals", "--rules")
    assert answer.status == 2
    assert f"{path}:4: action: expected one of warn, hold, deny" in answer.out
    asking = Asking(world)
    asking.ask("rm -rf build")
    assert until(asking.waiting)[0]["rule"] == "rm -rf"
    assert f"{path}:4" in world.agentdeck("hub", "status")
