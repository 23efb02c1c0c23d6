"""A recorded session played to the real emulator, the real evidence and the real judge, on the recording's own clock.

It is driven as the hub drives a session: judged at every explicit signal, a quarter of a second after plain output, and
when a verdict asked to be looked at again. `python -m tests.status.replay CAST [LABELS]` plays one from
a folder, with a directory in place of CAST what `agentdeck report` saved.
"""

import heapq
import itertools
import math
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from agentdeck.hub import evidence
from agentdeck.hub.session import INTERRUPTS, JUDGE_AFTER, SEEN_AFTER, LiveSession
from agentdeck.protocol import messages as m
from agentdeck.providers import builtin
from agentdeck.status.signals import SessionFile
from agentdeck.terminal import events as t
from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.screen import Screen
from tests.status.recording import DATA, Recording, from_folder, from_report, kept, names

EVERY = 0.5
"""Seconds between two samples."""

FLICKER = 3.0
"""Seconds within which a change that is undone was none."""


class Clock:
    def __init__(self, start: float) -> None:
        self.now = start
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._count), call))

    def until(self, moment: float) -> None:
        while self._due and self._due[0][0] <= moment:
            due, _, call = heapq.heappop(self._due)
            self.now = max(self.now, due)
            call()
        self.now = max(self.now, moment)


class Played:
    """What evidence sees of a live session, fed from a recording."""

    def __init__(self, recording: Recording) -> None:
        self.clock = Clock(recording.started)
        self.provider = builtin()[recording.provider]
        self.info = m.Session(
            id="11111111", name=recording.name, provider=recording.provider, cwd="/", argv=(), pid=1,
            started=recording.started, state="starting", since=recording.started,
        )  # fmt: skip
        self.emulator = Emulator(recording.cols, recording.rows, reply=lambda _: None)
        self.screen = Screen("11111111", self.emulator)
        self.offset = 0
        self.raw_title = ""
        self.title_at = self.last_output = self.last_input = self.interrupted_at = 0.0
        self.seen = True
        self.watched = False
        self.running = True
        self.env: dict[str, str] = {}
        self.changes: list[tuple[float, str, str]] = [(0.0, "starting", "")]
        self._recording = recording
        self._file: SessionFile | None = None
        self._judge_at = math.inf

    # what evidence asks of a session

    def update(self, **changes: Any) -> None:
        before, self.info = self.info, msgspec.structs.replace(self.info, **changes)
        if self.info.state != before.state:
            self.changes.append((self.clock.now - self._recording.started, self.info.state, self.info.why))

    def judge_later(self, seconds: float) -> None:
        due = self.clock.now + seconds
        if due < self._judge_at:
            self._judge_at = due
            self.clock.call_later(seconds, self._judge_now)

    def _judge_now(self) -> None:
        if self.clock.now >= self._judge_at:  # or an earlier look has taken its place
            self._judge_at = math.inf
            self.judge()

    def judge(self) -> None:
        evidence.judge_session(self.as_session, self.clock.now, self)

    @property
    def as_session(self) -> LiveSession:
        return cast(LiveSession, self)

    def file(self, session: LiveSession, now: float) -> SessionFile | None:
        return self._file

    def foreground(self, session: LiveSession) -> bool | None:
        return None

    def child(self, session: LiveSession) -> str:
        return ""

    # what the recording does to it

    def play(self) -> Iterator[float]:
        """Yield each moment at which a sample is due, with everything up to it taken in."""
        start, due = self._recording.started, EVERY
        for moment in self._recording.moments:
            while due <= moment.t:
                self.clock.until(start + due)
                yield due
                due += EVERY
            self.clock.until(start + moment.t)
            self._take(moment.kind, moment.value)
        self.emulator.close()

    def _take(self, kind: str, value: Any) -> None:
        now = self.clock.now
        match kind:
            case "o":
                self.emulator.feed(value.encode())
                self.offset += len(value.encode())
                self.last_output = now
                heard = self.emulator.take_events()
                for event in heard:
                    self._hear(event, now)
                if heard:
                    self.judge()
                else:
                    self.judge_later(JUDGE_AFTER)
            case "i":
                if not value.startswith(("\x1b[?", "\x1b]", "\x1bP", "\x1b[1;1R", "\x1b_G")):
                    self.last_input = now
                    if value.encode() in INTERRUPTS:
                        self.interrupted_at = now
                    if self.info.state == "done":
                        self.judge_later(SEEN_AFTER)
            case "r":
                self.emulator.resize(*map(int, value.split("x")))
            case "file":
                self._file = None if value is None else SessionFile(status=value[0], waiting_for=value[1], at=value[2])
            case "hook":
                evidence.hooked(self.as_session, value, now)
            case "held" if value:
                evidence.hold(self.as_session, "call", value, now=now)
            case "held":
                evidence.release(self.as_session, "call")
            case "event":
                evidence.hear(self.as_session, value, now)
            case _:
                pass

    def _hear(self, event: t.TerminalEvent, now: float) -> None:
        match event:
            case t.TitleChanged():
                self.raw_title, self.title_at = event.title, now
            case t.StatusReported():
                self.info = msgspec.structs.replace(self.info, status=msgspec.structs.replace(event.status, at=now))
            case t.Progressed():
                self.info = msgspec.structs.replace(self.info, progress=event.progress)
            case _:
                pass


@dataclass(frozen=True)
class Label:
    """The true state from `at` on. A label of several states says that the screen shows no difference."""

    at: float
    states: tuple[str, ...]


def labels(path: Path) -> list[Label]:
    """Read `states = [[seconds, "state"], …]`; a state may be several with `|` between them."""
    table = tomllib.loads(path.read_text())
    return [Label(float(at), tuple(state.split("|"))) for at, state in table["states"]]


def label_file(name: str) -> Path:
    return DATA / "states" / f"{name}.toml"


def true_at(truth: list[Label], t: float) -> tuple[str, ...]:
    return next((label.states for label in reversed(truth) if label.at <= t), ())


@dataclass(frozen=True)
class Score:
    name: str
    samples: int
    wrong: tuple[tuple[float, str, tuple[str, ...], str], ...]
    """When, what was shown, what was true, and why it was shown."""
    strictly_wrong: int
    """Also counting samples in which the change to the true state was less than `slack` ago."""
    flickers: tuple[tuple[float, str, str], ...]
    late: tuple[tuple[float, float], ...]
    """When somebody was needed, and how many seconds later it was seen."""


def score(recording: Recording, truth: list[Label], *, slack: float = 0.3) -> Score:
    """`slack` is how long after a change the state before it still counts."""
    played = Played(recording)
    wrong: list[tuple[float, str, tuple[str, ...], str]] = []
    strictly = samples = 0
    for at in played.play():
        samples += 1
        shown, true = played.info.state, true_at(truth, at)
        if shown not in true:
            strictly += 1
            near = [true_at(truth, at - slack), *(label.states for label in truth if abs(label.at - at) <= slack)]
            if not any(shown in states for states in near):
                wrong.append((at, shown, true, played.info.why))
    undone, late = tuple(flickers(played, truth)), tuple(_late(played, truth))
    return Score(recording.name, samples, tuple(wrong), strictly, undone, late)


def flickers(played: Played, truth: list[Label]) -> Iterator[tuple[float, str, str]]:
    """Changes that were undone within three seconds though the truth did no such thing."""
    for (_, one, _), (at, two, _), (back, three, why) in zip(
        played.changes, played.changes[1:], played.changes[2:], strict=False
    ):
        really = any(two in label.states and at - 1 <= label.at <= back for label in truth)
        if three == one and back - at < FLICKER and not really:
            yield at, two, why


def _late(played: Played, truth: list[Label]) -> Iterator[tuple[float, float]]:
    for label, after in zip(truth, [*truth[1:], Label(math.inf, ())], strict=True):
        if label.states == ("needs_you",):
            spans = zip(played.changes, [*played.changes[1:], (math.inf, "", "")], strict=True)
            seen = (max(a[0], label.at) for a, b in spans if a[1] == "needs_you" and b[0] > label.at)
            at = next(seen, math.inf)
            yield label.at, (at if at < after.at else math.inf) - label.at


def show(result: Score, played: Played | None = None) -> None:
    print(
        f"{result.name}: {len(result.wrong)} of {result.samples} wrong ({result.strictly_wrong} strictly), "
        f"{len(result.flickers)} flickers, latest {max((late for _, late in result.late), default=0):.2f} s"
    )
    for at, shown, true, why in result.wrong:
        print(f"    {at:6.1f} {shown} for {'|'.join(true)}: {why}")
    for at, state, why in result.flickers:
        print(f"    {at:6.2f} flicker to {state}: {why}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        chosen = Path(sys.argv[1])
        given = from_report(chosen) if chosen.is_dir() else from_folder(chosen)
        if len(sys.argv) > 2:
            show(score(given, labels(Path(sys.argv[2]))))
        else:
            watched = Played(given)
            for _ in watched.play():
                pass
            for seconds, state, reason in watched.changes:
                print(f"{seconds:7.2f} {state:10} {reason}")
    else:
        scores = [score(kept(each), labels(label_file(each))) for each in names()]
        for each in scores:
            show(each)
        print(sum(len(each.wrong) for each in scores), "of", sum(each.samples for each in scores), "wrong,", end=" ")
        print(
            sum(each.strictly_wrong for each in scores),
            "strictly;",
            sum(len(each.flickers) for each in scores),
            "flickers",
        )
