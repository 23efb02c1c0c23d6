"""One program's screen: bytes from its PTY in, rows, cursor, modes, events and answers out.

With `library` and `core` below it the only user of libghostty-vt. It lives in the hub, where a crash of the native
code costs a restart and no session. Everything that leaves it is safe to show: no control characters, bounded texts,
no answer that echoes what a program set (title, clipboard). It is not thread safe.
"""

import re
import time
from collections.abc import Callable
from typing import Final

from agentdeck import __version__
from agentdeck.protocol.screen import Cursor, Modes, Row
from agentdeck.terminal import checkpoint, mouse, synchronized, vt
from agentdeck.terminal.cells import RowReader
from agentdeck.terminal.core import load
from agentdeck.terminal.events import EventLog, TerminalEvent, TitleChanged
from agentdeck.terminal.library import CELL_HEIGHT, CELL_WIDTH, Colour, Terminal
from agentdeck.terminal.osc import Osc, OscScanner
from agentdeck.terminal.reports import Reports, is_status_query

SMALLEST: Final = 2
"""Rows and columns; the library ends the process below it."""
LARGEST: Final = 2000
"""Rows and columns; beyond any screen, and a bound for what a size can cost."""

LIGHT_ON_DARK: Final[tuple[Colour, Colour]] = ((229, 229, 229), (18, 18, 18))

_ALLOW_COLUMNS: Final = re.compile(rb"(?<=[?;])40(?=[;h])")
"""Mode 40 lets a program set its own width (DECCOLM). The pane's width is not a program's to set."""
_HELD_IN_SNAPSHOT: Final = 4096
_MOUSE_MODES: Final = (1003, 1002, 1000, 9)
_SET_MODES: Final = re.compile(rb"\x1b\[\?[0-9;]*h")
_ENTER: Final = re.compile(rb"\x1b\[\?[0-9;]*\b(?:1049|1047|47)(?:;[0-9;]*)?h")
_LEAVE: Final = re.compile(rb"\x1b\[\?[0-9;]*\b(?:1049|1047|47)(?:;[0-9;]*)?l|\x1bc")


class Emulator:
    def __init__(
        self,
        cols: int,
        rows: int,
        *,
        reply: Callable[[bytes], None],
        scrollback: int = 10_000,
        colours: tuple[Colour, Colour] = LIGHT_ON_DARK,
    ) -> None:
        """`reply` gets the answers to the program's questions, in their order, from inside `feed` and `refresh`.

        `scrollback` is in rows and nearly kept; of rows wider than 200 columns there are fewer. `colours` are the
        foreground and background that programs hear of when they ask. Raises `TerminalCoreError`.
        """
        self.cols, self.rows = _clamped(cols), _clamped(rows)
        self._reply = reply
        self._answers: list[bytes] = []
        self._events = EventLog()
        self._title = ""
        self._scanner = OscScanner()
        self._reports = Reports(time.time)
        self._terminal = Terminal(
            load(),
            self.cols,
            self.rows,
            scrollback=scrollback,
            foreground=colours[0],
            background=colours[1],
            reply=self._answers.append,
            bell=self._events.ring,
            version=f"agentdeck({__version__})",
        )
        self._reader = RowReader(self.cols)
        self._shown: list[Row] = [_blank(self.cols)] * self.rows
        self._changed: set[int] = set()
        self._reread = True
        self._held = b""
        """Output that has come but is not drawn yet: see `synchronized`."""
        self._unseen = False
        """Something was drawn since the last `refresh`."""
        self._primary: checkpoint.Picture | None = None
        """The primary screen as it was when the alternate one covered it."""
        self._primary_size = (self.cols, self.rows)
        self._cursor = Cursor(0, 0)
        self._last_modes = Modes()
        self._closed = False

    def close(self) -> None:
        """Free the native memory. What was shown last stays readable; nothing is taken in any more."""
        if not self._closed:
            self._pull()
            self._closed = True
            self._cursor, self._last_modes = self._read_cursor(), self._read_modes()
            self._terminal.close()

    # ── output of the program ──────────────────────────────────────────────────────────────────

    def feed(self, data: bytes) -> None:
        if self._closed or not data:
            return
        if not self._held and self._scanner.idle and _is_simple(data):
            self._unseen = True
            self._write_plainly(data)
            if self._answers:
                self._answer()
            return
        data = self._held + data
        drawn = synchronized.cut(data, inside=self._terminal.mode(2026), unseen=self._unseen)
        self._held = data[drawn:]
        self._draw(data[:drawn])

    def _draw(self, data: bytes) -> None:
        if not data:
            return
        self._unseen = True
        for piece in self._scanner.scan(data):
            if isinstance(piece, Osc):
                self._hear(piece)
            else:
                self._write(piece)
        if self._answers:
            self._answer()

    def _write(self, data: bytes) -> None:
        if b"\x1b[?" not in data:
            self._write_plainly(data)
            return
        if b"40" in data:
            data = _SET_MODES.sub(lambda found: _ALLOW_COLUMNS.sub(b"", found[0]), data)
        if b"49h" in data or b"47h" in data:
            entered = next(reversed([*_ENTER.finditer(data)]), None)
            if entered is not None and not _LEAVE.search(data, entered.end()):
                self._write_plainly(data[: entered.start()])
                self._remember_primary()
                data = data[entered.start() :]
        self._write_plainly(data)
        if self._primary is not None and not self._terminal.alternate:
            self._primary = None

    def _write_plainly(self, data: bytes) -> None:
        self._terminal.write(data)
        if self._terminal.cols != self.cols:
            self._terminal.resize(self.cols, self.rows)

    def _answer(self) -> None:
        answers = self._answers[:]
        self._answers.clear()
        self._reply(b"".join(answers))

    def _hear(self, osc: Osc) -> None:
        if not self._terminal.at_rest:  # the command that it does not see has ended whatever was open
            self._terminal.write(b"\x18")
        if is_status_query(osc):
            self._answers.append(b"\x1b]7501;?" + osc.terminator)
            return
        event = self._reports.read(osc)
        if event is not None:
            if isinstance(event, TitleChanged):
                self._title = event.title
            self._events.add(event)

    def take_events(self) -> list[TerminalEvent]:
        """Return what the program told its host since the last call, oldest first."""
        return self._events.take()

    @property
    def title(self) -> str:
        return self._title

    @property
    def synchronizing(self) -> bool:
        """The screen is half drawn, inside an open block of mode 2026; a frame should wait, but not for long."""
        return not self._closed and self._terminal.mode(2026)

    # ── the screen ─────────────────────────────────────────────────────────────────────────────

    def resize(self, cols: int, rows: int) -> None:
        """Lines that the terminal wrapped are wrapped anew; every row counts as changed.

        Of a screen that gets lower the rows below the cursor go first. Programs draw those again when they hear of
        the new size, and the CLIs count on it: a terminal that keeps them scrolls away rows that are drawn twice then.
        """
        cols, rows = _clamped(cols), _clamped(rows)
        if self._closed or (cols, rows) == (self.cols, self.rows):
            return
        self._draw_held()
        self._erase_bottom(self.rows - rows)
        self._terminal.resize(cols, rows)
        self.cols, self.rows = cols, rows
        self._reader = RowReader(cols)
        self._shown = [_blank(cols)] * rows
        self._changed = set(range(rows))
        self._reread = True
        if self._answers:  # some programs ask to hear of a new size this way (mode 2048)
            self._answer()

    def _erase_bottom(self, count: int) -> None:
        """Erase up to `count` rows, from the last one up, but none that is not below the cursor."""
        terminal = self._terminal
        x, y = terminal.cursor
        count = min(count, self.rows - 1 - y)
        if count > 0 and terminal.at_rest and not terminal.mode(6):
            terminal.write(
                b"\x1b[m\x1b[%dH\x1b[J\x1b[%d;%dH" % (self.rows - count + 1, y + 1, x + 1) + terminal.pen_as_vt()
            )

    def refresh(self) -> set[int]:
        """Return which rows differ from what the last call left; `row` then has them as they are now.

        Taking the frame lets in what was held back for it, so the next call may find more.
        """
        if self._closed:
            return set()
        self._pull()
        self._cursor = self._read_cursor()
        changed, self._changed = self._changed, set()
        self._unseen = False
        self._draw_held()
        return changed

    def row(self, y: int) -> Row:
        return self._shown[y]

    @property
    def cursor(self) -> Cursor:
        """As of the last `refresh`."""
        return self._cursor

    @property
    def modes(self) -> Modes:
        return self._last_modes if self._closed else self._read_modes()

    @property
    def history(self) -> int:
        """How many rows there are above the screen."""
        return 0 if self._closed else self._terminal.history

    def history_rows(self, start: int, count: int) -> list[Row]:
        """Return up to `count` rows above the screen, from `start` on, where 0 is the oldest."""
        if self._closed:
            return []
        end = min(start + count, self._terminal.history)
        rows: list[Row] = []
        if start < 0 or start >= end:
            return rows
        self._pull()
        while start + len(rows) < end:
            self._terminal.grid.scroll_to(start + len(rows))
            rows += [row for _, row in self._read_rows(every=True)]
        self._terminal.grid.scroll_to(None)
        self._reread = True
        return rows[: end - start]

    def encode_mouse(self, button: int, x: int, y: int, press: bool) -> bytes:
        """Return the bytes for a mouse event at a 0-based cell, or b"" if the program did not ask for it."""
        if self._closed or x >= self.cols or y >= self.rows:
            return b""
        modes = self.modes
        pixels = self._terminal.mode(1016)
        if pixels and x >= 0 and y >= 0:
            x, y = x * CELL_WIDTH + CELL_WIDTH // 2, y * CELL_HEIGHT + CELL_HEIGHT // 2
        return mouse.encode(modes.mouse, modes.mouse_sgr or pixels, button, x, y, press)

    def _draw_held(self) -> None:
        end = synchronized.complete(self._held)
        held, self._held = self._held[:end], self._held[end:]
        self._draw(held)

    def _pull(self) -> None:
        """Read the rows that changed into `_shown`."""
        every, self._reread = self._reread, False
        for y, row in self._read_rows(every=every):
            if row != self._shown[y]:
                self._shown[y] = row
                self._changed.add(y)

    def _read_rows(self, *, every: bool) -> list[tuple[int, Row]]:
        grid, read = self._terminal.grid, self._reader.read
        styles: dict[int, dict[int, int]] = {}
        return [
            (y, read(cells, flags, styles.setdefault(page, {}), grid))
            for y, cells, flags, page in grid.dirty_rows(every=every)
        ]

    def _read_cursor(self) -> Cursor:
        x, y = self._terminal.cursor
        shape, blinking = self._terminal.grid.cursor_look
        return Cursor(min(x, self.cols - 1), min(y, self.rows - 1), self._terminal.cursor_visible, shape, blinking)

    def _read_modes(self) -> Modes:
        on = self._terminal.mode
        return Modes(
            alternate=self._terminal.alternate,
            mouse=next((mode for mode in _MOUSE_MODES if on(mode)), 0),
            mouse_sgr=on(1006),
            bracketed_paste=on(2004),
            focus_events=on(1004),
            application_cursor=on(1),
            kitty_flags=self._terminal.kitty_flags,
        )

    # ── checkpoints ────────────────────────────────────────────────────────────────────────────

    def snapshot(self) -> bytes:
        """Return what recreates screen, cursor, modes, colours, title and status in an emulator of the same size.

        Whatever was on that emulator's screen is gone then; the rows above it stay. Output that follows continues
        exactly here, even in the middle of an escape sequence.
        """
        if self._closed:
            return b""
        if len(self._held) > _HELD_IN_SNAPSHOT:
            self._draw_held()
        self._pull()
        terminal = self._terminal
        colours = [
            b"\x1b]%s;#%02x%02x%02x\x1b\\" % (number.encode(), *colour) for number, colour in terminal.colours().items()
        ]
        shape, blinking = terminal.grid.cursor_look
        state = checkpoint.State(
            screen=self._picture(),
            primary=self._covered() if terminal.alternate else None,
            modes=terminal.modes_as_vt(),
            margins=terminal.margins_as_vt(),
            extras=b"".join((terminal.tabs_as_vt(), *colours, vt.cursor_shape(shape, blinking), self._reports.as_vt())),
            pending=terminal.pending() + self._scanner.pending() + self._held,
        )
        return checkpoint.compose(state)

    def _picture(self) -> checkpoint.Picture:
        x, y = self._terminal.cursor
        return checkpoint.Picture(tuple(self._shown), x, y, self._terminal.cursor_wraps, self._terminal.pen_as_vt())

    def _remember_primary(self) -> None:
        if not self._terminal.alternate:
            self._pull()
            self._primary, self._primary_size = self._picture(), (self.cols, self.rows)

    def _covered(self) -> checkpoint.Picture:
        """The primary screen below the alternate one, at today's size."""
        picture = self._primary
        if picture is None:
            return checkpoint.Picture((), 0, 0)
        if self._primary_size != (self.cols, self.rows):
            reflowed = Emulator(*self._primary_size, reply=_to_nobody, scrollback=self._primary_size[1])
            reflowed.feed(checkpoint.drawn(picture))
            reflowed.resize(self.cols, self.rows)
            reflowed._pull()
            x, y = reflowed._terminal.cursor
            picture = checkpoint.Picture(tuple(reflowed._shown), x, y, pen=picture.pen)
            reflowed.close()
            self._primary, self._primary_size = picture, (self.cols, self.rows)
        return picture


def _is_simple(data: bytes) -> bool:
    """Whether there is nothing in it for anybody but the library: the way of most bytes in a flood."""
    if b"\x1b" not in data:
        return True
    return b"\x1b]" not in data and b"\x1b[?" not in data and synchronized.complete(data) == len(data)


def _clamped(size: int) -> int:
    return max(SMALLEST, min(size, LARGEST))


def _blank(cols: int) -> Row:
    return Row(((" " * cols, 0),))


def _to_nobody(_data: bytes) -> None:
    pass
