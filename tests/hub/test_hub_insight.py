"""Health, loops, conflicts and absences, told by a real hub while transcripts are written."""

import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from agentdeck.approvals.call import ToolCall
from agentdeck.config import Config
from agentdeck.errors import UnknownSessionError
from agentdeck.hub import insight
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.processes.remains import Remain, remains
from agentdeck.protocol import facts as f
from agentdeck.protocol import insight as i
from agentdeck.protocol import messages as m
from tests.fakes.pen import Pen
from tests.hub.conftest import until

ONE, TWO = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="ad-", ignore_cleanup_errors=True) as root:  # short: sockets lie below it
        monkeypatch.setenv("HOME", root)
        yield Path(root)


@pytest.fixture
async def told(home: Path) -> AsyncIterator[tuple[HubClient, dict[str, i.Insight]]]:
    base = home / "agentdeck"
    paths = Paths(state=base / "s", run=base / "r", config=base / "c" / "config.toml", cache=base / "k")
    known: dict[str, i.Insight] = {}

    def take(message: m.AnyReply) -> None:
        if isinstance(message, i.InsightChanged):
            known.update((each.key, each) for each in message.insights)

    async with Hub(paths, Config()) as hub, await HubClient.over(await hub.connect(), kind="test") as client:
        client.on_push = take
        take(await client.call(i.WatchInsight()))
        yield client, known


async def test_a_loop_is_told_with_its_evidence(home: Path, told: tuple[HubClient, dict[str, i.Insight]]) -> None:
    _, known = told
    pen = Pen(home, ONE)
    pen.ask("what changed?")
    for _ in range(3):
        pen.result(pen.call("Bash", command="git status"), "nothing to commit")
    await until(lambda: any(alert.kind == "loop" for each in known.values() for alert in each.alerts))
    found = known[f"claude:{ONE}"]
    assert found.score is not None
    assert found.status == "healthy"
    assert len(found.factors) == 4


async def test_two_sessions_that_change_one_file_are_both_told(
    home: Path, told: tuple[HubClient, dict[str, i.Insight]]
) -> None:
    _, known = told
    for session in (ONE, TWO):
        pen = Pen(home, session)
        pen.ask("fix it")
        pen.edit("/demo/shop/jwt.py")
    keys = {f"claude:{ONE}", f"claude:{TWO}"}
    await until(lambda: keys == {key for key, each in known.items() if each.conflicts})
    (conflict,) = known[f"claude:{ONE}"].conflicts
    assert conflict.path == "/demo/shop/jwt.py"
    assert set(conflict.sessions) == keys


async def test_an_absence_is_summed_up(home: Path, told: tuple[HubClient, dict[str, i.Insight]]) -> None:
    client, known = told
    before = time.time() - 5
    pen = Pen(home, ONE)
    pen.ask("fix it")
    pen.edit("/demo/shop/jwt.py", added=3, removed=1)
    pen.result(pen.call("Bash", command="pytest -q"), "2 failed, 5 passed in 1s", failed=True)
    pen.say("Two tests fail. Go on?")
    await until(lambda: f"claude:{ONE}" in known)

    async def complete() -> bool:
        did = await client.ask(i.ReadAway(key=f"claude:{ONE}", since=before), i.AwayTold)
        return bool(did.last_message)

    await until(complete)
    did = await client.ask(i.ReadAway(key=f"claude:{ONE}", since=before), i.AwayTold)
    assert (did.prompts, did.calls, did.failures, did.files, did.added, did.removed) == (1, 2, 1, 1, 3, 1)
    assert (did.test_runs, did.tests_passed, did.tests_failed, did.last_run_failed) == (1, 5, 2, True)
    assert did.last_message == "Two tests fail. Go on?"
    with pytest.raises(UnknownSessionError):
        await client.ask(i.ReadAway(key="claude:nobody", since=0.0), i.AwayTold)


async def test_somebody_who_only_asks_is_answered_when_the_transcript_is_read(home: Path) -> None:
    base = home / "agentdeck"
    paths = Paths(state=base / "s", run=base / "r", config=base / "c" / "config.toml", cache=base / "k")
    for session in (ONE, TWO):
        pen = Pen(home, session)
        pen.ask("fix it")
        pen.edit("/demo/shop/jwt.py")
    async with Hub(paths, Config()) as hub, await HubClient.over(await hub.connect(), kind="test") as client:
        told = await client.ask(i.ReadInsight(ref=ONE[:8]), i.InsightTold)
        assert told.insight.key == f"claude:{ONE}"
        assert told.insight.score == 100
        assert told.insight.conflicts[0].path == "/demo/shop/jwt.py"
        assert set(told.names.values()) == {"shop"}
        with pytest.raises(UnknownSessionError):
            await client.ask(i.ReadInsight(ref="nobody"), i.InsightTold)


async def test_the_lines_of_a_feed_that_is_opened_later_say_what_their_calls_burned(home: Path) -> None:
    base = home / "agentdeck"
    paths = Paths(state=base / "s", run=base / "r", config=base / "c" / "config.toml", cache=base / "k")
    pen = Pen(home, ONE)
    pen.ask("test it")
    pen.result(pen.call("Bash", command="pytest -q"), "5 passed in 1s")
    key = f"claude:{ONE}"
    async with Hub(paths, Config()) as hub, await HubClient.over(await hub.connect(), kind="test") as client:
        hub.facts.annotate = lambda who, line: msgspec.structs.replace(line, burned=f"{who} burned")
        await client.call(f.WatchFacts())

        async def told() -> bool:
            lines = (await client.ask(f.FollowFeed(key=key), f.FeedLines)).lines
            return any(line.title == "Bash" and line.burned == f"{key} burned" for line in lines)

        await until(told)


async def test_a_deck_that_comes_back_hears_since_when_nobody_watched(home: Path) -> None:
    base = home / "agentdeck"
    paths = Paths(state=base / "s", run=base / "r", config=base / "c" / "config.toml", cache=base / "k")
    async with Hub(paths, Config()) as hub:
        before = time.time()
        async with await HubClient.over(await hub.connect(), kind="test") as first:
            assert (await first.ask(i.WatchInsight(), i.InsightChanged)).left_at == 0.0
            async with await HubClient.over(await hub.connect(), kind="test") as second:
                assert (await second.ask(i.WatchInsight(), i.InsightChanged)).left_at == 0.0
        await until(lambda: not hub.peers)
        async with await HubClient.over(await hub.connect(), kind="test") as third:
            left = (await third.ask(i.WatchInsight(), i.InsightChanged)).left_at
        assert before <= left <= time.time()


async def test_what_outlives_a_session_is_named_and_goes_on(
    home: Path, told: tuple[HubClient, dict[str, i.Insight]]
) -> None:
    client, known = told
    take, said = client.on_push, list[m.AnyReply]()

    def hear(push: m.AnyReply) -> None:
        said.append(push)
        take(push)

    client.on_push = hear
    await client.call(m.Watch())
    command = "setsid sleep 57 >/dev/null 2>&1 </dev/null & sleep 0.2"
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "SHELL": "/bin/sh", "TERM": "xterm"}
    request = m.Spawn(provider="shell", cwd="/", env=env, argv=("/bin/sh", "-c", command), cols=80, rows=24)
    session = (await client.ask(request, m.Done)).session
    await until(lambda: session in known and bool(known[session].remains))
    (left,) = known[session].remains
    try:
        assert left.name == "sleep"
        os.kill(left.pid, 0)  # it runs
        notices = [push.text for push in said if isinstance(push, m.Notice) and push.session == session]
        assert notices == [f"1 process goes on after its end: sleep (pid {left.pid})"]
        asked = await client.ask(i.ReadInsight(ref=session), i.InsightTold)
        assert asked.insight.score is None
        assert asked.insight.remains == (left,)
    finally:
        os.kill(left.pid, signal.SIGKILL)


async def test_a_session_that_leaves_nothing_behind_says_nothing(
    home: Path, told: tuple[HubClient, dict[str, i.Insight]], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, known = told
    looked: list[str] = []

    def look(session: str, leader: int, spare: tuple[str, ...]) -> list[Remain]:
        looked.append(session)
        return remains(session, leader, spare)

    monkeypatch.setattr(insight, "remains", look)
    monkeypatch.setattr(insight, "REMAINS_AFTER", 0.1)
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "SHELL": "/bin/sh", "TERM": "xterm"}
    request = m.Spawn(provider="shell", cwd="/", env=env, argv=("/bin/true",), cols=80, rows=24)
    session = (await client.ask(request, m.Done)).session
    await until(lambda: looked == [session])
    assert session not in known


async def test_before_a_second_session_writes_a_file_its_gate_warns(home: Path) -> None:
    base = home / "agentdeck"
    paths = Paths(state=base / "s", run=base / "r", config=base / "c" / "config.toml", cache=base / "k")
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "SHELL": "/bin/sh", "TERM": "xterm"}
    async with Hub(paths, Config()) as hub, await HubClient.over(await hub.connect(), kind="test") as client:
        (advise,) = hub.approvals.advisers
        request = m.Spawn(provider="shell", cwd="/", env=env, argv=("/bin/cat",), cols=80, rows=24)
        session = hub.roster.sessions[(await client.ask(request, m.Done)).session]
        try:
            edit = ToolCall("Edit", {"file_path": "jwt.py"}, cwd="/demo/shop")
            assert advise(session, edit) is None
            told = await client.ask(i.WatchInsight(), i.InsightChanged)
            assert told.insights == ()
            pen = Pen(home, ONE)
            pen.ask("fix it")
            pen.edit("/demo/shop/jwt.py")
            await until(lambda: advise(session, edit) is not None)
            verdict = advise(session, edit)
            assert verdict is not None
            assert (verdict.action, verdict.rule) == ("warn", "conflict")
            assert "jwt.py" in verdict.why
            assert advise(session, ToolCall("Edit", {"file_path": "other.py"}, cwd="/demo/shop")) is None
            assert advise(session, ToolCall("Read", {"file_path": "jwt.py"}, cwd="/demo/shop")) is None
        finally:
            await hub.roster.stop(session, 0.2)
