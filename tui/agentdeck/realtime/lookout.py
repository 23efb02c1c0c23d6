"""What both watchers do: look at transcripts, fold what is found into sessions, and choose what is told.

No threads, no asyncio, no waiting: whoever drives it says when to look, and takes what is to be told in slices.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from agentdeck.errors import UsageError
from agentdeck.events import AnyEvent
from agentdeck.live.session import LiveSession
from agentdeck.live.writers import Writers
from agentdeck.realtime.sessions import LiveSessionManager
from agentdeck.transcripts.ending import IDLE_AFTER, Rules
from agentdeck.transcripts.follow import Follower
from agentdeck.transcripts.parse import PARSERS
from agentdeck.transcripts.roots import Root, roots

WARM: Final = timedelta(minutes=15)
"""Sessions that did something so lately are known from the start, so that it can be told when they become idle."""

TICK: Final = 1.0
"""Seconds between two looks at what time alone concludes."""

PROCESSES_EVERY: Final = 5.0
"""Seconds between two looks at which processes still live."""


class Told(NamedTuple):
    """An event and the session it happened to."""

    event: AnyEvent
    session: LiveSession


class Options(NamedTuple):
    """What both watchers can be asked for; see `SessionWatcher`."""

    home: Path | None = None
    roots: Sequence[Root] = ()
    providers: Sequence[str] = ()
    since: datetime | timedelta | None = None
    idle_after: float = IDLE_AFTER
    rules: Rules | None = None

    @property
    def env(self) -> Mapping[str, str]:
        """What says where the CLIs keep their files."""
        return {"HOME": str(self.home)} if self.home is not None else os.environ

    def find_roots(self) -> list[Root]:
        """Return the directories to look in. Raises `UsageError` for a provider that does not exist."""
        unknown = sorted(set(self.providers) - PARSERS.keys())
        if unknown:
            raise UsageError(f"no transcripts are known of {unknown[0]!r}", hint=f"known: {', '.join(sorted(PARSERS))}")
        found = list(self.roots) or roots(self.env)
        return [root for root in found if not self.providers or root.agent in self.providers]


class Lookout:
    """`now` is the clock, in unix seconds."""

    def __init__(self, options: Options, *, now: Callable[[], float] = time.time) -> None:
        self.roots = options.find_roots()
        rules = options.rules or Rules(idle_after=options.idle_after)
        self.sessions = LiveSessionManager(rules=rules, now=lambda: datetime.fromtimestamp(now(), UTC))
        self._writers = Writers(options.env)
        self._now = now
        begin = datetime.fromtimestamp(now(), UTC)
        since = options.since
        self._since = begin - since if isinstance(since, timedelta) else _aware(since) if since is not None else None
        known_from = min(begin - WARM, self._since or begin)
        self._follower = Follower(self.roots, since=known_from, recall=self._recall, now=now)
        self._recalled: list[Told] = []
        self._processes_at = 0.0
        self._begun = False

    @property
    def problems(self) -> list[str]:
        """Sentences about what cannot be followed."""
        return self._follower.problems

    @property
    def bad_lines(self) -> dict[str, int]:
        """Lines that could not be read, by file."""
        return self._follower.bad_lines

    def active(self) -> list[bytes]:
        """Files to look at each second."""
        return self._follower.active()

    def look(self, paths: Iterable[bytes] = ()) -> Iterator[list[Told]]:
        """Look at these paths, at everything without any; yield what is to be told, in slices that may be empty."""
        given = list(paths)
        for events in self._follower.touching(given) if given else self._follower.sweeping():
            told = [each for event in events for each in self._fold(event)]
            recalled, self._recalled = self._recalled, []
            yield [*recalled, *told]
        if self._recalled:  # the end of a sweep is no slice of its own
            recalled, self._recalled = self._recalled, []
            yield recalled
        if not self._begun and self._follower.swept:
            self._begun = True
            if self._since is None:
                self.sessions.prune()  # who was idle before we came is no news

    def tick(self) -> list[Told]:
        """Once a second: conclude what time and processes conclude."""
        if abs(self._now() - self._processes_at) >= PROCESSES_EVERY:
            self._processes_at = self._now()
            for each in self._writers.look():
                self.sessions.sign(each.provider, each.session, process=each.process, open=each.open)
        return self._told(self.sessions.prune())

    def _fold(self, event: AnyEvent) -> list[Told]:
        return self._told(self.sessions.apply(event))

    def _recall(self, events: list[AnyEvent]) -> None:
        """What had happened before we began: folded, and told only as far back as was asked for."""
        for event in events:
            told = self._fold(event)
            if self._since is not None and event.at >= self._since and not self._follower.swept:
                self._recalled += told

    def _told(self, events: Iterable[AnyEvent]) -> list[Told]:
        return [Told(event, self.sessions.live(event)) for event in events]


def _aware(moment: datetime) -> datetime:
    """A moment without a zone is meant as the machine's own time."""
    return moment.astimezone(UTC)
