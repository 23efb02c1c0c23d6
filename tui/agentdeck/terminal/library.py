"""One terminal of libghostty-vt, as typed calls.

Everything that knows the library's C types is here and in `core`; what is built from it (rows, events, checkpoints)
knows nothing of C. Not thread safe. The library ends the process when it is asked for less than 2 rows, so sizes are
the caller's promise: see `emulator`.
"""

import weakref
from collections.abc import Callable
from typing import Any, Final

from agentdeck.terminal.core import Core
from agentdeck.terminal.grid import Grid

CELL_WIDTH: Final = 8
CELL_HEIGHT: Final = 16
"""Pixels that we say a cell has: programs ask, although nothing here draws pixels."""

SCROLLBACK_BYTES: Final = 18_000_000
"""The most that the rows above the screen may cost: 10,000 rows of 200 columns."""
_BYTES_PER_CELL: Final = 9
"""With its share of what belongs to rows and pages. Measured; a screen with thousands of styles keeps fewer rows."""
_APC_BYTES: Final = 64 * 1024
_PENDING_BYTES: Final = 8 * 1024
_SKIPPED_STRING: Final = b"\x1bP:"
"""Begins a device control string that means nothing to any terminal."""
_NO_VALUE: Final = -4

MODES: Final = (1, 6, 7, 9, 12, 1000, 1002, 1003, 1004, 1006, 1016, 2004, 2026)
"""The DEC private modes that can be asked for."""

Colour = tuple[int, int, int]


class Terminal:
    """`reply` gets what the terminal answers and `bell` is called for each bell, both from inside `write`."""

    def __init__(
        self,
        core: Core,
        cols: int,
        rows: int,
        *,
        scrollback: int,
        foreground: Colour,
        background: Colour,
        reply: Callable[[bytes], None],
        bell: Callable[[], None],
        version: str,
    ) -> None:
        self._core = core
        ffi, lib = core.ffi, core.lib
        self._ffi, self._lib = ffi, lib
        self._box = ffi.new("GhosttyTerminal *")
        if lib.ghostty_terminal_new(ffi.NULL, self._box, cols, rows):
            raise MemoryError("no terminal")
        self._terminal = self._box[0]
        self._kept: list[Any] = []
        """C values that the terminal points to."""
        self._cols = cols
        self._rows = rows
        self._scrollback = scrollback
        self._scrollback_bytes = 0
        self._bound_scrollback()
        self._set("APC_MAX_BYTES", ffi.new("size_t *", _APC_BYTES))
        self._set("CONTINUATION_MAX_BYTES", ffi.new("size_t *", _PENDING_BYTES))
        self._set("KITTY_IMAGE_STORAGE_LIMIT", ffi.new("uint64_t *", 0))
        self.colour_programs(foreground, background)
        grapheme_clusters = ffi.new("GhosttyTerminalModeConfig *", {"mode": 2027, "value": True})
        self._set("MODE_DEFAULT", grapheme_clusters)
        self._set("MODE", grapheme_clusters)
        self._listen(reply, bell, version.encode())
        self.grid = Grid(core, self._terminal)
        self._free = weakref.finalize(self, _free, self.grid, lib, self._terminal)
        self._free.atexit = False
        self._switches = {number: ffi.new("GhosttyTerminalModeConfig *", {"mode": number}) for number in MODES}
        self._byte = ffi.new("uint8_t *")
        self._short = ffi.new("uint16_t *")
        self._number = ffi.new("size_t *")
        self._enum = ffi.new("int *")
        self._flag = ffi.new("bool *")
        self._rgb = ffi.new("GhosttyColorRgb *")

    def close(self) -> None:
        """Free the native memory; nothing may be called after it."""
        self._free()
        self._kept.clear()

    def _bound_scrollback(self) -> None:
        """Give the wanted rows the bytes that they take at this width.

        The library's own limit in rows makes a flood six times slower than its limit in bytes, so it must not be
        reached. A narrower screen takes no bytes away: its rows may become wide again.
        """
        wanted = min(SCROLLBACK_BYTES, self._scrollback * self._cols * _BYTES_PER_CELL)
        self._scrollback_bytes = max(self._scrollback_bytes, wanted)
        self._set("SCROLLBACK_MAX_LINES", self._ffi.new("size_t *", 10 * self._scrollback))
        self._set("SCROLLBACK_MAX_BYTES", self._ffi.new("size_t *", self._scrollback_bytes))

    def _set(self, option: str, value: Any) -> None:
        self._lib.ghostty_terminal_set(self._terminal, getattr(self._lib, f"GHOSTTY_TERMINAL_OPT_{option}"), value)

    def _listen(self, reply: Callable[[bytes], None], bell: Callable[[], None], version: bytes) -> None:
        ffi, lib = self._ffi, self._lib
        name = ffi.new("char[]", version)
        answer = ffi.new("GhosttyString *", {"ptr": ffi.cast("uint8_t *", name), "len": len(version)})

        def on_reply(_terminal: Any, _data: Any, start: Any, size: int) -> None:
            reply(ffi.buffer(start, size)[:])

        def on_bell(_terminal: Any, _data: Any) -> None:
            bell()

        def on_version(_terminal: Any, _data: Any) -> Any:
            return answer[0]

        def on_size(_terminal: Any, _data: Any, out: Any) -> bool:
            out.rows, out.columns = self._rows, self._cols
            out.cell_width, out.cell_height = CELL_WIDTH, CELL_HEIGHT
            return True

        def on_scheme(_terminal: Any, _data: Any, out: Any) -> bool:
            out[0] = lib.GHOSTTY_COLOR_SCHEME_DARK if self._dark else lib.GHOSTTY_COLOR_SCHEME_LIGHT
            return True

        for option, kind, function in (
            ("WRITE_PTY", "GhosttyTerminalWritePtyFn", on_reply),
            ("BELL", "GhosttyTerminalBellFn", on_bell),
            ("XTVERSION", "GhosttyTerminalXtversionFn", on_version),
            ("SIZE", "GhosttyTerminalSizeFn", on_size),
            ("COLOR_SCHEME", "GhosttyTerminalColorSchemeFn", on_scheme),
        ):
            callback = ffi.callback(kind, function)
            self._kept.append(callback)
            self._set(option, callback)
        self._kept += (name, answer)

    # ── in ─────────────────────────────────────────────────────────────────────────────────────

    def write(self, data: bytes) -> None:
        self._lib.ghostty_terminal_vt_write(self._terminal, data, len(data))

    def resize(self, cols: int, rows: int) -> None:
        self._cols, self._rows = cols, rows
        self._bound_scrollback()
        self._lib.ghostty_terminal_resize(self._terminal, cols, rows, CELL_WIDTH, CELL_HEIGHT)

    def colour_programs(self, foreground: Colour, background: Colour) -> None:
        """What programs hear when they ask for the default colours, and whether the scheme is dark."""
        for option, colour in (("COLOR_FOREGROUND", foreground), ("COLOR_BACKGROUND", background)):
            self._set(option, self._ffi.new("GhosttyColorRgb *", dict(zip("rgb", colour, strict=True))))
        self._dark = sum(background) < 3 * 128

    # ── facts ──────────────────────────────────────────────────────────────────────────────────

    def _get(self, name: str, box: Any) -> Any:
        self._lib.ghostty_terminal_get(self._terminal, getattr(self._lib, f"GHOSTTY_TERMINAL_DATA_{name}"), box)
        return box[0]

    def mode(self, number: int) -> bool:
        """Whether this DEC private mode of `MODES` is on."""
        switch = self._switches[number]
        self._lib.ghostty_terminal_get(self._terminal, self._lib.GHOSTTY_TERMINAL_DATA_MODE, switch)
        return bool(switch.value)

    @property
    def alternate(self) -> bool:
        return bool(self._get("ACTIVE_SCREEN", self._enum) == self._lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE)

    @property
    def kitty_flags(self) -> int:
        return int(self._get("KITTY_KEYBOARD_FLAGS", self._byte))

    @property
    def history(self) -> int:
        """Rows above the screen."""
        return int(self._get("SCROLLBACK_ROWS", self._number))

    @property
    def cols(self) -> int:
        """The real width, which a program can change behind our back (DECCOLM)."""
        return int(self._get("COLS", self._short))

    @property
    def cursor(self) -> tuple[int, int]:
        return int(self._get("CURSOR_X", self._short)), int(self._get("CURSOR_Y", self._short))

    @property
    def cursor_visible(self) -> bool:
        return bool(self._get("CURSOR_VISIBLE", self._flag))

    @property
    def cursor_wraps(self) -> bool:
        """The cursor stands on the last column and the next character goes to the next row."""
        return bool(self._get("CURSOR_PENDING_WRAP", self._flag))

    def colours(self) -> dict[str, Colour]:
        """Default colours that the program changed, by the number of the OSC that sets them; its palette as `4;N`."""
        ffi, lib = self._ffi, self._lib
        changed: dict[str, Colour] = {}
        for number, name in (("10", "FOREGROUND"), ("11", "BACKGROUND"), ("12", "CURSOR")):
            now = self._colour(f"COLOR_{name}")
            if now is not None and now != self._colour(f"COLOR_{name}_DEFAULT"):
                changed[number] = now
        palettes = []
        for name in ("COLOR_PALETTE", "COLOR_PALETTE_DEFAULT"):
            box = ffi.new("GhosttyColorRgb[256]")
            lib.ghostty_terminal_get(self._terminal, getattr(lib, f"GHOSTTY_TERMINAL_DATA_{name}"), box)
            palettes.append(ffi.buffer(box)[:])
        now_bytes, default_bytes = palettes
        if now_bytes != default_bytes:
            for index in range(256):
                colour = now_bytes[3 * index : 3 * index + 3]
                if colour != default_bytes[3 * index : 3 * index + 3]:
                    changed[f"4;{index}"] = (colour[0], colour[1], colour[2])
        return changed

    def _colour(self, name: str) -> Colour | None:
        data = getattr(self._lib, f"GHOSTTY_TERMINAL_DATA_{name}")
        if self._lib.ghostty_terminal_get(self._terminal, data, self._rgb) == _NO_VALUE:
            return None
        return self._rgb.r, self._rgb.g, self._rgb.b

    @property
    def at_rest(self) -> bool:
        """No escape sequence or character is open."""
        return bool(self._get("VT_GROUND", self._flag))

    def pending(self) -> bytes:
        """The part of an escape sequence or character that has come without its end.

        Of a string too long to repeat only that it is open: what follows of it is skipped.
        """
        if self.at_rest:
            return b""
        size = self._ffi.new("size_t *")
        buffer = self._ffi.new("uint8_t[]", _PENDING_BYTES)
        if self._lib.ghostty_terminal_continuation_buf(self._terminal, buffer, _PENDING_BYTES, size):
            return _SKIPPED_STRING
        return bytes(self._ffi.buffer(buffer, size[0])[:])

    def modes_as_vt(self) -> bytes:
        """The modes that differ from their defaults, as the sequences that set them."""
        return self._formatted(("modes",), ()).removesuffix(self._formatted((), ()))

    def tabs_as_vt(self) -> bytes:
        return self._formatted(("tabstops",), ()).removesuffix(self._formatted((), ()))

    def margins_as_vt(self) -> bytes:
        """Scrolling region and modifyOtherKeys, as the sequences that set them."""
        return self._formatted(("scrolling_region", "keyboard"), ()).removeprefix(self._formatted((), ()))

    def pen_as_vt(self) -> bytes:
        """What the next output is written with: style, link, protection, kitty flags and character sets."""
        screen = ("style", "hyperlink", "protection", "kitty_keyboard", "charsets")
        return self._formatted((), screen).removeprefix(self._formatted((), ()))

    def _formatted(self, terminal: tuple[str, ...], screen: tuple[str, ...]) -> bytes:
        """Let the library write one cell, and around it the asked-for state."""
        ffi, lib = self._ffi, self._lib
        options = ffi.new("GhosttyFormatterTerminalOptions *")
        options.size = ffi.sizeof("GhosttyFormatterTerminalOptions")
        options.emit = lib.GHOSTTY_FORMATTER_FORMAT_VT
        options.extra.size = ffi.sizeof("GhosttyFormatterTerminalExtra")
        options.extra.screen.size = ffi.sizeof("GhosttyFormatterScreenExtra")
        for name in terminal:
            setattr(options.extra, name, True)
        for name in screen:
            setattr(options.extra.screen, name, True)
        selection = ffi.new("GhosttySelection *", {"size": ffi.sizeof("GhosttySelection")})
        point = ffi.new("AgentdeckPoint *", {"tag": lib.GHOSTTY_POINT_TAG_ACTIVE})
        ref = ffi.new("GhosttyGridRef *", {"size": ffi.sizeof("GhosttyGridRef")})
        if self._core.grid_ref(self._terminal, point[0], ref):
            return b""
        selection.start = selection.end = ref[0]
        options.selection = selection
        box = ffi.new("GhosttyFormatter *")
        if lib.ghostty_formatter_terminal_new(ffi.NULL, box, self._terminal, options[0]):
            return b""
        try:
            size = ffi.new("size_t *")
            lib.ghostty_formatter_format_buf(box[0], ffi.NULL, 0, size)
            buffer = ffi.new("uint8_t[]", max(1, size[0]))
            if lib.ghostty_formatter_format_buf(box[0], buffer, size[0], size):
                return b""
            return bytes(ffi.buffer(buffer, size[0])[:])
        finally:
            lib.ghostty_formatter_free(box[0])


def _free(grid: Grid, lib: Any, terminal: Any) -> None:
    grid.close()
    lib.ghostty_terminal_free(terminal)
