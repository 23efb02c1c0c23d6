"""The gateway as a service: uvicorn with our two protocols, and the socket at which the hub finds us."""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from pathlib import Path
from typing import Final

import uvicorn

from agentdeck.errors import AgentdeckError
from agentdeck.gateway import doors
from agentdeck.gateway.guards import Guards
from agentdeck.gateway.house import House
from agentdeck.gateway.routes import build
from agentdeck.gateway.socket import Sockets
from agentdeck.gateway.wire import BODY_LIMIT, Door, Wire
from agentdeck.share.clock import Clock
from agentdeck.share.meeting import SOCKET

GOODBYE: Final = 0.3
"""Seconds for the last words to leave."""

PING: Final = 20.0
"""Seconds between two pings, and for an answer."""

MOVES: Final = 10.0
"""Seconds between two looks at the addresses of this machine."""

RELOAD: Final = 360
"""Looks after which the certificate is read again: it may have been renewed, or end soon."""

TLS_DEADLINE: Final = 10.0
"""Seconds in which a connection must have agreed on its keys."""


def only_our_faults(record: logging.LogRecord) -> bool:
    """What strangers do wrong is not written down: they could fill the disk with it."""
    return record.levelno >= logging.ERROR


class Server(uvicorn.Server):
    """uvicorn's, saying when it can be reached, at two doors: `sealed` listeners speak TLS, and wait for nobody's keys
    for long."""

    def __init__(self, config: uvicorn.Config, sealed: list[socket.socket], context: ssl.SSLContext | None) -> None:
        super().__init__(config)
        self._sealed = sealed
        self._context = context
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        loop, config = asyncio.get_running_loop(), self.config
        for listener in (*(sockets or ()), *self._sealed):
            context = self._context if listener in self._sealed else None
            server = await loop.create_server(
                lambda: Door(config=config, server_state=self.server_state, app_state={}), sock=listener,
                ssl=context, backlog=config.backlog, ssl_handshake_timeout=TLS_DEADLINE if context else None,
            )  # fmt: skip
            self.servers.append(server)
        self.up.set()


async def serve(
    run: Path, wish: doors.Wish, plain: list[socket.socket], sealed: list[socket.socket], now: Clock | None = None
) -> int:
    """Answer at `plain` and `sealed` until the hub says that nothing is shared any more, or a signal comes. Raises
    `UsageError` for a certificate that is no good."""
    port = plain[0].getsockname()[1]
    others = doors.reachable(wish) if sealed else []
    context = doors.tls() if sealed else None
    shown = doors.sealed_by(context, wish, run, others, doors.lasting(others)) if context is not None else None
    house = House(doors.named(wish, port, others), shown, pid=os.getpid(), now=now)
    config = uvicorn.Config(
        Guards(build(house), Sockets(house), house),
        http=Door, ws=Wire, loop="none", lifespan="off", log_config=None, log_level="warning", access_log=False,
        proxy_headers=False, server_header=False, date_header=True, ws_max_size=BODY_LIMIT,
        ws_per_message_deflate=False, ws_ping_interval=PING, ws_ping_timeout=PING, timeout_keep_alive=20,
        timeout_graceful_shutdown=1, backlog=1024, h11_max_incomplete_event_size=BODY_LIMIT,
    )  # fmt: skip
    logging.getLogger("uvicorn.error").addFilter(only_our_faults)
    server = Server(config, sealed, context)
    serving = asyncio.create_task(server.serve(sockets=plain))
    await asyncio.wait([serving, asyncio.create_task(server.up.wait())], return_when=asyncio.FIRST_COMPLETED)
    control = await asyncio.get_running_loop().create_unix_server(house.line, sock=control_socket(run))
    following = asyncio.create_task(follow(house, wish, run, port, context)) if context is not None else None
    ended = asyncio.create_task(house.ended.wait())
    await asyncio.wait([serving, ended], return_when=asyncio.FIRST_COMPLETED)
    with contextlib.suppress(OSError):
        (run / SOCKET).unlink()
    control.close()
    if following is not None:
        following.cancel()
    await asyncio.sleep(GOODBYE)
    server.should_exit = True
    ended.cancel()
    await serving
    return 0


async def follow(house: House, wish: doors.Wish, run: Path, port: int, context: ssl.SSLContext) -> None:
    """Keep names and certificate true while this machine moves from network to network, and days pass."""
    known, looks = await asyncio.to_thread(doors.reachable, wish), 0
    while True:
        await asyncio.sleep(MOVES)
        others, looks = await asyncio.to_thread(doors.reachable, wish), looks + 1
        if others == known and looks % RELOAD:
            continue
        try:
            shown = doors.sealed_by(context, wish, run, others, others[:1])
        except (AgentdeckError, OSError) as error:
            logging.getLogger(__name__).warning("the certificate stays as it was: %s", error)
            continue
        known = others
        house.moved(doors.named(wish, port, others), shown)


def control_socket(run: Path) -> socket.socket:
    """Where the hub connects: it appears by renaming, so that one that exists is one that answers."""
    temporary = run / f"{SOCKET}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    listener.bind(os.fspath(temporary))
    listener.listen(8)
    temporary.rename(run / SOCKET)
    return listener
