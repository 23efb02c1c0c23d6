"""Prompts of guests as everybody sees them: what was asked, by whom, and what became of it.

They wait in the hub's one queue, in the order in which they came, between those of the owner; this is what is known of
them there. queued → delivering → running → done, or failed, cancelled, expired, maybe on the way; `maybe`: it was on
its way when something broke, and is not sent again by itself, because an agent may act on a prompt twice. Pure: whoever
owns it tells what the queue says, and stores what changed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from agentdeck.share.refusal import RefusedError

WAITING: Final = 20
WAITING_EACH: Final = 5
"""Prompts of guests that may wait, of everybody and of one."""

ABSENCE: Final = 600.0
"""Seconds for which the prompts of somebody who left are kept."""

KEPT: Final = 50
"""Finished ones that are remembered."""

OWNER: Final = "owner"

UNSENT: Final = frozenset({"queued", "delivering", "maybe"})
"""States of what has not certainly reached the agent."""

OPEN: Final = UNSENT | {"running"}

_IN_LINE: Final = {"waiting": "queued", "sending": "delivering", "unsure": "maybe"}
_LEFT: Final = {"arrived": "running", "cancelled": "cancelled", "lost": "failed"}
"""Our words for the hub's queue's."""

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    by: str
    name: str
    text: str
    at: float
    state: str = "queued"


class InLine(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the session's queue."""

    n: int
    """The number of it there."""
    id: str
    """Of a guest's prompt; empty for one of the owner's."""
    text: str
    at: float
    state: str
    """waiting, sending or unsure."""


def cleaned(text: str) -> str:
    """A prompt without what could steer a terminal: only line ends and tabs are left of the control characters."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


class Prompts:
    def __init__(self, stored: Iterable[Prompt] = ()) -> None:
        self.paused = False
        """Nothing goes out: after an interrupt, until somebody resumes it."""
        self.changed: set[str] = set()
        """Ids of what must be stored; whoever stores it empties this."""
        self._items = {prompt.id: prompt for prompt in stored}
        self._line: tuple[InLine, ...] = ()
        self._left: dict[str, float] = {}
        """Since when somebody is away."""

    # ── what there is ──────────────────────────────────────────────────────────────────────────

    def get(self, item: str) -> Prompt | None:
        return self._items.get(item)

    @property
    def waiting(self) -> list[Prompt]:
        """Those of guests, in the order in which they came."""
        return [prompt for prompt in self._items.values() if prompt.state == "queued"]

    @property
    def running(self) -> Prompt | None:
        return next((prompt for prompt in self._items.values() if prompt.state == "running"), None)

    @property
    def items(self) -> list[Prompt]:
        """Everybody's: those that are over or run, then the queue in its order, with the owner's in their places."""
        in_line = [self._items.get(each.id) or _owners(each) for each in self._line]
        standing = {prompt.id for prompt in in_line}
        return [prompt for prompt in self._items.values() if prompt.id not in standing] + in_line

    def position(self, item: str) -> int:
        """1 is next, of whosever; 0 does not wait."""
        waiting = [prompt.id for prompt in self.items if prompt.state == "queued"]
        return waiting.index(item) + 1 if item in waiting else 0

    def number(self, item: str) -> int:
        """Its number in the hub's queue; 0 when it is not in there."""
        return next((each.n for each in self._line if item in (each.id, _owners(each).id)), 0)

    @property
    def unknown(self) -> list[Prompt]:
        """Those that wait and that the hub's queue has not been given yet."""
        standing = {each.id for each in self._line}
        return [prompt for prompt in self.waiting if prompt.id not in standing]

    @property
    def unwanted(self) -> list[int]:
        """Numbers of what still waits in the hub's queue although nobody wants it any more."""
        return [
            each.n for each in self._line
            if (prompt := self._items.get(each.id)) is not None and prompt.state not in OPEN
        ]  # fmt: skip

    # ── people ─────────────────────────────────────────────────────────────────────────────────

    def check(self, person: str) -> None:
        """Raises `RefusedError` when no more of theirs may wait."""
        waiting = self.waiting
        if len(waiting) >= WAITING:
            raise RefusedError("FULL", f"{WAITING} prompts are waiting", retry_after=30.0)
        if sum(other.by == person for other in waiting) >= WAITING_EACH:
            raise RefusedError("FULL", f"{WAITING_EACH} prompts of yours are waiting", retry_after=30.0)

    def add(self, prompt: Prompt) -> None:
        """Take a prompt that was checked."""
        self._left.pop(prompt.by, None)
        self._items[prompt.id] = prompt
        self.changed.add(prompt.id)
        self._forget_old()

    def check_cancel(self, item: str, *, by: str = "") -> None:
        """`by`: only if it is theirs; without it also one of the owner's. Raises `RefusedError`."""
        prompt = next((each for each in self.items if each.id == item), None)
        if prompt is None or (by and prompt.by != by):
            raise RefusedError("FORBIDDEN", "there is no such prompt of yours")
        if prompt.state not in ("queued", "maybe"):
            raise RefusedError("DUPLICATE", f"it is {prompt.state}")

    def drop(self, item: str) -> None:
        """Nobody wants this guest's prompt any more, and it did not go out."""
        self._become(item, "cancelled")

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

    # ── the queue and the agent ────────────────────────────────────────────────────────────────

    def hear(self, line: Sequence[InLine], over: Mapping[str, str]) -> None:
        """What is in the session's queue now, and how guests' prompts have left it, by their ids."""
        self._line = tuple(line)
        for item, how in over.items():
            prompt = self._items.get(item)
            if prompt is not None and prompt.state in UNSENT:
                if how == "arrived":
                    self.ended()
                self._become(item, _LEFT[how])
        for each in self._line:
            prompt = self._items.get(each.id)
            if each.state == "sending":
                self.ended()  # what ran before is over, or this one had to wait
            if prompt is not None and prompt.state in UNSENT:
                self._become(each.id, _IN_LINE[each.state])

    def ended(self, *, failed: bool = False) -> None:
        """The agent rests again, or is gone: what ran is over."""
        if (running := self.running) is not None:
            self._become(running.id, "failed" if failed else "done")

    def interrupted(self) -> None:
        """Somebody ended the turn: what ran is cancelled."""
        if (running := self.running) is not None:
            self._become(running.id, "cancelled")

    # ── keeping ────────────────────────────────────────────────────────────────────────────────

    def _become(self, item: str, state: str) -> None:
        prompt = self._items[item]
        if prompt.state != state:
            self._items[item] = msgspec.structs.replace(prompt, state=state)
            self.changed.add(item)

    def _forget_old(self) -> None:
        closed = [name for name, prompt in self._items.items() if prompt.state not in OPEN]
        for name in closed[:-KEPT]:
            del self._items[name]
            self.changed.add(name)


def _owners(place: InLine) -> Prompt:
    """One of the owner's own, as an item of the same list."""
    state = _IN_LINE[place.state]
    return Prompt(id=f"{OWNER}.{place.n}", by=OWNER, name=OWNER, text=place.text, at=place.at, state=state)
