"""What is shared at all: a file that a person can read, edit and delete, and that is believed only while it is safe.

A missing file means that nothing is shared. A file that is broken, not ours, a link or open to others also means that
nothing is shared, and says so: sharing fails closed. `Guard` looks at the file's identity before every batch that
leaves, so that ending a share never depends on a notification.
"""

import contextlib
import os
import stat
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from agentdeck.errors import AllowlistError
from agentdeck.paths import make_private

VERSION: Final = 1
SIZE_LIMIT: Final = 1024 * 1024


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One shared session. Times are unix seconds."""

    path: str
    """Its transcript, empty when it has none."""
    session: str
    """Our id of it, or `provider:id`."""
    share: str
    servers: tuple[str, ...]
    roles: tuple[str, ...]
    repository: str
    shared_at: float
    expires_at: float


class Allowlist(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Annotated[int, Meta(ge=VERSION, le=VERSION)] = VERSION
    sessions: dict[str, Entry] = {}
    """By the CLI's own session id."""
    repositories: dict[str, tuple[str, ...]] = {}
    """Directories that may be shared, by server."""

    def entry_of(self, share: str) -> Entry | None:
        return next((entry for entry in self.sessions.values() if entry.share == share), None)

    def with_entry(self, name: str, entry: Entry) -> "Allowlist":
        return msgspec.structs.replace(self, sessions={**self.sessions, name: entry})

    def without(self, share: str) -> "Allowlist":
        kept = {name: entry for name, entry in self.sessions.items() if entry.share != share}
        return msgspec.structs.replace(self, sessions=kept)

    def allows(self, repository: str, server: str) -> bool:
        return repository in self.repositories.get(server, ())

    def with_repository(self, repository: str, server: str, *, on: bool) -> "Allowlist":
        others = tuple(path for path in self.repositories.get(server, ()) if path != repository)
        listed = {**self.repositories, server: (*others, repository) if on else others}
        return msgspec.structs.replace(self, repositories={name: paths for name, paths in listed.items() if paths})


def parse(data: bytes, path: str) -> Allowlist:
    """Raises `AllowlistError`."""
    try:
        return msgspec.json.decode(data, type=Allowlist)
    except (msgspec.DecodeError, RecursionError) as error:
        raise AllowlistError(path, f"cannot be understood: {error}") from error


def read(path: Path) -> Allowlist:
    """Raises `AllowlistError` for a file that must not be believed. A missing one is an empty list."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return Allowlist()
    except OSError as error:
        why = "is a symbolic link" if path.is_symlink() else f"cannot be read: {error.strerror}"
        raise AllowlistError(str(path), why) from error
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise AllowlistError(str(path), "is no plain file")
        if found.st_uid != os.getuid():
            raise AllowlistError(str(path), "belongs to somebody else")
        if found.st_mode & 0o077:
            raise AllowlistError(str(path), "is open to others: chmod 600 closes it")
        if found.st_size > SIZE_LIMIT:
            raise AllowlistError(str(path), "is too large")
        try:
            data = os.read(fd, SIZE_LIMIT + 1)
        except OSError as error:
            raise AllowlistError(str(path), f"cannot be read: {error.strerror}") from error
    finally:
        os.close(fd)
    _check_directory(path.parent)
    return parse(data, str(path))


def _check_directory(directory: Path) -> None:
    found = directory.stat()
    if found.st_uid != os.getuid():
        raise AllowlistError(str(directory), "belongs to somebody else")
    if found.st_mode & 0o022:
        raise AllowlistError(str(directory), "can be changed by others: chmod 700 closes it")


def write(path: Path, allowlist: Allowlist) -> None:
    """Replace the file at once, readable by its owner only. Raises `AllowlistError`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    text = msgspec.json.format(msgspec.json.encode(allowlist), indent=2) + b"\n"
    try:
        if not path.parent.exists():
            make_private(path.parent)
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with open(fd, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise AllowlistError(str(path), f"cannot be written: {error.strerror}") from error


class Guard:
    """The list as it is at this moment. Looking at an unchanged file costs one `lstat` of it and one of its place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: AllowlistError | None = None
        """Why nothing is shared, when that is not because nobody shared anything."""
        self._seen: object = None
        self._list = Allowlist()

    def now(self) -> Allowlist:
        """Never raises: what cannot be believed is an empty list, and a `problem`."""
        seen = self._look()
        if seen != self._seen:
            try:
                self._list, self.problem = read(self.path), None
            except AllowlistError as error:
                self._list, self.problem = Allowlist(), error
            self._seen = seen
        return self._list

    def _look(self) -> object:
        try:
            file, place = os.lstat(self.path), os.stat(self.path.parent)
        except OSError as error:
            return error.errno
        return (
            file.st_dev, file.st_ino, file.st_mtime_ns, file.st_ctime_ns, file.st_size, file.st_mode, file.st_uid,
            place.st_ino, place.st_mode, place.st_uid,
        )  # fmt: skip
