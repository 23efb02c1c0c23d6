"""Calls that are held: the real hook, the real socket, a session's own process that asks."""

import os

import pytest

from agentdeck.errors import AlreadyAnsweredError, ApprovalError, UnknownApprovalError
from agentdeck.hub.approvals import log_path, rules_path
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import approvals as a
from agentdeck.protocol import messages as m
from tests.approvals.conftest import Begin, Cli, decision, reason
from tests.hub.conftest import Connect, until

DIALOG = [
    "─" * 60,
    " Bash command",
    "   touch made.txt",
    " Do you want to proceed?",
    " ❯ 1. Yes",
    "   2. Yes, and don’t ask again for: touch *",
    "   3. No",
    "",
    " Esc to cancel",
]


async def test_a_call_that_no_rule_catches_goes_on_at_once(cli: Cli) -> None:
    status, answer = await cli.answer(await cli.ask("ls -la"))
    assert (status, answer) == (0, {})
    assert cli.log() == []


async def test_a_dangerous_call_waits_and_goes_on_when_allowed(cli: Cli, hub: Hub) -> None:
    number = await cli.ask("rm -rf build")
    (approval,) = await cli.waiting()
    assert (approval.rule, approval.kind, approval.subject) == ("rm -rf", "gate", "rm -rf build")
    assert hub.approvals.waiting(cli.session) == approval
    await until(lambda: hub.roster.sessions[cli.session].info.state == "needs_you")
    done = await cli.decide(approval.id, "allow")
    assert done.note == "allowed: rm -rf build"
    assert decision((await cli.answer(number))[1]) == "allow"
    assert await cli.waiting(0) == []
    assert cli.log() == [("allow", "test")]
    await until(lambda: hub.roster.sessions[cli.session].info.state != "needs_you")


async def test_a_refusal_hands_its_reason_to_the_agent(cli: Cli) -> None:
    number = await cli.ask("rm -rf build")
    (approval,) = await cli.waiting()
    await cli.decide(approval.id[:4], "deny", "keep the build")
    answer = (await cli.answer(number))[1]
    assert (decision(answer), reason(answer)) == ("deny", "keep the build")


async def test_a_call_can_be_named_by_its_session_while_it_is_the_only_one(begin: Begin) -> None:
    cli = await begin(name="api")
    first = await cli.ask("rm -rf a")
    await cli.waiting()
    await cli.ask("rm -rf b")
    await cli.waiting(2)
    with pytest.raises(ApprovalError, match="fits 2 that wait"):
        await cli.decide("api", "allow")
    await cli.decide((await cli.waiting(2))[0].id, "deny")
    assert decision((await cli.answer(first))[1]) == "deny"
    await cli.decide("api", "allow")
    assert await cli.waiting(0) == []


async def test_always_covers_the_like_of_it_and_no_more(cli: Cli) -> None:
    number = await cli.ask("npm test -- a", "PermissionRequest")
    (approval,) = await cli.waiting()
    assert approval.always == "commands that begin with 'npm test'"
    await cli.decide(approval.id, "always")
    assert decision((await cli.answer(number))[1]) == "allow"
    assert decision((await cli.answer(await cli.ask("npm test -- b", "PermissionRequest")))[1]) == "allow"
    for other in ("npm publish", "npm test && npm publish", "npm test > x", "npm test $(npm publish)"):
        await cli.ask(other, "PermissionRequest")
        (found,) = await cli.waiting()
        await cli.decide(found.id, "deny")


async def test_always_for_what_a_rule_caught_covers_that_call_alone(cli: Cli) -> None:
    await cli.ask("rm -rf build")
    (approval,) = await cli.waiting()
    await cli.decide(approval.id, "always")
    assert decision((await cli.answer(await cli.ask("rm -rf build")))[1]) == "allow"
    await cli.ask("rm -rf src")
    assert (await cli.waiting())[0].subject == "rm -rf src"


async def test_a_question_to_the_person_is_left_to_the_cli(cli: Cli) -> None:
    given = {"questions": [{"question": "Which one?", "options": ["a", "b"]}]}
    number = await cli.ask("", "PermissionRequest", tool_name="AskUserQuestion", tool_input=given)
    assert await cli.answer(number) == (0, {})
    assert await cli.waiting(0) == []


async def test_a_rule_that_denies_asks_nobody(cli: Cli) -> None:
    answer = (await cli.answer(await cli.ask("agentdeck approve abc")))[1]
    assert decision(answer) == "deny"
    assert "only the person answers" in reason(answer)
    assert cli.log() == [("deny", "rule")]


async def test_a_rule_that_warns_tells_the_person_and_holds_nothing(cli: Cli) -> None:
    told: list[m.AnyReply] = []
    cli.client.on_push = told.append
    await cli.client.call(m.Watch())
    answer = (await cli.answer(await cli.ask("git reset --hard")))[1]
    assert decision(answer) == "nothing"
    assert "not committed is gone" in str(answer["systemMessage"])
    await until(lambda: any(isinstance(push, m.Notice) and "not committed" in push.text for push in told))


async def test_codex_is_not_asked_again_for_what_was_allowed_at_the_gate(begin: Begin) -> None:
    cli = await begin("codex")
    number = await cli.ask("rm -rf build")
    await cli.decide((await cli.waiting())[0].id, "allow")
    assert await cli.answer(number) == (0, {})  # it takes `allow` for a failure
    again = await cli.ask(
        "rm -rf build", "PermissionRequest", tool_input={"command": "rm -rf build", "description": "x"}
    )
    assert decision((await cli.answer(again))[1]) == "allow"
    once_more = await cli.ask("rm -rf build", "PermissionRequest")
    await cli.decide((await cli.waiting())[0].id, "deny", "once is enough")
    assert decision((await cli.answer(once_more))[1]) == "deny"


@pytest.mark.parametrize(
    ("provider", "mode", "expected"),
    [("claude", "default", "ask"), ("claude", "bypassPermissions", "deny"), ("codex", "default", "deny")],
)
async def test_what_nobody_answers_goes_back_to_the_cli_and_is_never_let_through(
    begin: Begin, paths: Paths, provider: str, mode: str, expected: str
) -> None:
    paths.config.parent.mkdir(parents=True, exist_ok=True)
    rules_path(paths).write_text("hold = 0.3\n")
    cli = await begin(provider)
    answer = (await cli.answer(await cli.ask("rm -rf build", permission_mode=mode)))[1]
    assert decision(answer) == expected
    assert "nobody answered" in reason(answer)
    assert cli.log() == [("expired", "nobody")]


async def test_the_clis_dialog_is_left_to_it_when_codex_waits_too_long(begin: Begin, paths: Paths) -> None:
    paths.config.parent.mkdir(parents=True, exist_ok=True)
    rules_path(paths).write_text("hold = 0.3\n")
    cli = await begin("codex")
    assert await cli.answer(await cli.ask("touch x", "PermissionRequest")) == (0, {})


async def test_an_answer_in_the_clis_own_dialog_takes_the_call_off_the_list(cli: Cli) -> None:
    number = await cli.ask("touch made.txt", "PermissionRequest")
    await cli.waiting()
    await cli.say({"dialog": DIALOG})
    held = (await cli.waiting())[0]
    assert held.kind == "dialog"
    await until(lambda: _has_mark(cli, held.id))
    await cli.say({"dialog": ["● Bash(touch made.txt)", "  ⎿  Done"]})
    assert await cli.waiting(0) == []
    await until(lambda: cli.log() == [("there", "nobody")])
    with pytest.raises(AlreadyAnsweredError, match="answered in the CLI itself"):
        await cli.decide(held.id, "allow")
    assert await cli.answer(number) == (0, {})


_HUBS: list[Hub] = []


@pytest.fixture(autouse=True)
def known_hub(hub: Hub) -> None:
    _HUBS[:] = [hub]


def _has_mark(cli: Cli, approval: str) -> bool:
    return bool(_HUBS[0].approvals.held(cli.session)[0].mark)


async def test_what_never_waited_is_unknown(cli: Cli) -> None:
    with pytest.raises(UnknownApprovalError):
        await cli.decide("abc123", "allow")


async def test_everything_that_waits_is_told_to_who_watches(cli: Cli, connect: Connect) -> None:
    watcher = await connect()
    told: list[m.AnyReply] = []
    watcher.on_push = told.append
    assert (await watcher.ask(a.WatchApprovals(), a.Approvals)).approvals == ()
    await cli.ask("rm -rf build")
    await until(lambda: any(isinstance(push, a.ApprovalAsked) for push in told))
    (approval,) = await cli.waiting()
    await cli.decide(approval.id, "deny")
    await until(lambda: any(isinstance(push, a.ApprovalGone) and push.how == "deny" for push in told))


async def test_the_log_is_for_its_owner_alone_and_says_who_what_and_why(cli: Cli, paths: Paths) -> None:
    await cli.ask("rm -rf build")
    await cli.decide((await cli.waiting())[0].id, "deny", "keep it")
    path = log_path(paths)
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(paths.run / "approvals.sock").st_mode & 0o777 == 0o600
    entry = path.read_text()
    assert all(word in entry for word in ("rm -rf build", "keep it", '"who": "test"', '"rule": "rm -rf"', cli.session))


async def test_an_edit_is_shown_as_a_difference(cli: Cli) -> None:
    edit = {"file_path": "/demo/.env", "old_string": "A=1\nB=2", "new_string": "A=1\nB=3"}
    await cli.ask("", tool_name="Edit", tool_input=edit)
    (approval,) = await cli.waiting()
    assert approval.diff.splitlines()[-2:] == ["-B=2", "+B=3"]


async def test_the_rules_in_force_and_their_errors_can_be_read(cli: Cli, paths: Paths) -> None:
    paths.config.parent.mkdir(parents=True, exist_ok=True)
    rules_path(paths).write_text('[[rules]]\nname = "x"\ncommand = "make deploy"\n[[rules]]\nacton = "deny"\n')
    rules = await cli.client.ask(a.ReadRules(), a.Rules)
    assert rules.rules[0][:2] == ("x", "hold")
    assert any(rule[0] == "rm -rf" for rule in rules.rules)
    assert "rules.toml:5: acton" in rules.errors[0]
