"""One viewer's WebSocket: proves who it is, gets what it lacks, says what it wants, and never holds anybody up."""

import asyncio
import time
from typing import Final

import msgspec

from agentdeck.gateway.guards import Receive, Scope, Send, bearer, cookie, door
from agentdeck.gateway.house import House
from agentdeck.gateway.shared import RECENT, Cursor, Note, SharedSession, framed, note
from agentdeck.gateway.wire import EXTENSION, WAKE, Wire
from agentdeck.protocol import gateway as g
from agentdeck.protocol import viewers as v
from agentdeck.share import tokens
from agentdeck.share.refusal import RefusedError

COOKIE: Final = "agentdeck"

AUTH_DEADLINE: Final = 5.0
"""Seconds for the first message of somebody who came with a cookie."""

STALL: Final = 8.0
"""Seconds in which a connection must take the packet that it was sent."""

CLOSING: Final = 0.7
"""Seconds that the last words get to leave."""

PERSONAL: Final = 50
"""Messages for one viewer alone that wait for a busy connection."""

PAGE: Final = 200
"""Events in one page of the log."""


class Socket:
    """A viewer. Nothing here waits: `serve` is told by the wire when there is something to do."""

    def __init__(self, wire: Wire, shared: SharedSession, grant: g.Grant) -> None:
        self.grant = grant
        self.closing: tuple[str, str] | None = None
        """The code with which it ends, and why."""
        self._wire = wire
        self._shared = shared
        self._cursor = Cursor()
        self._live = False
        self._personal: list[Note] = []
        self._stalled: asyncio.TimerHandle | None = None
        wire.on_drained = self._drained

    def pump(self) -> None:
        while self._live and self.closing is None:
            if self._wire.waiting:
                self._watch_stall()
                return
            packet = self._shared.lacks(self._cursor)
            if packet is None:
                self.end("SLOW_CONSUMER", "more happened than is kept here; come back for it")
                return
            self._cursor = packet.cursor
            if not packet.notes:
                return
            self._wire.write(packet.frames)

    def tell(self, note: Note) -> None:
        if self.closing is not None:
            return
        if self._wire.waiting:
            self._watch_stall()
            if len(self._personal) < PERSONAL:
                self._personal.append(note)
            return
        self._wire.write(framed(note.text))

    def regrant(self, grant: g.Grant) -> None:
        before, self.grant = self.grant, grant
        if before.pending:
            self._wire.wake()
        elif (before.role, before.hands) != (grant.role, grant.hands):
            self.tell(note("role", msgspec.json.encode(v.RoleChanged(role=grant.role, hands=grant.hands))))

    def end(self, code: str, text: str) -> None:
        """Say why and let the connection go; one that does not take what it was sent is cut off."""
        if self.closing is not None:
            return
        self.closing = (code, text)
        if self._wire.waiting:
            self._wire.abort()
        else:
            self._wire.wake()

    def begin(self, cursor: Cursor) -> None:
        """Take part from `cursor` on."""
        self._cursor, self._live = cursor, True
        self.pump()

    def resync(self) -> None:
        self._cursor = self._cursor._replace(tseq=0)
        self.pump()

    def release(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        self._wire.on_drained = None

    def _watch_stall(self) -> None:
        if self._stalled is None:
            self._stalled = asyncio.get_running_loop().call_later(STALL, self._give_up)

    def _drained(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        personal, self._personal = self._personal, []
        for each in personal:
            self.tell(each)
        self.pump()

    def _give_up(self) -> None:
        self._stalled = None
        self.closing = ("SLOW_CONSUMER", "")
        self._wire.abort()


class Sockets:
    """The ASGI application behind `/v1/s/SHARE/ws`."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        wire: Wire = scope["extensions"][EXTENSION]
        protocol = v.SUBPROTOCOL if v.SUBPROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": protocol, "headers": []})
        try:
            if scope["subprotocols"] and protocol is None:
                raise RefusedError("BAD_MESSAGE", f"this server speaks {v.SUBPROTOCOL}")
            code, text = await self._serve(scope, wire, receive)
        except RefusedError as refused:
            code, text = refused.problem.code, str(refused)
        except _GoneError:
            return
        if not wire.disconnected and not wire.close_sent:
            wire.write(framed(note("ended", msgspec.json.encode(v.Ended(code=code, text=text))).text))
            asyncio.get_running_loop().call_later(CLOSING, wire.abort)
            if not wire.waiting:
                await send({"type": "websocket.close", "code": v.CODE[code].close, "reason": code})

    async def _serve(self, scope: Scope, wire: Wire, receive: Receive) -> tuple[str, str]:
        """Serve a viewer until it leaves or is sent away; return the code to close with, and why."""
        program = bearer(scope)
        share = scope["path"].split("/")[3]
        shared, grant = self._house.known(share, program or cookie(scope, COOKIE), address(scope), door(scope))
        auth = await _auth(receive, needed=not program)
        if not program and not tokens.same(tokens.hashed(auth.csrf), grant.csrf):
            raise RefusedError("UNAUTHENTICATED")
        if self._house.hub.line is None:
            raise RefusedError("UNAVAILABLE", "the owner is offline", retry_after=5.0)
        shared, grant = self._house.who(
            share, program or cookie(scope, COOKIE), door(scope)
        )  # it may have changed meanwhile
        socket = Socket(wire, shared, grant)
        self._house.enter(shared, socket)
        try:
            if grant.pending:
                wire.write(framed(_waiting(grant).text))
            while socket.grant.pending and socket.closing is None:
                await _hear(receive)
            if socket.closing is None:
                await self._begin(socket, wire, shared, auth)
            while socket.closing is None:
                text = await _hear(receive)
                if text is not None and socket.closing is None:
                    self._house.budget.spend("message", socket.grant.participant)
                    await self._answer(socket, shared, _decoded(text))
        except _GoneError:
            if socket.closing is None:
                raise
        finally:
            socket.release()
            self._house.leave(shared, socket)
        return socket.closing

    async def _begin(self, socket: Socket, wire: Wire, shared: SharedSession, auth: v.Auth) -> None:
        """Say hello and show what is; bring the log up to where our memory begins. `pump` goes on without a gap."""
        facts = shared.facts
        resumes = auth.epoch == facts.epoch and 0 < auth.since <= shared.last_seq
        since = auth.since if resumes else max(0, shared.last_seq - RECENT)
        now = shared.newest
        wire.write(framed(hello(shared, socket.grant).text) + framed(shared.snapshot().text))
        while since < shared.oldest - 1 and socket.closing is None:
            page = await self._house.log(facts.share, since, PAGE)
            if not page.messages:
                break
            await asyncio.wait_for(wire.writable.wait(), STALL)
            wire.write(b"".join(framed(msgspec.json.encode(event)) for event in page.messages))
            since = page.messages[-1].seq
        socket.begin(now._replace(seq=since))

    async def _answer(self, socket: Socket, shared: SharedSession, sent: v.Sent) -> None:
        """What is wrong with one message is said; the connection goes on."""
        try:
            if sent.t == "resync":
                self._house.budget.spend("resync", socket.grant.participant)
                socket.resync()
                return
            echo = await want(self._house, shared, socket.grant, sent)
        except RefusedError as refused:
            problem = msgspec.structs.replace(refused.problem, ref=sent.id)
            socket.tell(note("error", msgspec.json.encode(problem)))
        else:
            if sent.id:
                socket.tell(note("echo", msgspec.json.encode(echo)))


async def want(house: House, shared: SharedSession, grant: g.Grant, sent: v.Sent) -> v.Echo:
    """Ask the hub for what somebody wants. Raises `RefusedError`."""
    kind = v.BY_NAME.get(sent.t)
    if kind is None or kind.client is None or sent.t in ("auth", "resync"):
        raise RefusedError("BAD_MESSAGE", f"there is no message {sent.t!r}")
    house.budget.spend(sent.t, grant.participant)
    try:
        body = msgspec.json.encode(msgspec.json.decode(sent.d, type=kind.client))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise RefusedError("BAD_MESSAGE", str(error)) from error
    return await house.hub.ask(
        lambda number: g.Wants(
            id=number, share=shared.facts.share, participant=grant.participant, kind=sent.t, key=sent.id,
            body=body,
        ),
        v.Echo,
    )  # fmt: skip


def hello(shared: SharedSession, grant: g.Grant) -> Note:
    facts = shared.facts
    body = v.Hello(
        share=facts.share, epoch=facts.epoch, participant=grant.participant, name=grant.name, role=grant.role,
        session=facts.session, provider=facts.provider, expires_at=facts.expires_at,
        limits={"message": v.MESSAGE_LIMIT, "chat": 4096, "command": 16 * 1024, "keys": 256},
        server_time=time.time(),
    )  # fmt: skip
    return note("hello", msgspec.json.encode(body))


def _waiting(grant: g.Grant) -> Note:
    body = v.Waiting(participant=grant.participant, name=grant.name, words=grant.words)
    return note("waiting", msgspec.json.encode(body))


class _GoneError(Exception):
    """The other side has left."""


async def _hear(receive: Receive) -> bytes | None:
    """The next message; None when it is only time to look around. Raises `_GoneError`, `RefusedError`."""
    event = await receive()
    if event["type"] == WAKE:
        return None
    if event["type"] == "websocket.disconnect":
        raise _GoneError
    text = event.get("text")
    if text is None:
        raise RefusedError("BAD_MESSAGE", "messages are text")
    data: bytes = text.encode("utf-8", "surrogatepass")
    if len(data) > v.MESSAGE_LIMIT:
        raise RefusedError("TOO_LARGE")
    return data


async def _auth(receive: Receive, *, needed: bool) -> v.Auth:
    """The first message. A program with a Bearer also sends it, to say from where it resumes."""
    try:
        async with asyncio.timeout(AUTH_DEADLINE):
            sent = _decoded(await _hear(receive) or b"")
    except TimeoutError:
        raise RefusedError("UNAUTHENTICATED", "the first message did not come") from None
    if sent.t != "auth":
        raise RefusedError("UNAUTHENTICATED" if needed else "BAD_MESSAGE", "the first message must be auth")
    try:
        return msgspec.json.decode(sent.d, type=v.Auth)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RefusedError("BAD_MESSAGE", str(error)) from error


def _decoded(data: bytes) -> v.Sent:
    try:
        return msgspec.json.decode(data, type=v.Sent)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise RefusedError("BAD_MESSAGE", "this is no message") from error


def address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "?"
