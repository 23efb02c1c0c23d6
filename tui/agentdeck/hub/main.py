"""The hub as a process: one lifetime lock, one socket, published by renaming.

Exit status 75 says that another hub holds the lock; the client that started this one then simply connects again.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from agentdeck import config as configuration
from agentdeck.config import Config
from agentdeck.errors import HubError
from agentdeck.hub.autostart import ALREADY_RUNNING, locked
from agentdeck.hub.hub import Hub
from agentdeck.hub.listener import bind
from agentdeck.paths import Paths, locate, make_private

GUARD_EVERY: Final = 2.0
"""Seconds between two looks at our socket and at the run directory."""

LONELY: Final = 300.0
"""Seconds without a session and without a client after which a hub ends itself."""

LOG_LIMIT: Final = 1024 * 1024


class Lifetime:
    """The lock that makes this the only hub of this run directory."""

    def __init__(self, run: Path) -> None:
        self._path = run / "hub.lock"
        self._fd = -1

    def take(self) -> bool:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        os.truncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        old, self._fd = self._fd, fd
        if old >= 0:
            os.close(old)
        return True

    def release(self) -> None:
        """Let go before the process ends; only for a hub inside another program."""
        os.close(self._fd)
        self._fd = -1

    def holds(self) -> bool:
        """Whether the lock that we hold is still the file that others would lock."""
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except OSError:
            return False


class Service:
    """Keeps one hub reachable: rebinds when its socket or directory is removed, ends when nobody needs it."""

    def __init__(self, hub: Hub, lifetime: Lifetime) -> None:
        self._hub = hub
        self._lifetime = lifetime
        self._paths = hub.paths
        self._server: asyncio.Server | None = None
        self._inode = -1
        self._lonely_since: float | None = None

    async def run(self) -> None:
        """Stay reachable until the hub is done; `listen` comes first."""
        while not self._hub.done.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hub.done.wait(), GUARD_EVERY)
            if not self._hub.done.is_set():
                await self._guard()
        if self._server is not None:
            self._server.close()
        self._remove_socket()

    async def listen(self) -> None:
        listener = bind(self._paths.hub_socket)
        self._inode = os.stat(self._paths.hub_socket).st_ino
        old, self._server = (
            self._server,
            await asyncio.get_running_loop().create_unix_server(self._hub.protocol, sock=listener),
        )
        if old is not None:
            old.close()

    async def _guard(self) -> None:
        try:
            found = os.stat(self._paths.hub_socket).st_ino
        except OSError:
            found = -1
        if found != self._inode or not self._lifetime.holds():
            with contextlib.suppress(OSError):  # a full or read-only disk: try again at the next look
                await self._mend()
        await self._hub.roster.scan()
        self._hub.approvals.guard()
        self._end_when_lonely()

    async def _mend(self) -> None:
        make_private(self._paths.run)
        if not self._lifetime.holds() and not self._lifetime.take():
            self._hub.done.set()  # another hub was started meanwhile; it has found our holders
            self._inode = -1
            return
        self._hub.roster.save_everything()
        await self.listen()

    def _end_when_lonely(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._hub.roster.sessions or self._hub.peers:
            self._lonely_since = None
        elif self._lonely_since is None:
            self._lonely_since = now
        elif now - self._lonely_since > LONELY:
            with locked(self._paths.run / "start.lock", wait=False) as alone:  # nobody may be starting just now
                if alone and not self._hub.peers:
                    self._remove_socket()
                    self._hub.done.set()

    def _remove_socket(self) -> None:
        with contextlib.suppress(OSError):
            if os.stat(self._paths.hub_socket).st_ino == self._inode:
                self._paths.hub_socket.unlink()


async def serve(paths: Paths) -> int:
    make_private(paths.run)
    lifetime = Lifetime(paths.run)
    if not lifetime.take():
        return ALREADY_RUNNING
    with contextlib.suppress(OSError):
        if paths.hub_log.stat().st_size > LOG_LIMIT:
            os.truncate(paths.hub_log, 0)
    config, problems = configuration.load(paths.config)
    async with Hub(paths, config, tuple(str(problem) for problem in problems)) as hub:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, hub.done.set)
        service = Service(hub, lifetime)
        await service.listen()
        await service.run()
    return 0


@asynccontextmanager
async def inside(paths: Paths, config: Config, problems: tuple[str, ...] = ()) -> AsyncIterator[Hub]:
    """A hub in this process for as long as the block lasts: for `--no-daemon`.

    It takes the same lock and answers at the same socket as the other kind, so that there is one hub and every command
    finds it. Raises `HubError` when there is one already.
    """
    make_private(paths.run)
    lifetime = Lifetime(paths.run)
    if not lifetime.take():
        raise HubError("a hub is already running", hint="agentdeck hub stop ends it; its sessions go on")
    try:
        async with Hub(paths, config, problems) as hub:
            service = Service(hub, lifetime)
            await service.listen()
            serving = asyncio.create_task(service.run())
            try:
                yield hub
            finally:
                hub.done.set()
                await serving
    finally:
        lifetime.release()


def main() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.exit(asyncio.run(serve(locate())))


if __name__ == "__main__":
    main()
