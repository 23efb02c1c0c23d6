"""A holder at work: one program in one PTY, found through one socket, until its end was seen.

It parses nothing that the program says, and everything it does is small and bounded, because nothing may ever make
it crash, block or grow: the program's life hangs on it. The program never waits for nobody; it waits for a
reader that keeps up slowly, and for a silent one only `visitor.PATIENCE` seconds.
"""

import json
import os
import select
import signal
import time
from contextlib import suppress
from typing import Final

from agentdeck.holder import tree
from agentdeck.holder.door import Door
from agentdeck.holder.frames import CHECKPOINT_LIMIT, EXIT, GRACE, OFFSET, SIGNAL, VERSION, WINSIZE, Hello, frame
from agentdeck.holder.program import Program
from agentdeck.holder.reception import Reception
from agentdeck.holder.record import TAIL, ExitFile, ExitRecord
from agentdeck.holder.ring import CHUNK, Ring
from agentdeck.holder.stop import Stop
from agentdeck.holder.terminal import refusal
from agentdeck.holder.visitor import Visitor

GUARD_EVERY: Final = 2.0
"""Seconds between two looks at our socket and our record."""

LINGER: Final = 600.0
"""Seconds for which an ended program's holder waits for somebody to see the end; the record stays anyway."""

DRAIN: Final = 0.1
"""Seconds for the last output to come out of the PTY after the program was reaped.

Usually the PTY says at once that it is empty for good; not while another process still has it open.
"""

TERM_GRACE: Final = 5.0

_RETRY: Final = 0.1
_DRAIN_STEP: Final = 0.01
_PATIENCE_STEP: Final = 0.25
_READS: Final = 16


class Holder:
    def __init__(
        self,
        program: Program,
        ring: Ring,
        door: Door,
        exit_file: ExitFile,
        *,
        size: tuple[int, int],
        spare: tuple[str, ...],
    ) -> None:
        self._program = program
        self._terminal = program.terminal
        self._size = size
        self._ring = ring
        self._door = door
        self._exit_file = exit_file
        self._spare = spare
        self._reception = Reception(ring, self._obey)
        self._checkpoint = (0, b"")
        self._boot_id = _boot_id()
        self._poll = select.poll()
        self._masks: dict[int, int] = {}
        self._wait_status: int | None = None
        self._drain_until = 0.0
        self._exit = b""
        """The X frame, once everything the program said is in the ring and the record is written."""
        self._held = False
        self._seen = False
        self._leave_at = float("inf")
        self._guard_at = 0.0
        self._read_at = 0.0
        """Not before: the PTY has nobody at its other end just now."""
        self._write_at = 0.0
        self._stop: Stop | None = None
        self._stop_askers: list[Visitor] = []

    def run(self, wake: int) -> None:
        """Serve until the end was seen. `wake` is where signal numbers arrive."""
        self._wake = wake
        self._watch(wake, select.POLLIN)
        if self._door.listener is not None:
            self._watch(self._door.listener.fileno(), select.POLLIN)
        self._reap()
        while not self._over():
            self._watch_everything()
            for fd, _ in self._poll.poll(self._timeout() * 1000):
                self._serve(fd)
            self._tick(time.monotonic())
        self._door.close()

    def _over(self) -> bool:
        now = time.monotonic()
        return self._stop is None and bool(self._exit) and (self._seen or now >= self._leave_at)

    # ── waiting ────────────────────────────────────────────────────────────────────────────────

    def _watch(self, fd: int, mask: int) -> None:
        if self._masks.get(fd, 0) != mask:
            if mask:
                self._poll.register(fd, mask)
                self._masks[fd] = mask
            else:
                self._poll.unregister(fd)
                del self._masks[fd]

    def _watch_everything(self) -> None:
        now = time.monotonic()
        mask = 0
        if not self._exit:
            self._held = self._wait_status is None and self._reception.held_up(now)
            if now >= self._read_at and not self._held:
                mask |= select.POLLIN
            if self._terminal.has_input and now >= self._write_at:
                mask |= select.POLLOUT
        self._watch(self._terminal.fd, mask)
        for fd, mask in self._reception.masks().items():
            self._watch(fd, mask)

    def _timeout(self) -> float:
        now = time.monotonic()
        due = self._guard_at
        if self._stop is not None:
            due = min(due, self._stop.next_at)
        if self._exit:
            due = min(due, self._leave_at)
        elif self._wait_status is not None:
            due = min(due, now + _DRAIN_STEP)
        elif self._held:
            due = min(due, now + _PATIENCE_STEP)
        for again in (self._read_at, self._write_at):
            if again > now:
                due = min(due, again)
        return max(0.0, due - now)

    def _tick(self, now: float) -> None:
        if self._wait_status is not None and not self._exit:
            self._read_output()
            if not self._exit and now >= self._drain_until:
                self._end()
        if self._stop is not None and self._stop.step(now):
            self._tell_stopped(self._stop)
        if now >= self._guard_at:
            self._guard_at = now + GUARD_EVERY
            self._guard()

    def _serve(self, fd: int) -> None:
        if fd == self._terminal.fd:
            if self._terminal.has_input:
                self._write_input()
            self._read_output()
        elif fd == self._wake:
            self._on_signals(os.read(fd, 512))
        elif not self._reception.serve(fd, self._news):
            self._welcome()

    # ── the program ────────────────────────────────────────────────────────────────────────────

    def _read_output(self) -> None:
        """Read a bounded amount, pass it on at once; an end that is only temporary is asked again later."""
        ended = self._wait_status is not None
        now = time.monotonic()
        if self._exit or now < self._read_at or (not ended and self._reception.held_up(now)):
            return
        over = False
        for _ in range(_READS):
            try:
                count = self._ring.fill(self._terminal.fd)
            except BlockingIOError:
                break
            except OSError:
                over = True
                break
            if count == 0:
                over = True
                break
            if count < CHUNK // 2:
                break
        if over and ended:
            self._end()
        elif over:
            self._read_at = now + _RETRY  # every descriptor of the terminal is closed, but the program lives
        self._reception.pump(self._news)

    def _write_input(self) -> None:
        if not self._terminal.flush():
            self._write_at = time.monotonic() + _RETRY / 5

    def _on_signals(self, numbers: bytes) -> None:
        if signal.SIGCHLD in numbers:
            self._reap()
        if signal.SIGTERM in numbers:
            self._begin_stop(TERM_GRACE)
            self._leave_at = 0.0
        if signal.SIGUSR1 in numbers:
            self._guard_at = 0.0

    def _reap(self) -> None:
        """Collect every child that ended: ours, and the orphans that we inherited."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._program.pid:
                self._wait_status = status
                self._read_at = 0.0
                self._drain_until = time.monotonic() + DRAIN
                self._terminal.drop_input()

    def _end(self) -> None:
        """The program has ended and its last byte is read: write that down, then tell."""
        wait_status = self._wait_status or 0
        status = os.WEXITSTATUS(wait_status) if os.WIFEXITED(wait_status) else None
        number = os.WTERMSIG(wait_status) if os.WIFSIGNALED(wait_status) else None
        self._exit_file.write(ExitRecord(status, number, time.time(), self._ring.tail(TAIL), ""))
        self._exit = frame(
            b"X", EXIT.pack(-1 if status is None else status, -1 if number is None else number, self._ring.total)
        )
        self._leave_at = min(self._leave_at, time.monotonic() + LINGER)
        self._reception.pump(self._news)

    @property
    def _news(self) -> bytes:
        """The end, as soon as it may be told: after a stop is over, so that its answer is not missed."""
        return self._exit if self._stop is None else b""

    def _begin_stop(self, grace: float) -> None:
        if self._stop is None:
            own, we = (self._program.pid, str(self._program.start_ticks)), os.getpid()
            self._stop = Stop(
                own[0], self._spare, look=lambda: tree.members([we], session=own, without=we), send=tree.send
            )
        self._stop.begin(time.monotonic(), grace)

    def _tell_stopped(self, stop: Stop) -> None:
        self._stop = None
        answer = frame(b"L", json.dumps(stop.left).encode("ascii"))
        askers, self._stop_askers = self._stop_askers, []
        for visitor in askers:
            if visitor in self._reception:
                self._reception.say(visitor, answer)
        self._reception.pump(self._news)

    # ── what visitors ask ──────────────────────────────────────────────────────────────────────

    def _obey(self, visitor: Visitor, kind: bytes, payload: bytes) -> None:
        match kind:
            case b"I":
                if self._wait_status is None and not self._terminal.write(payload):
                    self._reception.say(visitor, frame(b"E", refusal(len(payload)).encode()))
            case b"A":
                visitor.ack(OFFSET.unpack(payload)[0])
            case b"R":
                visitor.follow(OFFSET.unpack(payload)[0])
                self._reception.pump(self._news)
            case b"W":
                self._size = WINSIZE.unpack(payload)
                self._terminal.resize(*self._size)
            case b"S":
                self._signal(visitor, *SIGNAL.unpack(payload))
            case b"F":
                ring = (self._ring.fd,) if self._ring.fd >= 0 else ()
                self._reception.say(visitor, frame(b"F"), self._terminal.fd, *ring)
            case b"K":
                self._store(visitor, payload)
            case b"k":
                offset, blob = self._checkpoint
                self._reception.say(visitor, frame(b"K", OFFSET.pack(offset) + blob))
            case b"P":
                self._reception.say(visitor, frame(b"P"))
            case b"Q":
                self._stop_askers.append(visitor)
                self._begin_stop(GRACE.unpack(payload)[0] / 1000)
            case b"x":
                self._seen = bool(self._exit)
            case _:
                pass  # a newer hub's

    def _signal(self, visitor: Visitor, number: int, target: int) -> None:
        try:
            if self._wait_status is not None:
                raise ProcessLookupError(0, "the program has ended")
            if target == 1:
                self._terminal.signal_foreground(number)
            else:
                self._program.signal(number)
        except OSError as error:
            self._reception.say(visitor, frame(b"E", f"the signal was not sent: {error.strerror}".encode()))

    def _store(self, visitor: Visitor, payload: bytes) -> None:
        (offset,) = OFFSET.unpack_from(payload)
        blob = payload[OFFSET.size :]
        if len(blob) > CHECKPOINT_LIMIT:
            self._reception.say(visitor, frame(b"E", f"a checkpoint of {len(blob):,} bytes is too large".encode()))
        else:
            self._checkpoint = offset, blob

    # ── being found ────────────────────────────────────────────────────────────────────────────

    def _welcome(self) -> None:
        connection = self._door.accept()
        if connection is None:
            return
        hello = Hello(
            version=VERSION,
            pid=self._program.pid if self._wait_status is None else 0,
            start_ticks=self._program.start_ticks,
            boot_id=self._boot_id,
            total=self._ring.total,
            base=self._ring.base,
            cols=self._size[0],
            rows=self._size[1],
            holder_pid=os.getpid(),
        )
        self._reception.welcome(connection, frame(b"H", hello.pack()))

    def _listen(self) -> None:
        """Listen at our path, again if we did before. Raises `OSError`."""
        if self._door.listener is not None:
            self._watch(self._door.listener.fileno(), 0)
            self._door.listener.close()
        self._watch(self._door.open().fileno(), select.POLLIN)

    def _guard(self) -> None:
        """Bring back a socket, a record or a directory that was removed. A full disk: again at the next look."""
        with suppress(OSError):
            if self._door.is_missing:
                if self._exit and self._door.has_directory:
                    self._seen = True  # somebody removed an ended session: nobody will come
                    return
                self._listen()
            self._exit_file.prepare()


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
