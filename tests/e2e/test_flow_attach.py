"""Watching agents that were started without agentdeck: their screens, their conversations, and taking them over."""

import json
import os
import signal

import pytest

from agentdeck.processes import resume
from agentdeck.processes.look import UNDER
from tests.e2e.clis import CLAUDE, CODEX, GEMINI, RealCli
from tests.e2e.conversation import ANSWER, QUESTION, rules
from tests.e2e.patience import until
from tests.e2e.strangers import ask, end, prepare, stranger
from tests.e2e.tmux import Tmux
from tests.e2e.world import World
from tests.fakes.mock_api import MockApi

pytestmark = [pytest.mark.tmux, pytest.mark.real_cli, pytest.mark.timeout(240)]


def begin(world: World, cli: RealCli, api: MockApi) -> Tmux:
    """Somebody's agent in somebody's tmux, past its first question."""
    world.install(cli, api.url)
    prepare(world, cli, api.url, world.project)
    seat = stranger(world, cli, world.project, cli.bare_args)
    seat.wait_for(cli.ready, 60)
    ask(seat, QUESTION)
    seat.wait_for(ANSWER, 30)
    seat.wait_until_still(1.0)
    world.env[UNDER] = str(seat.pid)
    return seat


def test_the_deck_shows_somebody_elses_screen_and_takes_the_conversation_over(
    world: World, cli: RealCli, api: MockApi
) -> None:
    theirs = begin(world, cli, api)
    pid, size, before = theirs.pid, (theirs.cols, theirs.rows), theirs.screen()
    deck = world.deck("--attach", str(pid), cols=140, rows=44)
    screen = deck.wait_for(lambda text: QUESTION in text and ANSWER in text and "DECK" in text, 40)
    assert "TYPING" not in screen
    deck.send(b"xyz123\r")  # whatever is pressed here, nothing of it arrives there
    deck.wait_until_still(1.0)
    ask(theirs, f"{QUESTION} tomorrow")
    deck.wait_for(f"{QUESTION} tomorrow", 30)
    deck.wait_for("DECK")
    assert "xyz123" not in theirs.screen(history=200)
    until(lambda: api.prompts() == [QUESTION, f"{QUESTION} tomorrow"], what="the prompt to reach the model")
    theirs.wait_until_still(1.0)
    assert (int(theirs._say("#{pane_width}")), int(theirs._say("#{pane_height}"))) == size
    assert theirs._say("#{session_attached}") == "0"
    assert theirs.pid == pid
    assert before.strip()
    end(world, theirs)
    deck.wait_for("resumes its conversation here", 30)
    deck.send(b"a")
    deck.wait_for("resume it here")
    deck.send(b"\r")
    until(lambda: [s for s in world.sessions() if s["exit_status"] is None], 40, what="a session of ours")
    deck.wait_for(lambda text: "TYPING" in text and ANSWER in text, 60)
    assert len(api.prompts()) == 2


def test_a_pid_that_cannot_be_watched_is_refused_with_a_reason(world: World) -> None:
    world.env[UNDER] = str(os.getpid())
    for pid, sentence, status in (
        (str(os.getpid()), "is no agent CLI that agentdeck knows", 3),
        ("999999999", "there is no process 999999999", 3),
        ("0", "there is no process 0", 3),
        ("abc", "'abc' is no process id", 2),
        ("-7", "'-7'", 2),
    ):
        answer = world.call(f"--attach={pid}") if pid.startswith("-") else world.call("--attach", pid)
        assert answer.status == status, answer
        assert "Traceback" not in answer.err
        assert sentence in answer.err or status == 2, answer.err


def test_a_pid_of_our_own_session_leads_to_it(world: World) -> None:
    if CLAUDE.path is None:
        pytest.skip("claude is not in AGENTDECK_TEST_CLIS")
    with MockApi(rules(CLAUDE)) as api:
        world.install(CLAUDE, api.url)
        prepare(world, CLAUDE, api.url, world.project)
        session = world.run("claude", "--name", "own", "--", *CLAUDE.args)
        until(lambda: CLAUDE.ready.search(world.screen(session)), 60)
        info = world.session(session)
        world.env[UNDER] = str(info["holder_pid"])
        world.kill_hub()  # the next one sees the session through the same glass
        agents = json.loads(world.agentdeck("ps", "--json"))
        assert [(agent["pid"], agent["ours"], agent["state"]) for agent in agents] == [
            (info["pid"], session, world.session(session)["state"])
        ]
        deck = world.deck("--attach", str(info["pid"]))
        deck.wait_for("runs in session own", 30)


def test_an_agent_killed_at_once_leaves_a_sentence_not_a_crash(world: World) -> None:
    if GEMINI.path is None or CODEX.path is None:
        pytest.skip("the CLIs are not in AGENTDECK_TEST_CLIS")
    with MockApi(rules(CODEX)) as api:
        theirs = begin(world, CODEX, api)
        deck = world.deck("--attach", str(theirs.pid), cols=120, rows=40)
        deck.wait_for(ANSWER, 40)
        for pid in resume.descendants(theirs.pid):
            os.kill(pid, signal.SIGKILL)
        deck.wait_for("its process has ended", 30)
        assert not deck.ended
        end(world, theirs)
