"""Turn the emulator's raw cells into rows of styled runs, fast enough to do it for every frame.

A row of cells arrives as bytes, 64 bits a cell. Reading cells one by one costs a millisecond a row in Python, so the
row is taken as one big integer: masks and shifts over all cells at once give its text (as UTF-32) and where its style
changes. What is left to ask per run is the style; a style's number means something only within one page of the
emulator and is used again when the style is gone, so numbers are remembered for one refresh and no longer.

This module has never heard of the library: whoever reads a row brings a `Source` that answers about single cells.
"""

from collections.abc import Sequence
from itertools import compress
from typing import Final, Protocol

from agentdeck.protocol.screen import BACKGROUND_SHIFT, RGB, Row
from agentdeck.terminal import text

_TAG: Final = 0b11
_TAG_GRAPHEME: Final = 1
_TAG_PALETTE: Final = 2
_CONTENT_SHIFT: Final = 2
_CODEPOINT: Final = 0x1FFFFF
_STYLE_SHIFT: Final = 26
_STYLE: Final = 0xFFFF
_WIDE_SHIFT: Final = 42
_WIDE: Final = 0b11
_TAIL: Final = 2
_LINK: Final = 1 << 45

ROW_WRAPPED: Final = 1 << 32
ROW_GRAPHEME: Final = 1 << 34
ROW_STYLED: Final = 1 << 35
ROW_LINKED: Final = 1 << 36

_CACHED_ROWS: Final = 512


class Source(Protocol):
    """Answers about single cells of the row that is being read."""

    def style(self, x: int) -> int:
        """The packed style of the cell, as in `protocol.screen`."""

    def grapheme(self, x: int) -> str:
        """All code points of the cell."""

    def link(self, x: int) -> str:
        """The URI that the cell links to, safe to show; empty if it has none."""


class RowReader:
    """Reads rows of one width."""

    def __init__(self, cols: int) -> None:
        self._cols = cols
        ones = sum(1 << (64 * x) for x in range(cols))
        self._size = 8 * cols
        self._codepoints = ones * _CODEPOINT
        self._styles = ones * (_STYLE << _STYLE_SHIFT)
        self._special = ones * (_TAG | _WIDE << _WIDE_SHIFT)
        self._links = ones * _LINK
        self._ends = range(1, cols + 1)
        self._plain: dict[tuple[bytes, bool], Row] = {}

    def read(self, raw: bytes, flags: int, styles: dict[int, int], source: Source) -> Row:
        """Return the row. `styles` maps style numbers to packed styles for the page that the row is on."""
        wrapped = bool(flags & ROW_WRAPPED)
        if flags & (ROW_STYLED | ROW_GRAPHEME | ROW_LINKED):
            return self._read(raw, wrapped, flags, styles, source)
        key = (raw, wrapped)
        row = self._plain.get(key)
        if row is None:
            row = self._read(raw, wrapped, flags, styles, source)
            if len(self._plain) >= _CACHED_ROWS:
                self._plain.clear()
            self._plain[key] = row
        return row

    def _read(self, raw: bytes, wrapped: bool, flags: int, styles: dict[int, int], source: Source) -> Row:
        cells = int.from_bytes(raw, "little")
        if cells & self._special:
            runs = self._special_runs(raw, cells, styles, source)
        else:
            shown = self._text(cells)
            numbers = cells & self._styles
            if not numbers:
                runs = ((shown, 0),)
            else:
                ends = self._style_ends(numbers)
                runs = tuple(self._runs(shown, numbers >> _STYLE_SHIFT, ends, styles, source))
        links = self._read_links(cells, source) if flags & ROW_LINKED else ()
        return Row(runs, links, wrapped)

    def _text(self, cells: int) -> str:
        """One character for each cell: a blank where there is none, and where it must not be shown."""
        codepoints = ((cells >> _CONTENT_SHIFT) & self._codepoints).to_bytes(self._size, "little")
        shown = codepoints.decode("utf-32-le", "replace")[::2].replace("\0", " ")
        return shown if shown.isprintable() else text.blanked(shown)

    def _style_ends(self, numbers: int) -> list[int]:
        """The columns after the last cell of each run of one style number; the last run's may be missing."""
        changes = (numbers ^ (numbers >> 64)) >> _STYLE_SHIFT
        ends = list(compress(self._ends, memoryview(changes.to_bytes(self._size, "little")).cast("Q")))
        if not ends or ends[-1] != self._cols:
            ends.append(self._cols)
        return ends

    def _runs(
        self, shown: str, numbers: int, ends: Sequence[int], styles: dict[int, int], source: Source
    ) -> list[tuple[str, int]]:
        runs = []
        x = 0
        lanes = memoryview(numbers.to_bytes(self._size, "little")).cast("Q")
        for end in ends:
            number = lanes[x]
            style = 0
            if number:
                known = styles.get(number)
                if known is None:
                    known = styles[number] = source.style(x)
                style = known
            runs.append((shown[x:end], style))
            x = end
        return runs

    def _special_runs(
        self, raw: bytes, cells: int, styles: dict[int, int], source: Source
    ) -> tuple[tuple[str, int], ...]:
        """Runs of a row with wide characters, combined characters, or blanks that are only a background colour."""
        lanes = memoryview(raw).cast("Q").tolist()
        texts: list[str] = list(self._text(cells))
        packed: list[int] = []
        for x, cell in enumerate(lanes):
            tag = cell & _TAG
            if tag >= _TAG_PALETTE:
                content = cell >> _CONTENT_SHIFT
                colour = 1 + (content & 0xFF) if tag == _TAG_PALETTE else RGB | _rgb(content)
                texts[x] = " "
                packed.append(colour << BACKGROUND_SHIFT)
                continue
            if tag == _TAG_GRAPHEME:
                texts[x] = text.removed(source.grapheme(x)) or " "
            if (cell >> _WIDE_SHIFT) & _WIDE == _TAIL:
                texts[x] = ""
            number = (cell >> _STYLE_SHIFT) & _STYLE
            style = 0
            if number:
                known = styles.get(number)
                if known is None:
                    known = styles[number] = source.style(x)
                style = known
            packed.append(style)
        runs = []
        start = 0
        for x in range(1, len(packed) + 1):
            if x == len(packed) or packed[x] != packed[start]:
                if shown := "".join(texts[start:x]):
                    runs.append((shown, packed[start]))
                start = x
        return tuple(runs)

    def _read_links(self, cells: int, source: Source) -> tuple[tuple[int, int, str], ...]:
        links: list[tuple[int, int, str]] = []
        linked = memoryview((cells & self._links).to_bytes(self._size, "little")).cast("Q")
        for x in compress(range(self._cols), linked):
            uri = source.link(x)
            if links and links[-1][1] == x and links[-1][2] == uri:
                links[-1] = (links[-1][0], x + 1, uri)
            elif uri:
                links.append((x, x + 1, uri))
        return tuple(links)


def _rgb(content: int) -> int:
    """The library keeps red in the low byte; the wire has it in the high one."""
    return (content & 0xFF) << 16 | content & 0xFF00 | content >> 16 & 0xFF


def layout_holds(row: int, row_facts: dict[str, int], samples: list[tuple[int, dict[str, int]]]) -> bool:
    """Whether the bits that this module reads say what the library's own accessors said of the same row and cells."""
    bits = {"WRAP": ROW_WRAPPED, "GRAPHEME": ROW_GRAPHEME, "STYLED": ROW_STYLED, "HYPERLINK": ROW_LINKED}
    if any(bool(row & bit) != bool(row_facts[name]) for name, bit in bits.items()):
        return False
    varied = {name: {facts[name] for _, facts in samples} for name in samples[0][1]}
    if not all(row_facts.values()) or any(len(values) < 2 for values in varied.values()):
        return False
    return all(
        cell & _TAG == facts["CONTENT_TAG"]
        and (cell >> _WIDE_SHIFT) & _WIDE == facts["WIDE"]
        and bool(cell & _LINK) == bool(facts["HAS_HYPERLINK"])
        and (cell >> _STYLE_SHIFT) & _STYLE == facts["STYLE_ID"]
        and (cell & _TAG >= _TAG_PALETTE or (cell >> _CONTENT_SHIFT) & _CODEPOINT == facts["CODEPOINT"])
        for cell, facts in samples
    )
