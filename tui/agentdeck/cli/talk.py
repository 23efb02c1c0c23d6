"""From a command to the hub and back: one connection, one question, one answer."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from agentdeck.hub.client import HubClient
from agentdeck.paths import locate
from agentdeck.protocol import messages as m

T = TypeVar("T")


def with_hub(work: Callable[[HubClient], Awaitable[T]], *, start: bool = True) -> T:
    """Run `work` with a client of the hub, which is started if need be and `start` allows it."""

    async def talk() -> T:
        async with await HubClient.connect(locate(), start=start) as client:
            return await work(client)

    return asyncio.run(talk())


def tell(ref: str, request: Callable[[str], m.AnyRequest]) -> tuple[m.Session, m.Done]:
    """Find the session that `ref` means and send it the request made for its id."""

    async def work(client: HubClient) -> tuple[m.Session, m.Done]:
        session = await client.resolve(ref)
        return session, await client.ask(request(session.id), m.Done)

    return with_hub(work)


def find(refs: Sequence[str]) -> list[m.Session]:
    """The sessions that `refs` mean, in their order; all of them when none is named."""

    async def work(client: HubClient) -> list[m.Session]:
        if not refs:
            return list((await client.ask(m.List(), m.Sessions)).sessions)
        return [await client.resolve(ref) for ref in refs]

    return with_hub(work)


def environment() -> dict[str, str]:
    """What a session inherits: the environment of whoever starts it, not the hub's."""
    return dict(os.environ)
