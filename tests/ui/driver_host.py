"""Play the terminal that the deck runs in: a PTY, its answers, and everything that the app wrote to it."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROBE = Path(__file__).with_name("driver_probe.py")
PATIENCE = 20.0


class Host:
    def __init__(self, *, kitty: bool, replies: dict[bytes, bytes]) -> None:
        self.master, self._slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self._slave)
        said, say = os.pipe()
        orders, self._orders = os.pipe()
        self._said = said
        self._replies = replies | ({b"\x1b[?u": b"\x1b[?25u"} if kitty else {})
        self.output = bytearray()
        self.said: list[list[Any]] = []
        self._rest = b""
        self._answered = 0
        self.reading = True
        self.process = subprocess.Popen(
            [sys.executable, str(PROBE), str(say), str(orders)],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            pass_fds=(say, orders),
            start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        os.close(say)
        os.close(orders)

    def send(self, data: bytes) -> None:
        """Type. Like a terminal, hold the rest when the line is full."""
        deadline = time.monotonic() + PATIENCE
        os.set_blocking(self.master, False)
        while data:
            assert time.monotonic() < deadline, "the app does not read its input"
            try:
                data = data[os.write(self.master, data) :]
            except BlockingIOError:
                self._pump(0.01)

    def order(self, *words: object) -> None:
        count = len(self.heard("obeyed"))
        os.write(self._orders, json.dumps(words).encode() + b"\n")
        if words[0] not in ("exit", "crash", "hang"):
            self.until(lambda: len(self.heard("obeyed")) > count)

    def heard(self, kind: str) -> list[list[Any]]:
        return [words[1:] for words in self.said if words[0] == kind]

    def raw(self) -> bytes:
        return b"".join(bytes.fromhex(words[0]) for words in self.heard("raw"))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"said: {self.said[-20:]}; wrote: {bytes(self.output[-400:])!r}"
            self._pump(0.05)

    def end(self) -> int:
        """Wait for the app, and return its status."""
        self.until(lambda: self.process.poll() is not None)
        self._pump(0)
        return self.process.returncode

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self._slave)

    def hang_up(self) -> None:
        os.close(self._slave)
        os.close(self.master)
        self.master = self._slave = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(PATIENCE)
        for fd in (self.master, self._slave, self._said, self._orders):
            if fd >= 0:
                os.close(fd)

    def _pump(self, patience: float) -> None:
        wanted = [self._said] + ([self.master] if self.reading and self.master >= 0 else [])
        ready, _, _ = select.select(wanted, [], [], patience)
        if self._said in ready:
            *lines, self._rest = (self._rest + os.read(self._said, 65536)).split(b"\n")
            self.said += [json.loads(line) for line in lines]
        if self.master in ready:
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                return
            self._answer()

    def _answer(self) -> None:
        for question, answer in self._replies.items():
            asked = self.output.count(question, self._answered)
            if asked:
                os.write(self.master, answer * asked)
        self._answered = len(self.output)


@contextmanager
def terminal(*, kitty: bool = False, replies: dict[bytes, bytes] | None = None) -> Iterator[Host]:
    host = Host(kitty=kitty, replies=replies or {})
    try:
        host.until(lambda: bool(host.heard("ready")))
        yield host
    finally:
        host.close()
