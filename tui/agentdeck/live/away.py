"""What a session did while nobody looked, counted from its events, without a model."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from agentdeck.events import ToolReturned
from agentdeck.live.session import LiveSession
from agentdeck.live.wording import one_line

_TESTS: Final = re.compile(
    r"\b(pytest|py\.test|tox|unittest|jest|vitest|mocha|rspec|phpunit|ctest"
    r"|(?:npm|pnpm|yarn|bun)(?: run)? test|(?:cargo|go|make|mvn|gradle|dotnet|swift) test|cargo nextest)\b"
)
"""Commands that run tests."""

_PASSED: Final = re.compile(r"(\d+) (?:tests? )?pass(?:ed|ing)\b|\bPassed: *(\d+)", re.IGNORECASE)
_FAILED: Final = re.compile(r"(\d+) (?:tests? )?fail(?:ed|ures?|ing)?\b|\bFailed: *(\d+)", re.IGNORECASE)

_SUMMARY: Final = 4000
"""Characters at the end of an output in which the totals stand."""


_SAMPLES: Final = 500
"""Changes of a session's cost that are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Counts since a moment. Of tests only the last run tells; None is a run whose totals could not be read."""

    prompts: int = 0
    calls: int = 0
    failures: int = 0
    files: int = 0
    added: int = 0
    removed: int = 0
    test_runs: int = 0
    tests_passed: int | None = None
    tests_failed: int | None = None
    last_run_failed: bool | None = None
    """None when no tests ran."""
    last_message: str = ""
    """The agent's last words, or its question."""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.prompts or self.calls or self.last_message)


@dataclass(slots=True)
class Spending:
    """What a session had cost, and when: a transcript's total alone does not tell what an absence cost."""

    _samples: list[tuple[float, float]] = field(default_factory=list)

    def note(self, at: float, cost: float) -> None:
        if not self._samples or self._samples[-1][1] != cost:
            self._samples.append((at, cost))
            del self._samples[:-_SAMPLES]

    def since(self, at: float, began: float) -> float | None:
        """Dollars since a moment; None when nothing was noted before it, unless the session began only later."""
        if not self._samples:
            return None
        before = [cost for noted, cost in self._samples if noted <= at]
        if not before and began <= at:
            return None
        return max(0.0, self._samples[-1][1] - (before[-1] if before else 0.0))


def away(session: LiveSession, since: datetime) -> Away:
    """Count what the session did after `since`; of very long absences only what is still kept."""
    messages = [message for message in session.messages if message.at > since]
    calls = [call for call in session.calls if call.at > since]
    changes = [change for call in calls for change in call.files]
    runs = [call for call in calls if is_test_run(call)]
    passed, failed = totals(runs[-1].output) if runs else (None, None)
    said = next((message.text for message in reversed(messages) if message.role == "assistant" and message.text), "")
    return Away(
        prompts=sum(message.role == "user" for message in messages),
        calls=len(calls),
        failures=sum(call.is_error for call in calls),
        files=len({change.path for change in changes}),
        added=sum(change.added or 0 for change in changes),
        removed=sum(change.removed or 0 for change in changes),
        test_runs=len(runs),
        tests_passed=passed,
        tests_failed=failed,
        last_run_failed=(bool(failed) or runs[-1].is_error) if runs else None,
        last_message=one_line(said[-600:]),
        since=since,
        until=session.last_at,
    )


def is_test_run(call: ToolReturned) -> bool:
    if call.used is None or call.used.category != "command":
        return False
    return any(_TESTS.search(word) for word in _texts(call.used.input.values()))


def totals(output: str) -> tuple[int | None, int | None]:
    """Return how many tests passed and failed by the summary at the end of the output; None where it does not say."""
    tail = output[-_SUMMARY:]
    passed, failed = _last(_PASSED, tail), _last(_FAILED, tail)
    if passed is None and failed is None:
        return None, None
    return passed or 0, failed or 0


def _last(pattern: "re.Pattern[str]", text: str) -> int | None:
    found = [int(match[1] or match[2]) for match in pattern.finditer(text)]
    return found[-1] if found else None


def _texts(values: Iterable[object]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield " ".join(part for part in value if isinstance(part, str))
