"""The shares' log, away from the event loop: one thread writes, and a disk that hangs holds up nobody's keys."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from agentdeck.protocol.viewers import Envelope
from agentdeck.share.log import Draft, Item, Log
from agentdeck.share.refusal import RefusedError

T = TypeVar("T")


class ShareStore:
    """Its methods raise `RefusedError` UNAVAILABLE when the disk or the database fails."""

    def __init__(self, path: Path) -> None:
        self._log = Log(path)
        self._thread = ThreadPoolExecutor(1, "shares")

    def close(self) -> None:
        self._thread.submit(self._log.close)
        self._thread.shutdown(wait=True)

    async def append(self, share: str, drafts: Sequence[Draft], items: Iterable[Item] = ()) -> list[Envelope]:
        """Raises `DuplicateError` as well."""
        kept = tuple(items)
        if not drafts and not kept:
            return []
        return await self._do(lambda: self._log.append(share, drafts, kept))

    async def read(
        self, share: str, since: int, count: int, kinds: Sequence[str] = (), *, before: int = 0
    ) -> list[Envelope]:  # fmt: skip
        return await self._do(lambda: self._log.read(share, since, count, kinds, before=before))

    async def load(self, share: str) -> tuple[int, list[Item]]:
        """The number of the last event, and everything that the room remembers."""
        return await self._do(lambda: (self._log.last(share), self._log.items(share)))

    async def purge(self, share: str) -> None:
        await self._do(lambda: self._log.purge(share))

    async def tidy(self, now: float, live: Iterable[str]) -> None:
        kept = tuple(live)
        await self._do(lambda: self._log.tidy(now, kept))

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)
        except (sqlite3.Error, OSError) as error:
            raise RefusedError("UNAVAILABLE", f"the log cannot be used: {error}", retry_after=5.0) from error

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.DatabaseError:
            self._log.close()  # a file that was moved aside or mended is found by opening it again
            raise
