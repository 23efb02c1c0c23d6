"""/agentdeck:share and /agentdeck:unshare inside the real Claude Code, in a session of agentdeck."""

import json
import sys

import pytest

from tests.e2e.clis import APPROVED, CLAUDE, CLAUDE_NEXT, RealCli
from tests.e2e.patience import until
from tests.e2e.test_flow_clis import trust
from tests.e2e.world import World
from tests.fakes.mock_api import MockApi
from tests.fakes.script import Rule, Say, UseTool

pytestmark = [pytest.mark.tmux, pytest.mark.real_cli, pytest.mark.timeout(240)]

CONVERSATION = "7f3c1d9e-2b4a-4c5d-8e6f-0a1b2c3d4e5f"

SHARE = f"agentdeck share {CONVERSATION} --json --no-qr"
UNSHARE = f"agentdeck unshare {CONVERSATION}"

RULES = [
    Rule("let others watch this session", ((UseTool("Bash", {"command": SHARE}),), (Say("It is shared now."),))),
    Rule("nobody to watch this session", ((UseTool("Bash", {"command": UNSHARE}),), (Say("Nobody watches now."),))),
]


@pytest.mark.parametrize("cli", [CLAUDE, CLAUDE_NEXT], ids=lambda cli: cli.key, indirect=True)
def test_a_session_is_shared_and_unshared_from_inside(world: World, cli: RealCli) -> None:
    world.program("agentdeck", f'#!/bin/sh\nexec {sys.executable} -m agentdeck.cli.main "$@"\n')
    with MockApi(RULES) as api:
        world.install(cli, api.url)
        world.agentdeck("repo", "allow", str(world.project))
        session = world.run("claude", "--", *cli.args, "--session-id", CONVERSATION)
        seat = world.deck("attach", session)
        trust(seat, cli)

        seat.send(b"/agentdeck:share")
        seat.wait_for("agentdeck:share")
        seat.wait_until_still()
        seat.send(b"\r")
        seat.wait_for("It is shared now.", 40)
        (shared,) = json.loads(world.agentdeck("shares", "--json"))
        assert any(CONVERSATION in prompt for prompt in api.prompts())  # the template knew which session it is in
        assert shared["url"].startswith("http://127.0.0.1:")

        seat.wait_until_still()
        seat.send(b"/agentdeck:unshare")
        seat.wait_until_still()
        seat.send(b"\r")
        seat.wait_for("Nobody watches now.", 40)
        until(lambda: json.loads(world.agentdeck("shares", "--json")) == [], what="the share to be gone")
    assert not (world.project / APPROVED).exists()
