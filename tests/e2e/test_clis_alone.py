"""The real CLIs in a bare terminal: proves the loopback API and the seeded homes, without agentdeck.

When a flow through the deck breaks and this does not, the deck is what broke.
"""

import time

import pytest

from tests.e2e.clis import APPROVED, RealCli, keys_to_row
from tests.e2e.conversation import ANSWER, LONG_BEGINS, LONG_PROMPT, QUESTION, TOOL_DONE, TOOL_PROMPT
from tests.e2e.patience import until
from tests.e2e.tmux import Tmux
from tests.e2e.world import World
from tests.fakes.mock_api import MockApi

pytestmark = [pytest.mark.tmux, pytest.mark.real_cli]

BETWEEN_PASTE_AND_ENTER = 0.2
"""Seconds: the CLIs take an Enter that comes sooner for a part of the paste."""


def send_prompt(seat: Tmux, text: str) -> None:
    seat.send(b"\x1b[200~" + text.encode() + b"\x1b[201~")
    seat.wait_for(text)
    time.sleep(BETWEEN_PASTE_AND_ENTER)
    seat.send(b"\r")


def test_a_conversation_with_approval_and_interrupt(world: World, cli: RealCli, api: MockApi) -> None:
    world.install(cli, api.url)
    seat = world.sit_down(cli.program, *cli.bare_args, *cli.args)
    screen = seat.wait_for(cli.trust, 30)
    seat.wait_until_still()
    seat.send(keys_to_row(screen, cli.trust))
    seat.wait_for(cli.ready, 30)
    seat.wait_until_still()

    send_prompt(seat, QUESTION)
    seat.wait_for(ANSWER)
    seat.wait_until_still()

    send_prompt(seat, TOOL_PROMPT)
    seat.wait_for(cli.asks)
    assert not (world.project / APPROVED).exists()
    seat.wait_until_still()
    seat.send(cli.yes)
    seat.wait_for(TOOL_DONE)
    until((world.project / APPROVED).exists)

    seat.wait_until_still()
    send_prompt(seat, LONG_PROMPT)
    seat.wait_for(LONG_BEGINS)
    seat.send(b"\x1b")
    seat.wait_for(cli.interrupted)
