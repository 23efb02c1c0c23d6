"""The screen of a program in somebody else's terminal, where a multiplexer shows it to others without noticing.

Only questions that change nothing are asked: no client is attached (that resizes, and hooks fire), no pipe is opened
(a pane has one, and it may be the person's), nothing is typed. GNU screen tells whoever is attached about each
hardcopy, so it is asked only while nobody is. Every other terminal keeps its screen to itself.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentdeck.processes import sessions
from agentdeck.processes.look import Look
from agentdeck.processes.sessions import Agent
from agentdeck.processes.source import Process

PATIENCE: Final = 2.0
"""Seconds that a multiplexer gets to answer."""

_TMUX_SAYS: Final = (
    "#{pane_tty}\t#{pane_width}\t#{pane_height}\t#{cursor_x}\t#{cursor_y}\t#{cursor_flag}\t#{pane_dead}\t#{pane_title}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where a program is shown. `command` is empty when it cannot be seen, and `why` says so then."""

    kind: str = ""
    """tmux, screen or zellij."""
    name: str = ""
    """The pane, as its multiplexer calls it."""
    command: tuple[str, ...] = ()
    tty: str = ""
    door: str = ""
    """GNU screen's socket, which tells whether somebody is attached."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    lines: tuple[bytes, ...]
    """With SGR sequences where the multiplexer tells them; no other controls are meant."""
    cols: int
    rows: int
    cursor: tuple[int, int] | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Why there is no picture."""

    why: str


def find_seat(agent: Agent, look: Look, table: Mapping[int, Process] | None = None) -> Seat:
    """Find where an agent is shown. A multiplexer that its environment names is believed only if the terminal fits."""
    if not agent.terminal:
        return Seat(why="it has no terminal")
    family = sessions.ancestors(agent.pid, look.table() if table is None else table)
    for pid in family:
        env = look.environment(pid)
        if "TMUX" in env and (seat := _tmux(agent, env["TMUX"].split(",")[0])) is not None:
            return seat
        if "STY" in env:
            return _screen(agent, env, family, look)
        if "ZELLIJ_SESSION_NAME" in env and "ZELLIJ_PANE_ID" in env:
            return _zellij(env)
    return Seat(why=f"its terminal ({agent.terminal}) shows its screen to nobody else")


def take(seat: Seat, scratch: Path) -> Picture | Unseen:
    """Ask for what is on the screen now; waits for the answer. `scratch` is a file that may be overwritten."""
    if not seat.command:
        return Unseen(seat.why)
    match seat.kind:
        case "tmux":
            return _tmux_picture(seat)
        case "screen":
            return _hardcopy(seat, scratch)
        case _:
            said = _run(seat.command)
            if said is None:
                return Unseen(f"{seat.kind} does not show it; this needs version 0.44 of zellij or a later one")
            return _plain(said.split(b"\n"))


# ── tmux ───────────────────────────────────────────────────────────────────────────────────────


def _tmux(agent: Agent, socket: str) -> Seat | None:
    """The pane whose terminal the agent has, if that is one of this server's."""
    program = _program("tmux")
    if not program or not _is_ours(socket):
        return None
    said = _run((program, "-S", socket, "list-panes", "-a", "-F", "#{pane_tty}\t#{pane_id}"))
    for line in (said or b"").decode("utf-8", "replace").splitlines():
        tty, _, pane = line.partition("\t")
        if tty.removeprefix("/dev/") == agent.terminal:
            facts = ("display-message", "-p", "-t", pane, _TMUX_SAYS)
            lines = ("capture-pane", "-p", "-e", "-N", "-t", pane)
            return Seat(kind="tmux", name=pane, tty=tty, command=(program, "-S", socket, *facts, ";", *lines))
    return None


def _tmux_picture(seat: Seat) -> Picture | Unseen:
    said = _run(seat.command)
    head, _, body = (said or b"").partition(b"\n")
    facts = head.decode("utf-8", "replace").split("\t", 7)
    if len(facts) < 8 or facts[0] != seat.tty:
        return Unseen("its tmux pane has gone")
    cols, rows, x, y = (int(fact) if fact.isdigit() else 0 for fact in facts[1:5])
    lines = body.split(b"\n")[:rows]
    cursor = (x, y) if facts[5] == "1" else None
    return Picture(lines=tuple(lines), cols=cols, rows=rows, cursor=cursor, title=facts[7])


# ── GNU screen ─────────────────────────────────────────────────────────────────────────────────


def _screen(agent: Agent, env: Mapping[str, str], family: list[int], look: Look) -> Seat:
    session, window = env["STY"], env.get("WINDOW", "0")
    server = int(session.partition(".")[0]) if session.partition(".")[0].isdigit() else 0
    below = family.index(server) - 1 if server in family else -1
    if below < 0 or look.terminal(family[below]) != agent.terminal:
        return Seat(why=f"its terminal ({agent.terminal}) is not the one that GNU screen shows")
    program, door = _program("screen"), _screen_door(session, env)
    if not program or not door:
        return Seat(why="it runs in GNU screen, which cannot be asked here")
    command = (program, "-S", session, "-p", window, "-X", "hardcopy")
    return Seat(kind="screen", name=f"{session} {window}", command=command, door=door)


def _screen_door(session: str, env: Mapping[str, str]) -> str:
    user = env.get("USER", "") or env.get("LOGNAME", "")
    folders = [env.get("SCREENDIR", ""), f"/run/screen/S-{user}", f"/tmp/screens/S-{user}", f"/tmp/uscreens/S-{user}"]
    folders.append(f"{env.get('HOME', '')}/.screen")
    return next((path for folder in folders if folder and _is_ours(path := f"{folder}/{session}")), "")


def _hardcopy(seat: Seat, scratch: Path) -> Picture | Unseen:
    try:
        attached = os.stat(seat.door).st_mode & stat.S_IXUSR
    except OSError:
        return Unseen("its GNU screen session has gone")
    if attached:
        return Unseen("GNU screen tells everybody who is attached about each look; detach it, and it can be seen here")
    scratch.unlink(missing_ok=True)
    if _run((*seat.command, str(scratch))) is None or not scratch.exists():
        return Unseen("GNU screen does not show it")
    said = scratch.read_bytes()
    scratch.unlink(missing_ok=True)
    return _plain(said.split(b"\n")[:-1])


# ── zellij ─────────────────────────────────────────────────────────────────────────────────────


def _zellij(env: Mapping[str, str]) -> Seat:
    program, session, pane = _program("zellij"), env["ZELLIJ_SESSION_NAME"], env["ZELLIJ_PANE_ID"]
    if not program or session.startswith("-") or not pane.isdigit():
        return Seat(why="it runs in zellij, which cannot be asked here")
    command = (program, "--session", session, "action", "dump-screen", "--pane-id", f"terminal_{pane}", "--ansi")
    return Seat(kind="zellij", name=f"{session} {pane}", command=command)


# ── shared ─────────────────────────────────────────────────────────────────────────────────────


def _plain(lines: list[bytes]) -> Picture:
    width = max((len(line.decode("utf-8", "replace")) for line in lines), default=0)
    return Picture(lines=tuple(lines), cols=max(80, min(width, 500)), rows=max(2, len(lines)))


def _program(name: str) -> str:
    return shutil.which(name) or ""


def _is_ours(path: str) -> bool:
    """Whether it is a socket of ours: another user's server is not asked."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return (stat.S_ISSOCK(status.st_mode) or stat.S_ISFIFO(status.st_mode)) and status.st_uid == os.getuid()


def _run(command: tuple[str, ...]) -> bytes | None:
    """Run a question and return what it printed; None when it failed or took too long."""
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull, "LANG": "C.UTF-8", "TERM": "xterm-256color"}
    env |= {name: os.environ[name] for name in ("SCREENDIR", "XDG_RUNTIME_DIR") if name in os.environ}
    try:
        done = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
