"""Approvals in place with the real CLIs: a call is held and answered from outside, and no settings are touched."""

import hashlib
import json

import psutil
import pytest

from tests.e2e.clis import APPROVED, CLAUDE, CLAUDE_NEXT, CODEX, GEMINI, RealCli, keys_to_row
from tests.e2e.conversation import TOOL_DONE, TOOL_PROMPT
from tests.e2e.patience import until
from tests.e2e.tmux import Tmux
from tests.e2e.world import Json, World
from tests.fakes.mock_api import MockApi
from tests.fakes.script import Rule, Say, UseTool

pytestmark = [pytest.mark.tmux, pytest.mark.real_cli, pytest.mark.timeout(240)]

HOOKED = (CLAUDE, CLAUDE_NEXT, CODEX)
OWN_SETTINGS = '{"permissions": {"allow": ["Read"]},  "hooks": {"Stop": [{"hooks": []}]}}\n'
"""The person's own, spaced as no program would."""
DELETE_PROMPT = "please tidy up"


def rules(cli: RealCli) -> list[Rule]:
    words = "cmd" if cli is CODEX else "command"
    return [
        Rule("make the file", ((UseTool(cli.tool, cli.tool_input),), (Say(TOOL_DONE),))),
        Rule("tidy up", ((UseTool(cli.tool, {words: "FORCE=1 rm -r -f ./old"}),), (Say("All is tidy."),))),
    ]


def begin(world: World, cli: RealCli, url: str, *args: str) -> tuple[str, Tmux]:
    """Start a session, trust its folder and leave it for the deck."""
    world.install(cli, url)
    session = world.run(cli.provider, "--name", "talk", "--", *cli.args, *args)
    seat = world.deck("attach", session)
    seat.wait_for(cli.trust, 40)
    seat.send(keys_to_row(seat.wait_until_still(), cli.trust))
    seat.wait_for(cli.trust, gone=True)
    seat.wait_for(cli.ready, 40)
    seat.wait_until_still()
    seat.send(b"\x11")
    seat.wait_for("DECK")
    return session, seat


def waiting(world: World) -> list[Json]:
    found: list[Json] = json.loads(world.agentdeck("approvals", "--json"))
    return found


def log(world: World) -> list[Json]:
    found: list[Json] = json.loads(world.agentdeck("approvals", "--log", "--json"))
    return found


def settings(world: World) -> dict[str, str]:
    """The CLIs' own files of settings, as they are now."""
    names = (
        ".claude.json",
        ".claude/settings.json",
        ".codex/config.toml",
        ".codex/hooks.json",
        ".gemini/settings.json",
    )
    found = {}
    for path in (*(world.home / name for name in names), *world.project.rglob("settings*.json")):
        if path.exists():
            data = path.read_bytes()
            if path.name == ".claude.json":  # counters of its own; what people set in it is what matters
                told = json.loads(data)
                data = json.dumps({key: told.get(key) for key in ("hooks", "permissions", "theme")}).encode()
            found[str(path)] = hashlib.sha256(data).hexdigest()
    return found


def told(world: World, words: str) -> bool:
    """Whether a record of the conversation hands `words` to the model as what came of a call."""
    records = [*world.home.glob(".claude/projects/*/*.jsonl"), *world.home.glob(".codex/sessions/**/*.jsonl")]
    lines = [line for path in records for line in path.read_text().splitlines()]
    return any(words in line and ("tool_result" in line or "_output" in line) for line in lines)


def hooks(world: World) -> list[int]:
    """Our hook programs that run in this world."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if str(world.paths.run / "approvals.sock") in words and any(word.endswith("hook/main.py") for word in words):
            found.append(process.pid)
    return found


@pytest.fixture(params=HOOKED, ids=lambda cli: cli.key)
def hooked(request: pytest.FixtureRequest) -> RealCli:
    cli: RealCli = request.param
    if cli.path is None:
        pytest.skip(f"{cli.key} is not installed")
    return cli


def test_a_call_is_approved_in_place_and_the_tool_runs(world: World, hooked: RealCli) -> None:
    own = world.home / ".claude" / "settings.json"
    own.parent.mkdir()
    own.write_text(OWN_SETTINGS)
    with MockApi(rules(hooked)) as api:
        session, seat = begin(world, hooked, api.url)
        before = settings(world)
        world.agentdeck("send", session, TOOL_PROMPT)
        until(lambda: waiting(world), what="the call to wait")
        found = waiting(world)[0]
        assert APPROVED in found["subject"]
        assert found["kind"] == "dialog"
        assert not (world.project / APPROVED).exists()
        until(lambda: world.session(session)["state"] == "needs_you", what="the state to say that it needs somebody")
        world.agentdeck("approve", found["id"])
        until((world.project / APPROVED).exists)
        seat.wait_for(TOOL_DONE)
        assert waiting(world) == []
        assert [entry["decision"] for entry in log(world)] == ["allow"]
        assert settings(world) == before
        assert own.read_text() == OWN_SETTINGS


def test_a_reason_for_a_refusal_reaches_the_model(world: World, hooked: RealCli) -> None:
    with MockApi(rules(hooked)) as api:
        session, seat = begin(world, hooked, api.url)
        world.agentdeck("send", session, TOOL_PROMPT)
        until(lambda: waiting(world), what="the call to wait")
        world.agentdeck("deny", waiting(world)[0]["id"], "--reason", "use the archive folder instead")
        until(lambda: told(world, "use the archive folder instead"), what="the refusal to become the call's result")
        assert not (world.project / APPROVED).exists()
        assert [entry["decision"] for entry in log(world)] == ["deny"]
        seat.close()


def test_a_rule_holds_a_call_that_the_cli_would_not_show_as_dangerous(world: World, hooked: RealCli) -> None:
    (world.project / "old").mkdir()
    with MockApi(rules(hooked)) as api:
        session, seat = begin(world, hooked, api.url)
        world.agentdeck("send", session, DELETE_PROMPT)
        until(lambda: waiting(world), what="the call to wait")
        found = waiting(world)[0]
        assert (found["rule"], found["kind"]) == ("rm -rf", "gate")
        assert (world.project / "old").exists()
        world.agentdeck("approve", found["id"])
        seat.wait_for("All is tidy.", 30)
        assert not (world.project / "old").exists()
        assert waiting(world) == []


@pytest.mark.parametrize("claude", [CLAUDE, CLAUDE_NEXT], ids=lambda cli: cli.key)
def test_an_answer_in_the_clis_own_dialog_ends_the_wait(world: World, claude: RealCli) -> None:
    with MockApi(rules(claude)) as api:
        session, seat = begin(world, claude, api.url)
        world.agentdeck("send", session, TOOL_PROMPT)
        until(lambda: waiting(world), what="the call to wait")
        seat.wait_for(claude.asks)
        seat.wait_until_still()
        world.agentdeck("key", session, "1")
        seat.wait_for(TOOL_DONE)
        until(lambda: waiting(world) == [], what="what waited to be taken off the list")
        assert [entry["decision"] for entry in log(world)] == ["there"]


def test_a_dialog_without_a_hook_is_answered_by_compare_and_send(world: World) -> None:
    if GEMINI.path is None:
        pytest.skip("gemini is not installed")
    with MockApi(rules(GEMINI)) as api:
        session, seat = begin(world, GEMINI, api.url)
        world.agentdeck("send", session, TOOL_PROMPT)
        until(lambda: waiting(world), what="the dialog to be found")
        found = waiting(world)[0]
        assert (found["kind"], found["reasons"]) == ("screen", False)
        world.agentdeck("approve", found["id"])
        until((world.project / APPROVED).exists)
        seat.wait_for(TOOL_DONE)
        assert waiting(world) == []


@pytest.mark.parametrize("claude", [CLAUDE, CLAUDE_NEXT], ids=lambda cli: cli.key)
def test_a_hub_that_is_killed_while_a_call_is_held_leaves_the_clis_own_dialog(world: World, claude: RealCli) -> None:
    (world.project / "old").mkdir()
    with MockApi(rules(claude)) as api:
        session, seat = begin(world, claude, api.url)
        seat.close()  # a deck would start another hub at once
        world.agentdeck("send", session, DELETE_PROMPT)
        until(lambda: waiting(world), what="the call to wait")
        world.kill_hub()
        until(lambda: not hooks(world), 40, what="the hook to give up")
        assert (world.project / "old").exists()
        until(lambda: waiting(world), what="a new hub to find the CLI's own dialog")
        assert (world.project / "old").exists()
        world.agentdeck("approve", waiting(world)[0]["id"])
        until(lambda: not (world.project / "old").exists())


def test_one_key_in_the_deck_answers_and_denying_gives_a_reason(world: World) -> None:
    claude = CLAUDE_NEXT if CLAUDE_NEXT.path is not None else CLAUDE
    if claude.path is None:
        pytest.skip("claude is not installed")
    (world.project / "old").mkdir()
    with MockApi(rules(claude)) as api:
        session, seat = begin(world, claude, api.url)
        world.agentdeck("send", session, TOOL_PROMPT)
        seat.wait_for("Y always")
        seat.wait_until_still()
        seat.send(b"y")
        until((world.project / APPROVED).exists)
        seat.wait_for(TOOL_DONE)
        world.agentdeck("send", session, DELETE_PROMPT)
        seat.wait_for("p open, deny")
        seat.wait_until_still()
        seat.send(b"p")
        seat.wait_for("caught by the rule rm -rf")
        seat.send(b"n")
        seat.wait_for("what the agent is told")
        seat.send(b"not that one\r")
        until(lambda: told(world, "not that one"), what="the refusal to become the call's result")
        assert (world.project / "old").exists()
        assert [(entry["decision"], entry["who"]) for entry in log(world)] == [("allow", "deck"), ("deny", "deck")]


def test_who_types_into_codex_gets_its_own_dialog(world: World) -> None:
    if CODEX.path is None:
        pytest.skip("codex is not installed")
    with MockApi(rules(CODEX)) as api:
        session, seat = begin(world, CODEX, api.url)
        seat.send(b"\r")
        seat.wait_for("TYPING")
        world.agentdeck("send", session, TOOL_PROMPT)
        seat.wait_for(CODEX.asks)
        seat.wait_until_still()
        seat.send(CODEX.yes)
        until((world.project / APPROVED).exists)
        seat.wait_for(TOOL_DONE)
        until(lambda: waiting(world) == [])
        assert next(entry["decision"] for entry in log(world)) == "back"
