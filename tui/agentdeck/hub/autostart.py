"""Connect to the hub, starting it when there is none: thirty clients at once start exactly one.

The order is what makes it safe: connect; if that fails take `start.lock`; connect *again*; only then start a
hub and wait until it listens. The hub itself holds `hub.lock` for its whole life and publishes its socket by renaming,
so a socket that exists is one that answers, or a leftover that refuses. Lock files are never removed: removing one
lets two processes hold "the" lock.
"""

import asyncio
import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentdeck.errors import HubUnreachableError
from agentdeck.paths import Paths, make_private

CONNECT_DEADLINE = 2.0
"""Seconds; a full accept queue would otherwise block for ever."""

START_DEADLINE = 15.0
"""Seconds for a fresh hub on a loaded machine."""


async def connect(paths: Paths, *, start: bool = True) -> socket.socket:
    """Return a connected socket. Raises `HubUnreachableError`."""
    connection = await _try(paths.hub_socket)
    if connection is not None:
        return connection
    if not start:
        raise HubUnreachableError("no hub is running", hint="any session starts it: agentdeck run shell --detach")
    make_private(paths.run)
    make_private(paths.state)
    return await asyncio.get_running_loop().run_in_executor(None, _start_and_connect, paths)


async def _try(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    connection.setblocking(False)
    try:
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(connection, os.fspath(path)), CONNECT_DEADLINE)
    except (OSError, TimeoutError):
        connection.close()
        return None
    return connection


def _try_now(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    connection.settimeout(CONNECT_DEADLINE)
    try:
        connection.connect(os.fspath(path))
    except OSError:
        connection.close()
        return None
    connection.setblocking(False)
    return connection


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock; yields False when somebody else has it and `wait` is off."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


def _start_and_connect(paths: Paths) -> socket.socket:
    with locked(paths.run / "start.lock"):
        if (connection := _try_now(paths.hub_socket)) is not None:
            return connection
        process = _spawn(paths)
        deadline = time.monotonic() + START_DEADLINE
        pause = 0.005
        while time.monotonic() < deadline:
            if (connection := _try_now(paths.hub_socket)) is not None:
                return connection
            if process.poll() is not None and process.returncode != ALREADY_RUNNING:
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)
    tail = ""
    with contextlib.suppress(OSError):
        lines = paths.hub_log.read_text("utf-8", "replace").strip().splitlines()
        tail = lines[-1] if lines else ""
    raise HubUnreachableError(f"the hub did not start{': ' + tail if tail else ''}", hint=f"its log: {paths.hub_log}")


ALREADY_RUNNING = 75
"""Exit status of a hub that found another one holding `hub.lock` (sysexits' EX_TEMPFAIL)."""


def _spawn(paths: Paths) -> "subprocess.Popen[bytes]":
    log = os.open(paths.hub_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "agentdeck.hub.main"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            close_fds=True,
        )
    finally:
        os.close(log)
