"""Search all conversations: a line to type in, and the places where the words were said, while they are typed.

It asks with every key and shows the newest answer that has come; the hub calls off what is outdated.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from textual import events, on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from agentdeck.errors import AgentdeckError
from agentdeck.protocol import search as se
from agentdeck.ui import glyphs
from agentdeck.ui.figures import clean, count
from agentdeck.ui.screens.dialog import Dialog
from agentdeck.ui.widgets.search_results import Known, Row, SearchResults

FIRST: Final = 20
"""Places that are asked for at first, so that they are there at once; twice as many while the terminal has room, or
when the person comes near to the last.
"""

MOST: Final = 800
EACH: Final = 5
"""Places of one conversation at first."""

HOW: Final = ('words that must all be there    "a phrase"    begin*    -without',)
NOTHING_SAID: Final = (
    "nothing has been said yet",
    "conversations of Claude Code, Codex, Gemini CLI and Cursor are found here, whoever started them",
)


class Ask(Protocol):
    """The two questions that it has for the hub."""

    async def hits(self, question: se.Search) -> se.Hits: ...
    async def names(self, question: se.ReadNames) -> se.Names: ...


@dataclass
class Sought:
    """What was searched last, and which place was open: where the next search begins."""

    text: str = ""
    row: Row | None = None


class SearchScreen(Dialog[se.Place | None]):
    DEFAULT_CSS = """
    SearchScreen > .box { width: 100%; max-width: 140; height: 100%; }
    SearchScreen Input { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
    ]
    title_text = "search all conversations"
    keys = "enter open  up down choose  pgup pgdn page  esc back"

    def __init__(
        self,
        ask: Ask,
        sought: Sought,
        known: Known,
        home: str,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._ask, self._sought = ask, sought
        self.results = SearchResults(home, known, now)
        self._hits = se.Hits(text="")
        self._indexing = se.Indexing()
        self._problem = ""
        self._wanted = FIRST
        self._wide: dict[str, tuple[se.Place, ...]] = {}
        """All places of conversations of which the person wanted all; empty until they have come."""
        self._named: set[str] = set()
        """Conversations whose names were asked for."""
        self._number = 0
        """Of the newest question."""

    def parts(self) -> Iterable[Widget]:
        yield Input(self._sought.text, placeholder="what was said", compact=True)
        yield self.results

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(Input).focus()
        self._show()
        if self._sought.text:
            self._begin(self._sought.text)

    def on_key(self, event: events.Key) -> None:
        """A key that was pressed before the line was there to take it."""
        if event.is_printable:
            event.stop()
            self.query_one(Input).post_message(events.Key(event.key, event.character))

    # ── asking ─────────────────────────────────────────────────────────────────────────────────

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value != self._sought.text:
            self._sought.row = None
            self._begin(event.value)

    def _begin(self, text: str) -> None:
        self._sought.text, self._wanted, self._wide = text, FIRST, {}
        self._ask_again(anew=True)

    def _ask_again(self, *, anew: bool = False) -> None:
        self._number += 1
        question = se.Search(text=self._sought.text, count=self._wanted, each=EACH)
        self.run_worker(self._asked(question, self._number, anew=anew))

    async def _asked(self, question: se.Search, number: int, *, anew: bool) -> None:
        """Ask, in a row: a second question of ours at the same time would call the first one off."""
        problem, hits = "", se.Hits(text=question.text)
        wide = dict.fromkeys(self._wide, se.Hits(text=question.text))
        if question.text.strip():
            try:
                hits = await self._ask.hits(question)
                for key in wide:
                    if number == self._number:
                        wide[key] = await self._ask.hits(se.Search(text=question.text, count=MOST, within=key))
            except AgentdeckError as error:
                problem = f"{error} ({error.hint})" if error.hint else str(error)
        if number == self._number and not any(each.outdated for each in (hits, *wide.values())):
            self._hits, self._problem = hits, problem
            self._wide = {key: each.places for key, each in wide.items()}
            self._show(anew=anew)
            if hits.more and len(self.results.rows) < self.results.size.height:
                self.on_search_results_more_wanted()
            else:
                await self._ask_names()

    async def _ask_names(self) -> None:
        """Ask what the conversations are about that are seen for the first time."""
        unnamed = tuple(dict.fromkeys(place.key for place in self._hits.places if place.key not in self._named))
        if not unnamed:
            return
        self._named.update(unnamed)
        with suppress(AgentdeckError):  # they are shown without
            self.results.entitle((await self._ask.names(se.ReadNames(keys=unnamed))).names)

    def take(self, indexing: se.Indexing) -> None:
        """The index has grown: what is asked may have more answers now."""
        before, self._indexing = self._indexing, indexing
        if self._sought.text.strip() and indexing.done > (before.done if before.of == indexing.of else 0):
            self._ask_again()
        else:
            self._show()

    def on_search_results_more_wanted(self) -> None:
        if self._hits.more and len(self._hits.places) >= self._wanted < MOST:
            self._wanted *= 2
            self._ask_again()

    # ── showing ────────────────────────────────────────────────────────────────────────────────

    def _show(self, *, anew: bool = False) -> None:
        if not self.query(".box"):  # the index has told something before there is a screen
            return
        if self._hits.places:
            self.results.show(self._places(), self._fuller(), anew=anew)
            if anew and self._sought.row is not None:
                self.results.choose(self._sought.row)
        elif self._problem:
            self.results.say(self._problem)
        elif self._indexing.empty:
            self.results.say(*NOTHING_SAID)
        elif self._hits.text.strip():
            self.results.say("nothing found" if self._indexing.complete else "nothing found so far")
        else:
            self.results.say(*HOW)
        words = (self.title_text, self._state())
        self.query_one(".box").border_title = clean(f" {glyphs.active().dot} ".join(filter(None, words)))

    def _places(self) -> list[se.Place]:
        """The places, with all those of conversations of which the person wanted all."""
        shown: list[se.Place] = []
        told: set[str] = set()
        for place in self._hits.places:
            wide = self._wide.get(place.key, ())
            if not wide:
                shown.append(place)
            elif place.key not in told:
                told.add(place.key)
                shown += wide
        return shown

    def _fuller(self) -> tuple[str, ...]:
        return tuple(key for key in self._hits.fuller if key not in self._wide)

    def _state(self) -> str:
        indexing = self._indexing
        if indexing.problem:
            return indexing.problem
        if indexing.of and not indexing.complete:
            return f"reading {indexing.done:,} of {indexing.of:,} transcripts"
        if not self._hits.places:
            return ""
        number, sessions = len(self._places()), len({place.key for place in self._hits.places})
        places = f"{number}+ places" if self._hits.more or self._fuller() else count(number, "place", "places")
        return f"{places} in {count(sessions, 'conversation', 'conversations')}"

    # ── moving ─────────────────────────────────────────────────────────────────────────────────

    def action_move(self, by: int) -> None:
        self.results.move(by)

    def action_page(self, by: int) -> None:
        self.results.page(by)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if (row := self.results.chosen) is not None:
            self._open(row)

    def on_search_results_opened(self, message: SearchResults.Opened) -> None:
        self._open(message.row)

    def _open(self, row: Row) -> None:
        self._sought.row = row
        if row.kind == "more":
            self._wide[row.place.key] = ()
            self._ask_again()
        else:
            self.dismiss(row.place)
