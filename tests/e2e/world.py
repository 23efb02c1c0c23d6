"""A machine of a person's own, in one temporary directory: home, project, program search path, and agentdeck on it.

Nothing of the real user is seen from inside: the environment is made from nothing. Whatever was started in it is ended
when it closes, by asking agentdeck; what that leaves is ended by the process ids that agentdeck itself named.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from agentdeck.cli import hub_process
from agentdeck.paths import Paths, locate
from agentdeck.share import meeting
from tests.e2e.clis import RealCli, make_project
from tests.e2e.patience import patient, until
from tests.e2e.tmux import Tmux

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    out: str
    err: str


class World:
    """Use as a context manager."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="adw-"))  # short, because unix socket paths are
        self.home = self.root / "home"
        self.bin = self.root / "bin"
        for directory in (self.home, self.bin, self.root / "tmp", self.root / "run"):
            directory.mkdir(mode=0o700)
        self.project = make_project(self.root / "orchard")
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{self.bin}:{os.defpath}:/usr/local/bin",
            "SHELL": "/bin/sh",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "USER": "dev",
            "LOGNAME": "dev",
            "TZ": "UTC",
            "TMPDIR": str(self.root / "tmp"),
            "XDG_STATE_HOME": str(self.root / "s"),
            "XDG_CONFIG_HOME": str(self.root / "c"),
            "XDG_CACHE_HOME": str(self.root / "k"),
            "XDG_RUNTIME_DIR": str(self.root / "run"),
            "PS1": "$ ",
        }
        self._seats: list[Tmux] = []
        self._program = [sys.executable, "-m", "agentdeck.cli.main"]
        installed = Path(sys.executable).with_name("agentdeck")
        if installed.exists():
            self._program = [str(installed)]

    @property
    def paths(self) -> Paths:
        return locate(self.env)

    # ── agentdeck ──────────────────────────────────────────────────────────────────────────────

    def argv(self, *words: str) -> list[str]:
        return [*self._program, *words]

    def call(self, *words: str, seconds: float = 40.0) -> Answer:
        """Run one agentdeck command as a script would, and return what came of it."""
        done = subprocess.run(
            self.argv(*words),
            cwd=self.project,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patient(seconds),
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def agentdeck(self, *words: str, seconds: float = 40.0) -> str:
        """Run one agentdeck command that must succeed and return what it printed."""
        answer = self.call(*words, seconds=seconds)
        if answer.status:
            raise AssertionError(f"agentdeck {' '.join(words)}: exit {answer.status}\n{answer.out}{answer.err}")
        return answer.out

    def run(self, provider: str, *words: str) -> str:
        """Start a session in the background and return its id."""
        return self.agentdeck("run", provider, "--detach", *words).strip()

    def shell(self, name: str, *argv: str) -> str:
        """Start a session that runs `argv` in a shell; more than one word is one simple command."""
        words = ("--", "-c", argv[0]) if len(argv) == 1 else ("--", "-c", 'exec "$@"', "sh", *argv)
        return self.run("shell", "--name", name, "--cwd", str(self.project), *words)

    def sessions(self) -> list[Json]:
        found: list[Json] = json.loads(self.agentdeck("ls", "--json"))
        return found

    def session(self, ref: str) -> Json:
        return next(s for s in self.sessions() if ref in (s["id"], s["name"]))

    def screen(self, session: str) -> str:
        return self.agentdeck("screen", session)

    def hub_pid(self) -> int:
        return int(json.loads(self.agentdeck("hub", "status", "--json"))["pid"])

    def hub_clients(self) -> int:
        """How many clients the hub has besides the one that asks."""
        return int(json.loads(self.agentdeck("hub", "status", "--json"))["clients"])

    def kill_hub(self) -> int:
        """End the hub the hard way and return the process id that it had."""
        pid = self.hub_pid()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid), what=f"hub {pid} to be gone")
        return pid

    def wait_for_screen(self, session: str, wanted: str, seconds: float = 20.0) -> str:
        """Wait until a session's screen, asked for by command, shows `wanted`."""
        last = ""

        def shows() -> bool:
            nonlocal last
            last = self.screen(session)
            return wanted in last

        until(shows, seconds, what=f"{wanted!r} on the screen of {session}")
        return last

    # ── the terminal ───────────────────────────────────────────────────────────────────────────

    def sit_down(self, *argv: str, cols: int = 120, rows: int = 40) -> Tmux:
        """Open a terminal of this size that runs `argv`."""
        seat = Tmux(self.root, self.env, cols=cols, rows=rows)
        self._seats.append(seat)
        return seat.start(argv, self.project)

    def deck(self, *words: str, cols: int = 120, rows: int = 40) -> Tmux:
        """Open a terminal with the deck in it."""
        return self.sit_down(*self.argv(*words), cols=cols, rows=rows)

    # ── the machine ────────────────────────────────────────────────────────────────────────────

    def install(self, cli: RealCli, url: str) -> None:
        """Put a real CLI on the search path, with its home and environment."""
        assert cli.path is not None
        (self.bin / cli.program).symlink_to(cli.path)
        self.env |= cli.prepare(self.home, url)

    def program(self, name: str, text: str, *, mode: int = 0o755) -> Path:
        """Put a script of our own on the search path."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def configure(self, text: str) -> Path:
        path = self.paths.config
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    # ── the end ────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        for seat in self._seats:
            seat.close()
        left: set[int] = set()
        for _ in range(2):  # a hub that hangs is ended, and the next one stops the sessions
            try:
                for session in self.sessions():
                    if session["exit_status"] is None:
                        left |= {int(session["pid"]), int(session["holder_pid"])}
                        self.call("stop", session["id"])
                if (self.paths.run / meeting.SOCKET).exists():
                    self.call("shares", "--panic")
                break
            except (AssertionError, subprocess.TimeoutExpired):
                _kill(hub_process.running(self.paths))
        _kill(hub_process.running(self.paths))
        for pid in left:
            _kill(pid)
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> "World":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _kill(pid: int | None) -> None:
    """End a process that agentdeck named as its own and that asking did not end."""
    if pid and alive(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process that we started still runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    return stat.rpartition(")")[2].split()[0] != "Z"
