"""Signs that a session goes round in circles or stands still, each with its evidence and what to do about it.

Only what the last calls themselves show counts. Running the tests again after an edit is work; the same call with the
same answer and nothing changed in between is a loop.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from agentdeck.events import FileChange, ToolReturned
from agentdeck.live.session import LiveSession
from agentdeck.live.wording import one_line, subject

RECENT: Final = 40
"""Calls that are looked at."""

TIMES: Final = 3
"""Repetitions from which it is a loop."""

CYCLES: Final = 2
"""How often a file must be put back as it was."""

SILENT: Final = 300.0
"""Seconds without a record after which a session at work, whose processes rest, has stalled."""

RESTING_CPU: Final = 2.0
"""Percent of a core."""

_NUMBERS: Final = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)

_CHANGING: Final = frozenset({"file_write"})


class Alert(NamedTuple):
    kind: str
    """loop, undo, error or stall."""
    evidence: str
    advice: str


def alerts(session: LiveSession, now: datetime, cpu: float | None = None) -> tuple[Alert, ...]:
    """Look at a live session; `cpu` is what its processes use now, in percent of a core, None when unknown."""
    calls = session.calls.last(RECENT)
    found = (_looping(calls, session.cwd), _undoing(calls), _failing(calls), _stalled(session, now, cpu))
    return tuple(alert for alert in found if alert is not None)


def _looping(calls: Sequence[ToolReturned], cwd: str) -> Alert | None:
    """The same call with the same answer, again and again, while no file changed."""
    counts: Counter[tuple[str, bytes, str]] = Counter()
    last: ToolReturned | None = None
    for call in calls:
        if call.used is None:
            continue
        if call.files or call.used.category in _CHANGING:
            counts.clear()
            last = None
            continue
        counts[_call(call)] += 1
        if counts[_call(call)] >= TIMES:
            last = call
    if last is None or last.used is None or last is not calls[-1]:
        return None  # it went on to something else
    times = counts[_call(last)]
    what = f"{last.used.tool} {subject(last.used, cwd)}".strip()
    return Alert("loop", f"{what}: {times} times with the same answer", "interrupt it and say what you know")


def _call(call: ToolReturned) -> tuple[str, bytes, str]:
    assert call.used is not None
    return call.used.tool, msgspec.json.encode(call.used.input, order="sorted"), call.output


def _undoing(calls: Sequence[ToolReturned]) -> Alert | None:
    """A file that is changed and put back, more than once."""
    before: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    undone: Counter[str] = Counter()
    for change in (change for call in calls for change in call.files if change.diff):
        removed, added = _lines(change, "-"), _lines(change, "+")
        if not (removed or added):
            continue
        if before.get(change.path) == (added, removed):
            undone[change.path] += 1
        before[change.path] = removed, added
    path, times = next(iter(undone.most_common(1)), ("", 0))
    if times < CYCLES:
        return None
    return Alert("undo", f"{path} was changed and put back {times} times", "interrupt it and decide for it")


def _lines(change: FileChange, sign: str) -> tuple[str, ...]:
    return tuple(
        line[1:] for line in change.diff.splitlines() if line.startswith(sign) and not line.startswith(sign * 3)
    )


def _failing(calls: Sequence[ToolReturned]) -> Alert | None:
    """The same error in a row, whatever was tried in between."""
    failed = [_error(call.output) for call in calls if call.is_error]
    if len(failed) < TIMES or not calls[-1].is_error:
        return None
    text = failed[-1]
    times = _length(reversed(failed), text)
    if times < TIMES or not text:
        return None
    return Alert("error", f"the same error {times} times: {one_line(text)}", "read the error; it does not help itself")


def _error(output: str) -> str:
    """The last line that says something, with the numbers out of the comparison."""
    lines = [line.strip() for line in output[-4000:].splitlines() if line.strip()]
    return _NUMBERS.sub("#", lines[-1]) if lines else ""


def _length(items: Iterable[str], wanted: str) -> int:
    count = 0
    for item in items:
        if item != wanted:
            break
        count += 1
    return count


def _stalled(session: LiveSession, now: datetime, cpu: float | None) -> Alert | None:
    if not session.working or session.last_at is None or cpu is None or cpu >= RESTING_CPU:
        return None
    silent = (now - session.last_at).total_seconds()
    if silent < SILENT:
        return None
    doing = next(reversed(session.pending.values()), None)
    what = f"{doing.tool} {subject(doing, session.cwd)}".strip() if doing is not None else "the model's answer"
    return Alert(
        "stall", f"nothing written for {int(silent // 60)} min, CPU {cpu:.0f} %, waiting for {what}", "look at its pane"
    )
