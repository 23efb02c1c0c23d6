"""The queue of guests' prompts: in order of arrival, one at a time, none twice.

queued → delivering → running → done | failed, or cancelled | expired on the way. What was being delivered when a hub
died is `maybe`: it is shown, and never sent again by itself, because an agent may act on a prompt twice. An interrupt
pauses the queue. Pure: whoever owns it says when the agent is free and stores what changed.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from agentdeck.share.refusal import RefusedError

WAITING: Final = 20
WAITING_EACH: Final = 5
"""Prompts that may wait, of everybody and of one."""

ABSENCE: Final = 600.0
"""Seconds for which the prompts of somebody who left are kept."""

KEPT: Final = 50
"""Finished ones that are remembered."""

OPEN: Final = frozenset({"queued", "delivering", "running"})

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    by: str
    name: str
    text: str
    at: float
    state: str = "queued"


def cleaned(text: str) -> str:
    """A prompt without what could steer a terminal: only line ends and tabs are left of the control characters."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


class Prompts:
    def __init__(self, stored: Iterable[Prompt] = (), *, paused: bool = False) -> None:
        self.paused = paused
        self.changed: set[str] = set()
        """Ids of what must be stored; whoever stores it empties this."""
        self._items: dict[str, Prompt] = {}
        self._left: dict[str, float] = {}
        """Since when somebody is away."""
        for prompt in stored:
            self._put(prompt)
            if prompt.state in ("delivering", "running"):
                self._become(prompt.id, "maybe")

    # ── what there is ──────────────────────────────────────────────────────────────────────────

    @property
    def items(self) -> list[Prompt]:
        return list(self._items.values())

    @property
    def waiting(self) -> list[Prompt]:
        return [prompt for prompt in self._items.values() if prompt.state == "queued"]

    @property
    def running(self) -> Prompt | None:
        return next((p for p in self._items.values() if p.state in ("delivering", "running")), None)

    def position(self, item: str) -> int:
        """1 is next, 0 does not wait."""
        return next((n for n, prompt in enumerate(self.waiting, 1) if prompt.id == item), 0)

    # ── people ─────────────────────────────────────────────────────────────────────────────────

    def check(self, person: str) -> None:
        """Raises `RefusedError` when no more of theirs may wait."""
        waiting = self.waiting
        if len(waiting) >= WAITING:
            raise RefusedError("FULL", f"{WAITING} prompts are waiting", retry_after=30.0)
        if sum(other.by == person for other in waiting) >= WAITING_EACH:
            raise RefusedError("FULL", f"{WAITING_EACH} prompts of yours are waiting", retry_after=30.0)

    def add(self, prompt: Prompt) -> int:
        """Take a prompt that was checked; return its position."""
        self._left.pop(prompt.by, None)
        self._put(prompt)
        self._forget_old()
        return self.position(prompt.id)

    def cancel(self, item: str, *, by: str = "") -> None:
        """`by`: only if it is theirs. Raises `RefusedError`."""
        prompt = self._items.get(item)
        if prompt is None or (by and prompt.by != by):
            raise RefusedError("FORBIDDEN", "there is no such prompt of yours")
        if prompt.state not in ("queued", "maybe"):
            raise RefusedError("DUPLICATE", f"it is {prompt.state}")
        self._become(item, "cancelled")

    def move(self, item: str, position: int) -> None:
        """Put a waiting prompt at a position among those that wait. Raises `RefusedError`."""
        waiting = [prompt.id for prompt in self.waiting]
        if item not in waiting:
            raise RefusedError("BAD_MESSAGE", "it does not wait")
        waiting.remove(item)
        waiting.insert(max(0, position - 1), item)
        self._items = {
            **{name: prompt for name, prompt in self._items.items() if prompt.state != "queued"},
            **{name: self._items[name] for name in waiting},
        }
        self.changed.update(waiting)

    def pause(self, on: bool) -> None:
        self.paused = on

    def interrupted(self) -> None:
        """Somebody ended the turn: what ran is cancelled, and what waits stays until somebody resumes."""
        if (running := self.running) is not None:
            self._become(running.id, "cancelled")
        self.paused = True

    def removed(self, person: str) -> None:
        """Their access was withdrawn: what waits is cancelled, what runs goes on."""
        for prompt in self.waiting:
            if prompt.by == person:
                self._become(prompt.id, "cancelled")

    def left(self, person: str, now: float) -> None:
        self._left.setdefault(person, now)

    def came(self, person: str) -> None:
        self._left.pop(person, None)

    def expire(self, now: float) -> bool:
        """Give up the prompts of those who left long ago; return whether there were any."""
        gone = {person for person, since in self._left.items() if now - since >= ABSENCE}
        expired = [prompt.id for prompt in self.waiting if prompt.by in gone]
        for item in expired:
            self._become(item, "expired")
        return bool(expired)

    # ── the agent ──────────────────────────────────────────────────────────────────────────────

    def next(self) -> Prompt | None:
        """The prompt to send now, if none runs and nobody paused; it is `delivering` from here on."""
        if self.paused or self.running is not None:
            return None
        waiting = self.waiting
        return self._become(waiting[0].id, "delivering") if waiting else None

    def sent(self, item: str) -> None:
        if self._items[item].state == "delivering":
            self._become(item, "running")

    def ended(self, *, failed: bool = False) -> Prompt | None:
        """The agent is free again, or gone; return what ran."""
        running = self.running
        return self._become(running.id, "failed" if failed else "done") if running is not None else None

    # ── keeping ────────────────────────────────────────────────────────────────────────────────

    def _put(self, prompt: Prompt) -> None:
        self._items[prompt.id] = prompt
        self.changed.add(prompt.id)

    def _become(self, item: str, state: str) -> Prompt:
        prompt = self._items[item] = msgspec.structs.replace(self._items[item], state=state)
        self.changed.add(item)
        return prompt

    def _forget_old(self) -> None:
        closed = [name for name, prompt in self._items.items() if prompt.state not in OPEN]
        for name in closed[:-KEPT]:
            del self._items[name]
            self.changed.add(name)

    def get(self, item: str) -> Prompt | None:
        return self._items.get(item)
