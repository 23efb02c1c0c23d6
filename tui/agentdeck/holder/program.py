"""Starting a session's program in a PTY: pexpect does it, and nothing after it, because its reads and writes block."""

import os
import resource
import signal
import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from errno import E2BIG, EACCES, ENOENT, ENOEXEC
from typing import Final

import pexpect

from agentdeck.holder.proc import start_ticks
from agentdeck.holder.terminal import Terminal

_IUTF8: Final = 0x4000
"""Lets the kernel's line editor erase a whole character; the same bit on Linux and macOS, unnamed in `termios`."""


class StartError(Exception):
    """A program did not start: `kind` is program or directory, the text is a plain sentence."""

    def __init__(self, kind: str, text: str, path: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.path = path


class Program:
    def __init__(self, argv: Sequence[str], cwd: str, env: Mapping[str, str], cols: int, rows: int) -> None:
        """Start it. Raises `StartError`."""
        path = _find(argv[0], cwd, env)
        _enter(cwd)
        try:
            self._pty = _spawn(path, argv[1:], env, cols, rows)  # kept: collecting it would close the PTY
        except (OSError, pexpect.ExceptionPexpect) as error:
            raise StartError("program", _why_not(error, path), path) from error
        finally:
            os.chdir("/")
        self.pid = int(self._pty.pid or 0)
        self.terminal = Terminal(self._pty.child_fd)
        self.start_ticks = start_ticks(self.pid)

    def signal(self, number: int) -> None:
        """Signal the program itself, which must not be reaped yet. Raises `OSError`."""
        os.kill(self.pid, number)


def _find(name: str, cwd: str, env: Mapping[str, str]) -> str:
    """Return the program's path as a shell in `cwd` would find it. Raises `StartError`."""
    if not name:
        raise StartError("program", "the program's name is empty", name)
    if "/" in name:
        path = os.path.join(cwd, name)  # noqa: PTH118 - a holder works without pathlib
        if not os.path.lexists(path):
            raise StartError("program", f"{path} does not exist", path)
        if os.path.isdir(path):  # noqa: PTH112
            raise StartError("program", f"{path} is a directory, not a program", path)
        if not os.access(path, os.X_OK):
            raise StartError("program", f"{path} is not executable", path)
        return path
    refused = ""
    for place in env.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(cwd, place, name)  # noqa: PTH118
        if os.path.isfile(path):  # noqa: PTH113
            if os.access(path, os.X_OK):
                return path
            refused = refused or path
    raise StartError("program", f"{refused} is not executable" if refused else f"no program {name!r} on PATH", name)


def _enter(cwd: str) -> None:
    """Go where the program shall start. Not left to the fork, in which an error would come too late to be told."""
    try:
        os.chdir(cwd)
    except OSError as error:
        kind = "missing directory" if error.errno == ENOENT else "directory"
        raise StartError(kind, f"the directory {cwd} cannot be entered: {_reason(error)}", cwd) from error


def _spawn(path: str, args: Sequence[str], env: Mapping[str, str], cols: int, rows: int) -> "pexpect.spawn[bytes]":
    # Without arguments pexpect would split the path like a shell: quote every character of it.
    command = path if args else "".join(f"\\{character}" for character in path)
    return pexpect.spawn(
        command, list(args), env=dict(env), dimensions=(rows, cols), preexec_fn=_prepare_child, timeout=None
    )


def _prepare_child() -> None:
    """Runs in the child before its program: undo what a holder is, and be the first to go when memory runs out."""
    for number in signal.valid_signals():
        if signal.getsignal(number) not in (signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with suppress(OSError, termios.error):
        modes = termios.tcgetattr(0)
        modes[0] |= _IUTF8
        termios.tcsetattr(0, termios.TCSANOW, modes)
    if sys.platform == "linux":
        with suppress(OSError, ValueError), open("/proc/self/oom_score_adj", "r+") as file:
            score = int(file.read())
            file.seek(0)
            file.write(str(min(1000, score + 200)))


def _why_not(error: Exception, path: str) -> str:
    number = getattr(error, "errno", None)
    if number == ENOENT:
        return f"{path} did not start: the interpreter named in its first line does not exist"
    if number == ENOEXEC:
        return f"{path} is not a program that this machine can run"
    if number == EACCES:
        return f"{path} is not executable"
    if number == E2BIG:
        return f"{path} did not start: its arguments and environment are too long"
    return f"{path} did not start: {_reason(error)}"


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]
