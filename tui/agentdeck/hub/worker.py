"""The process that reads transcripts, as the hub sees it: started when wanted, restarted when it dies, ended with us.

It ends by itself when its standard input closes, so a hub that is killed leaves none behind.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Final

from agentdeck.errors import ProtocolError
from agentdeck.protocol.wire import Decoder
from agentdeck.protocol.worker import AnyFrame

AGAIN_AFTER: Final = (0.5, 2.0, 10.0, 60.0)
"""Seconds before it is started again; the last one from then on."""

STEADY: Final = 60.0
"""Seconds of life after which a death counts as the first again."""

PATIENCE: Final = 2.0
"""Seconds for it to end in order, when the hub ends."""

WORDS: Final = 2000
"""Bytes of what it said last that are kept for the problem's sentence."""


class Worker:
    """`arguments` are asked for at each start, `began` is called then; `take` gets what it tells."""

    def __init__(
        self,
        arguments: Callable[[], Sequence[str]],
        *,
        began: Callable[[], None],
        take: Callable[[AnyFrame], None],
        problem: Callable[[str], None],
        module: str = "agentdeck.worker.main",
        purpose: str = "transcripts cannot be followed",
    ) -> None:
        """`module` is the program; `purpose` says what does not happen without it."""
        self._arguments = arguments
        self._module = module
        self._purpose = purpose
        self._began = began
        self._take = take
        self._problem = problem
        self._task: asyncio.Task[None] | None = None
        self._process: _Process | None = None
        self._ending: _Process | None = None
        self._starting: asyncio.Task[_Process] | None = None
        self._wanted_again = False

    @property
    def running(self) -> bool:
        return self._task is not None

    @property
    def pid(self) -> int:
        """Of its process; 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._starting is not None:
            self._starting.add_done_callback(_end)
        if self._process is not None:
            self._process.end()
            self._ending, self._process = self._process, None

    async def over(self) -> None:
        """Wait, not for long, until the process that was stopped has gone."""
        if self._starting is not None:
            with contextlib.suppress(OSError):
                self._ending = await self._starting
            self._starting = None
        if self._ending is not None:
            await self._ending.gone()
            self._ending = None

    def again(self) -> None:
        """Start it anew if it runs, because its arguments have changed."""
        if self._process is not None:
            self._wanted_again = True
            self._process.end()

    async def _run(self) -> None:
        loop, deaths = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            try:
                words = await self._follow()
            except OSError as error:
                words = f"its process cannot be started: {error.strerror}"
            if self._wanted_again:
                self._wanted_again = False
                continue
            if loop.time() - began > STEADY:
                deaths = 0
            if deaths == 1:
                self._problem(f"{self._purpose}, trying again: {words}")
            await asyncio.sleep(AGAIN_AFTER[min(deaths, len(AGAIN_AFTER) - 1)])
            deaths += 1

    async def _follow(self) -> str:
        """Run one process until it ends; return its last words."""
        argv = (sys.executable, "-m", self._module, *self._arguments())
        self._starting = asyncio.get_running_loop().create_task(_start(argv, self._take))
        try:
            process = await asyncio.shield(self._starting)
        except OSError:
            self._starting = None
            raise
        self._starting, self._process = None, process
        self._began()
        try:
            return await asyncio.shield(process.over)
        finally:
            self._process = None
            process.end()


class _Process(asyncio.SubprocessProtocol):
    """One process. What it writes is taken in piece by piece, with everybody else's turn in between."""

    def __init__(self, take: Callable[[AnyFrame], None]) -> None:
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._take = take
        self._decoder: Decoder[AnyFrame] = Decoder(AnyFrame)
        self._transport: asyncio.SubprocessTransport | None = None
        self._words = b""
        self._is_ended = False

    @property
    def pid(self) -> int:
        return self._transport.get_pid() if self._transport is not None else 0

    def end(self) -> None:
        """Ask it to end, and hear no more of it."""
        if self._transport is None or self._is_ended:
            return
        self._is_ended = True
        with contextlib.suppress(ProcessLookupError):
            self._transport.terminate()
        for fd in range(3):
            pipe = self._transport.get_pipe_transport(fd)
            if pipe is not None:
                pipe.close()

    async def gone(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.over), PATIENCE)
        if self._transport is not None:
            self._transport.close()  # kills it if it still lives

    # asyncio.SubprocessProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd != 1:
            self._words = (self._words + data)[-WORDS:]
            return
        if self._is_ended:
            return
        try:
            for frame in self._decoder.feed(data):
                self._take(frame)
        except ProtocolError as error:
            self._words = str(error).encode()
            self.end()

    def connection_lost(self, error: Exception | None) -> None:
        lines = self._words.decode("utf-8", "replace").strip().splitlines()
        status = self._transport.get_returncode() if self._transport is not None else None
        if not self.over.done():
            self.over.set_result(lines[-1] if lines else f"its process ended with status {status}")


async def _start(argv: Sequence[str], take: Callable[[AnyFrame], None]) -> _Process:
    """A task of its own, because asyncio waits for ever when it is cancelled while a process starts (Python 3.13)."""
    _, process = await asyncio.get_running_loop().subprocess_exec(lambda: _Process(take), *argv)
    return process


def _end(started: asyncio.Task[_Process]) -> None:
    if not started.cancelled() and started.exception() is None:
        started.result().end()
