"""A look at the last thing that a session said or asks, and a line to answer, without going there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from agentdeck.protocol.facts import ConversationLine
from agentdeck.ui.screens.dialog import Dialog
from agentdeck.ui.widgets.lines import Line
from agentdeck.ui.widgets.reader import Reader, wrapped

LINES = 14
"""Lines of the message that are shown at once; it can be scrolled."""


@dataclass(frozen=True)
class Peeked:
    """What the person wants: `queue` or `now` with a text, or to `type` into the session."""

    deed: Literal["queue", "now", "type"]
    text: str = ""


class PeekScreen(Dialog[Peeked | None]):
    DEFAULT_CSS = f"""
    PeekScreen > .box {{ width: 100; }}
    PeekScreen Reader {{ height: auto; max-height: {LINES}; min-height: 1; background: $panel; }}
    PeekScreen Input {{ margin: 1 0 0 0; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+enter,alt+enter", "now", show=False, priority=True),
        Binding("up", "by(-1)", show=False, priority=True),
        Binding("down", "by(1)", show=False, priority=True),
        Binding("pageup", f"by(-{LINES - 2})", show=False, priority=True),
        Binding("pagedown", f"by({LINES - 2})", show=False, priority=True),
    ]

    def __init__(self, title: str, text: str, *, asks: bool) -> None:
        """`asks`: it waits for an answer in a dialog of its own, which no prompt may answer."""
        super().__init__()
        self.title_text, self._text, self._asks = title, text, asks
        self.keys = "enter go there  esc close" if asks else "enter queue  ^enter now  empty: go there  esc close"
        self.reader = Reader(self._lines)

    def _lines(self, width: int) -> Sequence[Line]:
        return [line for paragraph in self._text.splitlines() for line in wrapped(paragraph, width)]

    def parts(self) -> Iterable[Widget]:
        yield self.reader
        waits = "it waits for an answer there; a prompt is queued until it is free"
        yield Input(placeholder=waits if self._asks else "reply", compact=True, id="reply")

    def on_mount(self) -> None:
        super().on_mount()
        field = self.query_one("#reply", Input)
        field.focus()
        height = min(LINES, max(1, len(self._lines(94))))
        self.reader.styles.height = height
        self.reader.scroll_lines(1_000_000)

    def action_by(self, lines: int) -> None:
        self.reader.scroll_lines(lines)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        text = self.query_one("#reply", Input).value.strip()
        self.dismiss(Peeked("queue", text) if text else Peeked("type"))

    def action_now(self) -> None:
        text = self.query_one("#reply", Input).value.strip()
        if text:
            self.dismiss(Peeked("now", text))


def last_words(lines: Sequence[ConversationLine]) -> str:
    """The last thing that was said in a conversation, up to the prompt before it."""
    found: list[str] = []
    for line in reversed(lines):
        if line.style == "assistant":
            found.append(line.text)
        elif found and line.style in ("user", "tool", "result", "error"):
            break
        elif line.style == "error" and not found:
            return line.text
    return "\n".join(reversed(found)).strip("\n")


def last_rows(rows: Sequence[str], count: int = LINES) -> str:
    """The lowest rows of a screen that say something, for a session of which no transcript tells."""
    said = [row.rstrip() for row in rows if row.strip(" ─│╌")]
    return "\n".join(said[-count:])
