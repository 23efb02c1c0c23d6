"""The gateway's line to the hub: what it pushes, and questions that wait for their answers.

The hub connects to us, because it comes and goes more often: a newer hub takes the place of the older. While none is
there, nobody new gets in and nothing is asked; those who watch keep what they have.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable
from typing import Final, TypeVar, cast

import msgspec

from agentdeck.errors import ProtocolError
from agentdeck.protocol import gateway as g
from agentdeck.protocol.wire import Decoder, encode
from agentdeck.share.refusal import RefusedError

PATIENCE: Final = 10.0
"""Seconds for an answer."""

T = TypeVar("T")


class Line(asyncio.Protocol):
    """One connection of a hub."""

    def __init__(self, take: "Callable[[Line, g.FromHub], None]", lost: "Callable[[Line], None]") -> None:
        self._take = take
        self._lost = lost
        self._decoder: Decoder[g.FromHub] = Decoder(g.FromHub)
        self._transport: asyncio.Transport | None = None

    def send(self, message: g.FromGateway) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(message))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not of asyncio's classes

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._decoder.feed(data):
                self._take(self, message)
        except ProtocolError as error:
            logging.getLogger(__name__).warning("the hub is not understood: %s", error)
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._lost(self)


class Hub:
    """Whoever is our hub now."""

    def __init__(self) -> None:
        self.line: Line | None = None
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[g.Answer]] = {}

    def send(self, message: g.FromGateway) -> None:
        if self.line is not None:
            self.line.send(message)

    async def ask(self, make: Callable[[int], g.AskJoin | g.AskCode | g.AskLog | g.Wants], kind: type[T]) -> T:
        """Raises `RefusedError`: what the hub said, or that it is away."""
        if self.line is None:
            raise RefusedError("UNAVAILABLE", "the owner is offline", retry_after=5.0)
        number = next(self._ids)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self.line.send(make(number))
            answer = await asyncio.wait_for(waiting, PATIENCE)
        except TimeoutError:
            raise RefusedError("UNAVAILABLE", "the owner does not answer", retry_after=5.0) from None
        finally:
            self._waiting.pop(number, None)
        if answer.problem is not None:
            problem = answer.problem
            raise RefusedError(problem.code, problem.text, ref=problem.ref, retry_after=problem.retry_after)
        return msgspec.json.decode(answer.body, type=kind)

    def answered(self, answer: g.Answer) -> None:
        waiting = self._waiting.get(answer.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def gone(self) -> None:
        self.line = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(
                    g.Answer(id=0, problem=RefusedError("UNAVAILABLE", "the owner is offline", retry_after=5.0).problem)
                )
