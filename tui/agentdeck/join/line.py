"""The line to a shared session: dials, listens, says, and mends itself until the share is over for us.

Whatever the network does, every durable message is taken once: after a reconnect we say what we have, and what we had
said without hearing that it was taken is said again under the same key.
"""

import asyncio
import contextlib
import math
import random
import secrets
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from agentdeck.join import farewell
from agentdeck.join.cells import SharedScreen
from agentdeck.join.door import Pass
from agentdeck.join.farewell import Ending
from agentdeck.join.room import Room, fold, remark
from agentdeck.protocol import viewers as v
from agentdeck.protocol.screen import Frame

DELAYS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each next dial; the last one for all that follow."""
PATIENCE: Final = 4
"""Dials for which a server that knows nothing of us may just have been started anew."""
ALIVE: Final = 10.0
"""Seconds between two signs of life, and for the answer to one."""
BIGGEST: Final = 8 * 1024 * 1024
LASTING: Final = frozenset({"chat", "command", "cancel"})
"""What is said again after a reconnect, because somebody meant it to arrive. An interrupt is for now: minutes later it
would end another turn.
"""
GRACE: Final = 5.0
"""Seconds after the end of the share in which its owner may still say so."""
AGAIN: Final = ("UNAVAILABLE", "RATE_LIMITED")
"""Refusals that pass: after as many seconds as they say, at most `LATEST`."""
LATEST: Final = 60.0
UNSAID: Final = 50
"""Messages that may wait for the line."""


@dataclass(frozen=True, slots=True)
class State:
    """Of the line."""

    up: bool = False
    tries: int = 0
    """Dials that failed since it was up."""
    next_at: float = 0.0
    """When the next dial is, in monotonic time."""
    why: str = ""
    since: float = 0.0
    """When it was up last, in unix time; 0: never."""


class Line:
    """`on_room` is told of every change, `on_frame` of what to draw, `on_word` of what became of our messages."""

    def __init__(
        self, way: Pass, *, on_room: Callable[[], None], on_frame: Callable[[Frame], None],
        on_word: Callable[[str, str], None], width: Callable[[str], int] = len,
        delays: tuple[float, ...] = DELAYS,
    ) -> None:  # fmt: skip
        joined = way.joined
        self.room = Room(
            share=joined.share, me=joined.participant, name=joined.name, role=joined.role, words=joined.words,
            expires_at=joined.expires_at,
        )  # fmt: skip
        self.state = State()
        self.screen = SharedScreen(joined.share, width)
        self.over: Ending | None = None
        self._way = way
        self._on_room, self._on_frame, self._on_word = on_room, on_frame, on_word
        self._delays = delays
        self._socket: ClientConnection | None = None
        self._unsaid: dict[str, bytes] = {}
        self._leaving = False
        self._hurry = asyncio.Event()

    # ── saying ─────────────────────────────────────────────────────────────────────────────────

    @property
    def unsaid(self) -> int:
        """Messages that the server has not taken yet."""
        return len(self._unsaid)

    @property
    def unsent(self) -> tuple[str, ...]:
        """The words and prompts among them."""
        return tuple(text for message in self._unsaid.values() if (text := _text_of(message)))

    def say(self, kind: str, **body: object) -> bool:
        """Send something; what is meant to arrive waits for the line, the rest is only for now.

        Returns whether it was sent or waits.
        """
        key = secrets.token_hex(8) if kind in LASTING or kind in ("name", "resume") else ""
        message = msgspec.json.encode({"t": kind, "id": key, "d": body})
        if kind in LASTING:
            if len(self._unsaid) >= UNSAID:
                self._on_word("too much waits for the line already", "warning")
                return False
            self._unsaid[key] = message
        self._send(message)
        self._on_room()
        return self.state.up or kind in LASTING

    def _send(self, message: bytes) -> None:
        if self._socket is not None and self.state.up:
            socket = self._socket
            task = asyncio.get_running_loop().create_task(self._deliver(socket, message))
            task.add_done_callback(lambda done: done.exception())

    @staticmethod
    async def _deliver(socket: ClientConnection, message: bytes) -> None:
        with contextlib.suppress(ConnectionClosed):
            await socket.send(message.decode())

    def dial_now(self) -> None:
        """Do not wait any longer."""
        self._hurry.set()

    async def leave(self) -> None:
        """End the line from this side."""
        self._leaving = True
        self._hurry.set()
        if self._socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._socket.close()

    # ── being there ────────────────────────────────────────────────────────────────────────────

    async def run(self) -> Ending | None:
        """Be there until it is over: returns why, None when we left. Raises `UsageError` for unusable certificates."""
        tries = 0
        while not self._leaving:
            ended = await self._once()
            if self._leaving:
                break
            was_up, since = self.state.up, time.time() if self.state.up else self.state.since
            self.state = State(tries=tries, why=ended.text, since=since)
            tries = 1 if was_up else tries + 1
            known = self.room.here and ended.code in farewell.TRANSIENT and tries < PATIENCE
            if not ended.again and not known:
                self.over = ended
                self._on_room()
                return ended
            if self._time_left() <= 0:
                self.over = farewell.outlived(since)
                return self.over
            await self._wait(tries, ended)
        return None

    def _time_left(self) -> float:
        """Seconds until the share is over for sure, whoever can be reached."""
        ends = self.room.expires_at
        return ends + GRACE - time.time() if ends else math.inf

    async def _wait(self, tries: int, ended: Ending) -> None:
        delay = self._delays[min(tries, len(self._delays)) - 1] * random.uniform(0.75, 1.25)
        delay = min(delay, max(0.0, self._time_left()))
        self.state = replace(self.state, tries=tries, next_at=time.monotonic() + delay, why=ended.text)
        self._on_room()
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), delay)

    async def _once(self) -> Ending:
        """Dial once and listen until the line ends."""
        try:
            async with connect(
                self._way.socket,
                additional_headers={"authorization": f"Bearer {self._way.joined.token}"},
                subprotocols=[v.SUBPROTOCOL],  # type: ignore[list-item]
                ssl=self._way.tls, open_timeout=ALIVE, close_timeout=1.0, ping_interval=ALIVE, ping_timeout=ALIVE,
                max_size=BIGGEST, proxy=None if self._way.direct else True, compression=None,
            ) as socket:  # fmt: skip
                self._socket = socket
                return await self._listen(socket)
        except InvalidStatus as error:
            return farewell.ending(v.CODE["FORBIDDEN"].close if error.response.status_code == 403 else None)
        except ssl.SSLCertVerificationError:
            return Ending("", True, "another certificate answers there, which is not trusted")
        except (OSError, InvalidHandshake, ConnectionClosed, EOFError) as error:
            reason = str(error) or type(error).__name__
            return Ending("", True, "nobody answers" if isinstance(error, OSError) else f"the line broke: {reason}")
        finally:
            self._socket = None

    async def _listen(self, socket: ClientConnection) -> Ending:
        room = self.room
        said: v.Ended | None = None
        self.screen.lost = False
        hello = v.Auth(since=room.last_seq, epoch=room.epoch)
        try:
            await socket.send(msgspec.json.encode({"t": "auth", "d": hello}).decode())
            async for message in socket:
                told = _envelope(message)
                if told is None:
                    continue
                if told.t == "ended":
                    said = fold(self.room, told, time.time()).ended
                self._take(told)
        except ConnectionClosed:
            pass
        except asyncio.CancelledError:
            await socket.close()  # or the library tells the other side of an internal error
            raise
        return farewell.ending(socket.close_code, said)

    def _take(self, told: v.Envelope) -> None:
        before = self.room
        self.room = fold(before, told, time.time())
        if told.t in ("screen", "snapshot"):
            self._draw(told)
            if told.t == "screen":
                return
        if told.t == "snapshot":
            self._arrived()
        elif told.t == "waiting":
            self.state = State(up=True)
        elif told.t in ("echo", "error"):
            self._settled(told)
        elif told.t == "role" and (before.role, before.hands) != (self.room.role, self.room.hands):
            hands = " and may press keys" if self.room.hands else ""
            self._on_word(f"you are {self.room.role} now{hands}", "warning")
        if self.room is not before or told.t in ("snapshot", "waiting", "echo", "error"):
            self._on_room()

    def _arrived(self) -> None:
        """The room is ours again: say what nobody has taken yet."""
        self.state = State(up=True)
        for message in self._unsaid.values():
            self._send(message)

    def _draw(self, told: v.Envelope) -> None:
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            if told.t == "screen":
                drawn: v.Screen | None = msgspec.json.decode(told.d, type=v.Screen)
            else:
                drawn = msgspec.json.decode(told.d, type=v.Snapshot).screen
            if drawn is None:
                return
            lost = self.screen.lost
            if (frame := self.screen.take(drawn)) is not None:
                self._on_frame(frame)
            elif self.screen.lost and not lost:
                self._send(msgspec.json.encode({"t": "resync", "d": {}}))

    def _settled(self, told: v.Envelope) -> None:
        """One of our messages was taken or refused."""
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            if told.t == "error":
                self._refused(msgspec.json.decode(told.d, type=v.Problem))
                return
            echo = msgspec.json.decode(told.d, type=v.Echo)
            self._unsaid.pop(echo.ref, None)
            if echo.position:
                place = "next" if echo.position == 1 else f"number {echo.position}"
                self._on_word(f"your prompt is {place} in the queue", "info")

    def _refused(self, problem: v.Problem) -> None:
        """Say it again later if that is the advice; else hand what was written back."""
        message = self._unsaid.get(problem.ref)
        later = problem.retry_after if problem.code in AGAIN else None
        if message is not None and later is not None:
            wait = min(max(1.0, later), LATEST)
            self._on_word(f"{problem.text}; it is said again in {wait:.0f} s", "warning")
            asyncio.get_running_loop().call_later(wait, self._again, problem.ref)
            return
        self._unsaid.pop(problem.ref, None)
        self._on_word(problem.text, "warning")
        if message is not None and (text := _text_of(message)):
            self.room = remark(self.room, f"not sent: {text}", time.time())

    def _again(self, key: str) -> None:
        if (message := self._unsaid.get(key)) is not None:
            self._send(message)


def _text_of(message: bytes) -> str:
    return str(msgspec.json.decode(message)["d"].get("text", ""))


def _envelope(message: str | bytes) -> v.Envelope | None:
    try:
        return msgspec.json.decode(message, type=v.Envelope)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
