"""A private tmux server as the terminal that a person would sit at.

It has its own socket, no configuration of the user's, and one window with exactly the size that was asked for. Keys go
in as bytes and the screen comes out as text, so a test sees what a person sees and nothing more.
"""

import contextlib
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from tests.e2e.patience import patient

TYPED_AT_ONCE = 200
"""Bytes; more goes through a paste buffer, because a command line has an end."""

POLL = 0.04

Wanted = str | re.Pattern[str] | Callable[[str], bool]


class Tmux:
    """Use as a context manager; leaving it ends the server, which hangs up on the program inside."""

    def __init__(self, root: Path, env: Mapping[str, str], *, cols: int = 120, rows: int = 40) -> None:
        self.socket = root / f"tmux-{time.monotonic_ns() % 10**9}"
        self.env = {**env, "TMUX_TMPDIR": str(root)}
        self.cols, self.rows = cols, rows

    def start(self, argv: Sequence[str], cwd: Path) -> "Tmux":
        """Run `argv` in the terminal. When it ends, its last screen stays."""
        settings = (
            "set -g status off",
            "set -s escape-time 0",
            "set -g remain-on-exit on",
            "set -g default-terminal tmux-256color",
            "set -g history-limit 20000",
            "set -g mouse off",
            "set -s set-clipboard off",
        )
        config = self.socket.with_suffix(".conf")
        config.write_text("\n".join(settings) + "\n")
        size = ("-x", str(self.cols), "-y", str(self.rows))
        words = argv if len(argv) > 1 else (f"exec {shlex.quote(argv[0])}",)  # tmux hands a single word to a shell
        self.run("-f", str(config), "new-session", "-d", *size, "-c", str(cwd), "-s", "seat", "--", *words)
        return self

    def run(self, *words: str, data: bytes | None = None) -> str:
        """Run one tmux command on this server and return what it prints."""
        command = ["tmux", "-S", str(self.socket), *words]
        done = subprocess.run(command, env=self.env, input=data, capture_output=True, timeout=30, check=False)
        if done.returncode:
            raise RuntimeError(f"tmux {words[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode("utf-8", "replace")

    def send(self, data: bytes | str) -> None:
        """Type `data`, byte for byte."""
        raw = data.encode() if isinstance(data, str) else data
        if len(raw) <= TYPED_AT_ONCE:
            self.run("send-keys", "-t", "seat", "-H", *(f"{byte:02x}" for byte in raw))
        else:
            self.run("load-buffer", "-b", "typed", "-", data=raw)
            self.run("paste-buffer", "-r", "-d", "-b", "typed", "-t", "seat")

    def screen(self, *, styled: bool = False, history: int = 0) -> str:
        """Return what is on the screen, `history` rows above it included; with `styled`, with its escape sequences."""
        words = ["capture-pane", "-p", "-t", "seat"]
        if styled:
            words.append("-e")
        if history:
            words += ["-S", str(-history)]
        return self.run(*words)

    def wait_for(self, wanted: Wanted, seconds: float = 20.0, *, gone: bool = False) -> str:
        """Wait until `wanted` is on the screen (with `gone`: until it is not) and return the screen."""
        check = _check(wanted)
        deadline = time.monotonic() + patient(seconds)
        screen = self.screen()
        while check(screen) == gone:
            if time.monotonic() > deadline:
                what = "still shows" if gone else "never showed"
                raise AssertionError(f"the screen {what} {_describe(wanted)}:\n{_frame(screen)}")
            time.sleep(POLL)
            screen = self.screen()
        return screen

    def wait_until_still(self, quiet: float = 0.4, seconds: float = 15.0) -> str:
        """Wait until the screen has not changed for `quiet` seconds (or `seconds` have passed), and return it."""
        deadline = time.monotonic() + patient(seconds)
        screen, since = self.screen(), time.monotonic()
        while time.monotonic() - since < quiet and time.monotonic() < deadline:
            time.sleep(POLL)
            if (now := self.screen()) != screen:
                screen, since = now, time.monotonic()
        return screen

    def resize(self, cols: int, rows: int) -> None:
        self.cols, self.rows = cols, rows
        self.run("resize-window", "-t", "seat", "-x", str(cols), "-y", str(rows))

    @property
    def pid(self) -> int:
        """The program's process id."""
        return int(self._say("#{pane_pid}"))

    @property
    def ended(self) -> bool:
        """Whether the program is over: tmux calls a pane dead as soon as its terminal closes, a little earlier."""
        told = self._say("#{pane_dead},#{pane_dead_status}#{pane_dead_signal}")
        if told == "1,":
            self.run("run-shell", "true")  # tmux can miss that a child has ended until the next one does
        return told not in ("0,", "1,")

    @property
    def exit_status(self) -> int | None:
        """What the program returned; None while it runs or when a signal ended it."""
        status = self._say("#{pane_dead_status}")
        return int(status) if status else None

    @property
    def alternate(self) -> bool:
        """Whether the program has the alternate screen."""
        return self._say("#{alternate_on}") == "1"

    @property
    def cursor(self) -> tuple[int, int]:
        x, y = self._say("#{cursor_x} #{cursor_y}").split()
        return int(x), int(y)

    def _say(self, form: str) -> str:
        return self.run("display-message", "-p", "-t", "seat", form).strip()

    def close(self) -> None:
        """End this server, and with it the terminal: what happens when somebody closes the window."""
        with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
            self.run("kill-server")

    def __enter__(self) -> "Tmux":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check(wanted: Wanted) -> Callable[[str], bool]:
    if isinstance(wanted, str):
        return lambda screen: wanted in screen
    if isinstance(wanted, re.Pattern):
        return lambda screen: wanted.search(screen) is not None
    return wanted


def _describe(wanted: Wanted) -> str:
    if isinstance(wanted, re.Pattern):
        return wanted.pattern
    return repr(wanted)


def _frame(screen: str) -> str:
    return "\n".join(f"│{line}" for line in screen.rstrip("\n").split("\n"))
