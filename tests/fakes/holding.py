"""Real holders with small programs in them, for tests: started, followed, and ended afterwards whatever happened."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from agentdeck.errors import AgentdeckError
from agentdeck.hub.link import Exit, HolderLink, HolderSpec, start_holder
from agentdeck.hub.orphan import OrphanLink

PYTHON = sys.executable


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something holds; the deadline only ends a broken test."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.005)


def is_running(pid: int) -> bool:
    """Whether a process of ours still runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in (b"Z", b"X")


class Follower:
    """What a hub keeps of a session: the output so far, its end, and whether the connection broke."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.start: int | None = None
        self.exits: list[Exit] = []
        self.when_ended: Callable[[], object] = lambda: None
        self.lost = 0
        self.refused: list[str] = []
        self.reads = True
        """Whether it acknowledges what it is given."""
        self.link: HolderLink | OrphanLink | None = None

    @property
    def offset(self) -> int:
        return (self.start or 0) + len(self.output)

    def on_output(self, offset: int, data: bytes) -> None:
        if self.start is None:
            self.start = offset
        assert offset == self.offset, f"expected the output at {self.offset}, got it at {offset}"
        self.output += data
        if self.reads and self.link is not None:
            self.link.ack(self.offset)

    def on_exit(self, ended: Exit) -> None:
        self.exits.append(ended)
        self.when_ended()

    def on_lost(self) -> None:
        self.lost += 1

    def has_ended(self) -> bool:
        return bool(self.exits)

    def text(self) -> str:
        return self.output.decode("utf-8", "replace").replace("\r\n", "\n")


class Holding:
    """A run directory. `start` names sessions 00000001, 00000002, …"""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.links: list[HolderLink] = []
        self.pids: list[int] = []
        self._count = 0

    async def start(
        self,
        *argv: str,
        cwd: str = "/",
        env: dict[str, str] | None = None,
        spare: tuple[str, ...] = (),
        id: str = "",
    ) -> str:
        self._count += 1
        session = id or f"{self._count:08x}"
        given = {"PATH": os.environ.get("PATH", os.defpath)} if env is None else env
        spec = HolderSpec(id=session, argv=argv, cwd=cwd, env=given, cols=80, rows=24, spare=spare)
        await start_holder(spec, self.run)
        return session

    def socket(self, session: str) -> Path:
        return self.run / f"{session}.sock"

    async def connect(self, session: str, follower: Follower | None = None) -> HolderLink:
        follower = follower or Follower()
        link = await HolderLink.connect(
            self.socket(session), on_output=follower.on_output, on_exit=follower.on_exit, on_lost=follower.on_lost
        )
        link.on_refused = follower.refused.append
        follower.link = link
        self.links.append(link)
        self.pids += [link.hello.holder_pid, link.hello.pid]
        return link

    async def follow(self, session: str, follower: Follower | None = None) -> tuple[HolderLink, Follower]:
        follower = follower or Follower()
        link = await self.connect(session, follower)
        link.replay(follower.offset)
        return link, follower

    async def end_everything(self) -> None:
        for link in self.links:
            link.close()
        for path in self.run.glob("*.sock"):
            with contextlib.suppress(OSError, AgentdeckError):
                async with asyncio.timeout(5):
                    link = await self.connect(path.stem)
                    link.replay(link.hello.total)
                    await link.stop(0.05)
                    link.acknowledge_exit()
                    link.close()
        for pid in self.pids:
            if pid > 0 and is_running(pid):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)


@contextlib.asynccontextmanager
async def holding() -> AsyncIterator[Holding]:
    with tempfile.TemporaryDirectory(prefix="ad-") as root:  # short: unix socket paths are
        world = Holding(Path(root) / "run")
        try:
            yield world
        finally:
            await world.end_everything()
