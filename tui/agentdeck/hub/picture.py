"""Pictures of a screen that is not ours, turned into frames like those of our own screens."""

from agentdeck.processes.screens import Picture
from agentdeck.protocol.screen import Frame
from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.screen import Screen


class Canvas:
    """Draws whole pictures; what is told are the rows that differ."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._emulator: Emulator | None = None
        self._screen: Screen | None = None
        self._last: Picture | None = None

    @property
    def seq(self) -> int:
        return self._screen.seq if self._screen is not None else 0

    def draw(self, picture: Picture) -> bool:
        """Take a picture in; returns whether anything on it is new."""
        if picture == self._last:
            return False
        self._last = picture
        if self._emulator is None or self._screen is None:
            self._emulator = Emulator(picture.cols, picture.rows, reply=lambda data: None, scrollback=0)
            self._screen = Screen(self._name, self._emulator)
        self._emulator.resize(picture.cols, picture.rows)
        rows = (b"\x1b[%d;1H\x1b[m\x1b[K%s" % (y, line) for y, line in enumerate(picture.lines, 1))
        blank = b"\x1b[m\x1b[%d;1H\x1b[J" % (len(picture.lines) + 1) if len(picture.lines) < picture.rows else b"\x1b[m"
        shown = picture.cursor is not None
        x, y = picture.cursor or (0, 0)
        cursor = b"\x1b[%d;%dH\x1b[?25%s" % (y + 1, x + 1, b"h" if shown else b"l")
        self._emulator.feed(b"\x1b[?7l" + b"".join(rows) + blank + cursor)
        self._emulator.take_events()
        return self._screen.refresh()

    def rename(self, name: str) -> bool:
        """Tell frames under another name from now on; returns whether it is another one, so that all must be told."""
        if name == self._name:
            return False
        self._name = name
        if self._emulator is not None:
            self._screen = Screen(name, self._emulator)
            self._screen.refresh()
        return True

    def frame(self, since: int) -> Frame:
        """What changed after frame `since`; there must have been a picture."""
        assert self._screen is not None
        return self._screen.frame(since)

    def close(self) -> None:
        if self._emulator is not None:
            self._emulator.close()
            self._emulator = self._screen = None
