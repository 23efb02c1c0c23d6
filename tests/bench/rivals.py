"""The same panes under agentdeck and under tmux, each on a 200×50 terminal of its own."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.seat import COLS, ROWS, Seat
from tests.e2e.patience import until
from tests.e2e.world import World

PROGRAMS = str(Path(__file__).with_name("programs.py"))
CTRL_Q = b"\x11"


def program(*words: str) -> list[str]:
    return [sys.executable, PROGRAMS, *words]


@contextmanager
def agentdeck(panes: Sequence[Sequence[str]], *, visible: bool = True) -> Iterator[tuple[World, Seat]]:
    """Open the deck on the first pane, in TYPING mode; with `visible`, all panes are on the screen beside it."""
    with World() as world:
        world.configure(f"[limits]\nsessions = {max(10, len(panes))}\n")
        ids = [world.shell(f"pane{number}", *words) for number, words in enumerate(panes)]
        for session in ids:
            until(lambda session=session: world.screen(session).strip())  # type: ignore[misc]
        with Seat(world.argv("attach", ids[0]), world.env, world.project) as seat:
            seat.drain(2.0)
            if visible and len(panes) > 1:
                show_all(seat)
            seat.drain(1.0)
            yield world, seat


def show_all(seat: Seat) -> None:
    """Focus → split → tiles, and back to typing."""
    seat.press(CTRL_Q)
    seat.drain(0.6)
    for _ in range(2):
        seat.press(b"v")
        seat.drain(0.8)
    seat.press(b"\r")


@contextmanager
def tmux(panes: Sequence[Sequence[str]]) -> Iterator[tuple[World, Seat]]:
    """Open tmux on a tiled window with all panes, the first one active."""
    with World() as world:
        env = {**world.env, "TMUX_TMPDIR": str(world.root)}
        socket, config = str(world.root / "bench"), world.root / "bench.conf"
        config.write_text("set -s escape-time 0\nset -g status off\nset -g default-terminal tmux-256color\n")
        command = ["tmux", "-S", socket, "-f", str(config), "-u"]
        words = ["new-session", "-x", str(COLS), "-y", str(ROWS), "-c", str(world.project), "--", *panes[0]]
        for other in panes[1:]:
            words += [";", "split-window", "-d", "-c", str(world.project), "--", *other]
            words += [";", "select-layout", "tiled"]
        with Seat([*command, *words], env, world.project) as seat:
            seat.drain(3.0)
            try:
                yield world, seat
            finally:
                killer = Seat(["tmux", "-S", socket, "kill-server"], env, world.project)
                with killer:
                    killer_ended(killer)


def killer_ended(seat: Seat) -> None:
    try:
        while True:
            seat.read(1.0)
    except EOFError:
        pass
