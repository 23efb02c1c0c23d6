"""`SessionWatcher` against transcripts that are really being appended to."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from agentdeck.errors import UsageError
from agentdeck.realtime import (
    AgentSpawned,
    AnyEvent,
    ErrorRaised,
    HandlerFailed,
    MessageAdded,
    SessionEnded,
    SessionIdled,
    SessionStarted,
    SessionWatcher,
    ToolReturned,
    ToolUsed,
    filters,
)
from tests.fakes.pen import Pen

PATIENCE = 30.0


class Heard:
    """Everything that a watcher tells, in its order."""

    def __init__(self) -> None:
        self.all: list[AnyEvent] = []
        self._queue: Queue[AnyEvent] = Queue()

    def __call__(self, event: AnyEvent) -> None:
        self.all.append(event)
        self._queue.put(event)

    def until(self, wanted: Callable[[AnyEvent], bool]) -> AnyEvent:
        """Wait for the next event of which `wanted` says so."""
        while True:
            event = self._queue.get(timeout=PATIENCE)
            if wanted(event):
                return event

    def until_said(self, text: str) -> AnyEvent:
        return self.until(lambda event: isinstance(event, MessageAdded) and event.text == text)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.all]


@contextmanager
def watching(watcher: SessionWatcher) -> Iterator[None]:
    """Run it in a thread, from when it is ready until the end of the block."""
    thread = threading.Thread(target=watcher.start, daemon=True)
    thread.start()
    try:
        assert watcher.ready.wait(PATIENCE)
        yield
    finally:
        watcher.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def watcher_of(home: Path, **options: Any) -> tuple[SessionWatcher, Heard]:
    watcher, heard = SessionWatcher(home=home, **options), Heard()
    watcher.on_any(heard)
    return watcher, heard


def test_every_kind_of_event_reaches_its_handler(tmp_path: Path) -> None:
    watcher, heard = watcher_of(tmp_path)
    by_kind: dict[str, list[AnyEvent]] = {}

    @watcher.on("session_start")
    def started(event: SessionStarted) -> None:
        by_kind.setdefault("session_start", []).append(event)

    @watcher.on("message")
    def message(event: MessageAdded) -> None:
        by_kind.setdefault("message", []).append(event)

    @watcher.on("tool_use")
    def used(event: ToolUsed) -> None:
        by_kind.setdefault("tool_use", []).append(event)

    @watcher.on("tool_result")
    def returned(event: ToolReturned) -> None:
        by_kind.setdefault("tool_result", []).append(event)

    @watcher.on("agent_spawn")
    def spawned(event: AgentSpawned) -> None:
        by_kind.setdefault("agent_spawn", []).append(event)

    @watcher.on("error")
    def failed(event: ErrorRaised) -> None:
        by_kind.setdefault("error", []).append(event)

    with watching(watcher):
        pen = Pen(tmp_path, "s1")
        pen.ask("hello")
        call = pen.call("Bash", command="ls")
        pen.result(call, "a\nb")
        pen.spawn("a1", "look around").say("looking")
        pen.fail("overloaded")
        pen.say("done")
        heard.until_said("done")
        heard.until_said("looking") if "looking" not in _texts(heard) else None

    (start,) = by_kind["session_start"]
    assert isinstance(start, SessionStarted)
    assert (start.provider, start.session, start.cwd) == ("claude", "s1", "/demo/shop")
    assert {event.text for event in by_kind["message"] if isinstance(event, MessageAdded)} == {
        "hello", "looking", "done"
    }  # fmt: skip
    assert [event.tool for event in by_kind["tool_use"] if isinstance(event, ToolUsed)] == ["Bash", "Agent"]
    result = by_kind["tool_result"][0]
    assert isinstance(result, ToolReturned)
    assert result.used is not None
    assert (result.used.input, result.output) == ({"command": "ls"}, "a\nb")
    assert [event.spawned for event in by_kind["agent_spawn"] if isinstance(event, AgentSpawned)] == ["a1"]
    assert [event.text for event in by_kind["error"] if isinstance(event, ErrorRaised)] == ["overloaded"]


def test_what_happened_before_is_no_news_but_its_session_is_known(tmp_path: Path) -> None:
    pen = Pen(tmp_path, "s1")
    pen.ask("before")
    call = pen.call("Bash", command="make")
    watcher, heard = watcher_of(tmp_path)
    with watching(watcher):
        pen.result(call, "made")
        event = heard.until(lambda event: event.kind == "tool_result")
        assert isinstance(event, ToolReturned)
        assert event.used is not None
        assert event.used.input == {"command": "make"}
        session = watcher.sessions.get("claude", "s1")
        assert session is not None
        assert session.cwd == "/demo/shop"
        assert [message.text for message in session.messages] == ["before"]
    assert heard.kinds == ["tool_result"]


@pytest.mark.parametrize("how", ["ago", "moment", "local moment"])
def test_what_happened_since_a_moment_is_told_first_and_once(tmp_path: Path, how: str) -> None:
    old, recent = Pen(tmp_path, "old"), Pen(tmp_path, "recent")
    old.now = lambda: datetime.now(UTC) - timedelta(hours=3)
    old.ask("long ago")
    recent.ask("just now")
    moment = datetime.now(UTC) - timedelta(hours=1)
    since = {"ago": timedelta(hours=1), "moment": moment, "local moment": moment.astimezone().replace(tzinfo=None)}[how]
    watcher, heard = watcher_of(tmp_path, since=since)
    with watching(watcher):
        recent.ask("later")
        heard.until_said("later")
    assert _texts(heard) == ["just now", "later"]


def test_a_line_that_is_written_in_two_halves_is_told_when_it_is_whole(tmp_path: Path) -> None:
    watcher, heard = watcher_of(tmp_path)
    with watching(watcher):
        pen, other = Pen(tmp_path, "s1"), Pen(tmp_path, "s2")
        pen.ask("first")
        heard.until_said("first")
        whole = pen.path.read_bytes().replace(b"first", "zwei ü".encode()).replace(b"00000001-", b"00000002-")
        middle = whole.index("ü".encode()) + 1  # in the middle of a character
        pen.raw(whole[:middle])
        other.ask("meanwhile")
        heard.until_said("meanwhile")
        assert _texts(heard) == ["first", "meanwhile"]
        pen.raw(whole[middle:])
        heard.until_said("zwei ü")


def test_a_failing_handler_is_reported_and_harms_nobody(tmp_path: Path) -> None:
    reports: Queue[HandlerFailed] = Queue()
    watcher = SessionWatcher(home=tmp_path, on_error=reports.put)
    calls: list[str] = []

    @watcher.on("message")
    def broken(event: MessageAdded) -> None:
        calls.append("broken")
        raise ValueError("no good")

    heard = Heard()
    watcher.on_any(heard)
    with watching(watcher):
        pen = Pen(tmp_path, "s1")
        pen.ask("one")
        pen.ask("two")
        heard.until_said("two")
    first, second = reports.get(timeout=PATIENCE), reports.get(timeout=PATIENCE)
    assert calls == ["broken", "broken"]
    assert first.handler.endswith("broken")
    assert isinstance(first.error, ValueError)
    assert 'raise ValueError("no good")' in first.traceback
    assert [report.event.kind for report in (first, second)] == ["message", "message"]


def test_failures_go_to_the_log_when_nobody_asked_for_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watcher, heard = watcher_of(tmp_path)

    @watcher.on("session_start")
    def broken(event: SessionStarted) -> None:
        raise KeyError("nothing there")

    with caplog.at_level(logging.ERROR, "agentdeck.realtime"), watching(watcher):
        Pen(tmp_path, "s1").ask("one")
        heard.until_said("one")
    assert "broken failed at a session_start event" in caplog.text
    assert "nothing there" in caplog.text


def test_a_handler_can_stop_its_watcher(tmp_path: Path) -> None:
    watcher, heard = watcher_of(tmp_path)

    @watcher.on("message")
    def enough(event: MessageAdded) -> None:
        watcher.stop()

    late = Heard()
    watcher.on_any(late)
    thread = threading.Thread(target=watcher.start, daemon=True)
    thread.start()
    assert watcher.ready.wait(PATIENCE)
    pen = Pen(tmp_path, "s1")
    with pen.at_once():
        pen.ask("stop")
        pen.ask("never told")
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert heard.kinds == ["session_start", "message"]


def test_a_watcher_goes_on_where_it_was_when_it_is_started_again(tmp_path: Path) -> None:
    watcher, heard = watcher_of(tmp_path)
    pen = Pen(tmp_path, "s1")
    with watching(watcher):
        pen.ask("one")
        heard.until_said("one")
    pen.ask("two")
    with watching(watcher):
        pen.ask("three")
        heard.until_said("three")
    assert _texts(heard) == ["one", "two", "three"]


def test_a_watcher_watches_once_at_a_time(tmp_path: Path) -> None:
    watcher, _ = watcher_of(tmp_path)
    with watching(watcher), pytest.raises(RuntimeError, match="already"):
        watcher.start()


def test_stop_before_start_is_not_lost(tmp_path: Path) -> None:
    watcher, _ = watcher_of(tmp_path)
    watcher.stop()
    watcher.start()


def test_ctrl_c_ends_a_watcher_with_its_threads(tmp_path: Path) -> None:
    program = (
        "import threading\n"
        "from pathlib import Path\n"
        "from agentdeck.realtime import SessionWatcher\n"
        f"watcher = SessionWatcher(home=Path({os.fspath(tmp_path)!r}))\n"
        "threading.Thread(target=lambda: (watcher.ready.wait(), print('ready', flush=True)), daemon=True).start()\n"
        "try:\n"
        "    watcher.start()\n"
        "except KeyboardInterrupt:\n"
        "    print([t.name for t in threading.enumerate() if t.name == 'agentdeck-watch'], flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        watchdog = threading.Timer(PATIENCE, child.kill)
        watchdog.start()
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "[]\n"
        assert child.wait() == 0
        watchdog.cancel()


def test_pipes_tell_only_what_passes_all_of_their_filters(tmp_path: Path) -> None:
    watcher, heard = watcher_of(tmp_path)
    in_shop = watcher.pipe(filters.project("shop"))
    writes, everything = Heard(), Heard()
    in_shop.on_any(everything)
    in_shop.pipe(filters.tool_category("file_write"), filters.path("src/**/*.py")).on("tool_result")(writes)
    with watching(watcher):
        shop, other = Pen(tmp_path, "s1"), Pen(tmp_path, "s2", cwd="/demo/other")
        shop.edit("/demo/shop/src/a/b.py", added=3)
        shop.edit("/demo/shop/README.md")
        shop.result(shop.call("Read", file_path="/demo/shop/src/a/b.py"))
        other.edit("/demo/other/src/a.py")
        other.ask("done")
        shop.ask("done")
        heard.until_said("done")
        heard.until_said("done")
    assert [event.files[0].added for event in writes.all if isinstance(event, ToolReturned)] == [3]
    assert {event.session for event in everything.all} == {"s1"}


def test_a_handler_that_was_taken_off_is_not_called_again(tmp_path: Path) -> None:
    watcher, heard = watcher_of(tmp_path)
    once = Heard()

    @watcher.on("message")
    def first(event: MessageAdded) -> None:
        once(event)
        assert watcher.off(first)

    with watching(watcher):
        pen = Pen(tmp_path, "s1")
        pen.ask("one")
        pen.ask("two")
        heard.until_said("two")
    assert _texts(once) == ["one"]
    assert not watcher.off(first)


def test_a_session_idles_goes_on_and_ends(tmp_path: Path) -> None:
    watcher, heard = watcher_of(tmp_path, idle_after=1.0)
    record = tmp_path / ".claude" / "sessions" / f"{os.getpid()}.json"
    record.parent.mkdir(parents=True)
    start = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[19].decode()
    record.write_text(f'{{"pid": {os.getpid()}, "sessionId": "s1", "procStart": "{start}"}}')
    with watching(watcher):
        pen = Pen(tmp_path, "s1")
        pen.ask("one")
        pen.end_turn()
        idle = heard.until(lambda event: event.kind == "session_idle")
        assert isinstance(idle, SessionIdled)
        assert idle.seconds >= 1
        assert not watcher.sessions.active()
        pen.ask("two")
        heard.until(lambda event: event.kind == "session_resume")
        heard.until_said("two")
        record.unlink()
        end = heard.until(lambda event: event.kind == "session_end")
        assert isinstance(end, SessionEnded)
        assert (end.reason, end.confidence) == ("process_gone", 0.99)


def test_who_was_idle_before_is_no_news_but_who_becomes_so_is(tmp_path: Path) -> None:
    idle, works = Pen(tmp_path, "idle"), Pen(tmp_path, "works")
    idle.now = lambda: datetime.now(UTC) - timedelta(minutes=5)
    idle.ask("five minutes ago")
    watcher, heard = watcher_of(tmp_path, idle_after=1.0)
    with watching(watcher):
        works.ask("just now")
        assert not [session.id for session in watcher.sessions.active() if session.id == "idle"]
        event = heard.until(lambda event: event.kind == "session_idle")
        assert event.session == "works"
        idle.now = lambda: datetime.now(UTC)
        idle.ask("again")
        heard.until_said("again")
    assert heard.kinds == ["session_start", "message", "session_idle", "session_resume", "message"]


def test_nothing_is_lost_while_a_handler_is_slow(tmp_path: Path) -> None:
    watcher, heard = watcher_of(tmp_path)
    go_on = threading.Event()

    @watcher.on("session_start")
    def slow(event: SessionStarted) -> None:
        assert go_on.wait(PATIENCE)

    with watching(watcher):
        pen = Pen(tmp_path, "s1")
        for number in range(500):
            pen.ask(str(number))
        go_on.set()
        heard.until_said("499")
    assert _texts(heard) == [str(number) for number in range(500)]


def test_roots_can_be_given_and_providers_chosen(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nobody"):
        SessionWatcher(providers=["nobody"])
    watcher, heard = watcher_of(tmp_path, providers=["codex"])
    with watching(watcher):
        Pen(tmp_path, "s1").ask("for claude")
        path = (
            tmp_path
            / ".codex/sessions/2026/01/02/rollout-2026-01-02T03-04-05-0199a213-81c0-7800-8aa1-bbab2a035a53.jsonl"
        )
        path.parent.mkdir(parents=True)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        path.write_text(
            f'{{"timestamp":"{now}","type":"session_meta","payload":{{"id":"c1","cwd":"/demo/shop"}}}}\n'
            f'{{"timestamp":"{now}","type":"event_msg","payload":{{"type":"user_message","message":"for codex"}}}}\n'
        )
        heard.until_said("for codex")
    assert {event.provider for event in heard.all} == {"codex"}


def test_kinds_and_handlers_that_cannot_be_are_refused(tmp_path: Path) -> None:
    watcher = SessionWatcher(home=tmp_path)
    with pytest.raises(UsageError, match="nonsense"):
        watcher.on("nonsense")  # type: ignore[call-overload]
    with pytest.raises(UsageError):
        watcher.pipe(filters.kind("nonsense"))

    async def later(event: AnyEvent) -> None:
        raise AssertionError

    class Later:
        async def __call__(self, event: AnyEvent) -> None:
            raise AssertionError

    for handler in (later, Later()):
        with pytest.raises(TypeError, match="coroutine"):
            watcher.on_any(handler)


def _texts(heard: Heard) -> list[str]:
    return [event.text for event in heard.all if isinstance(event, MessageAdded)]
