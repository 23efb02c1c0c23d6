"""One tool call in full: what it was given, what came of it, and for edits the difference they made."""

from collections.abc import Sequence
from typing import Final

from agentdeck.live.conversation import wrap
from agentdeck.protocol.facts import CallDetail, FeedLine
from agentdeck.ui import glyphs
from agentdeck.ui.amounts import clock, took
from agentdeck.ui.figures import clean
from agentdeck.ui.screens.reading import ReadingDialog
from agentdeck.ui.widgets.lines import Line, Piece
from agentdeck.ui.widgets.reader import wrapped

_WORDS: Final = {"ok": "done", "error": "failed", "pending": "has not returned yet"}


def diff_lines(diff: str, width: int) -> list[Line]:
    """A unified diff, coloured by what each line says."""
    lines: list[Line] = []
    for text in diff.splitlines():
        lines += wrapped(text, width, _ink(text))
    return lines


def _ink(text: str) -> str:
    if text.startswith(("+++", "---", "diff ", "index ", "*** ")):
        return "strong"
    if text.startswith("@@"):
        return "done"
    return "working" if text.startswith("+") else "error" if text.startswith("-") else ""


class CallScreen(ReadingDialog):
    def __init__(self, call: CallDetail) -> None:
        super().__init__()
        self._call = call
        dot = f" {glyphs.active().dot} "
        facts = [call.tool or "call", _WORDS.get(call.status, call.status), took(call.seconds)]
        self.title_text = dot.join(fact for fact in facts if fact)

    def lines(self, width: int) -> Sequence[Line]:
        call = self._call
        parts = [[_heading("given"), *wrapped(call.input or "nothing", width)]]
        if call.diff:  # says what was given better than its JSON does
            parts.insert(0, [_heading("changed"), *diff_lines(call.diff, width)])
        if call.output or call.status != "pending":
            ink = "error" if call.status == "error" else ""
            parts.insert(1, [_heading("result"), *wrapped(call.output or "nothing", width, ink)])
        return [line for part in parts for line in (*part, Line())]

    @property
    def text(self) -> str:
        call = self._call
        parts = (call.diff, call.output, call.input) if call.diff else (call.input, call.output)
        return "\n\n".join(part.rstrip("\n") for part in parts if part)


class LineScreen(ReadingDialog):
    """An event that is no call: the whole of a message, or all that its line says."""

    def __init__(self, line: FeedLine, text: str = "") -> None:
        super().__init__()
        self._line, self._text = line, text or line.text
        self.title_text = f"{line.title} {glyphs.active().dot} {clock(line.at)}"

    def lines(self, width: int) -> Sequence[Line]:
        ink = "error" if self._line.status == "error" else ""
        paragraphs = self._text.expandtabs(4).splitlines()
        return [Line((Piece(piece, ink),)) for text in paragraphs for piece in wrap(clean(text), width)]

    @property
    def text(self) -> str:
        return self._text


def _heading(text: str) -> Line:
    return Line((Piece(text, "muted"),))
