"""The talk in a shared session: words among people, prompts for the agent, who came and who went."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import chop_cells

from agentdeck.ui import marks
from agentdeck.ui.amounts import clock
from agentdeck.ui.figures import broken, clean
from agentdeck.ui.glyphs import active
from agentdeck.ui.widgets.lines import Line, Piece, clip, width_of
from agentdeck.ui.widgets.panel import Panel

INDENT = 7
"""Cells of the time, and of the blanks under it."""


class Word(NamedTuple):
    at: float
    kind: str
    """chat, command, interrupt, system, or here: said by this side to itself."""
    who: str
    text: str


def word_lines(word: Word, width: int) -> list[Line]:
    """One word as rows of this width, broken between words."""
    text = clean(word.text)
    room = max(8, width - INDENT - 1)
    time = Piece(f" {clock(word.at)[:5]} ", "muted")
    if word.kind in ("system", "here"):
        return _rows(time, (), text, room, "muted" if word.kind == "system" else "")
    who = clean(word.who)
    ink = "accent" if who == "you" else "strong"
    if word.kind == "interrupt":
        return _rows(time, (Piece(who, ink), Piece(" ")), text, room, "needs-you")
    if word.kind == "command":
        return _rows(time, (Piece(who, ink), Piece(f" {marks.active().leads} ", "muted")), text, room, "done")
    return _rows(time, (Piece(who, ink), Piece("  ")), text, room, "")


def _rows(time: Piece, who: tuple[Piece, ...], text: str, room: int, ink: str) -> list[Line]:
    taken = width_of(who)
    rows = [part for row in broken("x" * taken + text, room) for part in chop_cells(row, room) or [""]]
    first = Line(clip((time, *who, Piece(rows[0][taken:], ink)), room + INDENT))
    return [first, *(Line((Piece(" " * INDENT), Piece(row, ink))) for row in rows[1:])]


def talk_lines(talk: Sequence[Word], width: int, height: int, up: int = 0) -> list[Line]:
    """The end of the talk, the newest at the foot; `up` rows further back."""
    lines: list[Line] = []
    for word in reversed(talk):
        lines[:0] = word_lines(word, width)
        if len(lines) >= height + up:
            break
    up = min(up, max(0, len(lines) - height))
    last = len(lines) - up
    return lines[max(0, last - height) : last]


class Chat(Panel):
    _talk: tuple[Word, ...] = ()
    _typists: tuple[str, ...] = ()
    _nothing = ""
    _up = 0
    _fact: tuple[str, str] = ("", "")

    def show(
        self, talk: Sequence[Word], typists: Sequence[str] = (), *, nothing: str = "nobody has said anything yet",
        current: bool = False, fact: tuple[str, str] = ("", ""),
    ) -> None:  # fmt: skip
        """`fact` stands at the right of the edge: a text and its ink."""
        if self._up and len(talk) > len(self._talk):
            self._up += sum(len(word_lines(word, self.size.width - 2)) for word in talk[len(self._talk) :])
        self._talk, self._typists, self._nothing = tuple(talk), tuple(typists), nothing
        self._current, self._fact = current, fact
        self.redraw()

    def scroll(self, by: int) -> None:
        """Go back in time (negative) or forward."""
        width, height = self.size.width - 2 * self._framed, max(1, self.size.height - 1 - self._framed)
        total = sum(len(word_lines(word, width)) for word in self._talk)
        self._up = max(0, min(self._up - by, total - height))
        self.redraw()

    def heading(self, width: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        left = (Piece("chat", "accent" if self._current else "strong"),)
        if self._up:
            return left, (Piece(f"{self._up} below", "needs-you"),)
        return left, (Piece(*self._fact),) if self._fact[0] else ()

    def footing(self, width: int) -> tuple[Piece, ...]:
        said = typing_words(self._typists)
        return clip((Piece(said, "muted"),), width) if said else ()

    def inside(self, width: int, height: int) -> list[Line]:
        if not self._talk:
            return [Line(clip((Piece(f" {self._nothing}", "muted"),), width))]
        return talk_lines(self._talk, width, height, self._up)


def typing_words(typists: Sequence[str]) -> str:
    if not typists:
        return ""
    names = ", ".join(clean(name) for name in typists[:2])
    more = f" and {len(typists) - 2} more" if len(typists) > 2 else ""
    return f"{names}{more} {'types' if len(typists) == 1 else 'type'}{active().ellipsis}"
