"""The master side of a PTY, written without ever blocking: what the program does not read yet waits here, bounded."""

import fcntl
import os
import struct
import termios
from collections import deque
from contextlib import suppress
from errno import EIO, ESRCH
from typing import Final

INPUT_LIMIT: Final = 4 * 1024 * 1024
"""Bytes that wait for a program that does not read. What would go beyond is refused whole, never cut."""

_WRITE: Final = 64 * 1024


class Terminal:
    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._waiting: deque[memoryview] = deque()
        self._waiting_size = 0
        os.set_blocking(fd, False)

    @property
    def has_input(self) -> bool:
        """Whether input still waits for the program to read."""
        return bool(self._waiting)

    def write(self, data: bytes) -> bool:
        """Queue input and write what fits now. Returns False, and takes nothing, when too much waits already."""
        if self._waiting_size + len(data) > INPUT_LIMIT:
            return False
        if data:
            self._waiting.append(memoryview(data))
            self._waiting_size += len(data)
            self.flush()
        return True

    def flush(self) -> bool:
        """Write what the program takes now. Returns whether it took anything."""
        before = self._waiting_size
        while self._waiting:
            data = self._waiting[0]
            try:
                count = os.write(self.fd, data[:_WRITE])
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != EIO:
                    raise
                self.drop_input()  # nobody has the terminal open any more
                break
            self._waiting_size -= count
            if count < len(data):
                self._waiting[0] = data[count:]
            else:
                self._waiting.popleft()
        return self._waiting_size < before

    def drop_input(self) -> None:
        self._waiting.clear()
        self._waiting_size = 0

    def resize(self, cols: int, rows: int) -> None:
        with suppress(OSError):
            fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def signal_foreground(self, number: int) -> None:
        """Signal the process group that has the terminal. Raises `OSError` when there is none."""
        group = os.tcgetpgrp(self.fd)
        if group <= 1:  # 0 would be our own group
            raise ProcessLookupError(ESRCH, "nothing runs in the foreground")
        os.killpg(group, number)


def refusal(size: int) -> str:
    """Say why `size` bytes of input were not taken."""
    return (
        f"{size:,} bytes of input were refused: the program does not read, and {INPUT_LIMIT // 1024 // 1024} MB"
        " is the most that waits for it"
    )
