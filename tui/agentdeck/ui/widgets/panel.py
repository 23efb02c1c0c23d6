"""A framed part of the deck: a title at the left of its upper edge, a fact at the right, lines inside.

The frame is drawn with the lines, so that a title that changes repaints one row.
"""

from agentdeck.ui import marks
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip, width_of


class Panel(Lines):
    """Subclasses override `heading` and `inside`. A panel without frame has its heading as a rule above its lines."""

    DEFAULT_CSS = "Panel { height: 1fr; }"

    _current = False
    _framed = True

    def frame(self, on: bool) -> None:
        """Counts from the next time that values are shown."""
        self._framed = on

    def heading(self, width: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        """What stands at the left and at the right of the upper edge, within so many cells together."""
        raise NotImplementedError

    def inside(self, width: int, height: int) -> list[Line]:
        """The lines of an area of this size; fewer are filled up."""
        raise NotImplementedError

    def footing(self, width: int) -> tuple[Piece, ...]:
        """What stands in the lower edge of a frame, within so many cells."""
        return ()

    @property
    def edge(self) -> str:
        return "accent" if self._current else "frame"

    def lay_out(self, width: int, height: int) -> list[Line]:
        framed = self._framed and width >= 4 and height >= 2
        inner_width, inner_height = width - 2 * framed, max(0, height - 1 - framed)
        lines = self.inside(inner_width, inner_height)[:inner_height] if inner_height else []
        lines += [Line()] * (inner_height - len(lines))
        top = self._upper_edge(width, framed)
        if not framed:
            return [top, *lines]
        side = Piece(self.glyphs.separator, self.edge)
        return [top, *(self._edged(line, side, inner_width) for line in lines), self._lower_edge(width)]

    def _lower_edge(self, width: int) -> Line:
        rule, corners = self.glyphs.rule, marks.active().bottom
        words = self.footing(width - 6)
        said = (Piece(f"{corners[0]}{rule}", self.edge), Piece(" "), *words, Piece(" ")) if words else ()
        said = said or (Piece(corners[0], self.edge),)
        return Line((*said, Piece(rule * (width - width_of(said) - 1) + corners[1], self.edge)))

    @staticmethod
    def _edged(line: Line, side: Piece, width: int) -> Line:
        pieces = clip(line.pieces, width)
        gap = Piece(" " * (width - width_of(pieces)))
        if not line.fill:
            return Line((side, *pieces, gap, side))
        inked = (Piece(piece.text, f"{line.fill} {piece.ink}".strip()) for piece in (*pieces, gap))
        return Line((side, *inked, side))

    def _upper_edge(self, width: int, framed: bool) -> Line:
        rule, edge = self.glyphs.rule, self.edge
        start, end = (self.glyphs.corners[0] + rule, rule + self.glyphs.corners[1]) if framed else (rule, rule)
        room = max(0, width - len(start + end) - 4)
        left, right = self.heading(room)
        right = clip(right, room) if width_of(right) <= room - 6 else ()
        left = clip(left, room - width_of(right))
        row = [Piece(start, edge), Piece(" "), *left, Piece(" ")]
        tail = [Piece(" "), *right, Piece(" "), Piece(end, edge)] if right else [Piece(end, edge)]
        between = rule * max(0, width - width_of(row) - width_of(tail))
        return Line(clip((*row, Piece(between, edge), *tail), width))
