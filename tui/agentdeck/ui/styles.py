"""A program's cells in the theme's colours: style integers of the wire become Rich styles, rows become strips.

Palette colours 0-15 are the theme's, default colours are the pane's own, and a pane that does not get the keys is drawn
nearer to its background. Styles are cached by their integer: a screen uses a few dozen of them.
"""

from typing import Final

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from agentdeck.protocol.screen import (
    BACKGROUND_SHIFT,
    BLINK,
    BOLD,
    COLOUR_MASK,
    DIM,
    INVERSE,
    INVISIBLE,
    ITALIC,
    OVERLINE,
    RGB,
    STRIKE,
    UNDERLINE_SHIFT,
    Row,
)
from agentdeck.ui.theme import Palette

Triple = tuple[int, int, int]

DIMMED: Final = 0.62
"""How much of a colour stays in a pane that does not get the keys; the rest is background."""
FAINT: Final = 0.6
"""The same for text that the program itself wants dim."""
CACHE: Final = 4096
"""Styles kept per look; a program that shows a true-colour picture must not grow it without end."""

_CUBE: Final = (0, 95, 135, 175, 215, 255)


def triple(colour: str) -> Triple:
    """`#rrggbb` as numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(colour: Triple, ground: Triple, share: float) -> Triple:
    """`share` of `colour` over `ground`."""
    red, green, blue = (round(g + (c - g) * share) for c, g in zip(colour, ground, strict=True))
    return red, green, blue


class Look:
    """How one pane draws: a theme, dimmed or not, with or without colour."""

    def __init__(self, palette: Palette, *, dimmed: bool = False, colour: bool = True) -> None:
        self._ground = triple(palette.background)
        self._text = triple(palette.text)
        self._ansi = tuple(triple(value) for value in palette.ansi)
        self._share = DIMMED if dimmed else 1.0
        self._colour = colour
        self._styles: dict[int, Style] = {}
        self.blank = self.style(0)
        frame = palette.accent if not dimmed else palette.muted
        self.frame = self._plain(triple(frame), self._ground, bold=False)
        self.notice = self._plain(triple(palette.needs_you), self._ground, bold=True)
        self.selected = (
            Style(color=Color.from_rgb(*triple(palette.background)), bgcolor=Color.from_rgb(*triple(palette.accent)))
            if colour
            else Style(reverse=True)
        )

    def style(self, bits: int) -> Style:
        known = self._styles.get(bits)
        if known is None:
            if len(self._styles) >= CACHE:
                self._styles.clear()
            known = self._styles[bits] = self._make(bits)
        return known

    def strip(self, row: Row, columns: int) -> Strip:
        """Return the row as exactly `columns` cells."""
        style = self.style
        segments = [Segment(text, style(bits)) for text, bits in row.runs]
        strip = Strip(segments)
        if row.links:
            strip = self._link(strip, row, columns)
        return strip.adjust_cell_length(columns, self.blank) if strip.cell_length != columns else strip

    def _link(self, strip: Strip, row: Row, columns: int) -> Strip:
        for start, end, uri in row.links:
            if not is_safe_link(uri) or start >= end:
                continue
            before, linked, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end, columns)
            link = Style(link=uri)
            strip = Strip.join([before, linked.apply_style(link), after])
        return strip

    def _make(self, bits: int) -> Style:
        foreground = self._resolve(bits & COLOUR_MASK, self._text)
        background = self._resolve((bits >> BACKGROUND_SHIFT) & COLOUR_MASK, self._ground)
        inverse = bool(bits & INVERSE)
        if inverse:
            foreground, background = background, foreground
        if bits & DIM:
            foreground = mix(foreground, background, FAINT)
        if bits & INVISIBLE:
            foreground = background
        if self._share < 1:
            foreground = mix(foreground, self._ground, self._share)
            background = mix(background, self._ground, self._share)
        underline = bits >> UNDERLINE_SHIFT & 7
        return Style(
            color=Color.from_rgb(*foreground) if self._colour else None,
            bgcolor=Color.from_rgb(*background) if self._colour else None,
            bold=bool(bits & BOLD) or None,
            dim=(bool(bits & DIM) or self._share < 1) or None if not self._colour else None,
            italic=bool(bits & ITALIC) or None,
            underline=bool(underline and underline != 2) or None,
            underline2=underline == 2 or None,
            blink=bool(bits & BLINK) or None,
            reverse=(inverse and not self._colour) or None,
            conceal=(bool(bits & INVISIBLE) and not self._colour) or None,
            strike=bool(bits & STRIKE) or None,
            overline=bool(bits & OVERLINE) or None,
        )

    def _plain(self, foreground: Triple, background: Triple, *, bold: bool) -> Style:
        if not self._colour:
            return Style(bold=bold or None)
        return Style(color=Color.from_rgb(*foreground), bgcolor=Color.from_rgb(*background), bold=bold or None)

    def _resolve(self, value: int, default: Triple) -> Triple:
        if not value:
            return default
        if value & RGB:
            return value >> 16 & 255, value >> 8 & 255, value & 255
        return indexed(value - 1, self._ansi)


def indexed(number: int, ansi: tuple[Triple, ...]) -> Triple:
    """Return colour 0-255 of the palette that xterm made common, with the theme's first sixteen."""
    if number < 16:
        return ansi[number]
    if number < 232:
        cube = number - 16
        return _CUBE[cube // 36], _CUBE[cube // 6 % 6], _CUBE[cube % 6]
    grey = 8 + 10 * (min(number, 255) - 232)
    return grey, grey, grey


def is_safe_link(uri: str) -> bool:
    """Whether a link can be written into an OSC 8: nothing in it may end the sequence."""
    return uri.isascii() and uri.isprintable() and len(uri) <= 2048
