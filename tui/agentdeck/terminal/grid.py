"""The rows of one terminal of libghostty-vt, as typed calls: which ones changed, and what is in them.

The library keeps a copy of what it would draw, the render state, which is brought up to date once for each frame.
Rows are given out as raw bytes for `cells`, and this class answers its questions about single cells.
"""

from collections.abc import Iterator
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

_KNOWN_STYLES: Final = 4096
_LONGEST_GRAPHEME: Final = 16


class RawRow(NamedTuple):
    y: int
    cells: bytes
    flags: int
    page: int
    """Style numbers mean something only within one page."""


class Grid:
    def __init__(self, core: Core, terminal: Any) -> None:
        self._core = core
        self._terminal = terminal
        self._ffi, self._lib = ffi, lib = core.ffi, core.lib
        box = ffi.new("GhosttyRenderState *")
        lib.ghostty_render_state_new(ffi.NULL, box)
        self._state = box[0]
        self._iterator_box = ffi.new("GhosttyRenderStateRowIterator *")
        lib.ghostty_render_state_row_iterator_new(ffi.NULL, self._iterator_box)
        self._cells_box = ffi.new("GhosttyRenderStateRowCells *")
        lib.ghostty_render_state_row_cells_new(ffi.NULL, self._cells_box)
        self._cells_fresh = False
        self._y = 0
        self._enum = ffi.new("int *")
        self._y_box = ffi.new("uint16_t *")
        self._view = ffi.new("GhosttyCellsView *")
        self._raw = ffi.new("uint64_t *")
        self._row_id = ffi.new("GhosttyRenderStateRowId *")
        self._style = ffi.new("GhosttyStyle *", {"size": ffi.sizeof("GhosttyStyle")})
        self._style_bytes = ffi.buffer(self._style)
        self._packed_styles: dict[bytes, int] = {}
        self._cursor = ffi.new("GhosttyRenderStateCursor *", {"size": ffi.sizeof("GhosttyRenderStateCursor")})
        self._point = ffi.new("AgentdeckPoint *")
        self._ref = ffi.new("GhosttyGridRef *", {"size": ffi.sizeof("GhosttyGridRef")})
        self._codepoints = ffi.new("uint32_t[]", 64)
        self._length = ffi.new("uint32_t *")
        self._link_bytes = ffi.new("uint8_t[]", LINK_LIMIT)
        self._link_length = ffi.new("size_t *")

    def close(self) -> None:
        lib = self._lib
        lib.ghostty_render_state_row_cells_free(self._cells_box[0])
        lib.ghostty_render_state_row_iterator_free(self._iterator_box[0])
        lib.ghostty_render_state_free(self._state)

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
        key: bytes = self._style_bytes[:]
        packed = self._packed_styles.get(key)
        if packed is None:
            if len(self._packed_styles) >= _KNOWN_STYLES:
                self._packed_styles.clear()
            packed = self._packed_styles[key] = _packed(style)
        return packed

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
        if not self._find(x, self._y):
            return ""
        if lib.ghostty_grid_ref_hyperlink_uri(self._ref, self._link_bytes, LINK_LIMIT, self._link_length):
            return ""
        uri: bytes = self._ffi.buffer(self._link_bytes, self._link_length[0])[:]
        return text.removed(uri.decode("utf-8", "ignore"))

    def _find(self, x: int, y: int) -> bool:
        point = self._point
        point.tag, point.value.x, point.value.y = self._lib.GHOSTTY_POINT_TAG_VIEWPORT, x, y
        return not self._core.grid_ref(self._terminal, point[0], self._ref)


def _packed(style: Any) -> int:
    """A style as in `protocol.screen`."""
    return (
        _packed_colour(style.fg_color)
        | _packed_colour(style.bg_color) << BACKGROUND_SHIFT
        | int(style.underline & 7) << UNDERLINE_SHIFT
        | (BOLD if style.bold else 0)
        | (DIM if style.faint else 0)
        | (ITALIC if style.italic else 0)
        | (BLINK if style.blink else 0)
        | (INVERSE if style.inverse else 0)
        | (INVISIBLE if style.invisible else 0)
        | (STRIKE if style.strikethrough else 0)
        | (OVERLINE if style.overline else 0)
    )


def _packed_colour(colour: Any) -> int:
    if colour.tag == 0:
        return 0
    if colour.tag == 1:
        return 1 + int(colour.value.palette)
    rgb = colour.value.rgb
    return int(RGB | rgb.r << 16 | rgb.g << 8 | rgb.b)
