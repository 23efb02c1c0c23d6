"""What its owner asks about sharing: share, unshare, invite, send away, follow; and what they are told of it.

Sharing is off for everything that is not on the list, and for every repository that was not allowed once.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from agentdeck.errors import RepositoryError, ShareError, UnknownSessionError, UsageError
from agentdeck.hub.conversations import transcript_of
from agentdeck.hub.desk import Answer
from agentdeck.hub.gateway import Place
from agentdeck.hub.peer import Peer
from agentdeck.hub.share_figures import described
from agentdeck.hub.share_place import permission_of, place_of, server_of
from agentdeck.hub.shared import SharedRoom
from agentdeck.hub.shares import Around, Shares
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from agentdeck.share import known, tokens
from agentdeck.share.allowlist import Entry
from agentdeck.share.log import Item
from agentdeck.share.refusal import RefusedError
from agentdeck.share.room import Change, Facts, Invite, Person, Room

LONGEST: Final = 24 * 3600.0
"""Seconds that a share may last."""

SHARES_AN_HOUR: Final = 30

RETELL: Final = 0.1
"""Seconds for which changes are collected before the owner's clients are told."""


class Owner:
    """One for each hub that shares or has shared."""

    def __init__(self, around: Around) -> None:
        self._roster = around.roster
        self._facts = around.facts
        self.shares = Shares(around, changed=self._tell_soon, said=self._told)
        self._following: dict[Peer, set[str]] = {}
        self._to_tell: set[str] = set()
        self._telling: asyncio.TimerHandle | None = None
        self._made: list[float] = []
        self._opening = asyncio.Lock()

    def stop(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
        self.shares.stop()

    def gone(self, peer: Peer) -> None:
        self._following.pop(peer, None)

    # ── the owner's questions ──────────────────────────────────────────────────────────────────

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        match request:
            case s.ListShares():
                return s.SharesTold(shares=tuple(map(self._described, self.shares.rooms.values())))
            case s.ListRepositories():
                return s.RepositoriesTold(repositories=dict(self.shares.listed.now().repositories))
            case s.AllowRepository():
                return self._allow(request)
            case s.Share():
                return self._share(request)
            case s.Unshare():
                return self._unshare(request)
            case s.Panic():
                return self._panic()
            case s.FollowShare():
                return self._follow(peer, request)
            case _:
                return self._asked(request)

    def _allow(self, request: s.AllowRepository) -> m.AnyReply:
        path = known.repository_of(str(Path(request.path).resolve()))
        listed = self.shares.listed.checked().with_repository(path, request.server, on=request.on)
        self.shares.listed.write(listed)
        return m.Done(note=path)

    async def _share(self, request: s.Share) -> m.AnyReply:
        if request.role not in v.GUEST_ROLES:
            raise UsageError(f"there is no role {request.role!r}", hint=f"roles: {', '.join(v.GUEST_ROLES)}")
        if not 0 < request.expires <= LONGEST:
            raise UsageError("a share lasts a day at most", hint="--expires takes up to 24h")
        key, provider_session, directory = await self._find(request.session)
        server = server_of(request, await self._place(request))
        repository = known.repository_of(directory)
        if not self.shares.listed.checked().allows(repository, permission_of(server)):
            raise RepositoryError(repository, permission_of(server))
        async with self._opening:
            room = next((room for room in self.shares.rooms.values() if room.key == key), None)
            again = room is not None
            if room is None or server != "local":
                await self.shares.gateway.ensure(await self._place(request))
            if room is None:
                room = await self._begin(request, key, provider_session, repository, server)
            elif server != "local":
                self.shares.widen(room, server)
        try:
            return await self._shared(room, request, again=again)
        except RefusedError as refused:
            raise ShareError(str(refused)) from refused

    async def _place(self, request: s.Share) -> Place:
        """Where the gateway must listen for this share, and for what is shared already. Raises `UsageError`."""
        now = self.shares.gateway.place
        shared = bool(self.shares.listed.now().sessions)
        return await asyncio.to_thread(place_of, request, now if shared else Place(port=now.port))

    async def _begin(
        self, request: s.Share, key: str, provider_session: str, repository: str, server: str
    ) -> SharedRoom:
        now = self.shares.now()
        self._made = [at for at in self._made if at > now - 3600.0]
        if len(self._made) >= SHARES_AN_HOUR:
            raise ShareError(f"{SHARES_AN_HOUR} shares were made within an hour", hint="wait a while")
        self._made.append(now)
        share = secrets.token_hex(8)
        facts = Facts(
            share=share, epoch=secrets.token_hex(8), session=key, provider_session=provider_session, role=request.role,
            created=now, expires_at=now + request.expires,
        )  # fmt: skip
        entry = Entry(
            path=await self._transcript(key, provider_session), session=key, share=share, servers=(server,),
            roles=tuple(v.GUEST_ROLES[: v.GUEST_ROLES.index(request.role) + 1]), repository=repository,
            shared_at=now, expires_at=facts.expires_at,
        )  # fmt: skip
        try:
            await self.shares.store.append(share, [], [Item("facts", share, msgspec.msgpack.encode(facts))])
        except RefusedError as refused:
            raise ShareError(str(refused)) from refused
        self.shares.listed.write(self.shares.listed.checked().with_entry(provider_session or key, entry))
        return await self.shares.open(Room(facts, self.shares.now), key, 0)

    async def _transcript(self, key: str, provider_session: str) -> str:
        """Where the session's transcript is; empty when it has none."""
        session = self._roster.sessions.get(key)
        provider = session.provider.family if session is not None else key.partition(":")[0]
        found = await asyncio.to_thread(transcript_of, provider, provider_session, dict(os.environ))
        return found[0] if found else ""

    async def _shared(self, room: SharedRoom, request: s.Share, *, again: bool) -> s.Shared:
        link = room.room.own_invite(code=False)
        if link is None or not room.secret(link) or (request.approve and not link.approve):
            self.shares.listed.allow_role(room.share, request.role)
            link, again = await room.invite(
                request.role, seconds=request.expires, max_uses=request.max_uses, code=False, approve=request.approve,
                own=True,
            ), False  # fmt: skip
        code = room.room.own_invite(code=True, seconds=60.0)
        if code is None or not room.secret(code):
            code = await room.invite(
                request.role, seconds=tokens.CODE_LIFE, max_uses=1, code=True, approve=True, own=True
            )
        return s.Shared(
            share=room.share, url=self._link(room, link), code=room.secret(code), role=link.role,
            expires_at=link.expires_at, invite=link.id, session=room.key, again=again,
            near=self.shares.gateway.url, fingerprint=self._fingerprint(room),
        )  # fmt: skip

    def _fingerprint(self, room: SharedRoom) -> str:
        return self.shares.gateway.fingerprint if self._server(room) == "lan" else ""

    def _link(self, room: SharedRoom, invite: Invite | None) -> str:
        secret = room.secret(invite) if invite is not None else ""
        return self.shares.gateway.link(self._server(room), room.share, secret)

    async def _find(self, name: str) -> tuple[str, str, str]:
        """Our key of a session, the CLI's own id of it, and where it works. Raises `UnknownSessionError`."""
        for session in self._roster.sessions.values():
            if name in (session.info.id, session.info.resume_id) and name:
                return session.info.id, session.info.resume_id, session.info.cwd
        found = self._foreign(name)
        if found is None and name:
            await self._facts_of_everything()
            found = self._foreign(name)
        if found is None:
            raise UnknownSessionError(name)
        return found

    def _foreign(self, name: str) -> tuple[str, str, str] | None:
        for key, live in self._facts.sessions().items():
            if name in (key, live.id):
                return key, live.id, live.cwd or "/"
        return None

    async def _facts_of_everything(self) -> None:
        """A session that somebody else started is known once its transcript has been read."""
        reader = Peer(lambda peer, request: None, lambda peer: None)
        self._facts.answer(reader, f.WatchFacts())
        try:
            for _ in range(30):
                await asyncio.sleep(0.1)
                if self._facts.sessions():
                    break
            await asyncio.sleep(0.2)
        finally:
            self._facts.gone(reader)

    async def _unshare(self, request: s.Unshare) -> m.AnyReply:
        rooms = [self._room(request.session)] if request.session else list(self.shares.rooms.values())
        ended = []
        for room in rooms:
            server = self._server(room)
            if request.server not in ("", server, self.shares.gateway.base(server)):
                continue
            ended.append(room.share)
            await self.shares.end(room, "ENDED", "the owner ended the share")
            if request.purge:
                with contextlib.suppress(RefusedError):
                    await self.shares.store.purge(room.share)
        return m.Done(note=f"{len(ended)} shares ended" if len(ended) != 1 else "the share has ended")

    async def _panic(self) -> m.AnyReply:
        """Nothing leaves from here on; the gateway is killed as soon as it has said so, or has had no time for it."""
        rooms = list(self.shares.rooms.values())
        await self.shares.cut("everything was cut off")
        return m.Done(note=f"{len(rooms)} shares cut off")

    def _follow(self, peer: Peer, request: s.FollowShare) -> m.AnyReply:
        if not request.session:
            everything = self._following.setdefault(peer, set())
            everything.add("") if request.on else everything.discard("")
            return s.SharesTold(shares=tuple(map(self._described, self.shares.rooms.values())))
        room = self._room(request.session)
        shares = self._following.setdefault(peer, set())
        if not request.on:
            shares.discard(room.share)
            return m.Done()
        shares.add(room.share)
        return s.ShareTold(facts=self._described(room))

    async def _asked(self, request: m.AnyRequest) -> m.AnyReply:
        """What is asked of one share. What the room refuses is a `ShareError`."""
        room = self._room(getattr(request, "session", ""))
        try:
            return await self._do(room, request)
        except RefusedError as refused:
            raise ShareError(str(refused)) from refused

    async def _do(self, room: SharedRoom, request: m.AnyRequest) -> m.AnyReply:
        match request:
            case s.Invite():
                self.shares.listed.allow_role(room.share, request.role)
                invite = await room.invite(
                    request.role, seconds=min(request.expires, LONGEST), max_uses=request.max_uses, code=request.code,
                    approve=request.approve,
                )  # fmt: skip
                return s.Shared(
                    share=room.share, url="" if invite.code else self._link(room, invite),
                    code=room.secret(invite) if invite.code else "", role=invite.role, expires_at=invite.expires_at,
                    invite=invite.id, session=room.key,
                )  # fmt: skip
            case s.Revoke():
                if request.invite and request.invite not in room.room.invites:
                    raise ShareError(f"there is no invite {request.invite!r}")
                await room.store(room.room.revoke(request.invite))
            case s.Kick():
                await room.store(room.room.remove(_person(room, request.participant), "kicked"))
            case s.Admit():
                person = _person(room, request.participant)
                if not person.pending:
                    raise ShareError(f"{person.name} does not wait")
                self.shares.listed.allow_role(room.share, request.role or person.role)
                await room.store(room.room.admit(person, on=request.on, role=request.role))
            case s.SetRole():
                person = _person(room, request.participant)
                self.shares.listed.allow_role(room.share, request.role)
                await room.store(room.room.set_role(person, request.role, hands=request.hands))
            case s.Say():
                await room.store(Change(drafts=[room.room.owner_says(request.text)]))
            case s.CancelPrompt():
                room.guests.cancel(request.item)
            case s.MovePrompt():
                room.guests.move(request.item, request.position)
            case s.PauseQueue():
                room.guests.pause(request.on)
            case s.ReadShare():
                events = await self.shares.store.read(room.share, request.since, min(request.count, 1000))
                return self._events(room, events)
        return m.Done(session=room.key)

    def _room(self, name: str) -> SharedRoom:
        """The share of a session, by any name of it. Raises `ShareError`."""
        for room in self.shares.rooms.values():
            session = self._roster.sessions.get(room.key)
            names = {room.key, room.share, room.room.facts.provider_session, room.key.partition(":")[2]}
            if session is not None:
                names |= {session.info.name, session.info.resume_id}
            if name and name in names:
                return room
        raise ShareError(f"session {name} is not shared" if name else "nothing is shared")

    # ── what its owner is told ─────────────────────────────────────────────────────────────────

    def _server(self, room: SharedRoom) -> str:
        return next(iter(self.shares.listed.servers(room.share)), "local")

    def _described(self, room: SharedRoom) -> s.ShareFacts:
        link = self._link(room, room.room.own_invite(code=False))
        return described(room, self._roster.sessions.get(room.key), self._server(room), link)

    def _tell_soon(self, room: SharedRoom) -> None:
        if self._following:
            self._to_tell.add(room.share)
            if self._telling is None:
                self._telling = asyncio.get_running_loop().call_later(RETELL, self._tell)

    def _tell(self) -> None:
        self._telling = None
        shares, self._to_tell = self._to_tell, set()
        for share in shares & self.shares.rooms.keys():
            told = s.ShareTold(facts=self._described(self.shares.rooms[share]))
            for peer in self._followers(share):
                peer.send(told)

    def _told(self, room: SharedRoom, events: Sequence[v.Envelope]) -> None:
        followers = self._followers(room.share)
        if followers:
            told = self._events(room, events)
            for peer in followers:
                peer.send(told)

    def _followers(self, share: str) -> list[Peer]:
        return [peer for peer, shares in self._following.items() if share in shares or "" in shares]

    def _events(self, room: SharedRoom, events: Sequence[v.Envelope]) -> s.ShareEvents:
        told = []
        for event in events:
            body = msgspec.json.decode(event.d)
            person = room.room.people.get(event.by)
            told.append(
                s.ShareEvent(
                    seq=event.seq, kind=event.t, at=event.ts, by=event.by,
                    name=person.name if person is not None else event.by,
                    text=str(body.get("text", body.get("state", ""))),
                )
            )  # fmt: skip
        return s.ShareEvents(share=room.share, session=room.key, events=tuple(told))


def _person(room: SharedRoom, name: str) -> Person:
    """Somebody by id, or by a name that only one has. Raises `ShareError`."""
    here = room.room.here
    found = [p for p in here if p.id == name] or [p for p in here if p.name.casefold() == name.casefold()]
    if len(found) != 1:
        raise ShareError(f"nobody here is called {name!r}" if not found else f"{len(found)} are called {name!r}")
    return found[0]
