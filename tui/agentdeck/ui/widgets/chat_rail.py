"""A shared session in the owner's right rail: who waits, who is there, what waits for the agent, and the talk."""

from collections.abc import Sequence

from agentdeck.ui.figures import clean, count
from agentdeck.ui.widgets.chat import Word, talk_lines, typing_words
from agentdeck.ui.widgets.guest_queue import Prompt, open_prompts, prompt_line
from agentdeck.ui.widgets.lines import Line, Piece, clip
from agentdeck.ui.widgets.panel import Panel
from agentdeck.ui.widgets.people import Person, person_lines

MOST_PEOPLE, MOST_PROMPTS = 4, 3


class ShareRail(Panel):
    _label = ""
    _people: tuple[Person, ...] = ()
    _prompts: tuple[Prompt, ...] = ()
    _talk: tuple[Word, ...] = ()
    _viewers = 0
    _keys: tuple[tuple[str, str], ...] = ()
    _paused = False
    _problem = ""

    def show(
        self, label: str, people: Sequence[Person], prompts: Sequence[Prompt], talk: Sequence[Word], *,
        viewers: int = 0, keys: Sequence[tuple[str, str]] = (), paused: bool = False, problem: str = "",
    ) -> None:  # fmt: skip
        """`label` names the session; `keys` are (key, what it does), for the lower edge."""
        self._label, self._people, self._talk, self._viewers = label, tuple(people), tuple(talk), viewers
        self._prompts, self._keys, self._paused = tuple(open_prompts(prompts)), tuple(keys), paused
        self._problem = problem
        self.redraw()

    def heading(self, width: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        dot = Piece(f" {self.glyphs.dot} ", "muted")
        left = (Piece("share", "strong"), dot, Piece(clean(self._label)))
        return left, (Piece(count(self._viewers, "viewer", "viewers"), "working" if self._viewers else "muted"),)

    def footing(self, width: int) -> tuple[Piece, ...]:
        said = typing_words([person.name for person in self._people if person.typing])
        if said:
            return clip((Piece(said, "muted"),), width)
        pieces: list[Piece] = []
        for key, does in self._keys:
            pieces += [Piece(key, "accent"), Piece(f" {does}  ", "muted")]
        return clip((*pieces[:-1], Piece(pieces[-1].text.rstrip(), "muted")), width) if pieces else ()

    def inside(self, width: int, height: int) -> list[Line]:
        waiting = [person for person in self._people if person.waits]
        here = sorted((p for p in self._people if not p.pending), key=lambda p: not p.online)
        lines = [Line(clip((Piece(f" {clean(self._problem)}", "error"),), width))] if self._problem else []
        lines += person_lines((*waiting, *here)[:MOST_PEOPLE], width)
        if len(waiting) + len(here) > MOST_PEOPLE:
            lines.append(Line((Piece(f"   and {len(waiting) + len(here) - MOST_PEOPLE} more", "muted"),)))
        if not lines:
            lines = [Line(clip((Piece(" nobody has come yet", "muted"),), width))]
        lines += [prompt_line(prompt, width) for prompt in self._prompts[:MOST_PROMPTS]]
        if len(self._prompts) > MOST_PROMPTS:
            lines.append(Line((Piece(f"   and {len(self._prompts) - MOST_PROMPTS} more", "muted"),)))
        if self._paused:
            lines.append(Line(clip((Piece("   the queue is paused", "needs-you"),), width)))
        room = height - len(lines) - 1
        if room > 0:
            talk = talk_lines(self._talk, width, room)
            rule = Line((Piece(self.glyphs.rule * width, "frame"),))
            lines += [rule, *talk] if talk else []
        return lines
