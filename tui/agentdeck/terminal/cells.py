"""Turn the emulator's raw cells into rows of styled runs, fast enough to do it for every frame.

A row of cells arrives as bytes, 64 bits a cell. Reading cells one by one costs a millisecond a row in Python, so the
row is taken as one big integer: masks and shifts over all cells at once give its text (as UTF-32) and where its style
changes. What is left to ask per run is the style; a style's number means something only within one page of the
emulator and is used again when the style is gone, so numbers are remembered for one refresh and no longer.

This module has never heard of the library: whoever reads a row brings a `Source` that answers about single cells.
"""

from itertools import compress
from typing import Final, Protocol

from agentdeck.protocol.screen import BACKGROUND_SHIFT, RGB, Row
from agentdeck.terminal import text, width

_TAG: Final = 0b11
_TAG_GRAPHEME: Final = 1
_TAG_PALETTE: Final = 2
_CONTENT_SHIFT: Final = 2
_CODEPOINT: Final = 0x1FFFFF
_STYLE_SHIFT: Final = 26
_STYLE: Final = 0xFFFF
_WIDE_SHIFT: Final = 42
_WIDE: Final = 0b11
_WIDE_CELL: Final = 1
_TAIL: Final = 2
_LINK: Final = 1 << 45

_SPECIAL: Final = _TAG | _WIDE << _WIDE_SHIFT
_BLANK_LOOK: Final = (1 << _STYLE_SHIFT) - 1

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
        self._ones = ones
        self._size = 8 * cols
        self._codepoints = ones * _CODEPOINT
        self._styles = ones * (_STYLE << _STYLE_SHIFT)
        self._special = ones * _SPECIAL
        self._links = ones * _LINK
        self._columns = range(cols)
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
        shown = self._text(cells)
        special = cells & self._special
        if special or not (shown.isascii() or _all_plain(shown)):
            texts = self._texts(raw, shown, special, source)
        else:
            texts = None
        looks = cells & self._styles
        if special:  # a blank cell with a background colour has the colour where others have their character
            looks |= cells & ((cells >> 1) & self._ones) * _BLANK_LOOK
        runs: tuple[tuple[str, int], ...]
        if not looks:
            runs = ((shown if texts is None else "".join(texts), 0),)
        else:
            runs = self._runs(shown, texts, looks, styles, source)
        links = self._read_links(cells, source) if flags & ROW_LINKED else ()
        return Row(runs, links, wrapped)

    def _text(self, cells: int) -> str:
        """One character for each cell: a blank where there is none, and where it must not be shown."""
        codepoints = ((cells >> _CONTENT_SHIFT) & self._codepoints).to_bytes(self._size, "little")
        shown = codepoints.decode("utf-32-le", "replace")[::2].replace("\0", " ")
        return shown if shown.isprintable() else text.blanked(shown)

    def _texts(self, raw: bytes, shown: str, special: int, source: Source) -> list[str]:
        """The text of each cell, in step with `width`: nothing for the second half of a wide character."""
        lanes = memoryview(raw).cast("Q")
        texts = list(shown)
        for x in compress(self._columns, memoryview(special.to_bytes(self._size, "little")).cast("Q")):
            cell = lanes[x]
            tag = cell & _TAG
            wide = (cell >> _WIDE_SHIFT) & _WIDE
            if tag >= _TAG_PALETTE:
                texts[x] = " "
            elif wide == _TAIL:
                texts[x] = ""
            else:
                cluster = source.grapheme(x) if tag == _TAG_GRAPHEME else texts[x]
                texts[x] = width.fitted(cluster, 2 if wide == _WIDE_CELL else 1)
        odd = set(shown) - _PLAIN
        for x in [x for x, character in enumerate(shown) if character in odd]:
            if not lanes[x] & _SPECIAL:
                texts[x] = width.fitted(texts[x], 1)
        return texts

    def _runs(
        self, shown: str, texts: list[str] | None, looks: int, styles: dict[int, int], source: Source
    ) -> tuple[tuple[str, int], ...]:
        changes = (looks ^ (looks >> 64)).to_bytes(self._size, "little")
        ends = list(compress(self._ends, memoryview(changes).cast("Q")))
        if not ends or ends[-1] != self._cols:  # the last run's end is no change if it has no style
            ends.append(self._cols)
        lanes = memoryview(looks.to_bytes(self._size, "little")).cast("Q")
        runs: list[tuple[str, int]] = []
        x = 0
        for end in ends:
            look = lanes[x]
            style = 0
            if look & _TAG_PALETTE:
                content = look >> _CONTENT_SHIFT
                colour = RGB | _rgb(content) if look & 1 else 1 + (content & 0xFF)
                style = colour << BACKGROUND_SHIFT
            elif look:
                number = look >> _STYLE_SHIFT
                known = styles.get(number)
                if known is None:
                    known = styles[number] = source.style(x)
                style = known
            run = shown[x:end] if texts is None else "".join(texts[x:end])
            if run and runs and runs[-1][1] == style:
                runs[-1] = (runs[-1][0] + run, style)
            elif run:
                runs.append((run, style))
            x = end
        return tuple(runs)

    def _read_links(self, cells: int, source: Source) -> tuple[tuple[int, int, str], ...]:
        links: list[tuple[int, int, str]] = []
        linked = memoryview((cells & self._links).to_bytes(self._size, "little")).cast("Q")
        for x in compress(self._columns, linked):
            uri = source.link(x)
            if links and links[-1][1] == x and links[-1][2] == uri:
                links[-1] = (links[-1][0], x + 1, uri)
            elif uri:
                links.append((x, x + 1, uri))
        return tuple(links)


_PLAIN: Final = set(map(chr, range(0x20, 0x7F)))
"""Characters that take one column wherever they stand: those that were seen so far."""
_PLAIN_LIMIT: Final = 8192


def _all_plain(shown: str) -> bool:
    unknown = set(shown) - _PLAIN
    if not unknown:
        return True
    plain = {character for character in unknown if width.fitted(character, 1) == character}
    if len(_PLAIN) < _PLAIN_LIMIT:
        _PLAIN.update(plain)
    return len(plain) == len(unknown)


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
