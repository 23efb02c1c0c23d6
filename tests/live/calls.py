"""Calls and messages as a transcript would tell them, one second apart."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from agentdeck import events as e
from agentdeck.live.session import LiveSession

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


class Story:
    """Tells one session, step by step."""

    def __init__(self) -> None:
        self.session = LiveSession("claude", "s")
        self.now = START
        self._calls = 0

    def _step(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def use(self, tool: str, category: str, **inputs: object) -> str:
        self._calls += 1
        call = f"c{self._calls}"
        self.session.apply(
            e.ToolUsed(
                provider="claude",
                session="s",
                at=self._step(),
                call=call,
                tool=tool,
                category=category,
                input=dict(inputs),
            )
        )
        return call

    def answer(self, call: str, output: str = "", *, error: bool = False, files: Iterable[e.FileChange] = ()) -> None:
        self.session.apply(
            e.ToolReturned(
                provider="claude",
                session="s",
                at=self._step(),
                call=call,
                output=output,
                is_error=error,
                files=tuple(files),
            )
        )

    def run(self, command: str, output: str = "ok", *, error: bool = False) -> None:
        self.answer(self.use("Bash", "command", command=command), output, error=error)

    def edit(self, path: str, old: str, new: str) -> None:
        change = e.FileChange(path=path, added=1, removed=1, diff=f"--- a\n+++ b\n@@ -1 +1 @@\n-{old}\n+{new}\n")
        self.answer(self.use("Edit", "file_write", file_path=path), "done", files=[change])

    def say(self, role: str, text: str) -> None:
        self.session.apply(e.MessageAdded(provider="claude", session="s", at=self._step(), role=role, text=text))
