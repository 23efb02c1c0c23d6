"""Watching agents of others through the hub: what is told, and that nothing at all reaches them."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agentdeck.config import Config
from agentdeck.errors import SessionError
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.processes.look import UNDER
from agentdeck.protocol import messages as m
from agentdeck.protocol import outside as o
from tests.e2e.tmux import Tmux
from tests.hub.conftest import environment, until

pytestmark = [pytest.mark.tmux, pytest.mark.skipif(sys.platform != "linux", reason="the recorder looks into /proc")]

RECORDER = Path(__file__).with_name("recorder.py")
SESSION = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def seat(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    """Somebody's terminal with an agent in it that writes down whatever reaches it."""
    home = tmp_path / "home"
    home.mkdir()
    env = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "SHELL": "/bin/sh",
    }
    log = tmp_path / "log"
    with Tmux(tmp_path, env, cols=90, rows=20) as seat:
        words = f"exec -a claude {sys.executable} {RECORDER} {log} {home}"
        seat.start(["/bin/bash", "-c", words], tmp_path)
        seat.wait_for("a screen of somebody's")
        monkeypatch.setenv(UNDER, str(seat.pid))
        yield seat


@pytest.fixture
async def client(seat: Tmux, paths: Paths) -> AsyncIterator[HubClient]:
    async with Hub(paths, Config()) as hub:
        client = await HubClient.over(await hub.connect(), kind="test")
        yield client
        await client.close()
        for session in tuple(hub.roster.running):
            await hub.roster.stop(session, 0.2)


class Told:
    def __init__(self, client: HubClient) -> None:
        self.pushes: list[m.AnyReply] = []
        client.on_push = self.pushes.append

    def attached(self) -> list[o.Attached]:
        return [push for push in self.pushes if isinstance(push, o.Attached)]

    def screen(self) -> str:
        frames = [push.frame for push in self.pushes if isinstance(push, m.Screen)]
        rows: dict[int, str] = {}
        for frame in frames:
            rows |= {y: row.text.rstrip() for y, row in frame.rows}
        return "\n".join(rows[y] for y in sorted(rows)).rstrip()


def files(root: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file()
    }


async def test_nothing_reaches_an_agent_that_is_watched(client: HubClient, seat: Tmux, tmp_path: Path) -> None:
    told, log = Told(client), tmp_path / "log"
    terminal = os.stat(f"/dev/{(await client.ask(o.ListAgents(), o.Agents)).agents[0].terminal}")
    before = files(tmp_path / "home")
    attached = await client.ask(o.Attach(pid=seat.pid), o.Attached)
    assert (attached.agent.session, attached.agent.how, attached.agent.screen) == (SESSION, "certain", "tmux")
    await client.ask(o.LookAt(pid=seat.pid), m.Done)
    await until(lambda: "a screen of somebody's" in told.screen())
    await until(lambda: len(told.attached()) >= 2)
    for _ in range(3):
        await client.ask(o.ListAgents(), o.Agents)
        await client.ask(o.LookAt(pid=seat.pid, on=False), m.Done)
        await client.ask(o.LookAt(pid=seat.pid), m.Done)
    with pytest.raises(SessionError, match="still runs"):
        await client.ask(o.Adopt(pid=seat.pid, env={}), m.Done)
    await client.ask(o.Detach(pid=seat.pid), m.Done)
    assert log.read_text() == "ready\n"
    after = os.stat(f"/dev/{attached.agent.terminal}")
    assert (after.st_atime_ns, after.st_mtime_ns) == (terminal.st_atime_ns, terminal.st_mtime_ns), (
        "its terminal was used"
    )
    assert files(tmp_path / "home") == before
    said = seat.run(
        "display-message", "-p", "-t", "seat", "#{session_attached} #{pane_pipe} #{pane_in_mode} #{client_tty}"
    )
    assert said.split() == ["0", "0", "0"]
    seat.send("k")
    await until(lambda: log.read_text() == "ready\ninput b'k'\n")  # and it would have noticed


async def test_its_screen_its_processes_and_its_end_are_told(client: HubClient, seat: Tmux) -> None:
    told = Told(client)
    await client.ask(o.Attach(pid=seat.pid), o.Attached)
    await client.ask(o.LookAt(pid=seat.pid), m.Done)
    await until(lambda: any(each.processes for each in told.attached()))
    assert told.attached()[-1].processes[0][0] == seat.pid
    assert told.attached()[-1].agent.state == "idle"
    await until(lambda: "a screen of somebody's" in told.screen())
    os.kill(seat.pid, signal.SIGKILL)
    await until(lambda: told.attached()[-1].agent.state == "gone")


async def test_what_ended_is_resumed_in_a_session_of_ours(client: HubClient, seat: Tmux, paths: Paths) -> None:
    told = Told(client)
    await client.ask(o.Attach(pid=seat.pid), o.Attached)
    os.kill(seat.pid, signal.SIGKILL)
    await until(lambda: bool(told.attached()) and told.attached()[-1].agent.state == "gone")
    program = paths.state / "bin" / "claude"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "given $@"\nexec sleep 60\n')
    program.chmod(0o755)
    env = {**environment(paths), "PATH": f"{program.parent}:{os.defpath}"}
    done = await client.ask(o.Adopt(pid=seat.pid, env=env), m.Done)
    session = next(s for s in (await client.ask(m.List(), m.Sessions)).sessions if s.id == done.session)
    assert (session.provider, session.resume_id, session.cwd) == ("claude", SESSION, str(Path(seat.socket).parent))
    assert ("--resume", SESSION) in zip(session.argv, session.argv[1:], strict=False)


async def test_refusals_are_sentences(client: HubClient, seat: Tmux) -> None:
    for request in (
        o.Attach(pid=os.getpid()),
        o.Attach(pid=2**30),
        o.LookAt(pid=seat.pid),
        o.Adopt(pid=seat.pid, env={}),
        o.Attach(pid=seat.pid, session="ffff"),
    ):
        with pytest.raises(SessionError) as refused:
            await client.call(request)
        assert str(refused.value)


async def test_when_nobody_watches_nothing_runs(client: HubClient, seat: Tmux) -> None:
    told = Told(client)
    await client.ask(o.Attach(pid=seat.pid), o.Attached)
    await client.ask(o.LookAt(pid=seat.pid), m.Done)
    await until(lambda: bool(told.screen()))
    await client.ask(o.Detach(pid=seat.pid), m.Done)
    count = len(told.pushes)
    again = await client.ask(o.Attach(pid=seat.pid), o.Attached)
    assert again.agent.state == "idle"
    await until(lambda: len(told.attached()) > 0)
    assert len([push for push in told.pushes[count:] if isinstance(push, m.Screen)]) == 0
