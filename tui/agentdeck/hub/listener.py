"""A unix socket that appears whole: bound under another name and renamed into place, open to its owner alone."""

import contextlib
import os
import socket
from pathlib import Path


def bind(path: Path) -> socket.socket:
    """Listen at `path`, replacing whatever is there. Only the owner can connect. Raises `OSError`."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    before = os.umask(0o177)
    try:
        listener.bind(os.fspath(temporary))
    finally:
        os.umask(before)
    listener.listen(128)
    temporary.rename(path)
    return listener
