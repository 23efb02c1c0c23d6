"""Play recorded signals to the judge the way the hub does: at every explicit signal, 0.25 s after plain output, and
when a verdict asked to be looked at again."""

import math
from dataclasses import replace
from typing import Any

from agentdeck.protocol.messages import ProgramStatus, Progress
from agentdeck.providers import Provider
from agentdeck.status import rules
from agentdeck.status.signals import BUSY, SessionFile, Signals, Verdict
from agentdeck.status.state import judge
from agentdeck.status.turn import Turn, fold

START = 1000.0
AFTER_OUTPUT = 0.25


class Timeline:
    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.signals = Signals(started=START)
        self.due = math.inf
        self.states: list[tuple[float, str, str]] = []

    def until(self, moment: float) -> None:
        while self.due <= moment:
            self.judge(self.due)

    def judge(self, moment: float) -> Verdict:
        before = self.signals
        verdict = judge(replace(before, seen=before.seen and before.before == "done"), self.provider, moment)
        if verdict.state != before.before:
            self.states.append((moment - START, verdict.state, verdict.why))
        turned = verdict.state == "working" or (before.turned and verdict.state not in ("done", "idle", "error"))
        began = verdict.state == "working" and before.before not in BUSY
        self.signals = replace(
            before,
            before=verdict.state,
            before_why=verdict.why,
            before_asks=verdict.asks,
            since=moment if verdict.state != before.before else before.since,
            seen=verdict.state != "done" and (before.seen or before.before in BUSY),
            turned=turned,
            worked_at=moment if began else before.worked_at,
        )
        self.due = moment + verdict.again if verdict.again else math.inf
        return verdict

    def hear(self, seconds: float, kind: str, *values: Any) -> None:
        now = START + seconds
        self.until(now)
        match kind:
            case "title":
                self.signals = replace(self.signals, title=values[0], title_at=now, last_output=now)
            case "status":
                state, about, message = values
                status = ProgramStatus(state=state, kind=about, message=message, at=now)
                self.signals = replace(self.signals, status=status, last_output=now)
            case "progress":
                self.signals = replace(self.signals, progress=Progress(*values), last_output=now)
            case "screen":
                reading = rules.builtin(self.provider.family).read(values[0])
                same = reading is not None and reading == self.signals.reading
                at = self.signals.read_at if same else now
                self.signals = replace(self.signals, reading=reading, read_at=at, last_output=now)
            case "output":
                self.signals = replace(self.signals, last_output=now)
                self.due = min(self.due, now + AFTER_OUTPUT)
                return
            case "input":
                self.signals = replace(self.signals, last_input=now)
                return
            case "interrupt":
                self.signals = replace(self.signals, last_input=now, interrupted_at=now)
                return
            case "file":
                status, waiting_for, at = values
                file = SessionFile(status=status, waiting_for=waiting_for, at=START + at)
                self.signals = replace(self.signals, file=file)
                return
            case "foreground":
                self.signals = replace(self.signals, foreground=values[0], last_output=now)
            case "child":
                self.signals = replace(self.signals, child=values[0])
            case "event":
                self.signals = replace(self.signals, turn=fold(self.signals.turn or Turn(), values[0], now))
            case _:
                raise AssertionError(kind)
        self.judge(now)
