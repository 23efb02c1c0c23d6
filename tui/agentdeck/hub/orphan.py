"""Carry on a session whose holder was killed, with the duplicate of its PTY master that the hub kept.

The program notices nothing: its terminal is still open. What is lost is its exit status, which only a parent learns,
and its independence of the hub.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentdeck.holder import proc, ring, tree
from agentdeck.holder.frames import Hello
from agentdeck.holder.stop import Stop
from agentdeck.holder.terminal import Terminal, refusal

if TYPE_CHECKING:
    from agentdeck.hub.link import HolderLink

LOOK_EVERY: Final = 0.25
"""Seconds between two looks at whether the program lives, where the system does not tell."""

DRAIN: Final = 0.5
"""Seconds for the last output to come out of the terminal after the program ended."""

DYING: Final = 0.2
"""Seconds for a killed process to be gone after its connections broke."""

_READ: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a program ended; both None when only its parent could have known."""

    status: int | None
    signal: int | None
    total: int
    """Bytes that it printed in its life."""


class OrphanLink:
    """Does for the hub what a `HolderLink` does. Made by `rescue`."""

    def __init__(
        self,
        hello: Hello,
        master: int,
        on_output: Callable[[int, bytes], None],
        on_exit: Callable[[Exit], None],
        offset: int,
        spare: Sequence[str],
    ) -> None:
        self.hello = hello
        self.on_refused: Callable[[str], None] = lambda _: None
        """Called with a sentence when something could not be done."""
        self._terminal = Terminal(master)
        self._loop = asyncio.get_running_loop()
        self._on_output = on_output
        self._on_exit = on_exit
        self._offset = offset
        self._spare = tuple(spare)
        self._seen: dict[int, str] = {}
        """Who was found in the tree so far, with start times: a daemon is no descendant once its parent ended."""
        self._look_again: asyncio.TimerHandle | None = None
        self._ended_at: float | None = None
        self._open = True

    @classmethod
    def rescue(
        cls,
        lost: "HolderLink",
        *,
        on_output: Callable[[int, bytes], None],
        on_exit: Callable[[Exit], None],
        offset: int,
        spare: Sequence[str] = (),
    ) -> "OrphanLink | None":
        """Take over from a link whose holder was killed, and close that; `offset` is how much output was taken in.

        What the holder had read but not yet passed on comes first. None, and nothing is closed, when the holder lives
        after all: two readers would tear the output apart. None when there is no duplicate to go on with.
        """
        if not _has_gone(lost):
            return None
        master, memory = lost.take_descriptors()
        lost.close()
        missed = b""
        if memory >= 0:
            offset, missed = ring.recover(memory, offset)
            os.close(memory)
        if master < 0:
            return None
        link = cls(lost.hello, master, on_output, on_exit, offset, spare)
        link._loop.call_soon(link._begin, missed)
        return link

    def _begin(self, missed: bytes) -> None:
        if not self._open:
            return
        if missed:
            self._give(missed)
        if self._open:
            self._loop.add_reader(self._terminal.fd, self._on_readable)
            self._look()

    # ── what a HolderLink does too ─────────────────────────────────────────────────────────────

    def replay(self, offset: int) -> None:
        """Nothing: there is no ring."""

    def ack(self, offset: int) -> None:
        """Nothing: what is not read yet stays in the PTY."""

    def acknowledge_exit(self) -> None:
        """Nothing: there is nobody to leave."""

    def store_checkpoint(self, offset: int, blob: bytes) -> None:
        """Nothing: there is nobody to keep it."""

    async def checkpoint(self) -> tuple[int, bytes] | None:
        return None

    async def ping(self, deadline: float) -> bool:
        return self._open

    async def master(self) -> int:
        return self._terminal.fd

    def write(self, data: bytes) -> None:
        if not self._open:
            return
        if not self._terminal.write(data):
            self.on_refused(refusal(len(data)))
        elif self._terminal.has_input:
            self._loop.add_writer(self._terminal.fd, self._on_writable)

    def resize(self, cols: int, rows: int) -> None:
        if self._open:
            self._terminal.resize(cols, rows)

    def signal(self, number: int, *, foreground: bool = False) -> None:
        try:
            if foreground:
                self._terminal.signal_foreground(number)
            elif self._is_alive():
                os.kill(self.hello.pid, number)
        except OSError as error:
            self.on_refused(f"the signal was not sent: {error.strerror}")

    async def stop(self, grace: float) -> tuple[str, ...]:
        """End the whole tree and return what was left running; daemons that had left it before are not found."""
        stop = Stop(self.hello.pid, self._spare, look=self._members, send=tree.send)
        stop.begin(self._loop.time(), grace)
        while not stop.step(self._loop.time()):  # noqa: ASYNC110 - processes of others set no event
            await asyncio.sleep(max(0.0, stop.next_at - self._loop.time()))
        return stop.left

    def close(self) -> None:
        """Let go of the terminal: nobody else holds it, so the program is hung up."""
        if not self._open:
            return
        self._open = False
        if self._look_again is not None:
            self._look_again.cancel()
        self._loop.remove_reader(self._terminal.fd)
        self._loop.remove_writer(self._terminal.fd)
        os.close(self._terminal.fd)

    # ── the terminal ───────────────────────────────────────────────────────────────────────────

    def _on_readable(self) -> None:
        try:
            data = os.read(self._terminal.fd, _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._give(data)
            return
        self._loop.remove_reader(self._terminal.fd)  # ended, or nobody has the terminal open just now
        if self._ended_at is not None:
            self._end()

    def _give(self, data: bytes) -> None:
        offset = self._offset
        self._offset += len(data)
        self._on_output(offset, data)

    def _on_writable(self) -> None:
        self._terminal.flush()
        if not self._terminal.has_input:
            self._loop.remove_writer(self._terminal.fd)

    # ── the program ────────────────────────────────────────────────────────────────────────────

    def _is_alive(self) -> bool:
        return self.hello.pid > 0 and proc.is_alive(self.hello.pid, self.hello.start_ticks)

    def _look(self) -> None:
        """Now and then: see whether the program ended, and whether somebody opened its terminal again."""
        self._look_again = self._loop.call_later(LOOK_EVERY, self._look)
        if self._is_alive():
            self._loop.add_reader(self._terminal.fd, self._on_readable)
        elif self._ended_at is None:
            self._ended_at = self._loop.time()
            self._loop.add_reader(self._terminal.fd, self._on_readable)
        elif self._loop.time() - self._ended_at > DRAIN:
            self._end()

    def _end(self) -> None:
        if self._open:
            ended = Exit(status=None, signal=None, total=self._offset)
            self.close()
            self._on_exit(ended)

    def _members(self) -> list[tree.Member]:
        known = [pid for pid, start in self._seen.items() if str(proc.start_ticks(pid)) == start]
        found = tree.members(known, session=(self.hello.pid, str(self.hello.start_ticks)))
        self._seen.update((member.pid, member.start) for member in found)
        return found


def _has_gone(lost: "HolderLink") -> bool:
    """Whether the holder is dead. Its sockets close a moment before it is, so this may wait for that moment."""
    until = time.monotonic() + DYING
    while lost.holder_is_alive:
        if time.monotonic() > until:
            return False
        time.sleep(0.001)
    return True
