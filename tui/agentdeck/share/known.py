"""Which secrets a session is known to have: in its environment, in `.env` files where it works, and our own.

Read again when a file changed. Values are kept in memory only, for as long as the session is shared.
"""

import os
import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from agentdeck.share.redact import Redactor, secrets_in, secrets_in_file

LARGEST: Final = 256 * 1024
"""Bytes of a `.env` file that is read."""

_ENV_FILE: Final = re.compile(r"\.env(\..+)?|\.envrc")
_EXAMPLE: Final = re.compile(r".*\.(example|sample|template|dist)$")


def repository_of(directory: str) -> str:
    """The root of the repository that a directory is in, or the directory itself."""
    place = Path(directory)
    for candidate in (place, *place.parents):
        if (candidate / ".git").exists():
            return str(candidate)
    return str(place)


def env_files(directory: str) -> list[Path]:
    """The `.env` files where a session works and at the root of its repository."""
    found = []
    for place in dict.fromkeys((directory, repository_of(directory))):
        try:
            names = os.listdir(place)
        except OSError:
            continue
        found += [
            Path(place, name) for name in sorted(names) if _ENV_FILE.fullmatch(name) and not _EXAMPLE.fullmatch(name)
        ]
    return found


def marks_of(files: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """What changes when one of the files does."""
    marks = []
    for file in files:
        try:
            found = file.stat()
        except OSError:
            continue
        marks.append((str(file), found.st_mtime_ns, found.st_size))
    return tuple(marks)


def environment_of(pid: int) -> dict[str, str]:
    """The environment that a program was started with, where the system tells."""
    try:
        data = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (part.partition(b"=") for part in data.split(b"\0") if b"=" in part)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def redactor(
    environments: Iterable[Mapping[str, str]], directory: str, own: Iterable[str], env: Mapping[str, str]
) -> Redactor:
    """`own`: secrets of ours; `env`: the environment of this process, which also names the person."""
    values, everywhere = list(own), [env, *environments]
    for environment in everywhere[1:]:
        values += secrets_in(environment.items())
    for file in env_files(directory):
        try:
            if file.stat().st_size <= LARGEST:
                values += secrets_in_file(file.read_text("utf-8", "replace"))
        except OSError:
            continue
    return Redactor(
        values,
        homes=[each.get("HOME", "") for each in everywhere],
        users=[each.get(name, "") for each in everywhere for name in ("USER", "LOGNAME")],
        host=socket.gethostname(),
    )
