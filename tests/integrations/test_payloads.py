"""What is said of an event to others."""

import msgspec
import pytest
from hypothesis import given, settings

from agentdeck import events as e
from agentdeck.integrations import payloads
from tests.live.test_session import anything
from tests.realtime.happening import base, said, used

SECRET = "hunter2"

EVERY: list[e.AnyEvent] = [
    e.SessionStarted(**base(0), cwd="/demo/shop"),
    said(0, text=SECRET),
    used(0, "c1", input={"command": SECRET}),
    e.ToolReturned(**base(0), call="c1", output=SECRET, files=(e.FileChange(path="a.py", diff=SECRET),)),
    e.AgentSpawned(**base(0), spawned="a1", description=SECRET),
    e.Compacted(**base(0), before=10_000, after=500),
    e.ErrorRaised(**base(0), text=SECRET),
    e.TurnEnded(**base(0), interrupted=True),
    e.TitleChanged(**base(0), title=SECRET),
    e.UnknownRecord(**base(0), type="x", record={"a": SECRET}),
    e.SessionIdled(**base(0), seconds=121.5),
    e.SessionResumed(**base(0)),
    e.SessionEnded(**base(0), reason="process_gone", confidence=0.99),
    e.ContextGrew(**base(0), tokens=9000, cause="Read"),
    e.Summarized(**base(0), how="inferred", before=150_000, after=31_000),
]


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.kind)
def test_facts_say_nothing_of_what_was_said(event: e.AnyEvent) -> None:
    body = msgspec.json.encode(payloads.facts(event))
    assert SECRET.encode() not in body
    found = msgspec.json.decode(body)
    assert (found["kind"], found["provider"], found["session"]) == (event.kind, "claude", "s1")
    assert found["at"] == "2026-11-21T10:00:00+00:00"


SENTENCES = {
    "session_start": "started in shop",
    "message": "assistant: hunter2",
    "tool_use": "Bash hunter2",
    "tool_result": "a call is done",
    "agent_spawn": "started an agent: hunter2",
    "compaction": "context was summarized from 10,000 to 500 tokens",
    "error": "error: hunter2",
    "turn_end": "was interrupted",
    "title": "title",
    "unknown": "unknown",
    "session_idle": "is idle for 122 s",
    "session_resume": "goes on",
    "session_end": "ended (process gone)",
    "context_growth": "context grew by 9,000 tokens, mostly Read",
    "summarization": "context was summarized from 150,000 to 31,000 tokens",
}


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.kind)
def test_slack_gets_one_sentence_for_every_kind(event: e.AnyEvent) -> None:
    assert payloads.slack(event)["text"] == f"*claude* `s1` {SENTENCES[event.kind]}"


@settings(max_examples=200, deadline=None)
@given(anything())
def test_every_event_can_be_sent_in_every_form(event: e.AnyEvent) -> None:
    for template in (payloads.facts, payloads.everything, payloads.slack):
        assert msgspec.json.decode(msgspec.json.encode(template(event)))
    text = payloads.slack(event)["text"]
    assert isinstance(text, str)
    assert len(text) < 2000
    assert "\n" not in text
    assert "<" not in text
