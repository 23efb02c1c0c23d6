"""Small conversations of Claude Code, to be searched, listed and written down."""

import json
from pathlib import Path
from typing import Any

SESSION = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "bbbbbbbb-0000-4000-8000-000000000002"


class Talk:
    """One transcript below a home directory, record by record; a second passes with each."""

    def __init__(self, home: Path, session: str = SESSION, cwd: str = "/w/shop", minute: int = 0) -> None:
        self.session, self.cwd = session, cwd
        self.path = home / ".claude" / "projects" / cwd.replace("/", "-") / f"{session}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        self._minute, self._second = minute, 0
        self._agent = ""

    def prompt(self, text: str) -> "Talk":
        return self._add("user", {"role": "user", "content": text})

    def answer(self, text: str, *, thought: str = "") -> "Talk":
        blocks = [{"type": "thinking", "thinking": thought}] if thought else []
        return self._answer([*blocks, {"type": "text", "text": text}])

    def call(self, tool: str, result: str, *, failed: bool = False, **input: Any) -> "Talk":
        name = f"toolu_{self._second}{self._agent}"
        self._answer([{"type": "tool_use", "id": name, "name": tool, "input": input}])
        block = {"type": "tool_result", "tool_use_id": name, "content": result, "is_error": failed}
        return self._add("user", {"role": "user", "content": [block]})

    def subagent(self, name: str) -> "Talk":
        """The transcript of a sub-agent of this session."""
        aside = Talk.__new__(Talk)
        aside.session, aside.cwd, aside._minute, aside._second, aside._agent = self.session, self.cwd, 1, 0, name
        aside.path = self.path.with_suffix("") / "subagents" / f"agent-{name}.jsonl"
        aside.path.parent.mkdir(parents=True, exist_ok=True)
        return aside

    def record(self, record: dict[str, Any] | bytes) -> "Talk":
        line = record if isinstance(record, bytes) else json.dumps(record).encode()
        with self.path.open("ab") as file:
            file.write(line + b"\n")
        return self

    def _answer(self, content: list[dict[str, Any]]) -> "Talk":
        message = {
            "id": f"msg_{self._minute}_{self._second}{self._agent}", "role": "assistant", "model": "claude-opus-5-5",
            "content": content, "usage": {"input_tokens": 10, "output_tokens": 5},
        }  # fmt: skip
        return self._add("assistant", message)

    def _add(self, kind: str, message: dict[str, Any]) -> "Talk":
        self._second += 1
        record = {
            "type": kind, "message": message, "sessionId": self.session, "cwd": self.cwd, "version": "2.1.329",
            "uuid": f"u-{self._minute}-{self._second}{self._agent}", "isSidechain": bool(self._agent),
            "timestamp": f"2026-11-20T10:{self._minute:02}:{self._second:02}.000Z",
        }  # fmt: skip
        if kind == "assistant":
            record["requestId"] = f"req_{self._minute}_{self._second}{self._agent}"
        if self._agent:
            record["agentId"] = self._agent
        return self.record(record)
