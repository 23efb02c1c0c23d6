"""Who is in a shared session: their roles, whether they are there now, and who waits to be let in."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agentdeck.ui.figures import clean, count, fit
from agentdeck.ui.glyphs import active
from agentdeck.ui.widgets.lines import Line, Piece, clip, spread, width_of
from agentdeck.ui.widgets.panel import Panel

NAME_WIDTH = 14
ROLE_WIDTH = 9


class Person(NamedTuple):
    id: str
    name: str
    role: str
    online: bool = True
    me: bool = False
    hands: bool = False
    typing: bool = False
    pending: bool = False
    words: str = ""
    """What a guest who waits sees on their own screen."""
    address: str = ""

    @property
    def waits(self) -> bool:
        """To be let in, and has not gone away."""
        return self.pending and self.online


def person_lines(people: Iterable[Person], width: int, chosen: str = "") -> list[Line]:
    """A line for each; of a guest who waits everything is shown, in two if one is too short."""
    lines: list[Line] = []
    for person in people:
        fill = "selected" if person.id == chosen else ""
        words = Piece(clean(person.words), "needs-you")
        if person.waits and width_of((words,)) + 4 + NAME_WIDTH + len(person.address) + 3 > width:
            short = person._replace(words="")
            lines += [_line(short, width)._replace(fill=fill), Line(clip((Piece("   "), words), width), fill)]
        else:
            lines.append(_line(person, width)._replace(fill=fill))
    return lines


def _line(person: Person, width: int) -> Line:
    glyphs = active()
    name = fit(clean(person.name), min(NAME_WIDTH, max(4, width - 14)), glyphs.ellipsis)
    left: tuple[Piece, ...]
    right: tuple[Piece, ...] = ()
    if person.pending and not person.online:
        left = (Piece(f" {glyphs.state('idle')} ", "muted"), Piece(f"{name} ", "muted"))
        right = (Piece(" waited, and left ", "muted"),)
    elif person.pending:
        left = (Piece(f" {glyphs.state('needs_you')} ", "needs-you"), Piece(f"{name} ", "strong"))
        left += (Piece(clean(person.words), "needs-you"),)
        right = (Piece(f" {clean(person.address)} ", "muted"),)
    else:
        sign = Piece(
            f" {glyphs.state('working' if person.online else 'idle')} ", "working" if person.online else "muted"
        )
        left = (sign, Piece(f"{name} ", "" if person.online else "muted"))
        left += (Piece(fit(person.role, ROLE_WIDTH), "accent" if person.role == "driver" else "muted"),)
        facts = [word for word, on in (("you", person.me), ("keys", person.hands), ("types", person.typing)) if on]
        facts += [] if person.online else ["away"]
        words = f" {glyphs.dot} ".join(facts) or clean(person.address)
        right = (Piece(f" {words} ", "muted"),) if words else ()
    if width_of(left) + width_of(right) > width:
        right = ()
    return spread(left, right, width)


class People(Panel):
    _people: tuple[Person, ...] = ()
    _uncounted = 0
    _viewers = 0

    def show(self, people: Sequence[Person], viewers: int) -> None:
        """`viewers` is how many are there now, those who are in no list included."""
        self._people = tuple(people)
        self._uncounted = max(0, viewers - sum(person.online for person in self._people if not person.pending))
        self._viewers = viewers
        self.redraw()

    def heading(self, width: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        return (Piece("people", "strong"),), (Piece(f"{self._viewers} here", "muted"),)

    def inside(self, width: int, height: int) -> list[Line]:
        if not self._people:
            return [Line(clip((Piece(" nobody else", "muted"),), width))]
        room = height - 1 if len(self._people) > height or self._uncounted else height
        lines = person_lines(self._people[:room], width)
        left_out = max(0, len(self._people) - room) + self._uncounted
        if left_out:
            lines.append(Line(clip((Piece(f"   and {count(left_out, 'more', 'more')}", "muted"),), width)))
        return lines
