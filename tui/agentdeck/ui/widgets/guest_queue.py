"""The prompts that people of a shared session have queued, in the order in which they will go out."""

from collections.abc import Sequence
from typing import NamedTuple

from agentdeck.ui import marks
from agentdeck.ui.figures import clean, cut
from agentdeck.ui.glyphs import active
from agentdeck.ui.widgets.lines import Line, Piece, clip
from agentdeck.ui.widgets.panel import Panel

OPEN = ("running", "delivering", "maybe", "queued")
"""States of prompts that are not over."""


class Prompt(NamedTuple):
    id: str
    name: str
    text: str
    state: str
    position: int = 0


def open_prompts(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Those that run or wait, in their order."""
    shown = [prompt for prompt in prompts if prompt.state in OPEN]
    return sorted(shown, key=lambda prompt: (prompt.state == "queued", prompt.position))


def waiting_words(waits_for: str) -> str:
    """What the next prompt waits for, as a sentence."""
    said = clean(waits_for)
    return said if not said or said.startswith("waits") else f"waits for {said}"


def prompt_line(prompt: Prompt, width: int, *, chosen: bool = False) -> Line:
    glyphs = active()
    match prompt.state:
        case "running" | "delivering":
            sign = Piece(f" {glyphs.state('working')} ", "working")
        case "maybe":
            sign = Piece(" ? ", "needs-you")
        case _:
            sign = Piece(f"{prompt.position:>2} ", "muted")
    name = Piece(cut(clean(prompt.name), 14, glyphs.ellipsis), "strong")
    said = " maybe sent:" if prompt.state == "maybe" else ""
    text = Piece(" ".join(clean(prompt.text).split()))
    lead = Piece(f"{said} {marks.active().leads} ", "needs-you" if said else "muted")
    pieces = clip((sign, name, lead, text), width)
    return Line(pieces, "selected" if chosen else "")


class GuestQueue(Panel):
    _prompts: tuple[Prompt, ...] = ()
    _paused = False
    _waits_for = ""

    def show(self, prompts: Sequence[Prompt], *, paused: bool = False, waits_for: str = "") -> None:
        """`waits_for` is why the next one does not go out, in words."""
        self._prompts = tuple(open_prompts(prompts))
        self._paused, self._waits_for = paused, waits_for
        self.redraw()

    @property
    def wanted(self) -> int:
        """Rows inside that would show everything."""
        return max(1, len(self._prompts) + bool(self._why))

    @property
    def _why(self) -> str:
        waiting = any(prompt.state == "queued" for prompt in self._prompts)
        return "" if not waiting or self._paused else waiting_words(self._waits_for)

    def heading(self, width: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        waiting = sum(prompt.state == "queued" for prompt in self._prompts)
        right = (Piece("paused", "needs-you"),) if self._paused else ()
        if not right and waiting:
            right = (Piece(f"{waiting} waiting", "muted"),)
        return (Piece("queue", "strong"),), right

    def inside(self, width: int, height: int) -> list[Line]:
        if not self._prompts:
            said = " paused: no prompt goes out" if self._paused else " no prompts"
            return [Line(clip((Piece(said, "muted"),), width))]
        lines = [prompt_line(prompt, width) for prompt in self._prompts]
        if self._why:
            lines.append(Line(clip((Piece(f"   {self._why}", "muted"),), width)))
        return lines
