"""Whatever CLIs do to their transcripts and however often we die: every line is told once, in its life or the next."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agentdeck.events import MessageAdded
from agentdeck.transcripts.follow import Follower
from agentdeck.transcripts.roots import Root

names = st.sampled_from(["a", "b", "sub/c"])
sizes = st.sampled_from([1, 30, 300, 3000])


class FollowMachine(RuleBasedStateMachine):
    """The model is the list of all records that were ever written completely; each must have been told exactly once."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp()).resolve()
        self.root = self.home / "projects"
        self.root.mkdir()
        self.clock = 1_800_000_000.0
        self.lines: dict[str, list[bytes]] = {}
        self.written: list[str] = []
        self.told: set[str] = set()
        self.life: list[str] = []
        """What this follower has told."""
        self.saved: set[str] = set()
        """What had been told when positions were last saved: no later life may tell it."""
        self.before: frozenset[str] = frozenset()
        self.follower = self.begin()

    def teardown(self) -> None:
        self.a_sweep_leaves_nothing_untold()
        shutil.rmtree(self.home)

    def begin(self) -> Follower:
        return Follower([Root("claude", self.root)], positions=self.home / "positions", now=lambda: self.clock)

    def path(self, name: str) -> Path:
        path = self.root / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        return path

    def record(self, size: int) -> tuple[str, bytes]:
        self.clock += 1
        text = f"{len(self.written)}:" + "x" * size
        self.written.append(text)
        record = {
            "type": "user",
            "uuid": f"{len(self.written):08}-0000-4000-8000-000000000000",
            "timestamp": datetime.fromtimestamp(self.clock, UTC).isoformat(),
            "message": {"content": text},
        }
        return text, json.dumps(record, separators=(",", ":")).encode() + b"\n"

    def put(self, name: str, data: bytes, *, fresh: bool) -> None:
        path = self.path(name)
        if fresh:
            other = path.with_suffix(".tmp")
            other.write_bytes(data)
            other.rename(path)
        else:
            path.write_bytes(data)
        self.clock += 1
        os.utime(path, (self.clock, self.clock))

    # ── what a CLI does ────────────────────────────────────────────────────────────────────────

    @rule(name=names, size=sizes, cut=st.none() | st.floats(0.1, 0.9), looks=st.booleans())
    def append(self, name: str, size: int, cut: float | None, looks: bool) -> None:
        _, line = self.record(size)
        lines = self.lines.setdefault(name, [])
        if cut is not None:
            self.put(name, b"".join(lines) + line[: int(len(line) * cut)], fresh=False)
            if looks:
                self.look(name)
        lines.append(line)
        self.put(name, b"".join(lines), fresh=False)

    @rule(name=names, size=sizes, dropped=st.floats(0, 1), fresh=st.booleans())
    def rewrite(self, name: str, size: int, dropped: float, fresh: bool) -> None:
        """Cut off its beginning, as some CLIs do when they compact; what is dropped has been told before."""
        self.look(name)
        lines = self.lines.setdefault(name, [])
        del lines[: int(len(lines) * dropped)]
        _, line = self.record(size)
        lines.append(line)
        self.put(name, b"".join(lines), fresh=fresh)

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.look(name)
        self.path(name).unlink(missing_ok=True)
        self.lines.pop(name, None)

    @rule(name=names)
    def touch_only(self, name: str) -> None:
        if name in self.lines:
            self.put(name, b"".join(self.lines[name]), fresh=True)

    # ── and what we do ─────────────────────────────────────────────────────────────────────────

    @rule(name=names)
    def look(self, name: str) -> None:
        self.take(self.follower.touch([os.fsencode(self.path(name))]))

    @rule()
    def sweep(self) -> None:
        self.take(self.follower.sweep())

    @rule()
    def save(self) -> None:
        self.follower.save(now=True)
        self.saved |= set(self.life)

    @rule(saves=st.booleans())
    def end_and_begin_again(self, saves: bool) -> None:
        """Without saving it is as if we were killed: only what was told since the last time may be told again."""
        if saves:
            self.save()
        self.follower, self.life = self.begin(), []
        self.before = frozenset(self.saved)

    def take(self, events: Iterable[object]) -> None:
        news = [event.text for event in events if isinstance(event, MessageAdded)]
        self.life += news
        self.told.update(news)

    @invariant()
    def nothing_was_told_twice_or_made_up(self) -> None:
        assert len(set(self.life)) == len(self.life)
        assert self.before.isdisjoint(self.life)
        assert self.told <= set(self.written)

    @rule()
    def a_sweep_leaves_nothing_untold(self) -> None:
        self.sweep()
        present = {json.loads(line)["message"]["content"] for lines in self.lines.values() for line in lines}
        assert present <= self.told


FollowMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestFollow = FollowMachine.TestCase
