"""Sharing from the deck: share a session, let people in, talk, send away, and cut everything off with one key.

What is shared is told by the hub and kept here; nothing about it is guessed. The rail and the dialog show the same.
"""

import asyncio
from dataclasses import replace
from typing import Final

import msgspec
from textual.app import ComposeResult
from textual.geometry import Size
from textual.widget import Widget

from agentdeck.errors import AgentdeckError, RepositoryError
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from agentdeck.ui.figures import clean, count
from agentdeck.ui.layout import Rect
from agentdeck.ui.screens.attending import Attending
from agentdeck.ui.screens.share import ShareScreen, Wish, people_of, prompts_of
from agentdeck.ui.widgets.chat import Word
from agentdeck.ui.widgets.chat_rail import ShareRail

KEPT: Final = 300
"""Words of a share that are kept."""
TOLD: Final = ("chat", "command", "interrupt", "system")

ShareNews = s.ShareTold | s.ShareEvents | s.ShareGone


class Sharing(Attending):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.shares: dict[str, s.ShareFacts] = {}
        """What is shared, by share, the oldest first."""
        self.share_rail = ShareRail()
        self._talks: dict[str, tuple[Word, ...]] = {}
        self._events: dict[str, dict[int, Word]] = {}
        """The same by number: the past is asked for while the present comes."""
        self._caught_up: set[str] = set()
        """Shares whose past is known."""
        self._codes: dict[str, str] = {}
        self._shares_on = 0
        self._open_share: ShareScreen | None = None
        self._wishes = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self.share_rail

    def places(self, size: Size) -> dict[Widget, Rect]:
        found = super().places(size)
        if (place := self.plan(size).share) is not None:
            found[self.share_rail] = place
        return found

    # ── the hub's news ─────────────────────────────────────────────────────────────────────────

    def subscribe(self) -> None:
        super().subscribe()
        if self._shares_on != self.bridge.lines:
            self._shares_on = self.bridge.lines
            self.run_worker(self._watch_shares(), group="facts")

    async def _watch_shares(self) -> None:
        try:
            told = await self.bridge.ask(s.FollowShare(session=""), s.SharesTold)
            self.shares = {}
            for facts in told.shares:
                await self._learn(facts)
        except AgentdeckError:
            return  # the line broke again: with the next one comes another try
        self._shared_changed()

    async def _learn(self, facts: s.ShareFacts) -> None:
        """A share that we did not know, with what was said in it before."""
        self.shares[facts.share] = facts
        since = max(0, facts.last_seq - KEPT)
        self.take_shares(await self.bridge.ask(s.ReadShare(session=facts.share, since=since), s.ShareEvents))
        self._caught_up.add(facts.share)

    def take_shares(self, news: ShareNews) -> None:
        match news:
            case s.ShareTold():
                fresh = news.facts.share not in self.shares
                self.shares[news.facts.share] = news.facts
                if fresh:
                    self.run_worker(self._see_through(self._learn(news.facts)), group="facts")
            case s.ShareEvents():
                self._hear(news)
            case s.ShareGone():
                gone = self.shares.pop(news.share, None)
                self._talks.pop(news.share, None)
                self._events.pop(news.share, None)
                if gone is not None:
                    self.say(f"{gone.name}: {news.text}", "warning")
                if self._open_share is not None and self._open_share.share == news.share:
                    self._open_share.dismiss(None)
        self._shared_changed()

    def _hear(self, news: s.ShareEvents) -> None:
        known = self._events.setdefault(news.share, {})
        caught_up = news.share in self._caught_up
        for event in news.events:
            if event.seq in known or event.kind not in TOLD:
                continue
            who = "you" if event.by == "owner" else event.name
            known[event.seq] = Word(event.at, event.kind, who, event.text or "interrupted the turn")
            if caught_up and event.kind == "chat" and event.by != "owner" and not self._rail_shows(news.share):
                self.say(f"{event.name}: {event.text}")
        for seq in sorted(known)[:-KEPT]:
            del known[seq]
        self._talks[news.share] = tuple(known[seq] for seq in sorted(known))

    def _rail_shows(self, share: str) -> bool:
        shown = self._shown_share
        railed = self._plan is not None and self._plan.share is not None and shown is not None and shown.share == share
        return railed or self._open_share is not None

    def _shared_changed(self) -> None:
        wanted = bool(self.shares)
        if self.wish.share != wanted:
            self.wish = replace(self.wish, share=wanted)
            self.lay_out()
            self.watch_sessions()
        if self._open_share is not None and (facts := self.shares.get(self._open_share.share)) is not None:
            self._open_share.show(facts, self._talks.get(facts.share, ()), self._codes.get(facts.share, ""))
        self.draw_soon()

    # ── what is shown ──────────────────────────────────────────────────────────────────────────

    @property
    def _shown_share(self) -> s.ShareFacts | None:
        """The share of the selected session, else the one with somebody who waits, else the oldest."""
        shares = list(self.shares.values())
        here = next((facts for facts in shares if facts.session == self.deck.selected), None)
        waits = next((facts for facts in shares if any(p.waits for p in people_of(facts))), None)
        return here or waits or (shares[0] if shares else None)

    @property
    def shared_words(self) -> tuple[str, str]:
        """What the first row says of sharing, and its ink."""
        if not self.shares:
            return "", ""
        people = [person for facts in self.shares.values() for person in people_of(facts)]
        if waiting := sum(person.waits for person in people):
            return f" share: {waiting} wait{'s' if waiting == 1 else ''} to be let in ", "filled"
        viewers = sum(facts.viewers for facts in self.shares.values())
        drivers = sum(person.online and person.role == "driver" for person in people)
        more = f" {count(drivers, 'driver', 'drivers')}" if drivers else ""
        return f"share: {count(viewers, 'viewer', 'viewers')}{more}", "working" if viewers else "muted"

    def draw(self) -> None:
        super().draw()
        facts = self._shown_share
        if not self.is_mounted or facts is None or self._plan is None or self._plan.share is None:
            return
        people = people_of(facts)
        keys = [(self.keymap.keys_for("share"), "more"), (self.keymap.keys_for("panic"), "cut off")]
        if any(person.waits for person in people):
            keys.insert(0, (self.keymap.keys_for("admit"), "let in"))
        self.share_rail.show(
            facts.name, people, prompts_of(facts), self._talks.get(facts.share, ()), viewers=facts.viewers, keys=keys,
            paused=facts.paused, problem=facts.problem,
        )  # fmt: skip

    # ── what the owner does ────────────────────────────────────────────────────────────────────

    async def action_share(self) -> None:
        session = self.deck.session
        if session is None:
            return
        facts = next((facts for facts in self.shares.values() if facts.session == session.id), None)
        if facts is None or not self._codes.get(facts.share):
            shared = await self._share(session)
            if shared is None:
                return
            self._codes[shared.share] = shared.code
            facts = (await self.bridge.ask(s.FollowShare(session=shared.share), s.ShareTold)).facts
            if facts.share not in self.shares:
                self.desk.copy_to_clipboard(shared.url)
                self.say(f"{session.name} is shared; its link has been copied")
            await self._learn(facts)
            self._shared_changed()
        self._open_share = ShareScreen(
            facts, self._talks.get(facts.share, ()), self._codes.get(facts.share, ""), session.name,
            lambda wish: self._wished(facts.share, wish),
        )  # fmt: skip
        try:
            await self.app.push_screen_wait(self._open_share)
        finally:
            self._open_share = None

    async def _share(self, session: m.Session) -> s.Shared | None:
        try:
            return await self.bridge.ask(s.Share(session=session.id), s.Shared)
        except RepositoryError as error:
            body = (
                f"{error.repository} has never been shared.\nPeople with the link see what is on the screen of "
                f"{session.name}, redacted as well as can be. They only watch until you give them another role."
            )
            if not await self._sure(f"share {session.name}", body, "Share"):
                return None
            await self.bridge.call(s.AllowRepository(path=error.repository, server="local"))
            return await self.bridge.ask(s.Share(session=session.id), s.Shared)

    async def action_admit(self) -> None:
        """Let in the guest whose words are shown."""
        facts = self._shown_share
        waiting = [p for p in people_of(facts) if p.waits] if facts is not None else []
        if facts is None or not waiting:
            self.say("nobody waits to be let in")
            return
        guest = waiting[0]
        if self._plan is None or self._plan.share is None:
            body = f"{clean(guest.name)} from {clean(guest.address)} should see these words:\n  {guest.words}"
            if not await self._sure(f"let in {clean(guest.name)}", body, "Let in"):
                return
        await self.bridge.call(s.Admit(session=facts.share, participant=guest.id))
        self.say(f"{guest.name} is in, as {guest.role}")

    async def action_panic(self) -> None:
        if not self.shares:
            self.say("nothing is shared")
            return
        held, self.shares = self.shares, {}  # what the hub says of each of them would only be in the way
        try:
            await self.bridge.call(s.Panic())
        except AgentdeckError:
            self.shares = held
            raise
        self._talks.clear()
        self._events.clear()
        self._caught_up.clear()
        if self._open_share is not None:
            self._open_share.dismiss(None)
        self._shared_changed()
        cut = f"{count(len(held), 'share', 'shares')} cut off: nothing is shared any more"
        self.notices.show_at_once(cut, "warning")

    def _wished(self, share: str, wish: Wish) -> None:
        if wish.deed == "panic":  # it waits for no other wish
            self.run_worker(self._see_through(self.action_panic()), group="panic", exit_on_error=True)
            return
        self.run_worker(self._see_through(self._do_with_share(share, wish)), group="deeds", exit_on_error=True)

    async def _do_with_share(self, share: str, wish: Wish) -> None:
        """One wish after the other: each starts from what the one before has changed."""
        async with self._wishes:
            await self._obey_wish(share, wish)

    async def _obey_wish(self, share: str, wish: Wish) -> None:
        facts = self.shares.get(share)
        if facts is None:
            return
        person = next((each for each in facts.people if each.id == wish.who), None)
        if wish.deed in ("admit", "deny", "raise", "lower", "hands") or (wish.deed == "remove" and person is not None):
            if person is not None:
                await self._do_with_person(share, person, wish.deed)
            return
        match wish.deed:
            case "say":
                await self.bridge.call(s.Say(session=share, text=wish.text))
            case "remove" if wish.who:
                await self.bridge.call(s.CancelPrompt(session=share, item=wish.who))
            case "sooner" | "later":
                prompt = next((each for each in facts.queue if each.id == wish.who and each.position), None)
                place = prompt.position + (-1 if wish.deed == "sooner" else 1) if prompt is not None else 0
                if place > 0:
                    await self.bridge.call(s.MovePrompt(session=share, item=wish.who, position=place))
            case "pause":
                await self.bridge.call(s.PauseQueue(session=share, on=not facts.paused))
            case "copy":
                self.desk.copy_to_clipboard(facts.url)
                self.say("the link has been copied")
            case "invite":
                made = await self.bridge.ask(s.Invite(session=share, role="driver", approve=True), s.Shared)
                self.desk.copy_to_clipboard(made.url)
                self.say("a link for one driver, whom you let in, has been copied")
            case "code":
                made = await self.bridge.ask(s.Invite(session=share, code=True), s.Shared)
                self._codes[share] = made.code
                self._shared_changed()
            case "revoke":
                if await self._sure("withdraw every link", "Everybody who came by one is sent away.", "Withdraw"):
                    await self.bridge.call(s.Revoke(session=share))
            case "unshare":
                if await self._sure(f"end the share of {facts.name}", "Everybody who watches is sent away.", "End it"):
                    await self.bridge.call(s.Unshare(session=share))

    async def _do_with_person(self, share: str, person: s.PersonTold, deed: str) -> None:
        request: m.AnyRequest
        match deed:
            case "admit" | "deny":
                if not person.pending:
                    return
                request = s.Admit(session=share, participant=person.id, on=deed == "admit")
            case "remove":
                body = f"{clean(person.name)} sees and says nothing any more, and needs a new link to come back."
                if not await self._sure(f"send {clean(person.name)} away", body, "Send away"):
                    return
                request = s.Kick(session=share, participant=person.id)
            case "hands":
                if person.role != "driver":
                    self.say("only a driver can be given the keyboard", "warning")
                    return
                request = s.SetRole(session=share, participant=person.id, role=person.role, hands=not person.hands)
            case _:
                place = v.GUEST_ROLES.index(person.role) + (1 if deed == "raise" else -1)
                if not 0 <= place < len(v.GUEST_ROLES):
                    return
                request = s.SetRole(session=share, participant=person.id, role=v.GUEST_ROLES[place])
        await self.bridge.call(request)
        if isinstance(request, s.SetRole):
            self._take_role(share, request)

    def _take_role(self, share: str, given: s.SetRole) -> None:
        """What was just given counts for the next key; the hub tells of it a moment later."""
        if (facts := self.shares.get(share)) is not None:
            people = tuple(
                msgspec.structs.replace(p, role=given.role, hands=given.hands) if p.id == given.participant else p
                for p in facts.people
            )
            self.shares[share] = msgspec.structs.replace(facts, people=people)
