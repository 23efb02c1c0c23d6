"""The commands about approvals: list, show, answer, look back."""

import json
from collections.abc import Iterator

import pytest

from tests.approvals.asking import Asking
from tests.approvals.conftest import decision, reason
from tests.e2e.patience import until
from tests.e2e.world import World


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


def test_what_waits_is_listed_shown_answered_and_remembered(world: World) -> None:
    assert world.agentdeck("approvals") == "nothing waits for you\n"
    assert world.agentdeck("approvals", "--log") == "nothing has been decided yet\n"
    asking = Asking(world)
    asking.ask("rm -rf build")
    (found,) = until(asking.waiting)
    listed = world.agentdeck("approvals").splitlines()
    assert listed[0].split() == ["id", "session", "for", "risk", "rule", "tool", "what"]
    assert listed[1].split()[:2] == [found["id"], "asks"]
    shown = world.agentdeck("approvals", "--show", "asks")
    assert "caught by the rule 'rm -rf'" in shown
    assert '"command": "rm -rf build"' in shown
    assert world.agentdeck("deny", "asks", "--reason", "keep it") == "denied: rm -rf build\n"
    assert reason(asking.answer(0)) == "keep it"

    asking.ask("rm -rf old")
    until(asking.waiting)
    assert "handed back" in world.agentdeck("deny", "asks", "--ask-there")
    assert decision(asking.answer(1)) == "ask"

    asking.ask("rm -rf old")
    until(asking.waiting)
    assert world.agentdeck("approve", "asks", "--always") == "allowed for the session: rm -rf old\n"
    asking.ask("rm -rf old")
    assert decision(asking.answer(3)) == "allow"

    told = json.loads(world.agentdeck("approvals", "--log", "--json"))
    assert [entry["decision"] for entry in told] == ["deny", "back", "always", "allow"]
    assert [entry["who"] for entry in told] == [*["command line"] * 3, "always"]
    assert "keep it" in world.agentdeck("approvals", "--log", "-n", "4")


def test_answers_that_mean_nothing_are_errors(world: World) -> None:
    answer = world.call("approve", "abc123")
    assert (answer.status, answer.out) == (3, "")
    assert "nothing waits under 'abc123'" in answer.err
    assert world.call("approvals", "--show", "x").status == 3
    assert world.call("approve").status == 2


def test_the_rules_in_force_are_listed_with_where_they_come_from(world: World) -> None:
    world.configure("")
    (world.paths.config.parent / "rules.toml").write_text('off = ["sudo"]\n[[rules]]\nname = "x"\ncommand = "make"\n')
    out = world.agentdeck("approvals", "--rules")
    assert "rules.toml:2" in out
    assert "built-in" in out
    told = json.loads(world.agentdeck("approvals", "--rules", "--json"))
    assert "sudo" not in [rule["name"] for rule in told["rules"]]
    assert told["errors"] == []
