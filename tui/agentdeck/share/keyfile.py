"""The key from which the secrets of links are derived: one file, readable by its owner only.

Links are stored as hashes alone. With this key, and the public name of an invite, the same link can be shown again.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import Final

SIZE: Final = 32


def load(path: Path) -> bytes:
    """The key, made if there is none that can be believed. Never raises: one that cannot be kept is good for now."""
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            found, key = os.fstat(fd), file.read(SIZE + 1)
        private = stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
        if private and len(key) == SIZE:
            return key
    key = secrets.token_bytes(SIZE)
    with contextlib.suppress(OSError):
        write(path, key)
    return key


def write(path: Path, data: bytes) -> None:
    """Put a secret into a file that only its owner can read, in place of what was there. Raises `OSError`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)
    temporary.rename(path)
