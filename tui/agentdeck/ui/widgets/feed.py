"""The event feed: what a session's agent did, a line each, newest at the foot.

It follows the newest line until the person scrolls up; then it stands still, whatever comes, until they go back to the
end. A call that has not returned is completed in its place.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from textual import events
from textual.message import Message

from agentdeck.protocol.facts import Facts, FeedLine
from agentdeck.transcripts.tools import category
from agentdeck.ui import marks
from agentdeck.ui.amounts import clock, took
from agentdeck.ui.amounts import tokens as tokens_text
from agentdeck.ui.figures import broken, clean, cut, fit
from agentdeck.ui.widgets.lines import Line, Piece, clip, spread
from agentdeck.ui.widgets.panel import Panel
from agentdeck.ui.widgets.token_gauge import row_pieces

KINDS: Final = ("all", "tools", "messages", "errors")
WHEEL: Final = 3
WIDE: Final = 72
"""Cells from which a line has columns for the result, the duration and the tokens."""
TOOL_WIDTH: Final = 8
BURNS_FROM, BURN_WIDTH = 88, 14
"""Cells from which a line says what the call's processes used, and for that."""

_N = attrgetter("n")
_BY_KIND: Final = {
    "agent_spawn": "agent", "compaction": "context", "context_growth": "context", "summarization": "context",
    "error": "bad", "message": "assistant", "tool_use": "tool", "tool_result": "tool",
}  # fmt: skip
_BY_CATEGORY: Final = {
    "command": "command", "file_write": "edit", "web": "web", "agent": "agent", "ask": "ask",
}  # fmt: skip
_BY_SPEAKER: Final = {"user": "user", "thinking": "thinking"}
_SAYS: Final = {"user": "prompt", "assistant": "says", "thinking": "thinks"}
_INKS: Final = {"user": "strong", "bad": "error", "ask": "needs-you", "thinking": "muted", "session": "muted"}


def passes(line: FeedLine, kind: str) -> bool:
    """Whether a line is of this one of `KINDS`."""
    match kind:
        case "tools":
            return line.kind in ("tool_use", "tool_result", "agent_spawn")
        case "messages":
            return line.kind == "message"
        case "errors":
            return line.status == "error" or line.kind == "error"
        case _:
            return True


def icon_of(line: FeedLine) -> str:
    """The name of a line's sign in `marks`."""
    if line.kind == "message":
        return _BY_SPEAKER.get(line.title, "assistant")
    if line.kind in ("tool_use", "tool_result"):
        return "edit" if line.added is not None else _BY_CATEGORY.get(category(line.title), "tool")
    return _BY_KIND.get(line.kind, "session")


class EventFeed(Panel):
    can_focus = False

    @dataclass
    class Opened(Message):
        """The person wants the whole of a line."""

        key: str
        line: FeedLine

    @dataclass
    class OlderWanted(Message):
        """The view has come to the oldest line that is known."""

        key: str
        before: int

    @dataclass
    class Entered(Message):
        """The person clicked into the feed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.key = ""
        self.kind = KINDS[0]
        self._label = ""
        self._nothing = ""
        self._known: tuple[FeedLine, ...] = ()
        self._passing: tuple[FeedLine, ...] = ()
        self._shown: tuple[FeedLine, ...] = ()
        self._top: int | None = None
        """The number of the line at the top while the feed stands still; None while it follows."""
        self._cursor: int | None = None
        """The number of the chosen line; None: the newest."""
        self._asked = 0
        self._warnings: tuple[str, ...] = ()
        self._facts: Facts | None = None
        self._now = 0.0

    # ── what it is given ───────────────────────────────────────────────────────────────────────

    def show(
        self, key: str, label: str, lines: Sequence[FeedLine], *, current: bool = False, nothing: str = "nothing yet"
    ) -> None:
        """Show the feed of `key`, whose session is called `label`. `current`: the keys go to it."""
        if key != self.key:
            self.key, self._top, self._cursor, self._asked = key, None, None, 0
        if lines is not self._known:
            self._known = tuple(lines)
            self._sift()
        self._label, self._current, self._nothing = label, current, nothing
        self.redraw()

    def foot(self, facts: Facts | None, now: float = 0.0) -> None:
        """Show these facts in the lower edge. Counts from the next `show`."""
        self._facts, self._now = facts, now

    def warn(self, sentences: Sequence[str]) -> None:
        """Have these at the foot of the lines, where there is room for them. Counts from the next `show`."""
        self._warnings = tuple(sentences)

    def _sift(self) -> None:
        self._passing = tuple(line for line in self._known if passes(line, self.kind))

    # ── what the person does ───────────────────────────────────────────────────────────────────

    @property
    def following(self) -> bool:
        return self._top is None

    @property
    def chosen(self) -> FeedLine | None:
        place = self._place()
        return self._passing[place] if self._passing else None

    def move(self, by: int) -> None:
        """Choose another line; upwards the feed stops following."""
        if not self._passing:
            return
        place = max(0, min(len(self._passing) - 1, self._place() + by))
        self._hold()
        if by > 0 and place == len(self._passing) - 1:
            self.follow()
            return
        self._cursor = self._passing[place].n
        first = self._first(self._height)
        if place < first:
            self._top = self._passing[place].n
        elif place >= first + self._height:
            self._top = self._passing[place - self._height + 1].n
        self._want_older()
        self.redraw()

    def page(self, by: int) -> None:
        self.move(by * max(1, self._height - 1))

    def scroll(self, by: int) -> None:
        """Move the view, and the chosen line only as far as it must to stay in it."""
        if not self._passing:
            return
        self._hold()
        height = self._height
        first = max(0, self._first(height) + by)
        if first >= len(self._passing) - height:
            self.follow()
            return
        self._top = self._passing[first].n
        self._cursor = self._passing[max(first, min(self._place(), first + height - 1))].n
        self._want_older()
        self.redraw()

    def first(self) -> None:
        self.move(-len(self._passing))

    def follow(self) -> None:
        """Go to the newest line and stay there."""
        self._top = self._cursor = None
        self.redraw()

    def freeze(self) -> None:
        """Stand still, whatever comes."""
        self._hold()
        self.redraw()

    def cycle_kind(self) -> str:
        """Show only the next kind of lines; return its name."""
        self.kind = KINDS[(KINDS.index(self.kind) + 1) % len(KINDS)]
        self._sift()
        self.follow()
        return self.kind

    def open(self) -> None:
        if (line := self.chosen) is not None:
            self.post_message(self.Opened(self.key, line))

    # ── where it stands ────────────────────────────────────────────────────────────────────────

    @property
    def _height(self) -> int:
        height = max(1, self.size.height - 1 - self._framed)
        return height - self._warned(height)

    def _warned(self, height: int) -> int:
        """Lines that warnings take of so many: at most a third."""
        return min(len(self._warning_lines(self.size.width - 2 * self._framed)), height // 3)

    def _warning_lines(self, width: int) -> list[Line]:
        sign, found = Piece(f" {marks.active().alert} ", "needs-you"), []
        for sentence in self._warnings:
            first, *rest = broken(sentence, max(1, width - 4))
            found += [Line(clip((sign, Piece(first)), width)), *(Line(clip((Piece(f"   {w}"),), width)) for w in rest)]
        return found

    def _hold(self) -> None:
        """Stop following: what is in view stays there."""
        if self._top is None and self._passing:
            self._cursor = self._passing[self._place()].n
            self._top = self._passing[max(0, len(self._passing) - self._height)].n

    def _place(self) -> int:
        if self._cursor is None:
            return max(0, len(self._passing) - 1)
        return min(bisect_left(self._passing, self._cursor, key=_N), max(0, len(self._passing) - 1))

    def _first(self, height: int) -> int:
        last = max(0, len(self._passing) - height)
        return last if self._top is None else min(bisect_left(self._passing, self._top, key=_N), last)

    def _want_older(self) -> None:
        if self._known and self._top is not None and self._first(self._height) == 0:
            oldest = self._known[0].n
            if oldest > 1 and oldest != self._asked:
                self._asked = oldest
                self.post_message(self.OlderWanted(self.key, oldest))

    # ── drawing ────────────────────────────────────────────────────────────────────────────────

    def heading(self, width: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        dot = Piece(f" {self.glyphs.dot} ", "muted")
        left = [Piece("events", "accent" if self._current else "strong")]
        if self._label:
            left += [dot, Piece(clean(self._label))]
        if self.kind != KINDS[0]:
            left += [dot, Piece(self.kind, "needs-you")]
        signs = marks.active()
        if self.following:
            return tuple(left), (Piece(f"follow {signs.follow}", "working"),)
        newer = len(self._passing) - bisect_right(self._passing, self._seen_to, key=_N)
        more = f" {self.glyphs.dot} {newer} below" if newer else ""
        return tuple(left), (Piece(f"{signs.frozen} stands still{more}", "needs-you"),)

    def footing(self, width: int) -> tuple[Piece, ...]:
        return row_pieces(self._facts, self._now, width) if self._facts is not None else ()

    @property
    def _seen_to(self) -> int:
        last = min(len(self._passing), self._first(self._height) + self._height)
        return self._passing[last - 1].n if last else 0

    def inside(self, width: int, height: int) -> list[Line]:
        warned = self._warned(height)
        lines = self._lines_inside(width, height - warned)
        return [*lines, *[Line()] * (height - warned - len(lines)), *self._warning_lines(width)[:warned]]

    def _lines_inside(self, width: int, height: int) -> list[Line]:
        if not self._passing:
            said = self._nothing if not self._known else f"no {self.kind} among {len(self._known)} events"
            return [Line(clip((Piece(f" {clean(said)}", "muted"),), width))]
        first = self._first(height)
        chosen = self._place() if self._current else -1
        self._shown = self._passing[first : first + height]
        return [self._line(line, width, place == chosen) for place, line in enumerate(self._shown, first)]

    def _line(self, line: FeedLine, width: int, chosen: bool) -> Line:
        signs = marks.active()
        icon = icon_of(line)
        ink = (
            "working" if line.status == "pending" else "error" if line.status == "error" else _INKS.get(icon, "accent")
        )
        at = clock(line.at) if width >= 36 else clock(line.at)[:5]
        left = [Piece(f" {at} ", "muted"), Piece(getattr(signs, icon), ink), Piece(" ")]
        inside = f"{signs.inside} " if line.agent else ""
        if inside:
            left.append(Piece(inside, "limited"))
        text_ink = {"thinking": "muted", "session": "muted", "context": "muted", "bad": "error"}.get(icon, "")
        speaks = line.kind == "message"
        title = _SAYS.get(line.title, line.title) if speaks else line.title
        if width >= WIDE:
            left.append(
                Piece(
                    fit(clean(title), TOOL_WIDTH - len(inside), self.glyphs.ellipsis) + " ", "muted" if speaks else ""
                )
            )
        elif not speaks:
            left.append(Piece(f"{clean(title)} "))
        left.append(Piece(clean(line.text), text_ink))
        right = self._result(line, width)
        return spread(tuple(left), tuple(right), width)._replace(fill="selected" if chosen else "")

    def _result(self, line: FeedLine, width: int) -> list[Piece]:
        signs = marks.active()
        sign = {"ok": (signs.good, "muted"), "error": (signs.bad, "error"), "pending": (signs.pending, "working")}
        result, ink = sign.get(line.status, ("", ""))
        changed = ""
        if line.added is not None or line.removed is not None:
            changed = f"+{line.added or 0} {signs.minus}{line.removed or 0} "
        seconds = took(line.seconds)
        added = f"+{tokens_text(line.tokens)}" if line.tokens else ""
        if width >= WIDE:
            figures = f"{seconds:>6}{added:>7} "
            if width >= BURNS_FROM and any(shown.burned for shown in self._shown):
                figures += f"{cut(clean(line.burned), BURN_WIDTH):<{BURN_WIDTH}} "
            return [Piece(f" {changed}"), Piece(f"{result:>1}", ink), Piece(figures, "muted")]
        pieces = [Piece(f" {changed}{result}".rstrip(), ink)] if changed or result else []
        return [*pieces, Piece(f" {seconds:>5} ", "muted")] if seconds else [*pieces, Piece(" ")]

    # ── the mouse ──────────────────────────────────────────────────────────────────────────────

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll(WHEEL)

    def on_click(self, event: events.Click) -> None:
        """The first click on a line chooses it, the second opens it; one on the heading follows again."""
        event.stop()
        self.post_message(self.Entered())
        if event.y == 0:
            self.follow()
            return
        place = self._first(self._height) + int(event.y) - 1
        if not 0 <= place < len(self._passing) or event.y > self._height:
            return
        if self._current and place == self._place():
            self.open()
            return
        self._hold()
        self._cursor = self._passing[place].n
        self.redraw()
