"""One terminal of libghostty-vt, as typed calls.

Everything that knows the library's C types is here and in `core`; what is built from it (rows, events, checkpoints)
knows nothing of C. Not thread safe. The library ends the process when it is asked for less than 2 rows, so sizes are
the caller's promise: see `emulator`.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from agentdeck.protocol.screen import (
    BACKGROUND_SHIFT,
    BLINK,
    BOLD,
    DIM,
    INVERSE,
    INVISIBLE,
    ITALIC,
    OVERLINE,
    RGB,
    STRIKE,
    UNDERLINE_SHIFT,
)
from agentdeck.terminal import text
from agentdeck.terminal.core import Core
from agentdeck.terminal.osc import LINK_LIMIT

CELL_WIDTH: Final = 8
CELL_HEIGHT: Final = 16
"""Pixels that we say a cell has: programs ask, although nothing here draws pixels."""

SCROLLBACK_BYTES: Final = 20_000_000
"""What the rows above the screen may cost; the library's own limit in lines does not bound memory."""

_APC_BYTES: Final = 64 * 1024
_PENDING_BYTES: Final = 8 * 1024
_SKIPPED_STRING: Final = b"\x1bP:"
"""Begins a device control string that means nothing to any terminal."""
_LONGEST_GRAPHEME: Final = 16
_NO_VALUE: Final = -4

Colour = tuple[int, int, int]


class RawRow(NamedTuple):
    y: int
    cells: bytes
    flags: int
    page: int
    """Style numbers mean something only within one page."""


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
        self._set("SCROLLBACK_MAX_LINES", ffi.new("size_t *", scrollback))
        self._set("SCROLLBACK_MAX_BYTES", ffi.new("size_t *", SCROLLBACK_BYTES))
        self._set("APC_MAX_BYTES", ffi.new("size_t *", _APC_BYTES))
        self._set("CONTINUATION_MAX_BYTES", ffi.new("size_t *", _PENDING_BYTES))
        self._set("KITTY_IMAGE_STORAGE_LIMIT", ffi.new("uint64_t *", 0))
        self.colour_programs(foreground, background)
        grapheme_clusters = ffi.new("GhosttyTerminalModeConfig *", {"mode": 2027, "value": True})
        self._set("MODE_DEFAULT", grapheme_clusters)
        self._set("MODE", grapheme_clusters)
        self._listen(reply, bell, version.encode())
        self._make_render_state()
        self._switches = {number: ffi.new("GhosttyTerminalModeConfig *", {"mode": number}) for number in MODES}
        self._byte = ffi.new("uint8_t *")
        self._short = ffi.new("uint16_t *")
        self._number = ffi.new("size_t *")
        self._enum = ffi.new("int *")
        self._flag = ffi.new("bool *")
        self._rgb = ffi.new("GhosttyColorRgb *")

    def close(self) -> None:
        """Free the native memory; nothing may be called after it."""
        lib = self._lib
        lib.ghostty_render_state_row_cells_free(self._cells_box[0])
        lib.ghostty_render_state_row_iterator_free(self._iterator_box[0])
        lib.ghostty_render_state_free(self._state)
        lib.ghostty_terminal_free(self._terminal)
        self._kept.clear()

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

    def _make_render_state(self) -> None:
        ffi, lib = self._ffi, self._lib
        box = ffi.new("GhosttyRenderState *")
        lib.ghostty_render_state_new(ffi.NULL, box)
        self._state = box[0]
        self._iterator_box = ffi.new("GhosttyRenderStateRowIterator *")
        lib.ghostty_render_state_row_iterator_new(ffi.NULL, self._iterator_box)
        self._cells_box = ffi.new("GhosttyRenderStateRowCells *")
        lib.ghostty_render_state_row_cells_new(ffi.NULL, self._cells_box)
        self._cells_fresh = False
        self._y = 0
        self._y_box = ffi.new("uint16_t *")
        self._view = ffi.new("GhosttyCellsView *")
        self._raw = ffi.new("uint64_t *")
        self._row_id = ffi.new("GhosttyRenderStateRowId *")
        self._style = ffi.new("GhosttyStyle *", {"size": ffi.sizeof("GhosttyStyle")})
        self._cursor = ffi.new("GhosttyRenderStateCursor *", {"size": ffi.sizeof("GhosttyRenderStateCursor")})
        self._point = ffi.new("AgentdeckPoint *")
        self._ref = ffi.new("GhosttyGridRef *", {"size": ffi.sizeof("GhosttyGridRef")})
        self._codepoints = ffi.new("uint32_t[]", 64)
        self._length = ffi.new("uint32_t *")
        self._link_bytes = ffi.new("uint8_t[]", LINK_LIMIT)
        self._link_length = ffi.new("size_t *")

    # ── in ─────────────────────────────────────────────────────────────────────────────────────

    def write(self, data: bytes) -> None:
        self._lib.ghostty_terminal_vt_write(self._terminal, data, len(data))

    def resize(self, cols: int, rows: int) -> None:
        self._cols, self._rows = cols, rows
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

    @property
    def cursor_look(self) -> tuple[str, bool]:
        """Shape and blinking, as of the last `update`."""
        lib = self._lib
        lib.ghostty_render_state_get(self._state, lib.GHOSTTY_RENDER_STATE_DATA_CURSOR, self._cursor)
        if self._cursor.visual_style == lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_BAR:
            shape = "bar"
        elif self._cursor.visual_style == lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_UNDERLINE:
            shape = "underline"
        else:
            shape = "block"
        return shape, bool(self._cursor.blinking)

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
        if not self._find(0, 0, lib.GHOSTTY_POINT_TAG_ACTIVE):
            return b""
        selection.start = selection.end = self._ref[0]
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

    # ── rows ───────────────────────────────────────────────────────────────────────────────────

    def dirty_rows(self, *, every: bool = False) -> Iterator[RawRow]:
        """Rows of the viewport that were written to since they were last read, or `every` row.

        `style`, `grapheme` and `link` answer for the row that was yielded last. Nothing may be written in between.
        """
        ffi, lib = self._ffi, self._lib
        lib.ghostty_render_state_update(self._state, self._terminal)
        if not every:
            lib.ghostty_render_state_get(self._state, lib.GHOSTTY_RENDER_STATE_DATA_DIRTY, self._enum)
            if not self._enum[0]:
                return
        lib.ghostty_render_state_get(self._state, lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR, self._iterator_box)
        iterator, get = self._iterator_box[0], lib.ghostty_render_state_row_get
        cells, raw, identity = (
            lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW,
            lib.GHOSTTY_RENDER_STATE_ROW_DATA_RAW,
            lib.GHOSTTY_RENDER_STATE_ROW_DATA_ID,
        )
        y_box, view, number, row_id, buffer = self._y_box, self._view, self._raw, self._row_id, ffi.buffer
        following, following_dirty = (
            lib.ghostty_render_state_row_iterator_next,
            lib.ghostty_render_state_row_iterator_next_dirty,
        )
        y = -1
        while following(iterator) if every else following_dirty(iterator, y_box):
            y = y + 1 if every else y_box[0]
            if y >= self._rows:
                continue
            get(iterator, cells, view)
            get(iterator, raw, number)
            get(iterator, identity, row_id)
            self._cells_fresh = False
            self._y = y
            yield RawRow(y, buffer(view.ptr, view.len * 8)[:], number[0], row_id.bits[0])
        lib.ghostty_render_state_clean(self._state)

    def scroll_to(self, row: int | None) -> None:
        """Show the rows from `row` on, counted from the oldest; None shows the screen again."""
        lib = self._lib
        where = self._ffi.new("AgentdeckScroll *")
        if row is None:
            where.tag = lib.GHOSTTY_SCROLL_VIEWPORT_BOTTOM
        else:
            where.tag = lib.GHOSTTY_SCROLL_VIEWPORT_ROW
            where.value.row = row
        self._core.scroll_viewport(self._terminal, where[0])

    def _select(self, x: int) -> Any:
        lib = self._lib
        if not self._cells_fresh:
            lib.ghostty_render_state_row_get(
                self._iterator_box[0], lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS, self._cells_box
            )
            self._cells_fresh = True
        lib.ghostty_render_state_row_cells_select(self._cells_box[0], x)
        return self._cells_box[0]

    def style(self, x: int) -> int:
        lib, style = self._lib, self._style
        lib.ghostty_render_state_row_cells_get(self._select(x), lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE, style)
        return int(
            _packed(style.fg_color)
            | _packed(style.bg_color) << BACKGROUND_SHIFT
            | (style.underline & 7) << UNDERLINE_SHIFT
            | (BOLD if style.bold else 0)
            | (DIM if style.faint else 0)
            | (ITALIC if style.italic else 0)
            | (BLINK if style.blink else 0)
            | (INVERSE if style.inverse else 0)
            | (INVISIBLE if style.invisible else 0)
            | (STRIKE if style.strikethrough else 0)
            | (OVERLINE if style.overline else 0)
        )

    def grapheme(self, x: int) -> str:
        lib = self._lib
        cells = self._select(x)
        get = lib.ghostty_render_state_row_cells_get
        get(cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_LEN, self._length)
        size = self._length[0]
        if size > len(self._codepoints):
            self._codepoints = self._ffi.new("uint32_t[]", size)
        get(cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_BUF, self._codepoints)
        return "".join(map(chr, self._codepoints[0 : min(size, _LONGEST_GRAPHEME)]))

    def link(self, x: int) -> str:
        lib = self._lib
        if not self._find(x, self._y, lib.GHOSTTY_POINT_TAG_VIEWPORT):
            return ""
        if lib.ghostty_grid_ref_hyperlink_uri(self._ref, self._link_bytes, LINK_LIMIT, self._link_length):
            return ""
        uri: bytes = self._ffi.buffer(self._link_bytes, self._link_length[0])[:]
        return text.removed(uri.decode("utf-8", "ignore"))

    def _find(self, x: int, y: int, tag: int) -> bool:
        self._point.tag, self._point.value.x, self._point.value.y = tag, x, y
        return not self._core.grid_ref(self._terminal, self._point[0], self._ref)


MODES: Final = (1, 6, 7, 9, 12, 1000, 1002, 1003, 1004, 1006, 1016, 2004, 2026)
"""The DEC private modes that can be asked for."""


def _packed(colour: Any) -> int:
    """A colour as in `protocol.screen`."""
    if colour.tag == 0:
        return 0
    if colour.tag == 1:
        return 1 + int(colour.value.palette)
    rgb = colour.value.rgb
    return int(RGB | rgb.r << 16 | rgb.g << 8 | rgb.b)
