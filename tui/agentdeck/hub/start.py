"""Starting a session's holder, and saying in plain words why one did not start."""

import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from agentdeck.errors import MissingDirectoryError, SpawnError, UsageError
from agentdeck.paths import make_private

START_DEADLINE: Final = 15.0
"""Seconds for a fresh holder on a loaded machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderSpec:
    id: str
    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    """The program's whole environment; nothing is inherited."""
    cols: int
    rows: int
    spare: tuple[str, ...] = ()
    """Parts of command lines of daemons that a stop must not end."""


async def start_holder(spec: HolderSpec, run: Path) -> None:
    """Start a session's holder and wait until its program runs and its socket listens.

    Raises `MissingDirectoryError` or `UsageError` about the directory, `SpawnError` about everything else.
    """
    make_private(run)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)
    with ours:
        with theirs:
            try:
                process = _popen(spec.id, theirs)
            except OSError as error:
                raise SpawnError(f"the session's holder did not start: {error.strerror}") from error
        try:
            orders = {**asdict(spec), "run": os.fspath(run), "path": _import_path()}
            text = await asyncio.wait_for(_exchange(ours, json.dumps(orders).encode("ascii")), START_DEADLINE)
        except TimeoutError:
            raise SpawnError(f"the session's holder did not start within {START_DEADLINE:.0f} s") from None
        finally:
            process.kill()  # only the launcher, which has left already unless something is very wrong
            process.wait()
    _check(text)


def _popen(session: str, standard: socket.socket) -> "subprocess.Popen[bytes]":
    script = Path(__file__).parent.parent / "holder" / "boot.py"
    env = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-X", "utf8", os.fspath(script), session],
        stdin=standard.fileno(),
        stdout=standard.fileno(),
        stderr=standard.fileno(),
        cwd="/",
        env=env,
        start_new_session=True,
        close_fds=True,
    )


def _import_path() -> list[str]:
    """Where a holder finds agentdeck and pexpect: it is started without site packages."""
    places = [os.fspath(Path(__file__).parent.parent.parent)]
    for name in ("pexpect", "ptyprocess"):
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            places.append(os.fspath(Path(found.origin).parent.parent))
    return list(dict.fromkeys(places))


async def _exchange(connection: socket.socket, orders: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answer = b""
    with contextlib.suppress(ConnectionError, BrokenPipeError):
        await loop.sock_sendall(connection, orders)
        connection.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionError):
        while data := await loop.sock_recv(connection, 65536):
            answer += data
    return answer


def _check(text: bytes) -> None:
    try:
        answer = json.loads(text)
        kind, words, path = answer["kind"], answer.get("text", ""), answer.get("path", "")
    except (ValueError, KeyError, TypeError):
        lines = text.decode("utf-8", "replace").strip().splitlines()
        raise SpawnError(f"the session's holder failed: {lines[-1] if lines else 'it said nothing'}") from None
    match kind:
        case "":
            return
        case "missing directory":
            raise MissingDirectoryError(path)
        case "directory":
            raise UsageError(words, hint="give --cwd a directory that you may enter")
        case _:
            raise SpawnError(words)
