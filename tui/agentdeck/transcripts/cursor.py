"""Cursor's agent transcripts as events: roles and content only, no times, no tokens.

Events take the time that the caller gives, which should be when the file was last changed: there is nothing better.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from agentdeck import events as e
from agentdeck.transcripts import reading as r
from agentdeck.transcripts.reading import Base
from agentdeck.transcripts.tools import category


class CursorParser:
    """Feed it the lines of one transcript in order."""

    provider = "cursor"

    def __init__(self, path: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.bad_lines = 0
        self._now = now
        self._session = path.rpartition("/")[2].partition(".")[0]
        self._project = path.split("/agent-transcripts/")[0].rpartition("/")[2]
        self._started = False

    def feed(self, line: bytes, source: e.Source) -> list[e.AnyEvent]:
        record = r.record(line)
        if not record:
            self.bad_lines += record is None
            return []
        base = Base(provider=self.provider, session=self._session, at=self._now(), source=source, agent="")
        found: list[e.AnyEvent] = []
        if not self._started:
            self._started = True
            found.append(e.SessionStarted(**base, cwd=self._project))
        role, content = r.text(record, "role"), r.table(record, "message").get("content", record.get("content"))
        if role not in ("user", "assistant"):
            return [*found, e.UnknownRecord(**base, type=role or r.text(record, "type"), record=record)]
        if text := r.joined(content):
            found.append(e.MessageAdded(**base, role=role, text=text))
        for block in content if isinstance(content, list) else ():
            if not isinstance(block, dict):
                continue
            if r.text(block, "type") == "tool_use":
                tool = r.text(block, "name")
                call, arguments = r.text(block, "id"), r.table(block, "input")
                found.append(e.ToolUsed(**base, call=call, tool=tool, input=arguments, category=category(tool)))
            elif r.text(block, "type") == "tool_result":
                output = r.joined(block.get("content"))
                found.append(e.ToolReturned(**base, call=r.text(block, "tool_use_id"), output=output))
        return found
