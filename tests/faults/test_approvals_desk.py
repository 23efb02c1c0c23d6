"""Approvals when things go wrong around a living hub: two answers at once, strangers, garbage, sudden ends, clocks."""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from agentdeck.approvals import install
from agentdeck.approvals.dialog import find
from agentdeck.errors import AlreadyAnsweredError, ApprovalError
from agentdeck.hub import screen_dialog
from agentdeck.hub.approvals import log_path, rules_path
from agentdeck.hub.hook_door import NAME
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import approvals as a
from agentdeck.protocol import messages as m
from tests.approvals.conftest import Cli, begin, cli, client, connect, decision, hub, paths
from tests.hub.conftest import Connect, start, until

__all__ = ["begin", "cli", "client", "connect", "hub", "paths"]


async def test_of_two_answers_at_once_the_first_wins_and_the_other_is_told(cli: Cli, connect: Connect) -> None:
    number = await cli.ask("rm -rf build")
    (approval,) = await cli.waiting()
    decks = [await connect(), await connect()]
    answers = await asyncio.gather(
        *(
            deck.ask(a.Decide(approval=approval.id, verb=verb, who=f"deck {verb}"), m.Done)
            for deck, verb in zip(decks, ("deny", "allow"), strict=True)
        ),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, AlreadyAnsweredError)]
    assert len(refused) == 1
    assert "denied by deck deny" in str(refused[0]) or "allowed by deck allow" in str(refused[0])
    assert len(cli.log()) == 1
    assert decision((await cli.answer(number))[1]) == str(cli.log()[0][0])


async def _stranger(paths: Paths, event: str, payload: bytes) -> tuple[int, str]:
    """Run the hook from this very process, which belongs to no session."""
    line = install.command("claude", event, socket=paths.run / NAME, rules=rules_path(paths), log=log_path(paths))
    process = await asyncio.create_subprocess_shell(
        line, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(payload), 30)
    return process.returncode or 0, out.decode()


def question(command: str, event: str = "PreToolUse") -> bytes:
    return json.dumps({"hook_event_name": event, "tool_name": "Bash", "tool_input": {"command": command}}).encode()


async def test_a_hook_of_a_session_that_is_not_ours_is_answered_by_the_rules_and_never_waits(
    cli: Cli, paths: Paths
) -> None:
    status, out = await _stranger(paths, "PreToolUse", question("rm -rf build"))
    assert (status, decision(json.loads(out))) == (0, "ask")
    assert await _stranger(paths, "PreToolUse", question("ls")) == (0, "")
    assert await _stranger(paths, "PermissionRequest", question("ls", "PermissionRequest")) == (0, "")
    assert await cli.waiting(0) == []


async def test_a_lie_about_the_session_in_the_environment_helps_nobody(
    cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTDECK_SESSION", cli.session)
    await _stranger(paths, "PreToolUse", question("rm -rf build"))
    assert await cli.waiting(0) == []


GARBAGE = [
    b"",
    b"\0\xff\xfe",
    b"{",
    b"[]",
    b"null",
    b'"PreToolUse"',
    b'{"hook_event_name": "PreToolUse"}',
    b'{"hook_event_name": "PreToolUse", "tool_name": 7}',
    b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": [1]}',
    b'{"hook_event_name": ["PreToolUse"], "tool_name": "Bash"}',
    b'{"hook_event_name": "Other", "tool_name": "Bash", "tool_input": {}}',
    b"[" * 100_000,
    b"x" * 3_000_000,
]


@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
async def test_a_hook_that_receives_garbage_says_nothing_and_the_hub_goes_on(
    cli: Cli, paths: Paths, data: bytes
) -> None:
    assert await _stranger(paths, "PreToolUse", data) == (0, "")
    assert decision((await cli.answer(await cli.ask("agentdeck deny x")))[1]) == "deny"


async def test_garbage_at_the_door_itself_is_shown_out(cli: Cli, paths: Paths) -> None:
    chance = random.Random(7)
    heads = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"agentdeck-hook/1 claude PreToolUse x 1 999999999\n",
        b"agentdeck-hook/1 claude PreToolUse x 1\n{}",
        b"agentdeck-hook/2 claude PreToolUse x 1 2\n{}",
        b"x" * 10_000,
        *(chance.randbytes(700) for _ in range(20)),
    ]
    for data in heads:
        reader, writer = await asyncio.open_unix_connection(paths.run / NAME)
        with contextlib.suppress(OSError):
            writer.write(data)
            await writer.drain()
            assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
    assert await cli.answer(await cli.ask("ls")) == (0, {})


async def test_a_call_whose_cli_is_killed_waits_no_more(cli: Cli, hub: Hub) -> None:
    await cli.ask("rm -rf build")
    (approval,) = await cli.waiting()
    os.kill(hub.roster.sessions[cli.session].info.pid, signal.SIGKILL)
    assert await cli.waiting(0) == []
    with pytest.raises(AlreadyAnsweredError, match="given up by the CLI"):
        await cli.decide(approval.id, "allow")
    assert cli.log() == [("ended", "nobody")]


async def test_a_hook_whose_cli_has_gone_does_not_stay_behind(cli: Cli, hub: Hub) -> None:
    await cli.ask("rm -rf build")
    await cli.waiting()
    (hook,) = (
        process
        for process in psutil.Process(hub.roster.sessions[cli.session].info.pid).children(recursive=True)
        if any(word.endswith("hook/main.py") for word in process.cmdline())
    )
    os.kill(hub.roster.sessions[cli.session].info.pid, signal.SIGKILL)
    await until(lambda: not hook.is_running())


async def test_a_call_whose_hook_is_killed_waits_no_more(cli: Cli, hub: Hub) -> None:
    await cli.ask("rm -rf build")
    (approval,) = await cli.waiting()
    held = hub.approvals.held(cli.session)[0]
    assert held.question is not None
    os.kill(held.question.pid, signal.SIGKILL)
    assert await cli.waiting(0) == []
    with pytest.raises(AlreadyAnsweredError):
        await cli.decide(approval.id, "allow")


async def test_an_answer_over_a_line_that_broke_in_that_moment_is_refused_and_the_hook_asks_anew(
    cli: Cli, hub: Hub
) -> None:
    await cli.ask("rm -rf build")
    (approval,) = await cli.waiting()
    held = hub.approvals.held(cli.session)[0]
    assert held.question is not None
    held.question._transport.abort()  # its end has not been told yet
    with pytest.raises(ApprovalError):
        await cli.decide(approval.id, "allow")
    (again,) = await cli.waiting()
    assert (again.subject, again.id != approval.id) == ("rm -rf build", True)


@pytest.mark.parametrize("jump", [-10 * 86_400.0, 10 * 86_400.0])
async def test_a_clock_that_jumps_neither_expires_a_call_nor_keeps_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    number = await cli.ask("rm -rf build")
    (approval,) = await cli.waiting()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    other = await cli.ask("rm -rf other")
    waiting = await cli.waiting(2)
    assert waiting[0] == approval
    await cli.decide(waiting[1].id, "deny")
    await cli.decide(approval.id, "allow")
    assert decision((await cli.answer(number))[1]) == "allow"
    assert decision((await cli.answer(other))[1]) == "deny"


def test_installing_the_hooks_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for family in ("claude", "codex", "gemini", "cursor", "shell"):
        install.arguments(family, ("--model", "x"), socket=tmp_path / "s", rules=tmp_path / "r", log=tmp_path / "l")
    assert list(tmp_path.iterdir()) == []


async def test_a_removed_socket_is_made_again(cli: Cli, hub: Hub, paths: Paths) -> None:
    (paths.run / NAME).unlink()
    hub.approvals.guard()
    assert await cli.answer(await cli.ask("ls")) == (0, {})


async def test_a_silent_connection_is_dropped(hub: Hub, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentdeck.hub.hook_door.SLOW", 0.2)
    with socket.socket(socket.AF_UNIX) as idle:
        idle.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(idle, str(paths.run / NAME))
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(loop.sock_recv(idle, 10), 10) == b""


# ── dialogs that keys answer ───────────────────────────────────────────────────────────────────

GEMINI = [
    "╭──────────────────────────────╮",
    "│ ? Shell  touch made.txt      │",
    "│ Allow execution of [Shell]?  │",
    "│                              │",
    "│ ● 1. Allow once              │",
    "│   2. Allow for this session  │",
    "│   3. No, suggest changes (esc) │",
    "╰──────────────────────────────╯",
]
PROGRAM = """\
import sys, termios, tty, os
rows = {rows!r}
tty.setraw(0)
os.write(1, "\\x1b]0;✋  Action Required (x)\\x07".encode())
os.write(1, ("\\x1b[2J\\x1b[H" + "\\r\\n".join(rows)).encode())
got = b""
while True:
    key = os.read(0, 1)
    got += key
    if {heeds!r} and key in b"123":
        os.write(1, "\\x1b]0;◇  Ready (x)\\x07".encode())
        os.write(1, b"\\x1b[2J\\x1b[Hgot " + got + b"\\r\\n")
    if key == b"n":
        os.write(1, ("\\x1b[2J\\x1b[H" + "\\r\\n".join(rows).replace("made", "other")).encode())
"""


async def asks_on_screen(cli_client: Cli, paths: Paths, *, heeds: bool = True) -> str:
    """A session of a CLI without hooks, whose screen shows a permission dialog."""
    program = paths.state / "dialog.py"
    program.write_text(PROGRAM.format(rows=GEMINI, heeds=heeds))
    request = m.Spawn(
        provider="gemini",
        cwd="/",
        env={"PATH": os.defpath},
        argv=("/usr/bin/env", "python3", str(program)),
        cols=80,
        rows=24,
    )
    return (await cli_client.client.ask(request, m.Done)).session


@pytest.fixture
def other(client: object, paths: Paths) -> Cli:
    return Cli(client, paths, "")  # type: ignore[arg-type]


async def test_a_dialog_is_answered_by_its_key_and_seen_to_go(other: Cli, paths: Paths) -> None:
    await asks_on_screen(other, paths)
    (approval,) = await other.waiting()
    assert (approval.kind, approval.reasons, approval.always) == ("screen", False, "Allow for this session")
    done = await other.decide(approval.id, "deny", "a reason")
    assert "cannot be told the reason" in done.note
    assert other.log() == [("deny", "test")]
    assert await other.waiting(0) == []


async def test_no_key_goes_to_a_dialog_that_is_not_the_same_any_more(other: Cli, paths: Paths, hub: Hub) -> None:
    session = await asks_on_screen(other, paths)
    (approval,) = await other.waiting()
    live = hub.roster.sessions[session]
    live.write(b"n")  # another dialog takes its place
    await until(lambda: (dialog := screen_dialog.on_screen(live)) is not None and "other" in dialog.subject)
    with pytest.raises((ApprovalError, AlreadyAnsweredError)):
        await other.decide(approval.id, "allow")
    await until(lambda: (now := hub.approvals.waiting(session)) is not None and "other.txt" in now.subject)
    assert (await other.waiting())[0].id != approval.id


async def test_a_key_that_did_not_work_is_told(other: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_dialog, "CONFIRM", 0.3)
    await asks_on_screen(other, paths, heeds=False)
    (approval,) = await other.waiting()
    with pytest.raises(ApprovalError, match="is still there"):
        await other.decide(approval.id, "allow")
    assert other.log() == [("allow (failed)", "test")]
    assert (await other.waiting())[0].id == approval.id


async def test_a_session_that_ends_takes_its_dialog_with_it(other: Cli, paths: Paths, hub: Hub) -> None:
    session = await asks_on_screen(other, paths)
    (approval,) = await other.waiting()
    os.kill(hub.roster.sessions[session].info.pid, signal.SIGKILL)
    assert await other.waiting(0) == []
    with pytest.raises(AlreadyAnsweredError):
        await other.decide(approval.id, "allow")


def test_what_only_looks_like_a_dialog_is_none() -> None:
    prose = ["1. Yes", "2. No", "Would you like to hear more?"]
    assert find(prose, "gemini") is None
    assert find(["Do you want to proceed?", "", "1. apples", "2. pears"], "claude") is None
    assert find(["Do you want to use this API key?", "❯ 1. Yes", "  2. No"], "claude") is None
    assert find(GEMINI, "unheard-of") is None


async def test_a_shell_is_never_asked_for_a_dialog(client: object, hub: Hub, paths: Paths, other: Cli) -> None:
    session = await start(
        other.client, paths, "/bin/sh", "-c", "printf '%s\\n' 'Allow x?' '1. Allow once' '2. No'; cat"
    )
    live = hub.roster.sessions[session]
    await until(lambda: "Allow" in live.emulator.row(0).text)
    live.update(state="needs_you")
    assert screen_dialog.on_screen(live) is None
