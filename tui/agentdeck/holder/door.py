"""The socket at which a holder is found: only its owner can enter, and it comes back when it is removed."""

import contextlib
import os
import socket
import struct
import sys
from typing import Final

_MAC_PEERCRED: Final = 1


def peer_uid(connection: socket.socket) -> int:
    """Return who is at the other end of a unix socket, as the kernel noted it. Raises `OSError`."""
    if sys.platform == "linux":
        _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(uid)
    _, uid = struct.unpack_from("II", connection.getsockopt(0, _MAC_PEERCRED, 76))
    return int(uid)


class Door:
    def __init__(self, path: str) -> None:
        self._path = path
        self.listener: socket.socket | None = None
        self._identity = (0, 0)

    def somebody_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(self._path)
            except OSError:
                return False
            return True

    def open(self) -> socket.socket:
        """Listen, replacing what is there; makes the directory too. Raises `OSError`."""
        temporary = f"{self._path}.{os.getpid()}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.setblocking(False)
        before = os.umask(0o077)
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)  # noqa: PTH103, PTH120
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108
            listener.bind(temporary)
            os.chmod(temporary, 0o600)  # noqa: PTH101
            listener.listen(16)
            found = os.stat(temporary)
            os.rename(temporary, self._path)  # noqa: PTH104
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(before)
        self.listener, self._identity = listener, (found.st_dev, found.st_ino)
        return listener

    @property
    def is_missing(self) -> bool:
        """Whether nothing at all is at our path. Another's socket there is not touched."""
        return not os.path.lexists(self._path)

    @property
    def has_directory(self) -> bool:
        return os.path.isdir(os.path.dirname(self._path))  # noqa: PTH112, PTH120

    def accept(self) -> socket.socket | None:
        """Return a connection of our own user, None if there is none."""
        if self.listener is None:
            return None
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return None
        connection.setblocking(False)
        try:
            if peer_uid(connection) == os.getuid():
                return connection
        except OSError:
            pass
        connection.close()
        return None

    def close(self) -> None:
        """Stop listening and remove the socket, if it is still ours."""
        with contextlib.suppress(OSError):
            found = os.lstat(self._path)
            if (found.st_dev, found.st_ino) == self._identity:
                os.unlink(self._path)  # noqa: PTH108
        if self.listener is not None:
            self.listener.close()
            self.listener = None
