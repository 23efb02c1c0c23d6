"""The program of a demo session: plays one recording in its terminal, over and over, until Ctrl+C.

It ends as well when the process that opened the demo has gone, so that nothing stays behind if that was killed.
"""

import argparse
import contextlib
import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from agentdeck.demo.picture import CLOSE, OPEN, Picture
from agentdeck.demo.recording import Recording, open_recording

REST: Final = 6.0
"""Seconds at the end of a recording before it starts again."""

LOOK: Final = 0.5
"""Seconds between two looks at the window's size and whether the demo still runs."""

NOTICE_TIME: Final = 2.5

ENDS: Final = (b"\x03", b"\x04", b"\x1b[99;5u", b"\x1b[100;5u")
"""Ctrl+C and Ctrl+D, also as kitty's keyboard protocol writes them."""


class Player:
    def __init__(self, recording: Recording, *, watched: int, skip: int = 0) -> None:
        self._recording = recording
        self._watched = watched
        self._skip = skip
        self._resized = True
        self._notice_until = 0.0
        size = os.get_terminal_size(sys.stdout.fileno())
        self._picture = Picture(size.columns, size.lines)

    def run(self) -> None:
        signal.signal(signal.SIGWINCH, self._on_resize)
        while True:
            self._picture.start_again()
            for number, step in enumerate(self._recording.steps):
                if number >= self._skip and not self._wait(step.pause):
                    return
                self._write(self._picture.apply(step))
            self._skip = 0
            if not self._wait(REST):
                return

    def _on_resize(self, *_: object) -> None:
        self._resized = True

    def _wait(self, seconds: float) -> bool:
        """Wait, reading keys and following the window's size; False when it is time to end."""
        until = time.monotonic() + seconds
        while True:
            if self._resized:
                self._resized = False
                size = os.get_terminal_size(sys.stdout.fileno())
                self._write(b"\x1b[2J" + self._picture.resize(size.columns, size.lines))
            if self._picture.noticed and time.monotonic() >= self._notice_until:
                self._picture.noticed = False
                self._write(self._picture.whole())
            left = until - time.monotonic()
            if left <= 0:
                return True
            if select.select([sys.stdin], [], [], min(left, LOOK))[0] and not self._read():
                return False
            if not _alive(self._watched):
                return False

    def _read(self) -> bool:
        keys = os.read(sys.stdin.fileno(), 4096)
        if not keys or any(end in keys for end in ENDS):
            return False
        self._picture.noticed, self._notice_until = True, time.monotonic() + NOTICE_TIME
        self._write(self._picture.whole())
        return True

    def _write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _alive(pid: int) -> bool:
    if not pid:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def raw_terminal() -> Iterator[None]:
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    sys.stdout.buffer.write(OPEN)
    try:
        yield
    finally:
        sys.stdout.buffer.write(CLOSE)
        sys.stdout.buffer.flush()
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m agentdeck.demo.play")
    parser.add_argument("recording")
    parser.add_argument("--while-pid", type=int, default=0, help="end when this process has gone")
    parser.add_argument("--skip", type=int, default=0, help="steps to show at once")
    given = parser.parse_args(arguments)
    with contextlib.suppress(OSError, termios.error), raw_terminal():  # the terminal may go away at any time
        Player(open_recording(given.recording), watched=given.while_pid, skip=given.skip).run()
    if not _alive(given.while_pid):
        from agentdeck.demo.stage import clear_leftovers

        clear_leftovers()
    print("the recording has ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
