"""What the deck tells of an agent that somebody started without it: its conversation, its events, its context."""

import json

import pytest

from tests.e2e.clis import RealCli, keys_to_row
from tests.e2e.conversation import ANSWER, QUESTION
from tests.e2e.test_clis_alone import send_prompt
from tests.e2e.world import World
from tests.fakes.mock_api import MockApi

pytestmark = [pytest.mark.tmux, pytest.mark.real_cli]


def test_an_agent_that_was_started_elsewhere_is_watched_and_found_again(
    world: World, cli: RealCli, api: MockApi
) -> None:
    world.install(cli, api.url)
    elsewhere = world.sit_down(cli.program, *cli.bare_args, *cli.args)
    screen = elsewhere.wait_for(cli.trust, 30)
    elsewhere.wait_until_still()
    elsewhere.send(keys_to_row(screen, cli.trust))
    elsewhere.wait_for(cli.ready, 30)
    elsewhere.wait_until_still()
    send_prompt(elsewhere, QUESTION)
    elsewhere.wait_for(ANSWER)

    deck = world.deck()
    deck.wait_for("WATCHING", 30)
    deck.send("G")
    deck.wait_for(lambda text: f"> {QUESTION}" in text and "⇣ watching" in text, 30)
    shown = deck.wait_for(lambda text: "◂ says" in text and "ctx ▓" in text, 30)
    assert shown.count(ANSWER) >= 2, "in the conversation and in the feed"
    deck.send("\r")
    deck.wait_for("it can only be watched")

    send_prompt(elsewhere, QUESTION.upper())
    deck.wait_for(f"> {QUESTION.upper()}", 30)

    hit = json.loads(world.agentdeck("search", "--json", '"seventeen trees"'))[-1]
    place = f"{hit['provider']}:{hit['session']}:{hit['turn']}"
    reading = world.deck("--at", place, cols=80, rows=24)
    reading.wait_for(lambda text: ANSWER in text and "/ find" in text, 30)
