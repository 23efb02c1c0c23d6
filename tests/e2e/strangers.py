"""Agents that somebody started without agentdeck: real CLIs in terminals of their own, past their first questions."""

import contextlib
import json
import os
import signal
import uuid
from collections.abc import Sequence
from pathlib import Path

from agentdeck.processes import resume
from tests.e2e.clis import RealCli
from tests.e2e.tmux import Tmux
from tests.e2e.world import World


def prepare(world: World, cli: RealCli, url: str, *directories: Path) -> None:
    """Write down what a finished first start in these directories leaves behind; CLIs of several kinds can share it."""
    before = {path: path.read_text() for path in (world.home / ".claude.json",) if path.exists()}
    world.env |= cli.prepare(world.home, url)
    for path, text in before.items():
        path.write_text(text)
    match cli.provider:
        case "claude":
            settings = world.home / ".claude.json"
            known = json.loads(settings.read_text())
            projects = known.setdefault("projects", {})
            projects |= {os.path.realpath(each): {"hasTrustDialogAccepted": True} for each in directories}
            settings.write_text(json.dumps(known))
        case "codex":
            path = world.home / ".codex" / "config.toml"
            tables = (f'\n[projects."{os.path.realpath(each)}"]\ntrust_level = "trusted"\n' for each in directories)
            path.write_text(path.read_text() + "".join(tables))
        case "gemini":
            trusted = {os.path.realpath(each): "TRUST_FOLDER" for each in directories}
            (world.home / ".gemini" / "trustedFolders.json").write_text(json.dumps(trusted))


def stranger(world: World, cli: RealCli, directory: Path, words: Sequence[str] = ()) -> Tmux:
    """Start a CLI in a terminal of its own."""
    assert cli.path is not None
    project, world.project = world.project, directory
    try:
        return world.sit_down(str(cli.path), *cli.args, *words, cols=100, rows=30)
    finally:
        world.project = project


def end(world: World, *seats: Tmux) -> None:
    """End what was started, and what it left running: Gemini outlives its terminal, and Codex has daemons."""
    pids = [pid for seat in seats if not seat.ended for pid in resume.descendants(seat.pid)]
    for path in (world.home / ".codex" / "app-server-daemon").glob("*.pid"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            pids.append(int(json.loads(path.read_text())["pid"]))
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for seat in seats:
        seat.close()


def ask(seat: Tmux, text: str) -> None:
    """Type a prompt, in the way that all of them hear."""
    seat.send(f"\x1b[200~{text}\x1b[201~")
    seat.wait_until_still(0.3)
    seat.send("\r")


def chosen_id() -> str:
    return str(uuid.uuid4())
