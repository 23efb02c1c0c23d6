"""How long until the last byte: unshare, kick, revoke, an edited list, panic; and from `share` to the link.

    python -m tests.bench.bench_share_end [ROUNDS]

A real hub with a session that prints all the time, the real gateway, and a viewer at its socket.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from agentdeck.config import Config
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.bench.measure import table
from tests.gateway.conftest import World

NOISE = "while :; do date; sleep 0.02; done"


async def ended(world: World, session: str, how: Callable[[], Awaitable[object]]) -> float:
    """Share, let somebody in, end it; return seconds from the wish to the last byte that the viewer got."""
    guest = await world.join(await world.share(session), "ana")
    await guest.until(lambda: len(guest.of("screen")) > 5)
    began = time.monotonic()
    await how()
    await guest.until(lambda: guest.reader is not None and guest.reader.done())
    return time.monotonic() - began


async def measure(rounds: int) -> tuple[list[list[object]], list[list[object]]]:
    with tempfile.TemporaryDirectory(prefix="adb-") as root:
        base = Path(root)
        paths = Paths(state=base / "s", run=base / "s" / "run", config=base / "c" / "config.toml", cache=base / "k")
        async with Hub(paths, Config()) as hub:
            client = await HubClient.over(await hub.connect(), kind="bench")
            world = World(hub, client, paths, base)
            session = await world.start("/bin/sh", "-c", NOISE)

            async def edit() -> None:
                world.allowlist.unlink()

            ways: dict[str, Callable[[], Awaitable[object]]] = {
                "unshare": lambda: client.ask(s.Unshare(session=session), m.Done),
                "kick": lambda: client.ask(s.Kick(session=session, participant="ana"), m.Done),
                "revoke": lambda: client.ask(s.Revoke(session=session), m.Done),
                "list deleted": edit,
                "panic": lambda: client.ask(s.Panic(), m.Done),
            }
            ends: list[list[object]] = []
            for name, way in ways.items():
                took = []
                for _ in range(rounds):
                    took.append(await ended(world, session, way))
                    await client.ask(s.Unshare(session=""), m.Done)
                ends.append([name, 1000 * min(took), 1000 * max(took)])
            links: list[list[object]] = []
            for name in ("gateway cold", "gateway warm"):
                began = time.monotonic()
                await client.ask(s.AllowRepository(path=str(base)), m.Done)
                await client.ask(s.Share(session=session), s.Shared)
                links.append([name, time.monotonic() - began])
            await client.ask(s.Unshare(session=""), m.Done)
            for live in tuple(hub.roster.running):
                await hub.roster.stop(live, 0.2)
            await client.close()
        return ends, links


def main() -> None:
    ends, links = asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
    table("milliseconds until the last byte", ("way", "best", "worst"), ends)
    table("seconds from share to the link", ("", "s"), links)


if __name__ == "__main__":
    main()
