"""A share in its owner's hands: its link, who waits and who is there, what they queued, the talk; and a key for each.

It shows what the hub tells while it is open and hands every wish to whoever opened it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import chop_cells
from rich.color import Color
from rich.style import Style
from textual import events, on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from agentdeck.protocol.share import ShareFacts
from agentdeck.ui.amounts import moment
from agentdeck.ui.figures import clean, count
from agentdeck.ui.screens.dialog import Dialog
from agentdeck.ui.widgets.chat import Word, talk_lines, typing_words
from agentdeck.ui.widgets.guest_queue import Prompt, open_prompts, prompt_line, waiting_words
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip, spread
from agentdeck.ui.widgets.people import Person, person_lines

MOST_PEOPLE, MOST_PROMPTS = 8, 5
OWNER: Final = "owner"
OF_THE_SHARE: Final = (
    ("c", "copy link"), ("Q", "QR"), ("n", "code"), ("i", "driver link"), ("v", "revoke"), ("u", "end it"),
    ("X", "cut all"),
)  # fmt: skip

QR: Final = Style(color=Color.from_rgb(255, 255, 255), bgcolor=Color.from_rgb(0, 0, 0))
"""Cameras want dark on light, whatever the theme."""

DEEDS: Final = {
    "l": "admit", "d": "deny", "plus": "raise", "minus": "lower", "h": "hands", "x": "remove", "p": "pause",
    "less_than_sign": "sooner", "greater_than_sign": "later",
    "c": "copy", "i": "invite", "n": "code", "v": "revoke", "u": "unshare",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    deed: str
    """One of the values of `DEEDS`, or `say`."""
    who: str = ""
    """A person or a prompt, by id."""
    text: str = ""


def people_of(facts: ShareFacts) -> tuple[Person, ...]:
    """Who waits first, then who is there, then who is away, and last who would not wait any longer."""
    people = [
        Person(
            p.id, p.name, p.role, bool(p.online), hands=p.hands, typing=p.typing, pending=p.pending, words=p.words,
            address=p.address,
        )
        for p in facts.people if not p.gone
    ]  # fmt: skip
    return tuple(sorted(people, key=lambda person: (not person.waits, person.pending, not person.online)))


def prompts_of(facts: ShareFacts) -> tuple[Prompt, ...]:
    return tuple(Prompt(p.id, "you" if p.by == OWNER else p.name, p.text, p.state, p.position) for p in facts.queue)


def qr_rows(url: str) -> list[str]:
    """The link as a QR code of half blocks, dark on light: two rows of it in each."""
    import segno

    from agentdeck.share.certificate import unsealed

    matrix = [[bool(cell) for cell in row] for row in segno.make(unsealed(url), error="l").matrix_iter(border=2)]
    if len(matrix) % 2:
        matrix.append([False] * len(matrix[0]))
    blocks = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
    return [
        "".join(blocks[upper, lower] for upper, lower in zip(matrix[y], matrix[y + 1], strict=True))
        for y in range(0, len(matrix), 2)
    ]


class ShareBody(Lines, can_focus=True):
    DEFAULT_CSS = "ShareBody { background: $panel; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.facts: ShareFacts | None = None
        self.talk: tuple[Word, ...] = ()
        self.code = ""
        self.qr: list[str] = []
        self.cursor = ""
        """The person or prompt that keys act on, by id."""

    @property
    def people(self) -> tuple[Person, ...]:
        return people_of(self.facts)[:MOST_PEOPLE] if self.facts is not None else ()

    @property
    def prompts(self) -> list[Prompt]:
        return open_prompts(prompts_of(self.facts))[:MOST_PROMPTS] if self.facts is not None else []

    @property
    def ids(self) -> list[str]:
        return [person.id for person in self.people] + [prompt.id for prompt in self.prompts]

    def move(self, by: int) -> None:
        ids = self.ids
        if ids:
            place = ids.index(self.cursor) if self.cursor in ids else -1
            self.cursor = ids[max(0, min(len(ids) - 1, place + by))]
            self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        if self.facts is None:
            return []
        if self.qr:
            side = len(self.qr[0])
            if side > width or len(self.qr) > height:
                return [Line(clip((Piece("there is no room for a QR code here", "needs-you"),), width))]
            left = " " * ((width - side) // 2)
            return [Line((Piece(left), Piece(row, "qr"))) for row in self.qr]
        ids = self.ids
        if self.cursor not in ids:
            self.cursor = ids[0] if ids else ""
        lines = [*self._head(self.facts, width), *self._people(width), *self._queue(self.facts, width)]
        room = height - len(lines) - 2
        if room > 0:
            talk = talk_lines(self.talk, width, room) or [Line((Piece(" nobody has said anything yet", "muted"),))]
            lines += [self._rule("chat", width), *talk, *[Line()] * (room - len(talk))]
        return [*lines[: height - 1], self._keys(width)]

    def _keys(self, width: int) -> Line:
        """The keys that are about the share and nobody in it."""
        pieces: list[Piece] = []
        for key, does in OF_THE_SHARE:
            pieces += [Piece(f" {key}", "accent"), Piece(f" {does} ", "muted")]
        return Line(clip(pieces, width))

    def _head(self, facts: ShareFacts, width: int) -> list[Line]:
        until = moment(facts.expires_at, facts.created)
        first, *more = chop_cells(clean(facts.url), max(8, width - 7)) or [""]
        lines = [
            Line((Piece(" link  ", "muted"), Piece(first, "accent"))),
            *(Line((Piece(" " * 7), Piece(rest, "accent"))) for rest in more),
            spread(
                (Piece(" code  ", "muted"), Piece(self.code or "n makes one", "accent" if self.code else "muted")),
                (Piece(f"{facts.role} until {until} {self.glyphs.dot} {facts.server} ", "muted"),),
                width,
            ),
        ]
        if facts.problem:
            lines.append(Line(clip((Piece(f" {clean(facts.problem)}", "error"),), width)))
        return lines

    def _people(self, width: int) -> list[Line]:
        assert self.facts is not None
        lines = [self._rule("people", width, count(self.facts.viewers, "viewer", "viewers"))]
        lines += person_lines(self.people, width, self.cursor)
        hidden = len(people_of(self.facts)) - len(self.people)
        if hidden:
            lines.append(Line((Piece(f"   and {hidden} more: agentdeck shares", "muted"),)))
        return lines if len(lines) > 1 else [*lines, Line((Piece(" nobody has come yet", "muted"),))]

    def _queue(self, facts: ShareFacts, width: int) -> list[Line]:
        if not self.prompts and not facts.paused:
            return []
        lines = [self._rule("queue", width, "paused" if facts.paused else waiting_words(facts.waits_for))]
        return lines + [prompt_line(prompt, width, chosen=prompt.id == self.cursor) for prompt in self.prompts]

    def _rule(self, name: str, width: int, fact: str = "") -> Line:
        rule = self.glyphs.rule
        right = (Piece(f" {clean(fact)} ", "muted"), Piece(rule, "frame")) if fact else ()
        return spread((Piece(f"{rule} ", "frame"), Piece(name, "strong"), Piece(" ")), right, width, rule, "frame")

    def ink(self, name: str) -> Style:
        return super().ink(name) if name != "qr" else QR


class ShareScreen(Dialog[None]):
    DEFAULT_CSS = """
    ShareScreen > .box { width: 96; height: 100%; max-height: 40; }
    ShareScreen Input { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "switch", show=False, priority=True),
    ]
    keys = "l let in  d deny  +- role  h keys  x remove  <> move  p pause  tab talk"
    keys_of_line = "enter say  tab back  esc back"

    def __init__(
        self, facts: ShareFacts, talk: Sequence[Word], code: str, name: str, wish: Callable[[Wish], None]
    ) -> None:
        super().__init__()
        self.share = facts.share
        self.title_text = f"share {name}"
        self._wish = wish
        self.body = ShareBody()
        self.body.facts, self.body.talk, self.body.code = facts, tuple(talk), code

    def parts(self) -> Iterable[Widget]:
        yield self.body
        yield Input(compact=True, placeholder="tab: say something to everybody", id="say")

    def on_mount(self) -> None:
        super().on_mount()
        self.body.focus()

    def show(self, facts: ShareFacts, talk: Sequence[Word], code: str) -> None:
        """What the hub tells now."""
        self.body.facts, self.body.talk, self.body.code = facts, tuple(talk), code
        self.body.redraw()
        typists = [person.name for person in people_of(facts) if person.typing]
        self.query_one(Input).placeholder = typing_words(typists) or "tab: say something to everybody"

    def on_key(self, event: events.Key) -> None:
        if not self.body.has_focus:
            return
        if event.key in ("Q", "upper_q"):
            self.body.qr = [] if self.body.qr or self.body.facts is None else qr_rows(self.body.facts.url)
            self.body.redraw()
        elif event.key in ("X", "upper_x"):
            self._wish(Wish("panic"))
        elif event.key in DEEDS:
            self._wish(Wish(DEEDS[event.key], self.body.cursor))
        elif event.key == "enter":
            self.action_switch()
        elif event.key in ("up", "k", "down", "j"):
            self.body.move(-1 if event.key in ("up", "k") else 1)
        else:
            return
        event.stop()
        event.prevent_default()

    def action_switch(self) -> None:
        line = self.query_one(Input)
        to_line = not line.has_focus
        self.set_focus(line if to_line else self.body)  # at once: the next key may be there already
        self.query_one(".box").border_subtitle = self.keys_of_line if to_line else self.keys

    def action_cancel(self) -> None:
        if self.query_one(Input).has_focus:
            self.action_switch()
        elif self.body.qr:
            self.body.qr = []
            self.body.redraw()
        else:
            self.dismiss(None)

    @on(Input.Submitted)
    def _say(self, event: Input.Submitted) -> None:
        text, event.input.value = event.value.strip(), ""
        if text:
            self._wish(Wish("say", text=text))
