"""Becoming a holder: cut off from whoever started it, deaf to the signals of a closing terminal, then at work."""

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import sys
import time
from typing import Any, Final

from agentdeck.holder.door import Door
from agentdeck.holder.holder import Holder
from agentdeck.holder.program import Program, StartError
from agentdeck.holder.record import EXIT_SUFFIX, TAIL, ExitFile, ExitRecord
from agentdeck.holder.ring import Ring

_PR_SET_CHILD_SUBREAPER: Final = 36


def _become_subreaper() -> None:
    """Make every orphan below us our child (Linux), so that a stop finds daemons too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _listen_for_signals() -> int:
    """Let the signals that matter arrive as bytes in a descriptor, and no other end us."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    receiver, sender = os.pipe()
    os.set_blocking(receiver, False)
    os.set_blocking(sender, False)
    signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)
    return receiver


def run(spec: dict[str, Any]) -> None:
    """Start the program that `spec` names, report on standard output, hold it, and end the process."""
    report = socket.socket(fileno=os.dup(1))
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nothing, standard)
    path = f"{spec['run']}/{spec['id']}"
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    _become_subreaper()
    wake = _listen_for_signals()
    door, exit_file = Door(f"{path}.sock"), ExitFile(f"{path}{EXIT_SUFFIX}")
    try:
        if door.somebody_answers():
            raise StartError("holder", f"a session {spec['id']} is running already", path)
        try:
            door.open()
        except OSError as error:
            raise StartError("holder", f"no socket can be made in {spec['run']}: {error.strerror}", path) from error
        with contextlib.suppress(OSError):  # a full disk: the record waits in memory until there is room
            exit_file.prepare()
        ring = Ring()
        program = Program(spec["argv"], spec["cwd"], spec["env"], spec["cols"], spec["rows"])
    except (StartError, OSError) as error:
        kind, where = (error.kind, error.path) if isinstance(error, StartError) else ("holder", path)
        door.close()
        exit_file.remove()
        report.sendall(json.dumps({"kind": kind, "text": str(error), "path": where}).encode())
        os._exit(1)
    size = spec["cols"], spec["rows"]
    holder = Holder(program, ring, door, exit_file, size=size, spare=tuple(spec["spare"]))
    try:
        report.sendall(json.dumps({"kind": "", "pid": program.pid}).encode())
    except OSError:  # whoever wanted it has gone, and knows no session of this name
        os.kill(program.pid, signal.SIGKILL)
        door.close()
        exit_file.remove()
        os._exit(1)
    report.close()
    os.dup2(nothing, 2)
    os.close(nothing)

    def crashed(kind: type[BaseException], value: BaseException, trace: object) -> None:
        text = f"its holder failed: {kind.__name__}: {value}"
        exit_file.write(ExitRecord(None, None, time.time(), ring.tail(TAIL), text))
        os._exit(1)

    sys.excepthook = crashed
    holder.run(wake)
    os._exit(0)  # without this pexpect would end what is left of the program
