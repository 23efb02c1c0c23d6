"""Ask the terminal whether it speaks kitty's keyboard protocol.

The question is followed by one that every terminal answers (DA1), so a terminal that ignores the first still ends the
wait; the deadline is for those that answer nothing at all.
"""

import contextlib
import os
import re
import select
import termios
import time
import tty
from typing import Final

_QUESTION: Final = b"\x1b[?u\x1b[c"
_KITTY: Final = re.compile(rb"\x1b\[\?\d+u")
_END: Final = re.compile(rb"\x1b\[\?[\d;]*c")
DEADLINE: Final = 1.0
"""Seconds; a terminal over a slow line needs some hundred milliseconds."""


def has_kitty_protocol(deadline: float = DEADLINE, *, fd: int = 0) -> bool:
    """Ask the terminal that is open as `fd`. False too when it answers nothing."""
    before = termios.tcgetattr(fd)
    answer = b""
    try:
        tty.setraw(fd, termios.TCSANOW)
        os.write(fd, _QUESTION)
        until = time.monotonic() + deadline
        while not _END.search(answer) and (left := until - time.monotonic()) > 0:
            if select.select([fd], [], [], left)[0]:
                if not (more := os.read(fd, 1024)):
                    break
                answer += more
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSAFLUSH, before)
    return _KITTY.search(answer) is not None
