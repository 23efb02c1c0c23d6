"""The whole way with each real CLI: trust, prompt, approve, interrupt, resize, leave, lose the hub, come back."""

import pytest

from tests.e2e.clis import APPROVED, RealCli, keys_to_row
from tests.e2e.conversation import ANSWER, LONG_BEGINS, LONG_PROMPT, QUESTION, TOOL_DONE, TOOL_PROMPT
from tests.e2e.patience import until
from tests.e2e.tmux import Tmux
from tests.e2e.world import World, alive
from tests.fakes.mock_api import MockApi

pytestmark = [pytest.mark.tmux, pytest.mark.real_cli, pytest.mark.timeout(240)]

CTRL_Q = b"\x11"


def trust(seat: Tmux, cli: RealCli) -> None:
    """Answer the question whether the folder is trusted, by the row's words."""
    seat.wait_for(cli.trust, 40)
    seat.send(keys_to_row(seat.wait_until_still(), cli.trust))
    seat.wait_for(cli.trust, gone=True)
    screen = seat.wait_for(cli.ready, 40)
    seat.wait_until_still()
    assert "TYPING" in screen.rstrip().split("\n")[-1], screen  # gemini was started again: no reason to leave the mode


def leave(seat: Tmux) -> None:
    seat.send(CTRL_Q)
    seat.wait_for("DECK")
    seat.send(b"q")
    seat.wait_for("leave agentdeck")
    seat.send(b"\r")
    until(lambda: seat.ended)


def test_a_conversation_survives_everything(world: World, cli: RealCli, api: MockApi) -> None:
    world.install(cli, api.url)
    session = world.run(cli.provider, "--name", "talk", "--", *cli.args)
    assert session
    seat = world.deck("attach", session)
    trust(seat, cli)

    world.agentdeck("send", session, QUESTION)
    seat.wait_for(ANSWER, 30)
    assert api.prompts() == [QUESTION]
    seat.wait_until_still()

    world.agentdeck("send", session, TOOL_PROMPT)
    seat.wait_for(cli.asks)
    until(lambda: world.session(session)["state"] == "needs_you", what="the state to say that it needs somebody")
    assert not (world.project / APPROVED).exists()
    seat.wait_until_still()
    seat.send(cli.yes)
    seat.wait_for(TOOL_DONE)
    until((world.project / APPROVED).exists)
    seat.wait_until_still()

    world.agentdeck("send", session, LONG_PROMPT)
    seat.wait_for(LONG_BEGINS, 30)
    until(lambda: world.session(session)["state"] == "working", what="the state to say that it works")
    world.agentdeck("interrupt", session)
    seat.wait_for(cli.interrupted)
    assert world.session(session)["exit_status"] is None

    seat.resize(100, 36)
    seat.wait_until_still()
    seat.wait_for(LONG_PROMPT)  # not the last line: Gemini itself wipes that when its window changes
    leave(seat)
    seat.close()

    before = world.session(session)
    world.kill_hub()
    again = world.deck("attach", session)
    again.wait_for(LONG_PROMPT, 30)
    after = world.session(session)
    assert (after["pid"], after["started"], after["name"]) == (before["pid"], before["started"], "talk")
    again.wait_until_still()
    once_more = f"{QUESTION} now"
    world.agentdeck("send", session, once_more)
    until(lambda: api.prompts()[-1] == once_more, 30, what="the prompt to reach the model")
    again.wait_for(lambda screen: ANSWER in screen.partition(once_more)[2], 30)

    answer = world.agentdeck("stop", session)
    assert "Traceback" not in answer
    assert world.session(session)["state"] == "exited"
    assert not alive(after["pid"])


def test_the_first_prompt_reaches_the_model(world: World, cli: RealCli, api: MockApi) -> None:
    world.install(cli, api.url)
    session = world.run(cli.provider, "--prompt", QUESTION, "--", *cli.args)
    seat = world.deck("attach", session)
    trust(seat, cli)
    seat.wait_for(ANSWER, 40)
    assert QUESTION in api.prompts()


def test_a_restart_resumes_the_conversation(world: World, cli: RealCli, api: MockApi) -> None:
    world.install(cli, api.url)
    session = world.run(cli.provider, "--", *cli.args)
    seat = world.deck("attach", session)
    trust(seat, cli)
    world.agentdeck("send", session, QUESTION)
    seat.wait_for(ANSWER, 30)
    until(lambda: world.session(session)["resume_id"], 30, what="the provider's own session id")
    seat.wait_until_still(1.0)
    world.agentdeck("stop", session)
    world.agentdeck("restart", session)
    seat.wait_for(cli.ready, 40)
    seat.wait_until_still()
    seat.wait_for(ANSWER, 40)
    assert world.session(session)["exit_status"] is None
