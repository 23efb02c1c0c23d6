"""A holder's life: one program in one PTY, found through one socket, until its end was seen.

It parses nothing that the program says, and everything it does is small and bounded, because nothing may ever make
it crash, block or grow: the program's life hangs on it. The program is never made to wait for nobody; it waits for a
reader that keeps up slowly, and for a silent one only `visitor.PATIENCE` seconds.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from typing import Any, Final

from agentdeck.holder import tree
from agentdeck.holder.door import Door
from agentdeck.holder.frames import (
    CHECKPOINT_LIMIT,
    EXIT,
    GRACE,
    OFFSET,
    SIGNAL,
    VERSION,
    WINSIZE,
    FrameTooLargeError,
    Hello,
    frame,
)
from agentdeck.holder.program import Program, StartError
from agentdeck.holder.record import EXIT_SUFFIX, TAIL, ExitFile, ExitRecord
from agentdeck.holder.ring import CHUNK, Ring
from agentdeck.holder.stop import Stop
from agentdeck.holder.terminal import refusal
from agentdeck.holder.visitor import GoneError, Visitor

GUARD_EVERY: Final = 2.0
"""Seconds between two looks at our socket and our record."""

LINGER: Final = 600.0
"""Seconds for which an ended program's holder waits for somebody to see the end; the record stays anyway."""

DRAIN: Final = 0.5
"""Seconds for the last output to come out of the PTY after the program was reaped; usually it takes none."""

TERM_GRACE: Final = 5.0

_RETRY: Final = 0.1
_READS: Final = 16
_VISITORS: Final = 16
_PR_SET_CHILD_SUBREAPER: Final = 36


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
        self._visitors: dict[int, Visitor] = {}
        self._checkpoint = (0, b"")
        self._boot_id = _boot_id()
        self._poll = select.poll()
        self._masks: dict[int, int] = {}
        self._wait_status: int | None = None
        self._drain_until = 0.0
        self._exit = b""
        """The X frame, once everything the program said is in the ring and the record is written."""
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
            else:
                self._poll.unregister(fd)
            self._masks[fd] = mask

    def _forget(self, fd: int) -> None:
        self._watch(fd, 0)
        self._masks.pop(fd, None)

    def _watch_everything(self) -> None:
        now = time.monotonic()
        mask = 0
        if not self._exit:
            if now >= self._read_at and (self._wait_status is not None or not self._held_up(now)):
                mask |= select.POLLIN
            if self._terminal.has_input and now >= self._write_at:
                mask |= select.POLLOUT
        self._watch(self._terminal.fd, mask)
        if self._door.listener is not None:
            self._watch(self._door.listener.fileno(), select.POLLIN)
        for fd, visitor in self._visitors.items():
            self._watch(fd, select.POLLIN | (select.POLLOUT if visitor.blocked else 0))

    def _held_up(self, now: float) -> bool:
        held = False
        for visitor in tuple(self._visitors.values()):
            try:
                held = visitor.holds_up(now) or held
            except GoneError:
                self._drop(visitor)
        return held

    def _timeout(self) -> float:
        now = time.monotonic()
        due = min(self._guard_at, self._leave_at)
        if self._stop is not None:
            due = min(due, self._stop.next_at)
        if self._wait_status is not None and not self._exit:
            due = min(due, now + 0.01)
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
        elif fd in self._visitors:
            self._hear(self._visitors[fd])
        elif fd == self._wake:
            self._on_signals(os.read(fd, 512))
        else:
            self._welcome()

    # ── the program ────────────────────────────────────────────────────────────────────────────

    def _read_output(self) -> None:
        """Read a bounded amount, pass it on at once; an end that is only temporary is asked again later."""
        ended = self._wait_status is not None
        now = time.monotonic()
        if self._exit or now < self._read_at or (not ended and self._held_up(now)):
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
        for visitor in tuple(self._visitors.values()):
            self._pump(visitor)

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
        for visitor in tuple(self._visitors.values()):
            self._pump(visitor)

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
            if self._visitors.get(visitor.connection.fileno()) is visitor:
                self._say(visitor, answer)

    # ── visitors ───────────────────────────────────────────────────────────────────────────────

    def _welcome(self) -> None:
        connection = self._door.accept()
        if connection is None:
            return
        if len(self._visitors) >= _VISITORS:
            connection.close()
            return
        visitor = Visitor(connection, self._ring, time.monotonic())
        self._visitors[connection.fileno()] = visitor
        program = self._program
        hello = Hello(
            version=VERSION,
            pid=program.pid if self._wait_status is None else 0,
            start_ticks=program.start_ticks,
            boot_id=self._boot_id,
            total=self._ring.total,
            base=self._ring.base,
            cols=self._size[0],
            rows=self._size[1],
            holder_pid=os.getpid(),
        )
        self._say(visitor, frame(b"H", hello.pack()))

    def _drop(self, visitor: Visitor) -> None:
        fd = visitor.connection.fileno()
        if fd >= 0:
            self._visitors.pop(fd, None)
            self._forget(fd)
            visitor.connection.close()

    def _say(self, visitor: Visitor, message: bytes, *descriptors: int) -> None:
        try:
            visitor.say(message, *descriptors)
            visitor.pump()
        except GoneError:
            self._drop(visitor)

    def _pump(self, visitor: Visitor) -> None:
        try:
            visitor.pump()
            if self._exit and not visitor.told_exit and visitor.is_current:
                visitor.told_exit = True
                visitor.say(self._exit)
                visitor.pump()
        except GoneError:
            self._drop(visitor)

    def _hear(self, visitor: Visitor) -> None:
        if visitor.blocked:
            self._pump(visitor)
        try:
            data = visitor.connection.recv(256 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        try:
            if not data:
                raise GoneError
            for kind, payload in visitor.parser.feed(data):
                self._obey(visitor, kind, payload)
        except (GoneError, FrameTooLargeError, struct.error):
            self._drop(visitor)

    def _obey(self, visitor: Visitor, kind: bytes, payload: bytes) -> None:
        now = time.monotonic()
        match kind:
            case b"I":
                if self._wait_status is None and not self._terminal.write(payload):
                    self._say(visitor, frame(b"E", refusal(len(payload)).encode()))
            case b"A":
                visitor.ack(OFFSET.unpack(payload)[0], now)
            case b"R":
                visitor.follow(OFFSET.unpack(payload)[0], now)
                self._pump(visitor)
            case b"W":
                self._size = WINSIZE.unpack(payload)
                self._terminal.resize(*self._size)
            case b"S":
                self._signal(visitor, *SIGNAL.unpack(payload))
            case b"F":
                ring = (self._ring.fd,) if self._ring.fd >= 0 else ()
                self._say(visitor, frame(b"F"), self._terminal.fd, *ring)
            case b"K":
                self._store(visitor, payload)
            case b"k":
                offset, blob = self._checkpoint
                self._say(visitor, frame(b"K", OFFSET.pack(offset) + blob))
            case b"P":
                self._say(visitor, frame(b"P"))
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
            self._say(visitor, frame(b"E", f"the signal was not sent: {error.strerror}".encode()))

    def _store(self, visitor: Visitor, payload: bytes) -> None:
        (offset,) = OFFSET.unpack_from(payload)
        blob = payload[OFFSET.size :]
        if len(blob) > CHECKPOINT_LIMIT:
            self._say(visitor, frame(b"E", f"a checkpoint of {len(blob):,} bytes is too large".encode()))
        else:
            self._checkpoint = offset, blob

    # ── staying reachable ──────────────────────────────────────────────────────────────────────

    def _guard(self) -> None:
        """Bring back a socket, a record or a directory that was removed. A full disk: again at the next look."""
        try:
            if self._door.is_missing:
                if self._exit and self._door.has_directory:
                    self._seen = True  # somebody removed an ended session: nobody will come
                    return
                if self._door.listener is not None:
                    self._forget(self._door.listener.fileno())
                self._door.open()
            self._exit_file.prepare()
        except OSError:
            pass


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _become_subreaper() -> None:
    """Make every orphan below us our child (Linux), so that a stop finds daemons too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _listen_for_signals() -> int:
    """Let the signals that matter arrive as bytes in a descriptor, and no other end us."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    receiver, sender = os.pipe()
    os.set_blocking(receiver, False)
    os.set_blocking(sender, False)
    signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)
    return receiver


def run(spec: dict[str, Any]) -> None:
    """Start the program that `spec` names, report on standard output, hold it, and end the process."""
    report = socket.socket(fileno=os.dup(1))
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nothing, standard)
    path = f"{spec['run']}/{spec['id']}"
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    _become_subreaper()
    wake = _listen_for_signals()
    door, exit_file = Door(f"{path}.sock"), ExitFile(f"{path}{EXIT_SUFFIX}")
    try:
        if door.somebody_answers():
            raise StartError("program", f"a session {spec['id']} is running already", path)
        try:
            door.open()
        except OSError as error:
            raise StartError("program", f"no socket can be made in {spec['run']}: {error.strerror}", path) from error
        with contextlib.suppress(OSError):  # a full disk: the record waits in memory until there is room
            exit_file.prepare()
        ring = Ring()
        program = Program(spec["argv"], spec["cwd"], spec["env"], spec["cols"], spec["rows"])
    except StartError as error:
        door.close()
        exit_file.remove()
        report.sendall(json.dumps({"kind": error.kind, "text": str(error), "path": error.path}).encode())
        os._exit(1)
    size = spec["cols"], spec["rows"]
    holder = Holder(program, ring, door, exit_file, size=size, spare=tuple(spec["spare"]))
    try:
        report.sendall(json.dumps({"kind": "", "pid": program.pid}).encode())
    except OSError:
        os.kill(program.pid, signal.SIGKILL)  # whoever wanted it has gone, and knows no session of this name
    report.close()
    os.dup2(nothing, 2)
    os.close(nothing)

    def crashed(kind: type[BaseException], value: BaseException, trace: object) -> None:
        text = f"its holder failed: {kind.__name__}: {value}"
        exit_file.write(ExitRecord(None, None, time.time(), ring.tail(TAIL), text))
        os._exit(1)

    sys.excepthook = crashed
    holder.run(wake)
    os._exit(0)  # without this pexpect would end what is left of the program
