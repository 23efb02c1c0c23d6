"""Play recorded signals to the judge the way the hub does: at every explicit signal, 0.25 s after plain output, and
when a verdict asked to be looked at again."""

import math
from dataclasses import replace
from typing import Any

from agentdeck.protocol.messages import ProgramStatus, Progress
from agentdeck.providers import Provider
from agentdeck.status.state import BUSY, SessionFile, Signals, Verdict, find_dialog, judge

START = 1000.0
AFTER_OUTPUT = 0.25


class Timeline:
    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.signals = Signals(started=START)
        self.fresh = True
        self.due = math.inf
        self.states: list[tuple[float, str, str]] = []

    def until(self, moment: float) -> None:
        while self.due <= moment:
            self.judge(self.due)

    def judge(self, moment: float) -> Verdict:
        before = self.signals
        shown = before if self.fresh else replace(before, dialog="")
        verdict = judge(replace(shown, seen=before.seen and before.before not in BUSY), self.provider, moment)
        if verdict.state in ("working", "done", "limited", "error"):
            self.fresh = False
        if verdict.state != before.before:
            self.states.append((moment - START, verdict.state, verdict.why))
        seen = verdict.state != "done" and (before.seen or before.before in BUSY)
        self.signals = replace(before, before=verdict.state, before_why=verdict.why, seen=seen)
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
                dialog = find_dialog("\n".join(values[0]), self.provider)
                self.signals = replace(self.signals, dialog=dialog, last_output=now)
            case "output":
                self.signals = replace(self.signals, last_output=now)
                self.due = min(self.due, now + AFTER_OUTPUT)
                return
            case "input":
                self.signals = replace(self.signals, last_input=now)
                return
            case "file":
                status, waiting_for, at = values
                file = SessionFile(status=status, waiting_for=waiting_for, at=START + at)
                self.signals = replace(self.signals, file=file)
                return
            case "foreground":
                self.signals = replace(self.signals, foreground=values[0], last_output=now)
            case _:
                raise AssertionError(kind)
        self.judge(now)


def play(events: list[list[Any]], provider: Provider) -> list[tuple[float, str, str]]:
    """Return each change of the state: seconds, state, evidence."""
    timeline = Timeline(provider)
    for seconds, kind, *values in events:
        timeline.hear(seconds, kind, *values)
    timeline.until(START + events[-1][0] + 2)
    return timeline.states
