"""Frames of one screen: what each client lacks, whatever it has seen before.

Every change gets the next sequence number and every row remembers the number of its last change. A client that
skipped any number of frames gets the newest version of each row that it lacks, once; so a slow one costs no backlog.
"""

from agentdeck.protocol.screen import Frame, Row
from agentdeck.terminal.emulator import Emulator


class Screen:
    def __init__(self, session: str, emulator: Emulator) -> None:
        self.emulator = emulator
        self.seq = 0
        """The number of the newest frame; 0 before the first `refresh`."""
        self._session = session
        self._size = (0, 0)
        self._sized_at = 0
        """The first frame of this size: older clients need everything."""
        self._rows: list[Row] = []
        self._changed_at: list[int] = []
        self._cursor = emulator.cursor
        self._modes = emulator.modes
        self._history = 0

    def refresh(self) -> bool:
        """Take in what the program drew. Return whether anything changed; `seq` is one higher then."""
        emulator = self.emulator
        changed = emulator.refresh()
        facts = (emulator.cursor, emulator.modes, emulator.history)
        size = (emulator.cols, emulator.rows)
        if not changed and size == self._size and facts == (self._cursor, self._modes, self._history):
            return False
        self.seq += 1
        self._cursor, self._modes, self._history = facts
        if size != self._size:
            self._size = size
            self._sized_at = self.seq
            self._rows = [emulator.row(y) for y in range(emulator.rows)]
            self._changed_at = [self.seq] * emulator.rows
            return True
        for y in changed:
            self._rows[y] = emulator.row(y)
            self._changed_at[y] = self.seq
        return True

    def frame(self, since: int) -> Frame:
        """Return what changed after frame `since`; all of it if that was 0, of another size, or not one of ours."""
        full = since < max(1, self._sized_at) or since > self.seq
        cols, height = self._size
        return Frame(
            session=self._session,
            seq=self.seq,
            cols=cols,
            height=height,
            full=full,
            rows=tuple((y, self._rows[y]) for y, at in enumerate(self._changed_at) if full or at > since),
            cursor=self._cursor,
            modes=self._modes,
            history=self._history,
        )
