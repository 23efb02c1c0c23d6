"""Queued prompts with the real CLIs: delivered when the turn is over, in order, once, and never into a dialog."""

import json

import pytest

from tests.e2e.clis import APPROVED, RealCli
from tests.e2e.conversation import ANSWER, LONG_BEGINS, LONG_PROMPT, QUESTION, TOOL_DONE, TOOL_PROMPT
from tests.e2e.patience import until
from tests.e2e.strangers import prepare
from tests.e2e.world import Json, World
from tests.fakes.mock_api import MockApi

pytestmark = [pytest.mark.tmux, pytest.mark.real_cli, pytest.mark.timeout(240)]


def begin(world: World, cli: RealCli, api: MockApi) -> str:
    world.install(cli, api.url)
    prepare(world, cli, api.url, world.project)
    session = world.run(cli.provider, "--name", "talk", "--", *cli.args)
    until(lambda: cli.ready.search(world.screen(session)), 60, what="the CLI to be ready")
    return session


def queue(world: World, *words: str) -> list[Json]:
    found: list[Json] = json.loads(world.agentdeck("queue", "talk", *words, "--json"))
    return found


def questions(api: MockApi) -> list[str]:
    """What we asked, in the order in which it reached the model; a CLI adds prompts of its own."""
    return [prompt for prompt in api.prompts() if QUESTION in prompt]


def test_what_is_queued_during_a_turn_goes_out_after_it_in_order(world: World, cli: RealCli, api: MockApi) -> None:
    session = begin(world, cli, api)
    world.agentdeck("send", session, LONG_PROMPT)
    world.wait_for_screen(session, LONG_BEGINS, 40)
    until(lambda: world.session(session)["state"] == "working")
    first, second = f"{QUESTION} on the left", f"{QUESTION} on the right"
    queue(world, second)
    queue(world, first)
    waiting = queue(world, "--first", str(queue(world)[1]["n"]))
    assert [each["text"] for each in waiting] == [first, second]
    assert waiting[0]["why"] in ("waits for the end of the turn", "waits for an answer")  # Gemini suspects a loop
    assert questions(api) == []
    world.agentdeck("interrupt", session)
    until(lambda: questions(api) == [first, second], 60, what="both prompts to reach the model, in order")
    until(lambda: queue(world) == [], 60, what="the transcript to confirm them")
    assert questions(api) == [first, second]


def held(world: World) -> list[Json]:
    """Calls that a hook holds: some CLIs show their dialog only after it."""
    found: list[Json] = json.loads(world.agentdeck("approvals", "--json"))
    return found


def test_a_queued_prompt_never_answers_a_dialog(world: World, cli: RealCli, api: MockApi) -> None:
    session = begin(world, cli, api)
    queue(world, TOOL_PROMPT)
    until(lambda: cli.asks.search(world.screen(session)) or held(world), 60, what="the question")
    until(lambda: world.session(session)["state"] == "needs_you", what="the state to say so")
    waiting = queue(world, QUESTION)
    assert (waiting[-1]["text"], waiting[-1]["why"]) == (QUESTION, "waits for an answer")
    refused = world.call("queue", "talk", QUESTION, "--now")
    assert refused.status == 3
    assert "asks for an answer" in refused.err
    assert not (world.project / APPROVED).exists()
    assert api.prompts() == [TOOL_PROMPT]
    if held(world):
        world.agentdeck("approve", held(world)[0]["id"])
    else:
        seat = world.deck("attach", session)
        seat.wait_for(cli.asks)
        seat.wait_until_still()
        seat.send(cli.yes)
    world.wait_for_screen(session, TOOL_DONE, 30)
    until(lambda: api.prompts() == [TOOL_PROMPT, QUESTION], 60, what="the prompt, after the answer")
    world.wait_for_screen(session, ANSWER)
    until(lambda: queue(world) == [], 60)


def test_a_hub_that_is_killed_while_it_sends_sends_nothing_twice(world: World, cli: RealCli, api: MockApi) -> None:
    session = begin(world, cli, api)
    world.agentdeck("send", session, LONG_PROMPT)
    world.wait_for_screen(session, LONG_BEGINS, 40)
    until(lambda: world.session(session)["state"] == "working")
    queue(world, QUESTION)
    world.agentdeck("interrupt", session)
    journal = world.paths.state / "queue.journal"
    until(lambda: '"send"' in journal.read_text(), 60, what="the note that it is about to be sent")
    world.kill_hub()
    until(lambda: [each["state"] for each in queue(world)] in ([], ["unsure"]), 30)
    for each in queue(world):  # it was killed before Enter: a person looks, and decides
        world.call("queue", session, "--cancel", str(each["n"]))
    assert api.prompts().count(QUESTION) <= 1
    assert [request.prompt for request in api.received if request.prompt == QUESTION and request.turn == 0] in (
        [],
        [QUESTION],
    )
