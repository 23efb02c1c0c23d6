"""`s`: search all conversations, go to the place that was chosen, come back, or resume the conversation here.

A conversation of a session in the deck is shown there, where its message is; any other is a guest in the list of those
that are only watched, until the person goes back or to the next one.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from agentdeck import providers
from agentdeck.errors import AgentdeckError, UnknownSessionError
from agentdeck.protocol import messages as m
from agentdeck.protocol import search as se
from agentdeck.ui import find, glyphs, state
from agentdeck.ui.bridge import Bridge
from agentdeck.ui.screens.confirm import Confirm
from agentdeck.ui.screens.outside import Outside
from agentdeck.ui.screens.search import SearchScreen, Sought
from agentdeck.ui.told import Told

LOOKS: Final = 100
LOOK_EVERY: Final = 0.02
"""Seconds between two looks, so many times, whether the screen of a session has come that was not in view."""


class _Questions:
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def hits(self, question: se.Search) -> se.Hits:
        return await self._bridge.ask(question, se.Hits)

    async def names(self, question: se.ReadNames) -> se.Names:
        return await self._bridge.ask(question, se.Names)


@dataclass(frozen=True, slots=True)
class Visit:
    """A conversation that nobody has, and where the person came from."""

    place: se.Place
    before: str


class Searching(Outside):
    searching: SearchScreen | None = None
    """While it is open. A key that was pressed after its own may still come to the deck: it is meant for the search."""
    _visit: Visit | None = None

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._sought = Sought()

    # ── searching ──────────────────────────────────────────────────────────────────────────────

    def action_search(self) -> None:
        """Open the search. At once: what is typed after the key is meant for it, however fast it comes."""
        if self.searching is not None:
            return
        self.searching = SearchScreen(
            _Questions(self.bridge),
            self._sought,
            self._conversations(),
            self.env.get("HOME", ""),
            now=self.now,
        )
        self.app.push_screen(self.searching, self._searched)
        self.run_worker(self._keep_index(), group="facts")

    def _searched(self, place: se.Place | None) -> None:
        self.searching = None
        self.bridge.post(se.OpenSearch(on=False))
        if place is not None:
            self.run_worker(self._see_through(self._go_to(place)), group="deeds")

    async def _keep_index(self) -> None:
        with suppress(AgentdeckError):  # the line broke: with the next one comes another try
            self.take_indexing(await self.bridge.ask(se.OpenSearch(), se.Indexing))

    def take_indexing(self, push: se.Indexing) -> None:
        if self.searching is not None:
            self.searching.take(push)

    def subscribe(self) -> None:
        if self.searching is not None and self._line != self.bridge.lines:
            self.run_worker(self._keep_index(), group="facts")
        super().subscribe()

    def _conversations(self) -> dict[str, tuple[str, str]]:
        """Who in the deck has which conversation."""
        found = {
            session.id: (session.state, session.name) for session in self.deck.watched if session.state != "unknown"
        }
        for session in self.deck.sessions:
            if session.resume_id:
                found[self._key(session)] = (session.state, f"{self.deck.number(session.id) or ''} {session.name}")
        return found

    def _key(self, session: m.Session) -> str:
        known = providers.known(self.config).get(session.provider)
        return f"{known.family if known is not None else session.provider}:{session.resume_id}"

    # ── there ──────────────────────────────────────────────────────────────────────────────────

    async def _go_to(self, place: se.Place) -> None:
        self.sought = next(iter(place.words), self.sought)  # what the keys that find go on with
        ours = next((s for s in self.deck.sessions if s.resume_id and self._key(s) == place.key), None)
        key = ours.id if ours is not None else place.key
        if isinstance(self.replica(key), Told):
            await self._visit_it(place)
            return
        self._end_visit()
        self.choose(key)
        if place.turn < 0:
            return
        replica = self.replica(key)
        for _ in range(LOOKS):
            if replica.fresh:
                break
            await asyncio.sleep(LOOK_EVERY)
        found = None
        with suppress(UnknownSessionError):
            found = await find.message(replica, self.bridge.call, place.turn, place.words, place.role)
        if self.pane.replica is not replica:
            return
        if found is None:
            self.say("this message is not to be found above its screen")
        else:
            self.pane.show_found(found)
            self.draw()

    async def _visit_it(self, place: se.Place) -> None:
        before, last = self.deck.selected, self._visit
        if last is not None and before == last.place.key:
            before = last.before
        await self.open_at(place.key, place.turn, cwd=place.project, words=place.words, role=place.role)
        if last is None or last.place.key != place.key:
            self._end_visit()
        self._visit = Visit(place, before)
        self.draw()

    @property
    def _visiting(self) -> Visit | None:
        """The conversation that was found, while it is the one that is read."""
        visit = self._visit
        return visit if visit is not None and visit.place.key == self.deck.selected else None

    @property
    def reading_hints(self) -> list[tuple[str, str]]:
        """The keys of a session that is scrolled back; what was found is left for where one came from."""
        visiting = self._visiting is not None
        return [
            (keys, "back" if visiting and words == "live" else words) for keys, words in self.keymap.hints("reading")
        ]

    # ── and back ───────────────────────────────────────────────────────────────────────────────

    def action_live(self) -> None:
        if not self.leave_found():
            super().action_live()

    def leave_found(self) -> bool:
        """Go back to where the person was before the search; returns whether there was anything to leave."""
        visit = self._visiting
        if visit is None:
            return False
        if self.deck.find(visit.before) is not None:
            self.choose(visit.before)
        self._end_visit()
        return True

    def _end_visit(self) -> None:
        visit, self._visit = self._visit, None
        if visit is None:
            return
        key = visit.place.key
        self.panels.visitors.pop(key, None)
        self.deck = state.watch(self.deck, self.panels.watched)
        if self.deck.find(key) is None:
            self.replicas.pop(key, None)
        self.watch_sessions()
        self.draw()

    # ── resuming ───────────────────────────────────────────────────────────────────────────────

    def _resumable(self, visit: Visit | None) -> bool:
        """Whether nobody is known to have the conversation, and its directory is known."""
        if visit is None or not visit.place.project:
            return False
        facts = self.panels.facts(visit.place.key)
        return facts is None or facts.state == "ended"

    def _notes(self, session: m.Session | None) -> tuple[str, ...]:
        visit = self._visiting
        if session is None or visit is None or session.id != visit.place.key or not self._resumable(visit):
            return super()._notes(session)
        dot = f" {glyphs.active().dot} "
        back = self.keymap.keys_for("live", "reading")
        return (dot.join((f"{self.keymap.keys_for('attach')} resumes this conversation here", f"{back} goes back")),)

    async def action_attach(self) -> None:
        visit = self._visiting
        if visit is None or not self._resumable(visit):
            await super().action_attach()
            return
        place = visit.place
        words = f"{place.provider} goes on with this conversation here,\nin {place.project}."
        if not await self.app.push_screen_wait(Confirm("resume it here", words, "Resume")):
            return
        columns, rows = self.pane_size
        done = await self.bridge.ask(
            se.ResumeFound(
                provider=place.provider,
                session=place.session,
                cwd=place.project,
                env=dict(self.env),
                cols=columns,
                rows=rows,
            ),
            m.Done,
        )
        self._end_visit()
        await self.arrived(done.session)
