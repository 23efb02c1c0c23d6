"""How the usage of sessions grew, for those who look at it: read from the ledger, which knows it from the beginning.

Read anew when there are new tokens, but never more often than a person looks, and in a thread: a ledger may be large.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agentdeck.protocol import facts as f
from agentdeck.protocol import viewers as v
from agentdeck.usage.course import course, thinned
from agentdeck.usage.ledger import Ledger

AGAIN: Final = 15.0
"""Seconds between two readings of one session."""

KEPT: Final = 64
"""Sessions."""


class Courses:
    def __init__(self, ledger: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._now = now
        self._told: dict[tuple[str, str], v.UsageUpdate] = {}
        self._seen: dict[tuple[str, str], tuple[float, int | None]] = {}
        """When each was read, and how many tokens it had then."""
        self._reading: set[asyncio.Task[None]] = set()

    def of(self, facts: f.Facts, changed: Callable[[], None]) -> v.UsageUpdate | None:
        """What is known now; None before it was read once. `changed` is called when more is."""
        key = facts.provider, facts.provider_session
        read_at, tokens = self._seen.get(key, (-AGAIN, -1))
        now = self._now()
        if tokens != facts.tokens and now - read_at >= AGAIN:
            self._seen.pop(key, None)
            self._seen[key] = now, facts.tokens
            while len(self._seen) > KEPT:
                oldest = next(iter(self._seen))
                del self._seen[oldest]
                self._told.pop(oldest, None)
            task = asyncio.get_running_loop().create_task(self._read(key, changed))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return self._told.get(key)

    async def _read(self, key: tuple[str, str], changed: Callable[[], None]) -> None:
        told = await asyncio.to_thread(self._course, *key)
        if told is not None and told != self._told.get(key):
            self._told[key] = told
            changed()

    def _course(self, agent: str, session: str) -> v.UsageUpdate | None:
        """None when the ledger cannot be read: then what was known stays."""
        try:
            with Ledger(self._ledger) as ledger:
                points = thinned(course(ledger, agent, session))
        except (OSError, sqlite3.Error):
            return None
        return v.UsageUpdate(
            points=tuple(
                (round(p.at), p.tokens, None if p.cost_usd is None else round(p.cost_usd, 5), p.context) for p in points
            )
        )
