"""The gateway as a service: uvicorn with our two protocols, and the socket at which the hub finds us."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path
from typing import Final

import uvicorn

from agentdeck.gateway.guards import Guards
from agentdeck.gateway.house import House
from agentdeck.gateway.routes import build
from agentdeck.gateway.socket import Sockets
from agentdeck.gateway.wire import BODY_LIMIT, Door, Wire
from agentdeck.share.meeting import SOCKET

GOODBYE: Final = 0.3
"""Seconds for the last words to leave."""


class Server(uvicorn.Server):
    """uvicorn's, saying when it can be reached."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


async def serve(
    run: Path, listeners: list[socket.socket], url: str, origins: frozenset[str], hosts: frozenset[str], cert: str,
    key: str,
) -> int:  # fmt: skip
    """Answer at `listeners` until the hub says that nothing is shared any more, or a signal comes."""
    house = House(url, origins, hosts, pid=os.getpid())
    config = uvicorn.Config(
        Guards(build(house, secure=bool(cert)), Sockets(house), house),
        http=Door, ws=Wire, loop="none", lifespan="off", log_config=None, log_level="warning", access_log=False,
        proxy_headers=False, server_header=False, date_header=True, ws_max_size=BODY_LIMIT,
        ws_per_message_deflate=False, ws_ping_interval=20.0, ws_ping_timeout=20.0, timeout_keep_alive=20,
        timeout_graceful_shutdown=1, backlog=1024, h11_max_incomplete_event_size=BODY_LIMIT,
        ssl_certfile=cert or None, ssl_keyfile=key or None,
    )  # fmt: skip
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=listeners))
    await asyncio.wait([serving, asyncio.create_task(server.up.wait())], return_when=asyncio.FIRST_COMPLETED)
    control = await asyncio.get_running_loop().create_unix_server(house.line, sock=control_socket(run))
    ended = asyncio.create_task(house.ended.wait())
    await asyncio.wait([serving, ended], return_when=asyncio.FIRST_COMPLETED)
    with contextlib.suppress(OSError):
        (run / SOCKET).unlink()
    control.close()
    await asyncio.sleep(GOODBYE)
    server.should_exit = True
    ended.cancel()
    await serving
    return 0


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
