"""What transcripts tell, in the hands of a person: feeds, conversations to scroll and search, tokens and cost.

None of it changes a session. What the hub does not know is left out or said, and asked anew when the line was mended.
"""

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import date
from typing import Final

import msgspec
from textual import events

from agentdeck import providers
from agentdeck.errors import AgentdeckError, SessionError, UnknownSessionError
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.ui import facts_state, find, state
from agentdeck.ui.replica import Replica
from agentdeck.ui.screens.call_detail import CallScreen, LineScreen
from agentdeck.ui.screens.moves import Moves, edited
from agentdeck.ui.screens.usage import UsageScreen
from agentdeck.ui.told import Told
from agentdeck.ui.widgets import usage_plot
from agentdeck.ui.widgets.feed import EventFeed
from agentdeck.ui.widgets.pane import Pane

READ_EVERY: Final = 1.0
"""Seconds between two looks at a conversation that goes on while it is shown."""

News = f.FactsChanged | f.FactsGone | f.FeedLines | f.Spent


class Telling(Moves):
    seeking: str | None = None
    """The text to be found while it is typed."""
    sought = ""
    """The one that was typed last."""
    _line = 0
    """Which line to the hub we have asked for facts."""
    _followed = ""
    """Whose feed the hub pushes."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._reads: dict[str, bool] = {}
        """Conversations that are being asked for, and whether there was news since."""

    async def _see_through(self, deed: Awaitable[None]) -> None:
        try:
            await deed
        except AgentdeckError as error:
            self.tell(error)

    # ── the hub's news ─────────────────────────────────────────────────────────────────────────

    def subscribe(self) -> None:
        """Ask for facts, once for each line to the hub: another hub counts lines of feeds anew."""
        if self._line == self.bridge.lines:
            return
        self._line, self._followed = self.bridge.lines, ""
        own = {key: facts for key, facts in self.panels.told.known.items() if not facts.watched}
        self.panels.told = facts_state.FactsState(known=own)
        self.run_worker(self._subscribe(), group="facts")

    async def _subscribe(self) -> None:
        with suppress(AgentdeckError):  # the line broke again: with the next one comes another try
            told = await self.bridge.ask(f.WatchFacts(), f.FactsChanged)
            self.take_facts(told)
            self.follow_feed()
            await self._read_trend()

    async def _read_trend(self) -> None:
        report = await self.bridge.ask(f.ReadUsage(), f.UsageTold)
        with suppress(msgspec.DecodeError):
            self.panels.trend = usage_plot.trend(usage_plot.read(report.report), date.fromtimestamp(self.now()))
            self.draw_soon()

    def take_facts(self, push: News | m.Gone) -> None:
        if isinstance(push, f.FactsGone) and push.key == self.deck.selected and self.deck.session is not None:
            self.panels.visitors[push.key] = self.deck.session  # it rests, but somebody reads it
        if not self.panels.fold(push):
            return
        selected = self.deck.selected
        self.deck = state.watch(self.deck, self.panels.watched)
        if isinstance(push, f.FactsChanged):
            for facts in push.facts:
                replica = self.replicas.get(facts.key)
                if isinstance(replica, Told) and any(pane.replica is replica for _, pane in self.slots):
                    self.read_on(replica)
        if self.deck.selected != selected:
            self.watch_sessions()
            self.draw()
        else:
            self.draw_soon()

    def draw(self) -> None:
        super().draw()
        self.follow_feed()

    def follow_feed(self) -> None:
        """Have the lines of the feed that is shown pushed, and no others."""
        wanted = self.deck.selected if self._plan is not None and self._plan.feed is not None else ""
        if wanted != self._followed and self._line:
            before, self._followed = self._followed, wanted
            self.run_worker(self._follow(before, wanted), group="feed")

    async def _follow(self, before: str, wanted: str) -> None:
        with suppress(AgentdeckError):
            if before:
                self.panels.told = facts_state.forget_feed(self.panels.told, before)
                await self.bridge.call(f.FollowFeed(key=before, on=False))
            if wanted:
                self.take_facts(await self.bridge.ask(f.FollowFeed(key=wanted), f.FeedLines))

    # ── the feed ───────────────────────────────────────────────────────────────────────────────

    def action_events(self) -> None:
        self._wish(feed=not (self._plan is not None and self._plan.feed is not None))
        if self._plan is not None and self._plan.feed is None and self.wish.feed:
            self.say("there is no room for events here", "warning")

    def action_kinds(self) -> None:
        self._show_feed()
        self.say(f"events: {self.panels.feed.cycle_kind()}")

    def action_freeze(self) -> None:
        self._show_feed()
        feed = self.panels.feed
        if feed.following:
            feed.freeze()
        else:
            feed.follow()

    def _show_feed(self) -> None:
        if self._plan is not None and self._plan.feed is None:
            self.action_events()

    def action_next_panel(self) -> None:
        """From pane to pane, then to the feed; where there is neither, the next session."""
        shown = [session.id for session in self.shown]
        place = shown.index(self.deck.selected) if self.deck.selected in shown else 0
        feed = self._plan is not None and self._plan.feed is not None
        if self.panels.current or not feed:
            self._enter_feed(False)
            if len(shown) > 1:
                self.choose(shown[(place + 1) % len(shown)])
            elif not feed:
                self.action_next_session()
        elif place < len(shown) - 1:
            self.choose(shown[place + 1])
        else:
            self._enter_feed(True)

    def _enter_feed(self, on: bool) -> None:
        if self.panels.current != on:
            self.panels.current = on
            self.draw()

    def action_down(self) -> None:
        self.panels.feed.move(1) if self.panels.current else super().action_down()

    def action_up(self) -> None:
        self.panels.feed.move(-1) if self.panels.current else super().action_up()

    def action_first(self) -> None:
        self.panels.feed.first() if self.panels.current else super().action_first()

    def action_last(self) -> None:
        self.panels.feed.follow() if self.panels.current else super().action_last()

    def action_scroll_up(self) -> None:
        self.panels.feed.page(-1) if self.panels.current else super().action_scroll_up()

    def action_scroll_down(self) -> None:
        self.panels.feed.page(1) if self.panels.current else super().action_scroll_down()

    def action_copy(self) -> None:
        line = self.panels.feed.chosen if self.panels.current else None
        if line is not None:
            self.copied(f"{line.title} {line.text}".strip())
        else:
            super().action_copy()

    def on_event_feed_entered(self, message: EventFeed.Entered) -> None:
        if not self.typing:
            self._enter_feed(True)

    def on_event_feed_opened(self, message: EventFeed.Opened) -> None:
        self.run_worker(self._see_through(self._open(message.key, message.line)), group="deeds")

    async def _open(self, key: str, line: f.FeedLine) -> None:
        if line.call:
            call = await self.bridge.ask(f.ReadCall(key=key, call=line.call), f.CallDetail)
            await self.app.push_screen_wait(CallScreen(call))
        else:
            text = ""
            if line.kind == "message":
                text = (await self.bridge.ask(f.ReadMessage(key=key, at=line.at), f.CallDetail)).output
            await self.app.push_screen_wait(LineScreen(line, text))

    def on_event_feed_older_wanted(self, message: EventFeed.OlderWanted) -> None:
        self.run_worker(self._see_through(self._read_feed(message.key, message.before)), group="feed")

    async def _read_feed(self, key: str, before: int) -> None:
        self.take_facts(await self.bridge.ask(f.ReadFeed(key=key, before=before), f.FeedLines))

    # ── conversations ──────────────────────────────────────────────────────────────────────────

    def on_pane_history_wanted(self, message: Pane.HistoryWanted) -> None:
        self.run_worker(self._see_through(self._fetch(message.session, message.request)), group="history")

    async def _fetch(self, session: str, request: m.AnyRequest) -> None:
        replica = self.replicas.get(session)
        try:
            page = await self.bridge.call(request)
        except UnknownSessionError:
            if replica is None or not isinstance(request, f.ReadConversation):
                raise
            replica.untold()
            self._fetched(replica)
            return
        if replica is None or (isinstance(request, f.ReadConversation) and request.width != replica.columns):
            return
        replica.take(page)
        self._fetched(replica)

    def _fetched(self, replica: Replica) -> None:
        for _, pane in self.slots:
            if pane.replica is replica:
                pane.fetched()

    def read_on(self, replica: Told) -> None:
        key = replica.session
        if key in self._reads:
            self._reads[key] = True
        elif self._line:
            self._reads[key] = False
            self.run_worker(self._read_on(replica), group="history")

    async def _read_on(self, replica: Told) -> None:
        key = replica.session
        try:
            with suppress(AgentdeckError):
                await self._read_page(replica, replica.newest)
        finally:
            self.set_timer(READ_EVERY, lambda: self._read_again(replica))
        for _, pane in self.slots:
            if pane.replica is replica:
                pane.changed(None)
        self._reads.setdefault(key, False)

    def _read_again(self, replica: Told) -> None:
        if self._reads.pop(replica.session, False):
            self.read_on(replica)

    async def _read_page(self, replica: Told, request: f.ReadConversation) -> f.Conversation | None:
        page = await self.bridge.ask(request, f.Conversation)
        if request.width != replica.columns:
            return None
        replica.take(page)
        return page

    async def open_at(self, key: str, turn: int, *, cwd: str = "", words: Sequence[str] = (), role: str = "") -> None:
        """Show a conversation, of ours or `provider:id`, from the message of this number on. Raises `SessionError`.

        `words` are marked where the message, or what follows it, has one of them, where `role` speaks if it does there.
        `cwd` is where it was, if known.
        """
        if ":" not in key:
            session = await self.bridge.resolve(key)
            if not session.resume_id:
                raise SessionError(f"{session.name} has no conversation yet", hint="its first prompt begins it")
            key = f"{providers.known(self.config)[session.provider].family}:{session.resume_id}"
        provider, _, own = key.partition(":")
        facts = f.Facts(key=key, provider=provider, provider_session=own, cwd=cwd, watched=True)
        replica = self.replica(key)
        assert isinstance(replica, Told)
        columns, rows = self.pane_size
        replica.size(columns, rows)
        page = await self.bridge.ask(
            f.ReadConversation(key=key, width=columns, count=max(rows, 200), turn=turn), f.Conversation
        )
        replica.take(page)
        if (known := self.panels.facts(key)) is not None and known.cwd:
            facts = msgspec.structs.replace(facts, cwd=known.cwd)
        self.panels.visitors[key] = facts_state.as_session(facts)
        self.deck = state.watch(self.deck, self.panels.watched)
        self.choose(key)
        self.draw()  # it may have been selected already, and not shown
        if page.line >= 0:
            found = find.in_message(page, words, role)
            self.pane.show_found(found)
            self.pane.scroll_to_line(page.line)
            self.pane.reveal(found.anchor.line)
            self.draw()

    # ── finding ────────────────────────────────────────────────────────────────────────────────

    @property
    def reading(self) -> bool:
        """Whether the keys that search mean something: the session is scrolled back, or a place was found."""
        return not self.panels.current and (self.pane.lines_up > 0 or self.pane.found is not None)

    def action_find(self) -> None:
        self.seeking = ""
        self.draw()

    def find_key(self, event: events.Key) -> None:
        assert self.seeking is not None
        if event.key == "escape":
            self.seeking = None
        elif event.key == "enter":
            self.sought, self.seeking = self.seeking or self.sought, None
            self.run_worker(self._see_through(self.action_find_older()), group="deeds")
        elif (text := edited(self.seeking, event)) is not None:
            self.seeking = text
        else:
            self.footer.flash()
        self.draw()

    async def action_find_older(self) -> None:
        await self._find(-1)

    async def action_find_newer(self) -> None:
        await self._find(1)

    async def _find(self, by: int) -> None:
        pane, replica = self.pane, self.pane.replica
        if replica is None or not self.sought:
            return
        edge = pane.first_line + (pane.rows_shown if by < 0 else -1)
        start = pane.found.anchor.line if pane.found is not None else edge
        look = find.older if by < 0 else find.newer
        try:
            found = await look(replica, self.bridge.call, self.sought, start)
        except UnknownSessionError:
            replica.untold()
            found = None
        if pane.replica is not replica:
            return
        if found is None:
            self.say(f"no {self.sought!r} further {'up' if by < 0 else 'down'}")
        else:
            pane.show_found(found)
            self.draw()

    def action_live(self) -> None:
        self.pane.follow()
        self.draw()

    # ── tokens and cost ────────────────────────────────────────────────────────────────────────

    async def action_usage(self) -> None:
        await self.app.push_screen_wait(UsageScreen(self._usage, self.env.get("HOME", ""), now=self.now))

    async def _usage(self) -> f.UsageTold:
        return await self.bridge.ask(f.ReadUsage(), f.UsageTold)
