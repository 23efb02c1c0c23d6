"""What a shared session did, on its way into the share's log: in order, and kept while that cannot be written."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from agentdeck.share.log import Draft
from agentdeck.share.refusal import RefusedError

AGAIN: Final = 1.0
"""Seconds before the log is tried again after it could not be written."""

BATCH: Final = 200

MOST: Final = 5000
"""Things that are kept for such a log; older ones are lost, which the owner has been told."""


class Backlog:
    """`store` raises `RefusedError`; `trouble` is told why, and an empty text when it has passed."""

    def __init__(
        self, store: Callable[[list[Draft]], Awaitable[Any]], *, later: Callable[[Awaitable[None]], None],
        trouble: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._store = store
        self._later = later
        self._trouble = trouble
        self._waiting: deque[Draft] = deque(maxlen=MOST)
        self._busy = False

    def add(self, draft: Draft) -> None:
        self._waiting.append(draft)
        if not self._busy:
            self._busy = True
            self._later(self._work())

    async def _work(self) -> None:
        some: list[Draft] = []
        troubled = False
        while some or self._waiting:
            some = some or [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._store(some)
            except RefusedError as refused:
                troubled = True
                self._trouble(str(refused))
                await asyncio.sleep(AGAIN)
            else:
                some = []
                if troubled:
                    troubled = False
                    self._trouble("")
        self._busy = False
