"""The process that reads transcripts, as the hub sees it: started when wanted, restarted when it dies, ended with us.

It ends by itself when its standard input closes, so a hub that is killed leaves none behind.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Final

from agentdeck.errors import ProtocolError
from agentdeck.protocol.wire import Decoder
from agentdeck.protocol.worker import AnyFrame

AGAIN_AFTER: Final = (0.5, 2.0, 10.0, 60.0)
"""Seconds before it is started again; the last one from then on."""

STEADY: Final = 60.0
"""Seconds of life after which a death counts as the first again."""


class Worker:
    def __init__(self, take: Callable[[AnyFrame], None], problem: Callable[[str], None]) -> None:
        self._take = take
        self._problem = problem
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        loop, deaths = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            words = await self._follow()
            if loop.time() - began > STEADY:
                deaths = 0
            if deaths == 1:
                self._problem(f"transcripts cannot be followed, trying again: {words}")
            await asyncio.sleep(AGAIN_AFTER[min(deaths, len(AGAIN_AFTER) - 1)])
            deaths += 1

    async def _follow(self) -> str:
        """Run one process until it ends; return its last words."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agentdeck.worker.main",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        decoder: Decoder[AnyFrame] = Decoder(AnyFrame)
        assert process.stdout is not None
        try:
            while data := await process.stdout.read(256 * 1024):
                for frame in decoder.feed(data):
                    self._take(frame)
        except ProtocolError as error:
            return str(error)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        return f"its process ended with status {await process.wait()}"
