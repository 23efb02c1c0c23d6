"""Writes the transcript of a Claude Code session line by line, as the CLI would, at the time at which it is called."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

MODEL: Final = "claude-opus-4-8"


class Pen:
    """One session below `home`. Every method appends whole lines and returns when they are written."""

    def __init__(self, home: Path, session: str, *, cwd: str = "/demo/shop", agent: str = "") -> None:
        self.session = session
        self.cwd = cwd
        self.agent = agent
        folder = home / ".claude" / "projects" / cwd.replace("/", "-")
        self.path = folder / (f"{session}/subagents/agent-{agent}.jsonl" if agent else f"{session}.jsonl")
        self.now: Callable[[], datetime] = partial(datetime.now, UTC)
        self.prompt = 1000
        """Tokens of context that a response reports."""
        self._held: bytearray | None = None
        self._numbers = count(1)
        self._calls = count(1)

    def ask(self, text: str) -> None:
        self.line("user", {"role": "user", "content": text})

    def say(self, text: str) -> None:
        self._assistant([{"type": "text", "text": text}])

    def call(self, tool: str, **arguments: object) -> str:
        """Return the id of the call."""
        call = f"toolu_{self.session[:8]}{self.agent}_{next(self._calls)}"
        block: dict[str, object] = {"type": "tool_use", "id": call, "name": tool, "input": arguments}
        self._assistant([block])
        return call

    def result(self, call: str, text: str = "done", *, failed: bool = False, **detail: object) -> None:
        block = {"type": "tool_result", "tool_use_id": call, "content": text, "is_error": failed}
        self.line("user", {"role": "user", "content": [block]}, toolUseResult=detail)

    def edit(self, path: str, added: int = 1, removed: int = 0) -> None:
        """A call of Edit and its result."""
        lines = [*("+x" for _ in range(added)), *("-y" for _ in range(removed))]
        hunk = {"oldStart": 1, "oldLines": removed, "newStart": 1, "newLines": added, "lines": lines}
        self.result(self.call("Edit", file_path=path), filePath=path, structuredPatch=[hunk])

    def spawn(self, agent: str, description: str) -> "Pen":
        """A call that started a sub-agent; return the pen for that one's own transcript."""
        call = self.call("Agent", description=description)
        self.result(call, "started", agentId=agent, description=description, agentType="explorer")
        pen = Pen(self.path.parents[3], self.session, cwd=self.cwd, agent=agent)
        pen.now = self.now
        return pen

    def compact(self, before: int, after: int) -> None:
        detail = {"trigger": "auto", "preTokens": before, "postTokens": after}
        self.line("system", None, subtype="compact_boundary", compactMetadata=detail)

    def fail(self, text: str) -> None:
        self.line("system", None, subtype="api_error", error={"message": text})

    def end_turn(self) -> None:
        self.line("system", None, subtype="turn_duration", durationMs=1000)

    def line(self, kind: str, message: dict[str, Any] | None, **more: object) -> None:
        record: dict[str, Any] = {
            "type": kind,
            "uuid": f"{next(self._numbers):08d}-0000-4000-8000-000000000000",
            "timestamp": self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "cwd": self.cwd,
            "sessionId": self.session,
            "version": "2.1.329",
            **({"message": message} if message is not None else {}),
            **({"agentId": self.agent, "isSidechain": True} if self.agent else {}),
            **more,
        }
        self.raw(json.dumps(record).encode() + b"\n")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is written inside of the block happens at one moment: others see all of it or nothing."""
        held, before, moment = self._held, self.now, self.now()
        self._held, self.now = bytearray(), lambda: moment
        try:
            yield
        finally:
            data, self._held, self.now = bytes(self._held), held, before
        self.raw(data)

    def raw(self, data: bytes) -> None:
        if self._held is not None:
            self._held += data
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(data)

    def _assistant(self, content: Sequence[dict[str, object]]) -> None:
        usage = {"input_tokens": 10, "cache_read_input_tokens": self.prompt - 10, "output_tokens": 10}
        name = f"msg_{self.session[:8]}{self.agent}_{next(self._numbers)}"
        message = {"id": name, "role": "assistant", "model": MODEL, "content": content, "usage": usage}
        self.line("assistant", message)
