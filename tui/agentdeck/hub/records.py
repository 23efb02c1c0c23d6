"""What is remembered of a session on disk, so that a hub that starts later finds it again.

One small JSON file per session beside its holder's socket, written whole and renamed into place. It holds no
environment and no output: both can contain secrets.
"""

import contextlib
import os
import re
from collections.abc import Container
from pathlib import Path
from typing import Final

import msgspec

from agentdeck.holder.record import EXIT_SUFFIX
from agentdeck.protocol.messages import Session

_SESSION_FILE: Final = re.compile(r"[0-9a-f]{8}\.(?:json|sock)")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    session: Session
    clipboard: bool | None = None
    """Whether the program may set the clipboard; None when nobody was asked yet."""
    args: tuple[str, ...] = ()
    """The person's own arguments: a restart gives them again."""
    argv: tuple[str, ...] = ()
    """A whole command line that replaced the provider's."""


def stray(session: str) -> Record:
    """A record for a holder that was found without one, because the run directory was cleaned."""
    return Record(session=Session(id=session, name=session, provider="unknown", cwd="/", argv=(), pid=0))


def save(run: Path, record: Record) -> None:
    """Write a record atomically. Raises `OSError` when the disk is full; the old record is then intact."""
    path = run / f"{record.session.id}.json"
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with open(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb"
        ) as file:
            file.write(msgspec.json.encode(record))
        temporary.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def load(run: Path, *, known: Container[str]) -> list[Record]:
    """Return a record of every session in `run` that is not `known`.

    One whose record is missing or broken is still found by its holder's socket.
    """
    names = {name.rpartition(".")[0] for name in _names(run) if _SESSION_FILE.fullmatch(name)}
    found = []
    for name in sorted(name for name in names if name not in known):
        try:
            found.append(msgspec.json.decode((run / f"{name}.json").read_bytes(), type=Record))
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            if (run / f"{name}.sock").exists():
                found.append(stray(name))
    return found


def _names(run: Path) -> list[str]:
    try:
        return os.listdir(run)
    except OSError:
        return []


def forget(run: Path, session: str) -> None:
    for suffix in (".json", EXIT_SUFFIX, ".sock"):
        with contextlib.suppress(OSError):
            (run / f"{session}{suffix}").unlink()
