"""The hub's answers about conversations: pages, places, and transcripts that nobody follows any more."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from agentdeck.events import AnyEvent
from agentdeck.hub import conversations
from agentdeck.hub.conversations import Conversations, message_line, transcript_of
from agentdeck.live.conversation import render
from agentdeck.protocol.facts import ConversationLine, ReadConversation

SESSION = "3f0e8a52-1111-4222-8333-444455556666"


def record(number: int, kind: str, content: object) -> str:
    said = {
        "type": kind,
        "uuid": f"u{number}",
        "sessionId": SESSION,
        "timestamp": f"2026-11-21T09:00:{number:02}.000Z",
        "cwd": "/home/ana/shop",
        "message": {"role": kind, "content": content, "id": f"m{number}", "model": "claude-opus-4-1"},
    }
    return json.dumps(said) + "\n"


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / ".claude" / "projects" / "-home-ana-shop" / f"{SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    with path.open("w") as out:
        for n in range(0, 20, 2):
            out.write(record(n, "user", f"prompt {n}"))
            out.write(record(n + 1, "assistant", [{"type": "text", "text": f"answer {n + 1}\n\nand more"}]))
    return path


def ask(transcript: Path, **facts: object) -> list[str]:
    request = ReadConversation(key=f"claude:{SESSION}", width=80, **facts)  # type: ignore[arg-type]
    page = Conversations().read(request, [str(transcript)])
    return [line.text for line in page.lines]


def test_the_newest_page_is_the_end(transcript: Path) -> None:
    assert ask(transcript, count=3) == ["answer 19", "", "and more"]


def test_pages_join_without_a_gap(transcript: Path) -> None:
    whole = ask(transcript, count=2000)
    assert ask(transcript, before=10, count=4) + ask(transcript, before=14, count=4) == whole[6:14]


def test_a_text_is_found_upwards_whatever_its_case(transcript: Path) -> None:
    request = ReadConversation(key="claude:x", width=80, count=1, find="PROMPT 8")
    page = Conversations().read(request, [str(transcript)])
    assert page.lines[0].text == "> prompt 8"
    assert page.line == page.start
    nothing = ReadConversation(key="claude:x", width=80, count=1, find="a lion")
    assert Conversations().read(nothing, [str(transcript)]).line == -1


def test_a_message_is_found_by_its_number(transcript: Path) -> None:
    request = ReadConversation(key="claude:x", width=80, count=3, turn=9)
    page = Conversations().read(request, [str(transcript)])
    assert [line.text for line in page.lines] == ["answer 9", "", "and more"]
    assert page.line == page.start
    beyond = ReadConversation(key="claude:x", width=80, count=3, turn=99)
    assert Conversations().read(beyond, [str(transcript)]).line == -1


def test_blank_lines_in_a_message_begin_no_other() -> None:
    lines = [
        ConversationLine("user", "> a"),
        ConversationLine("user", ""),
        ConversationLine("user", "  b"),
        ConversationLine("mark", ""),
        ConversationLine("tool", "* Bash(ls)"),
        ConversationLine("mark", ""),
        ConversationLine("thinking", "~ hm"),
    ]
    assert [message_line(lines, n) for n in range(3)] == [0, 6, -1]


def test_a_conversation_is_rendered_once_until_its_file_changes(
    transcript: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[int] = []

    def watched(events: Iterable[AnyEvent], width: int) -> list[ConversationLine]:
        rendered.append(width)
        return render(events, width)

    monkeypatch.setattr(conversations, "render", watched)
    desk, paths = Conversations(), [str(transcript)]
    request = ReadConversation(key="claude:x", width=80)
    before = desk.read(request, paths).total
    desk.read(request, paths)
    assert rendered == [80]
    with transcript.open("a") as out:
        out.write(record(30, "user", "one more"))
    assert desk.read(request, paths).total > before
    assert rendered == [80, 80]
    assert len(desk._rendered) == 1


def test_a_transcript_is_found_by_the_conversation_that_it_is_of(transcript: Path, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    assert transcript_of("claude", SESSION, env) == (str(transcript),)
    assert transcript_of("codex", SESSION, env) == ()
    assert transcript_of("claude", "", env) == ()
    assert transcript_of("claude", "another", env) == ()
