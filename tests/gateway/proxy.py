"""A proxy as people put before the gateway: it speaks TLS to the world and plain HTTP to loopback, keeps the `Host`,
buffers nothing, and says for whom it asks."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.client = "203.0.113.7"
        """Whom it names as its client."""
        self.host = ""
        """What it puts in place of the `Host`; empty: it keeps it."""
        self.says = True
        """Whether it names its client at all."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks: set[asyncio.Task[None]] = set()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
            far_writer.write(self._rewritten(head))
            tasks = {
                asyncio.create_task(self._pass(reader, far_writer)),
                asyncio.create_task(self._pass(far_reader, writer)),
            }
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            far_writer.close()
        for task in tasks:
            task.cancel()
        writer.close()

    def _rewritten(self, head: bytes) -> bytes:
        first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        headers = [line.partition(b":") for line in lines]
        kept, before = [], ""
        upgrades = any(name.lower() == b"upgrade" for name, _, _ in headers)
        for name, _, value in headers:
            if name.lower() == b"x-forwarded-for":
                before = f"{value.decode().strip()}, "
            elif name.lower() == b"host" and self.host:
                kept.append(b"Host: " + self.host.encode())
            elif name.lower() != b"connection" or upgrades:
                kept.append(name + b":" + value)
        if self.says:
            kept.append(f"X-Forwarded-For: {before}{self.client}".encode())
        if not upgrades:
            kept.append(b"Connection: close")  # so that it sees the head of every request
        return b"\r\n".join([first, *kept]) + b"\r\n\r\n"

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def proxied(host: str, context: ssl.SSLContext) -> AsyncIterator[Proxy]:
    """A proxy at an address of this machine. Its upstream is set when that is known."""
    proxy = Proxy(0)
    server = await asyncio.start_server(proxy.serve, host, 0, ssl=context)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
