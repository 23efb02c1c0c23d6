"""Choose an agent that runs elsewhere, say which of several conversations is its own, and read what is known of it."""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from agentdeck.protocol.facts import Facts
from agentdeck.protocol.outside import Agent, Attached, Candidate
from agentdeck.ui import glyphs
from agentdeck.ui.figures import clean, duration, memory, percent
from agentdeck.ui.screens.dialog import Dialog, sentence
from agentdeck.ui.screens.reading import ReadingDialog
from agentdeck.ui.widgets.lines import Line, Piece
from agentdeck.ui.widgets.reader import wrapped


class Chooser(Dialog[str | None]):
    """A list of which one is chosen; returns the id of its row."""

    DEFAULT_CSS = """
    Chooser > .box { width: 110; }
    Chooser OptionList { height: auto; max-height: 16; }
    """
    keys = "enter choose  up down move  esc cancel"

    def __init__(self, title: str, rows: Sequence[tuple[str, str, str]], words: str = "") -> None:
        """`rows`: id, what it is, what else is known of it. `words` go above."""
        super().__init__()
        self.title_text, self._rows, self._words = title, rows, words

    def parts(self) -> Iterable[Widget]:
        if self._words:
            yield sentence(self._words, "muted")
        options = OptionList(compact=True)
        for key, what, more in self._rows:
            options.add_option(Option(Content.assemble(f"{clean(what)}  ", (clean(more), "$text-muted")), id=key))
        yield options

    def on_mount(self) -> None:
        super().on_mount()
        options = self.query_one(OptionList)
        options.highlighted = 0 if self._rows else None
        options.focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


def agents_to_choose(agents: Iterable[Agent], now: float) -> list[tuple[str, str, str]]:
    """The rows of the agents that were started elsewhere, the newest first."""
    dot = f" {glyphs.active().dot} "
    rows = []
    for agent in sorted(agents, key=lambda each: -each.began):
        if agent.ours:
            continue
        what = f"{agent.pid:>7}  {agent.provider:<7} {agent.state.replace('_', ' '):<9} {agent.cwd}"
        shown = f"its screen in {agent.screen}" if agent.screen else "its conversation"
        rows.append((str(agent.pid), what, dot.join((duration(now - agent.began), shown, _known(agent)))))
    return rows


def _known(agent: Agent) -> str:
    match agent.how:
        case "ambiguous":
            return f"{len(agent.candidates)} conversations may be its own"
        case "none":
            return "no conversation yet"
        case _:
            return f"{agent.session[:8]}, {agent.how}"


def candidates_to_choose(
    candidates: Iterable[Candidate], known: Callable[[str], Facts | None], now: float
) -> list[tuple[str, str, str]]:
    """The rows of conversations; `known` gives the facts of one by the provider's own id."""
    rows = []
    for each in candidates:
        facts = known(each.session)
        said = facts.last_prompt if facts is not None else ""
        grew = f"grew {duration(now - each.changed)} ago" if each.changed else "not written yet"
        rows.append((each.session, f"{each.session[:8]}  {said or '(nothing is known of it)'}", grew))
    return rows


class AboutAgent(ReadingDialog):
    """What is known of an agent that is only watched, and how."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("a", "another", show=False, priority=True)]
    keys = "up down scroll  a another agent  c copy  esc close"

    def __init__(self, attached: Attached, facts: Facts | None, now: float) -> None:
        super().__init__()
        self._attached, self._facts, self._now = attached, facts, now
        self.another = False
        self.title_text = f"{attached.agent.provider} {glyphs.active().dot} process {attached.agent.pid}"

    def action_another(self) -> None:
        self.another = True
        self.dismiss(None)

    def facts(self) -> list[tuple[str, str]]:
        """What is known, by name."""
        agent, facts = self._attached.agent, self._facts
        rows = [
            ("directory", agent.cwd),
            ("state", f"{agent.state.replace('_', ' ')}: {agent.state_why}"),
            ("conversation", f"{agent.session or 'none'} ({agent.how}: {agent.why})"),
            ("transcript", agent.transcript or "none yet"),
            ("terminal", agent.terminal or "none"),
            ("screen", agent.screen_why or f"seen through {agent.screen}"),
            ("runs for", duration(self._now - agent.began)),
            ("uses", f"{percent(self._attached.cpu)} of a core, {memory(self._attached.rss)}"),
        ]
        if facts is not None:
            rows.append(("files", f"{facts.files} touched, +{facts.added} -{facts.removed}"))
        return rows

    def lines(self, width: int) -> Sequence[Line]:
        found: list[Line] = []
        for name, value in self.facts():
            first, *rest = wrapped(value, max(10, width - 14))
            found.append(Line((Piece(f"{name:<13} ", "muted"), *first.pieces)))
            found += [Line((Piece(" " * 14), *each.pieces)) for each in rest]
        found += [Line(), Line((Piece("processes", "strong"),))]
        for pid, name, cpu, rss in self._attached.processes:
            found.append(Line((Piece(f"{pid:>8}  {name:<24} {percent(cpu):>5} {memory(rss):>7}"),)))
        return found

    @property
    def text(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self.facts())
