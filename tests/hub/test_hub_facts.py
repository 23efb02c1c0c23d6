"""What clients are told of transcripts, by a real hub and its worker, while the transcripts are written."""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agentdeck.config import Config
from agentdeck.errors import LedgerError, SessionError, UnknownSessionError
from agentdeck.hub import worker
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths, locate
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.transcripts.roots import roots
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.prices import Prices
from agentdeck.usage.report import usage
from agentdeck.usage.scan import scan
from tests.fakes import recorded
from tests.hub.conftest import until

SESSION = "0b6d7a52-7f0c-4a5e-8f5e-2d1f0a9c3e11"


class Desk:
    """A client that keeps what it was told."""

    def __init__(self, client: HubClient) -> None:
        self.client = client
        self.facts: dict[str, f.Facts] = {}
        self.lines: dict[str, dict[int, f.FeedLine]] = {}
        client.on_push = self.take

    def take(self, message: m.AnyReply) -> None:
        match message:
            case f.FactsChanged():
                self.facts.update((each.key, each) for each in message.facts)
            case f.FactsGone():
                self.facts.pop(message.key, None)
            case f.FeedLines():
                self.lines.setdefault(message.key, {}).update((line.n, line) for line in message.lines)

    async def watch(self) -> None:
        self.take(await self.client.call(f.WatchFacts()))

    async def follow(self, key: str) -> None:
        self.take(await self.client.call(f.FollowFeed(key=key)))

    def of(self, key: str) -> f.Facts:
        return self.facts.get(key) or f.Facts(key=key, provider="", provider_session="")

    def texts(self, key: str) -> list[str]:
        return [line.text for _, line in sorted(self.lines.get(key, {}).items())]

    async def report(self) -> dict[str, object]:
        told = await self.client.ask(f.ReadUsage(), f.UsageTold)
        found: dict[str, object] = json.loads(told.report)
        return found


class Transcript:
    """One that a Claude Code writes just now."""

    def __init__(self, home: Path, session: str = SESSION) -> None:
        self.session = session
        self.path = home / ".claude" / "projects" / "-home-dev" / f"{session}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._count = 0

    def write(self, *records: dict[str, object]) -> None:
        with self.path.open("a") as file:
            for record in records:
                self._count += 1
                base = {
                    "sessionId": self.session,
                    "uuid": f"{self._count:08}-0000-4000-8000-000000000000",
                    "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    "cwd": "/home/dev",
                    "version": "2.1.329",
                }
                file.write(json.dumps({**base, **record}, separators=(",", ":")) + "\n")

    def prompt(self, text: str) -> None:
        self.write({"type": "user", "message": {"role": "user", "content": text}})

    def answer(self, *blocks: dict[str, object], name: str = "") -> None:
        used = {"input_tokens": 10, "cache_read_input_tokens": 1000, "output_tokens": 20}
        message = {
            "id": name or f"msg_{self._count}",
            "role": "assistant",
            "model": "claude-opus-4-8",
            "content": list(blocks),
            "usage": used,
        }
        self.write({"type": "assistant", "requestId": f"req_{self._count}", "message": message})

    def call(self, call: str, command: str) -> None:
        self.answer({"type": "tool_use", "id": call, "name": "Bash", "input": {"command": command}})

    def result(self, call: str, text: str) -> None:
        block = {"type": "tool_result", "tool_use_id": call, "content": text}
        self.write({"type": "user", "message": {"role": "user", "content": [block]}})


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(worker, "AGAIN_AFTER", (0.05,))
    with tempfile.TemporaryDirectory(prefix="ad-", ignore_cleanup_errors=True) as root:  # short: sockets lie below it
        monkeypatch.setenv("HOME", root)
        yield Path(root)


@pytest.fixture
async def told(home: Path, client: HubClient) -> Desk:
    """Its hub and worker begin when the home directory has been prepared."""
    return Desk(client)


def worker_of(hub: Hub) -> int:
    return hub.facts.worker.pid


async def kill_worker(hub: Hub) -> None:
    killed = worker_of(hub)
    os.kill(killed, signal.SIGKILL)
    await until(lambda: worker_of(hub) not in (0, killed))


def counted(home: Path, database: Path) -> dict[str, object]:
    """What a ledger that reads everything at once, and undisturbed, comes to."""
    env = {"HOME": str(home)}
    prices = Prices.load()
    with Ledger(database) as ledger:
        scan(ledger, prices, roots(env))
        found: dict[str, object] = json.loads(msgspec.json.encode(usage(ledger, prices, env)))
    return found


# ── foreign sessions ───────────────────────────────────────────────────────────────────────────


async def test_every_recorded_session_is_known_with_what_its_transcript_says(home: Path, told: Desk) -> None:
    recorded.lay_out(home, ended=timedelta(seconds=30))
    await told.watch()
    await until(lambda: len(told.facts) == 45)
    await until(lambda: told.of("codex:01a1fb9b-444e-7bf3-8f74-06a7b015eb5f").tokens == 147354)
    basic = told.facts["codex:01a1fb9b-444e-7bf3-8f74-06a7b015eb5f"]
    assert (basic.messages, basic.tools, basic.errors, basic.state) == (14, 6, 1, "idle")
    assert (basic.cwd, basic.last_prompt, basic.watched) == ("/home/dev/orchard", "two calls", True)
    assert basic.gauge is not None
    assert (basic.gauge.used, basic.gauge.window) == (19132, 258400)
    interrupted = told.facts["claude:02099a24-fa3e-4052-9ebd-76fefe2aa54d"]
    assert (interrupted.state, interrupted.title) == ("working", "Sigint")
    assert {facts.provider for facts in told.facts.values()} == {"claude", "codex", "gemini"}


async def test_usage_is_exactly_what_one_undisturbed_scan_finds(home: Path, told: Desk, tmp_path: Path) -> None:
    recorded.lay_out(home, ended=timedelta(seconds=30))
    await told.watch()
    expected = counted(home, tmp_path / "other.db")
    await until(lambda: _is(told, expected))
    since = datetime.now(UTC).timestamp() + 3600
    later = json.loads((await told.client.ask(f.ReadUsage(since=since), f.UsageTold)).report)
    assert later["messages"] == {}


async def _is(told: Desk, expected: dict[str, object]) -> bool:
    return await told.report() == expected


async def test_what_is_appended_reaches_whoever_follows_the_feed(home: Path, told: Desk) -> None:
    written = Transcript(home)
    await told.watch()
    await told.follow(f"claude:{SESSION}")
    written.prompt("count the trees")
    written.call("toolu_1", "ls trees | wc -l")
    await until(lambda: "ls trees | wc -l" in told.texts(f"claude:{SESSION}"))
    assert told.texts(f"claude:{SESSION}") == ["started in /home/dev", "count the trees", "ls trees | wc -l"]
    await until(lambda: told.of(f"claude:{SESSION}").doing == "Bash ls trees | wc -l")
    written.result("toolu_1", "12\n")
    await until(lambda: told.lines[f"claude:{SESSION}"][3].status == "ok")
    await until(lambda: told.of(f"claude:{SESSION}").doing == "")
    await told.client.call(f.FollowFeed(key=f"claude:{SESSION}", on=False))
    written.prompt("and the pears")
    await until(lambda: told.of(f"claude:{SESSION}").last_prompt == "and the pears")
    assert "and the pears" not in told.texts(f"claude:{SESSION}")


async def test_a_call_is_told_in_full_however_long_it_is(home: Path, told: Desk) -> None:
    written = Transcript(home)
    await told.watch()
    output, command = "x" * 3_000_000 + "end", "echo " + "y" * 50_000
    written.call("toolu_1", command)
    key = f"claude:{SESSION}"
    await until(lambda: told.of(key).tools == 1)
    pending = await told.client.ask(f.ReadCall(key=key, call="toolu_1"), f.CallDetail)
    assert (pending.status, pending.input) == ("pending", command)
    written.result("toolu_1", output)
    await until(lambda: told.of(key).doing == "")
    done = await told.client.ask(f.ReadCall(key=key, call="toolu_1"), f.CallDetail)
    assert (done.status, done.input, done.output) == ("ok", command, output)
    with pytest.raises(SessionError, match="toolu_2"):
        await told.client.call(f.ReadCall(key=key, call="toolu_2"))
    with pytest.raises(UnknownSessionError):
        await told.client.call(f.ReadCall(key="claude:nobody", call="toolu_1"))


async def test_a_call_of_a_sub_agent_and_an_edit_with_its_diff_can_be_read(home: Path, told: Desk) -> None:
    recorded.lay_out(home, ended=timedelta(seconds=30), recordings=recorded.transcripts("claude", "2.1.197-agents"))
    recorded.lay_out(home, ended=timedelta(seconds=30), recordings=recorded.transcripts("claude", "2.1.197-basic"))
    await told.watch()
    await until(lambda: len(told.facts) == 2)
    agents = next(key for key, facts in told.facts.items() if facts.agents)
    await told.follow(agents)
    inner = next(line for line in told.lines[agents].values() if line.agent and line.call)
    detail = await told.client.ask(f.ReadCall(key=agents, call=inner.call), f.CallDetail)
    assert detail.tool == inner.title
    basic = next(key for key in told.facts if key != agents)
    await told.follow(basic)
    edit = next(line for line in told.lines[basic].values() if line.title == "Edit")
    detail = await told.client.ask(f.ReadCall(key=basic, call=edit.call), f.CallDetail)
    assert detail.diff.startswith("@@ -")


async def test_a_conversation_is_read_from_its_transcript(home: Path, told: Desk) -> None:
    written = Transcript(home)
    written.prompt("count the trees")
    written.answer({"type": "text", "text": "There are twelve."})
    await told.watch()
    key = f"claude:{SESSION}"
    await until(lambda: key in told.facts)
    read = await told.client.ask(f.ReadConversation(key=key, width=60), f.Conversation)
    assert [line.text for line in read.lines if line.text] == ["> count the trees", "There are twelve."]
    written.answer({"type": "text", "text": "Thirteen, with the new one."})
    read = await told.client.ask(f.ReadConversation(key=key, width=60, count=1), f.Conversation)
    assert [line.text for line in read.lines] == ["Thirteen, with the new one."]
    with pytest.raises(UnknownSessionError):
        await told.client.call(f.ReadConversation(key="claude:nobody", width=60))


async def test_old_sessions_are_not_shown_but_can_be_read(home: Path, told: Desk) -> None:
    recorded.lay_out(home, ended=timedelta(days=3), recordings=recorded.transcripts("codex", "basic"))
    written = Transcript(home)
    written.prompt("hello")
    await told.watch()
    await until(lambda: f"claude:{SESSION}" in told.facts)
    old = "codex:01a1fb9b-444e-7bf3-8f74-06a7b015eb5f"
    assert old not in told.facts
    read = await told.client.ask(f.ReadConversation(key=old, width=60), f.Conversation)
    assert "> two calls" in [line.text for line in read.lines]


async def test_a_damaged_ledger_is_an_error_with_a_sentence(home: Path, told: Desk, paths: Paths) -> None:
    (paths.state / "usage.db").mkdir()
    with pytest.raises(LedgerError, match=r"usage\.db"):
        await told.report()


# ── our own ────────────────────────────────────────────────────────────────────────────────────

FAKE = """
import json, os, sys, time
from datetime import datetime, timezone
home, session = os.environ["HOME"], sys.argv[1]
started = open("/proc/self/stat").read().rpartition(")")[2].split()[19]
os.makedirs(home + "/.claude/sessions", exist_ok=True)
os.makedirs(home + "/.claude/projects/p", exist_ok=True)
with open(f"{home}/.claude/sessions/{os.getpid()}.json", "w") as file:
    json.dump({"pid": os.getpid(), "sessionId": session, "procStart": started, "status": "idle"}, file)
now = datetime.now(timezone.utc).isoformat()
with open(f"{home}/.claude/projects/p/{session}.jsonl", "a") as file:
    message = {"role": "user", "content": "hello"}
    print(json.dumps({"type": "user", "sessionId": session, "timestamp": now, "message": message}), file=file)
print("ready", flush=True)
time.sleep(1000)
"""


async def test_a_session_of_ours_with_another_home_has_its_facts_under_its_own_id(
    home: Path, told: Desk, paths: Paths
) -> None:
    other = home / "other"
    other.mkdir()
    await told.watch()
    env = {"HOME": str(other), "PATH": os.defpath, "LANG": "C.UTF-8", "TERM": "xterm"}
    argv = (sys.executable, "-c", FAKE, SESSION)
    request = m.Spawn(provider="claude", cwd="/", env=env, argv=argv, cols=80, rows=24)
    ours = (await told.client.ask(request, m.Done)).session
    await told.follow(ours)
    await until(lambda: told.of(ours).provider_session == SESSION)
    assert not told.facts[ours].watched
    await until(lambda: f"claude:{SESSION}" not in told.facts)
    await until(lambda: "hello" in told.texts(ours))
    read = await told.client.ask(f.ReadConversation(key=ours, width=60), f.Conversation)
    assert [line.text for line in read.lines] == ["> hello"]
    await told.client.call(m.Stop(session=ours, grace=0.2))
    await until(lambda: told.of(ours).state == "ended")


# ── killed in the middle ───────────────────────────────────────────────────────────────────────


async def test_a_worker_that_is_killed_repeats_nothing_and_misses_nothing(
    home: Path, told: Desk, hub: Hub, tmp_path: Path
) -> None:
    """Both what it had told, what happens while none runs, and the totals."""
    written = Transcript(home)
    await told.watch()
    await told.follow(f"claude:{SESSION}")
    heard: list[str] = []
    written.prompt("begin")
    await until(lambda: "begin" in told.texts(f"claude:{SESSION}"))
    hub.facts.listen("test", lambda key, event: heard.append(getattr(event, "text", "")))
    key = f"claude:{SESSION}"
    for number in range(60):
        written.prompt(f"prompt {number}")
        written.answer({"type": "text", "text": f"answer {number}"})
        if number % 20 == 10:
            await until(lambda number=number: f"answer {number - 5}" in told.texts(key))
            await kill_worker(hub)
    await until(lambda: "answer 59" in told.texts(key))
    texts = [text for text in told.texts(key) if text.startswith(("prompt", "answer"))]
    assert texts == [f"{who} {number}" for number in range(60) for who in ("prompt", "answer")]
    assert [text for text in heard if text.startswith("answer")] == [f"answer {number}" for number in range(60)]
    expected = counted(home, tmp_path / "other.db")
    await until(lambda: _is(told, expected))
    await until(lambda: told.of(key).tokens == 60 * 1030 and told.of(key).messages == 121)


async def test_totals_are_exact_when_the_worker_is_killed_while_it_scans(
    home: Path, told: Desk, hub: Hub, tmp_path: Path
) -> None:
    history(home)
    expected = counted(home, tmp_path / "other.db")
    await told.watch()
    for _ in range(3):
        await until(lambda: worker_of(hub) != 0)
        await kill_worker(hub)
    await until(lambda: _is(told, expected), 60)


async def test_totals_are_exact_when_the_hub_is_killed_while_its_worker_scans(home: Path, tmp_path: Path) -> None:
    history(home)
    expected = counted(home, tmp_path / "other.db")
    paths = locate()
    for _ in range(3):
        client = await HubClient.connect(paths)
        await client.call(f.WatchFacts())
        await until(lambda: (paths.state / "usage.db").exists())
        os.kill(client.hub_pid, signal.SIGKILL)
        await client.close()
    client = await HubClient.connect(paths)
    told = Desk(client)
    await told.watch()
    await until(lambda: _is(told, expected), 60)
    await client.call(m.Shutdown())
    await client.close()


def history(home: Path) -> None:
    """Enough that a scan takes a while."""
    sessions = recorded.transcripts()
    recorded.lay_out(home, ended=timedelta(seconds=30))
    for number in range(40):
        for each in sessions:
            path = home / each.path.replace("-home-dev-orchard", f"-copy-{number}")
            if "-copy-" in path.as_posix():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(
                    each.data.replace(b'"msg_', b'"msg_%d_' % number).replace(b'"req_', b'"req_%d_' % number)
                )


def test_the_configuration_names_more_places(tmp_path: Path) -> None:
    from agentdeck import config

    found, problems = config.parse('[transcripts]\nroots = { claude = ["~/more"], codex = ["/x"] }\n', "")
    assert not problems
    assert found.transcripts.roots == {"claude": ["~/more"], "codex": ["/x"]}
    assert Config().transcripts.roots == {}
