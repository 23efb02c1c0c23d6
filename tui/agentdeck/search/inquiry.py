"""One question to the index that may be called off from another thread, because the person has typed on.

SQLite is interrupted in the middle of what it does; between two hits the flag counts.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from agentdeck.search.ask import Hit, ask, half_typed
from agentdeck.search.index import Index, Row, is_busy, unusable


class Inquiry:
    """`run` it in a thread, once.

    `each` bounds the hits of one conversation (0: it does not), because the newest one would often be all that is seen;
    `within` names the only one, `provider:id`, that is meant.
    """

    def __init__(
        self,
        path: Path,
        text: str,
        problem: Callable[[str], None],
        *,
        count: int,
        each: int = 0,
        within: str = "",
    ) -> None:
        self._path = path
        self._question = half_typed(text)
        self._problem = problem
        self._count, self._each, self._within = count, each, within
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._hits_of: Counter[str] = Counter()
        self.cancelled = False
        self.fuller: set[str] = set()
        """Conversations that have more hits than `each`."""

    def cancel(self) -> None:
        with self._lock:
            self.cancelled = True
            if self._index is not None:
                self._index.interrupt()

    def run(self) -> list[Hit]:
        """Return the hits, newest first; when it is called off, those that there were until then.

        What a sub-agent said is placed at the message of the main conversation during which it did.
        An index that turns out to be damaged is moved aside, told of, and begun anew. Raises `AgentdeckError`.
        """
        hits: list[Hit] = []
        if not self._question.wanted:
            return hits
        try:
            with Index(self._path, problem=self._problem) as index:
                self._hold(index)
                try:
                    for hit in ask(index, self._question, count=self._count, wants=self._wants):
                        hits.append(hit if hit.turn is not None else _placed(hit, index))
                        self._hits_of[f"{hit.provider}:{hit.session}"] += 1
                except sqlite3.DatabaseError as error:
                    if not self.cancelled and is_busy(error):
                        raise
                    if not self.cancelled:
                        index.moved_aside(self._problem, error)
                finally:
                    self._hold(None)
        except (OSError, sqlite3.Error) as error:
            raise unusable(self._path, error) from error
        return hits

    def _hold(self, index: Index | None) -> None:
        with self._lock:
            self._index = index

    def _wants(self, row: Row) -> bool:
        if self.cancelled:
            raise sqlite3.OperationalError("interrupted")
        key = f"{row.agent}:{row.session}"
        if self._within and key != self._within:
            return False
        if self._each and self._hits_of[key] >= self._each:
            self.fuller.add(key)
            return False
        return True


def _placed(hit: Hit, index: Index) -> Hit:
    turn = index.turn_at(hit.provider, hit.session, hit.at)
    return hit._replace(turn=turn) if turn >= 0 else hit
