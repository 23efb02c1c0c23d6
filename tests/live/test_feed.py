"""The event feed of a session: one line for each thing that happened."""

import pytest

from agentdeck import events as e
from agentdeck.live import feed as bounds
from agentdeck.live.feed import Feed
from agentdeck.protocol.facts import FeedLine
from tests.realtime.happening import base, returned, said, used


def line(feed: Feed, event: e.AnyEvent) -> FeedLine:
    found = feed.add(event)
    assert found is not None
    return found


def test_a_call_is_one_line_that_is_completed_in_place() -> None:
    feed = Feed()
    feed.add(e.SessionStarted(**base(0), cwd="/demo/shop"))
    begun = line(feed, used(1, "c1", "Edit", "file_write", input={"file_path": "/demo/shop/src/a.py"}))
    assert (begun.title, begun.text, begun.status, begun.seconds) == ("Edit", "src/a.py", "pending", None)
    change = e.FileChange(path="/demo/shop/src/a.py", added=3, removed=1)
    done = line(feed, e.ToolReturned(**base(2), call="c1", output="ok", files=(change, change), seconds=1.5))
    assert (done.n, done.text, done.status, done.seconds) == (begun.n, "src/a.py", "ok", 1.5)
    assert (done.added, done.removed) == (6, 2)
    assert [each.n for each in feed.before(0, 10)] == [1, 2]
    failed = line(feed, returned(3, "unknown", "boom\nmore", is_error=True))
    assert (failed.title, failed.text, failed.status) == ("result", "boom more", "error")


@pytest.mark.parametrize(
    ("event", "title", "text"),
    [
        (e.SessionStarted(**base(0)), "session", "started"),
        (said(0, "user", " two\n lines\x1b[31m "), "user", "two lines [31m"),
        (said(0, "thinking", "hm"), "thinking", "hm"),
        (e.AgentSpawned(**base(0), spawned="a1", description="look"), "agent", "look"),
        (e.Compacted(**base(0), trigger="auto", before=900, after=40), "compacted", "auto 900 → 40 tokens"),
        (e.Compacted(**base(0)), "compacted", ""),
        (e.ErrorRaised(**base(0), text="overloaded"), "error", "overloaded"),
        (e.TurnEnded(**base(0), interrupted=True), "interrupted", "by the person"),
        (e.ContextGrew(**base(0), tokens=9000, cause="Read"), "context", "grew by 9,000 tokens, mostly Read"),
        (e.Summarized(**base(0), how="pruned", before=10_000, after=800), "context", "pruned: 10,000 → 800 tokens"),
        (e.SessionResumed(**base(0)), "session", "goes on"),
        (e.SessionEnded(**base(0), reason="closed", confidence=0.8), "session", "ended: closed"),
    ],
)  # fmt: skip
def test_what_happens_is_said_in_a_line(event: e.AnyEvent, title: str, text: str) -> None:
    found = line(Feed(), event)
    assert (found.kind, found.title, found.text) == (event.kind, title, text)


@pytest.mark.parametrize(
    "event",
    [
        said(0, text=" \n "),
        e.TurnEnded(**base(0)),
        e.Summarized(**base(0), how="record", before=2, after=1),
        e.SessionIdled(**base(0), seconds=120),
        e.TitleChanged(**base(0), title="x"),
        e.UnknownRecord(**base(0), type="x", record={}),
    ],
    ids=lambda event: event.kind,
)
def test_what_says_nothing_is_no_line(event: e.AnyEvent) -> None:
    assert Feed().add(event) is None


def test_lines_are_read_backwards_page_by_page() -> None:
    feed = Feed()
    for number in range(1, 8):
        feed.add(said(number, text=str(number)))
    assert [each.text for each in feed.before(0, 3)] == ["5", "6", "7"]
    assert [each.text for each in feed.before(5, 3)] == ["2", "3", "4"]
    assert [each.text for each in feed.before(2, 3)] == ["1"]
    assert feed.before(1, 3) == feed.before(0, 0) == []


def test_the_oldest_lines_go_and_their_late_results_come_as_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "KEPT", 3)
    feed = Feed()
    first = line(feed, used(0, "c1"))
    for number in range(5):
        feed.add(said(number, text=str(number)))
    assert [each.text for each in feed.before(0, 10)] == ["2", "3", "4"]
    assert line(feed, returned(9, "c1")).n > first.n
    assert len(feed._calls) == 0
