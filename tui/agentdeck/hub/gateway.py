"""The hub's end of the gateway: started with the first share, found again by the next hub, gone with the last share.

It is a process of its own, so that nothing that strangers send can hurt the hub, and viewers survive a hub that is
started anew. When it dies while something is shared, another is started on the same port and told everything again.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Final

import msgspec

from agentdeck.errors import GatewayError, ProtocolError
from agentdeck.paths import Paths
from agentdeck.protocol import gateway as g
from agentdeck.protocol.wire import Decoder, encode
from agentdeck.share.certificate import pin
from agentdeck.share.meeting import ALREADY_RUNNING, SOCKET

START: Final = 20.0
"""Seconds for a gateway to come up, on a machine that is busy."""

LEAVING: Final = 2.0
"""Seconds for which a port may still be held by the gateway before."""

AGAIN: Final = (0.05, 0.5, 2.0, 10.0)
"""Seconds before another is started after one died; the last one from then on."""

FULL: Final = 1024 * 1024
"""Bytes that the gateway has not read yet at which screens wait."""

LOG_LIMIT: Final = 1024 * 1024

STUCK: Final = 20.0
"""Seconds in which a gateway must read on, before it is killed and another is started."""

KEPT: Final = frozenset({"PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV"})
KEPT_LIKE: Final = ("LC_", "PYTHON", "COVERAGE", "SSL_")
"""Of the environment. The rest is the owner's, keys and all, and strangers talk to that process."""


EVERYWHERE: Final = "*"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a gateway listens. Kept on disk, because links name the port."""

    port: int = 0
    lan: str = ""
    """Where other machines come in, besides this one: an address, `EVERYWHERE`, or nowhere."""
    host: str = ""
    """What links for them name; empty: the address that they most likely reach."""
    cert: str = ""
    key: str = ""
    """Empty: the gateway makes a certificate."""
    url: str = ""
    """What a proxy on this machine calls us."""


class Gateway(asyncio.Protocol):
    """`take` gets what it says; `back` is called when it can be told everything again."""

    def __init__(
        self, paths: Paths, take: Callable[[g.FromGateway], None], *, setup: Callable[[], g.Setup],
        back: Callable[[], None], wanted: Callable[[], bool], problem: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.url = ""
        """Where viewers on this machine find it; empty while there is none."""
        self.fingerprint = ""
        """SHA-256 of the certificate that other machines are shown, in hex."""
        self._lan = self._pin = ""
        self.writable = True
        self.on_writable: Callable[[], None] = lambda: None
        self.on_replaced: Callable[[], None] = lambda: None
        """Called when another hub has taken over what is shared."""
        self._paths = paths
        self._take = take
        self._setup = setup
        self._back = back
        self._wanted = wanted
        self._problem = problem
        self._decoder: Decoder[g.FromGateway] = Decoder(g.FromGateway)
        self._transport: asyncio.Transport | None = None
        self._ready: asyncio.Future[g.Ready] | None = None
        self.pid = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = asyncio.Lock()
        self._reviving: asyncio.Task[None] | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self.place = self._remembered()

    # ── its life ───────────────────────────────────────────────────────────────────────────────

    @property
    def connected(self) -> bool:
        return bool(self.url)

    async def ensure(self, place: Place | None = None) -> str:
        """Have a gateway, at another place if that is given; return its address. Raises `GatewayError`."""
        async with self._starting:
            before = self.place
            moves = place is not None and place != before and (self.connected or await self._connect())
            if place is not None and place != before:
                if moves:
                    await self._end(back=True)
                self.place = place
            if not self.connected and not await self._connect():
                try:
                    await self._start(stays=moves and self._wanted())
                except GatewayError:
                    self.place = before
                    if moves and self._wanted():
                        await self._start()
                        self._back()
                    raise
            if moves and self._wanted():
                self._back()
            return self.url

    def base(self, server: str) -> str:
        """Where those who come by `server` find us; this machine's own address where that is not served now."""
        return (self._lan if server == "lan" else server if server == self.place.url else "") or self.url

    def link(self, server: str, share: str, secret: str = "") -> str:
        """The address of a share for those who come by `server`; with a fingerprint where nobody else vouches for us,
        and behind the secret, so that it never leaves whoever has the link."""
        base = self.base(server)
        pin = f".{self._pin}" if self._pin and base == self._lan else ""
        return f"{base}/s/{share}" + (f"#{secret}{pin}" if secret else "")

    async def _start(self, *, stays: bool = False) -> None:
        """Start a process and connect; on another port only when the one that links name is really taken, and never
        when it `stays`."""
        loop = asyncio.get_running_loop()
        deadline, patience = loop.time() + START, loop.time() + LEAVING
        place = self.place
        while loop.time() < deadline:
            process = self._process = self._spawn(place)
            while process.poll() is None and loop.time() < deadline:
                if await self._connect():
                    self._remember(place)
                    return
                await asyncio.sleep(0.02)
            if process.poll() == ALREADY_RUNNING or loop.time() < patience:
                await asyncio.sleep(0.1)  # the one before is still leaving
            elif process.poll() is not None and place.port and not stays:
                place = msgspec.structs.replace(place, port=0)
            else:
                break
        raise GatewayError(f"the gateway did not start{self._last_words()}")

    def _spawn(self, place: Place) -> "subprocess.Popen[bytes]":
        words = ["--run", os.fspath(self._paths.run), "--port", str(place.port)]
        for name in ("lan", "host", "cert", "key", "url"):
            if value := getattr(place, name):
                words += [f"--{name}", value]
        log_path = self._paths.state / "gateway.log"
        with contextlib.suppress(OSError):
            if log_path.lstat().st_size > LOG_LIMIT and not log_path.is_symlink():
                os.truncate(log_path, 0)
        try:
            log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise GatewayError(f"the gateway cannot be started: {log_path.name}: {error.strerror}") from error
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "agentdeck.gateway", *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True, close_fds=True,
                env={name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_LIKE)},
            )  # fmt: skip
        finally:
            os.close(log)

    async def _connect(self) -> bool:
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._decoder = Decoder(g.FromGateway)
        try:
            await loop.create_unix_connection(lambda: self, os.fspath(self._paths.run / SOCKET))
        except OSError:
            return False
        self.send(self._setup())
        try:
            ready = await asyncio.wait_for(self._ready, 5.0)
        except (TimeoutError, ConnectionError):
            self._drop()
            return False
        self.pid = ready.pid
        if ready.version != g.VERSION:  # of an earlier agentdeck
            await self._end()
            return False
        self._reached(ready)
        return True

    def _reached(self, ready: g.Ready) -> None:
        self.url, self._lan, self.fingerprint = ready.url, ready.lan, ready.fingerprint
        self._pin = pin(ready.fingerprint) if ready.self_signed else ""

    async def _end(self, *, back: bool = False) -> None:
        """Make it leave, and wait until its port is free. `back`: its viewers are to come back to the next one, so it
        is not told that nothing is shared any more."""
        pid, transport = self.pid, self._transport
        self.url = ""
        if not back:
            self.send(g.End())
        for number in (0, signal.SIGTERM, signal.SIGKILL)[back:]:
            if number and pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            for _ in range(100):
                if self._process is not None:
                    self._process.poll()
                if not ((back or self._transport is transport) and _alive(pid)):
                    break
                await asyncio.sleep(0.02)
            else:
                continue
            break
        self._drop()

    def leave(self) -> None:
        """The hub ends: the gateway waits for the next one."""
        if self._reviving is not None:
            self._reviving.cancel()
        self._drop()

    async def finish(self) -> None:
        """Nothing is shared any more."""
        async with self._starting:
            if self.connected and not self._wanted():
                self.send(g.End())
                self._drop()

    def cut(self) -> None:
        """End it this instant, whatever it does."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._drop()

    def _drop(self) -> None:
        self.url = ""
        self._unstick()
        if self._transport is not None:
            transport, self._transport = self._transport, None
            transport.close()

    async def _revive(self) -> None:
        for pause in (*AGAIN, *[AGAIN[-1]] * 100):
            await asyncio.sleep(pause)
            if not self._wanted():
                return
            try:
                await self.ensure()
            except GatewayError as error:
                self._problem(str(error))
                continue
            self._back()
            return

    # ── messages ───────────────────────────────────────────────────────────────────────────────

    def send(self, message: g.FromHub) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(message))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=FULL)
        self.writable = True

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._decoder.feed(data):
                if isinstance(message, g.Ready):
                    if self._ready is not None and not self._ready.done():
                        self._ready.set_result(message)
                    elif self.url:
                        self._reached(message)
                elif isinstance(message, g.Replaced):
                    self._drop()
                    self._problem("another hub has taken over what is shared")
                    self.on_replaced()
                else:
                    self._take(message)
        except ProtocolError:
            self._drop()

    def pause_writing(self) -> None:
        self.writable = False
        self._stuck = asyncio.get_running_loop().call_later(STUCK, self._kill_stuck)

    def resume_writing(self) -> None:
        self.writable = True
        self._unstick()
        self.on_writable()

    def _unstick(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _kill_stuck(self) -> None:
        """What waits for it would only grow; viewers come back to the next one. `connection_lost` starts that."""
        self._problem("the gateway hung and was started anew")
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._unstick()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(ConnectionResetError())
        if self._transport is None:
            return  # we let go ourselves
        self._transport, was = None, self.url
        self.url = ""
        if was and self._wanted():
            self._reviving = asyncio.get_running_loop().create_task(self._revive())

    # ── what is remembered ─────────────────────────────────────────────────────────────────────

    def _remembered(self) -> Place:
        try:
            return msgspec.json.decode((self._paths.run / "gateway.json").read_bytes(), type=Place)
        except (OSError, msgspec.DecodeError):
            return Place()

    def _remember(self, place: Place) -> None:
        port = int(self.url.rpartition(":")[2])
        self.place = msgspec.structs.replace(place, port=port)
        with contextlib.suppress(OSError):
            fd = os.open(
                self._paths.run / "gateway.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW,
                0o600,
            )  # fmt: skip
            with open(fd, "wb") as file:
                file.write(msgspec.json.encode(self.place))

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self._paths.state / "gateway.log").read_text("utf-8", "replace").strip().splitlines()
            return f": {lines[-1]}" if lines else ""
        return ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
