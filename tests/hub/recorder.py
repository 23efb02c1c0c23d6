"""A program that writes down what reaches it: signals, keys, new sizes, tracers. Run as `claude`, it looks like one.

Usage: recorder.py LOG HOME. It says `ready` when it listens, and writes the files of a Claude Code session.
"""

import fcntl
import json
import os
import select
import signal
import struct
import sys
import termios
import tty
from pathlib import Path
from typing import TextIO

SESSION = "11111111-2222-4333-8444-555555555555"


def main() -> None:
    home = Path(sys.argv[2])
    with open(sys.argv[1], "a", buffering=1) as log:
        record(log, home)


def record(log: TextIO, home: Path) -> None:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, lambda number, frame: log.write(f"signal {number}\n"))
    tty.setraw(0)
    start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    known = {"pid": os.getpid(), "sessionId": SESSION, "procStart": start, "status": "idle", "cwd": str(Path.cwd())}
    write(home / ".claude" / "sessions" / f"{os.getpid()}.json", json.dumps(known))
    said = {
        "type": "user", "uuid": "u1", "sessionId": SESSION, "cwd": str(Path.cwd()),
        "timestamp": "2026-11-21T00:00:00.000Z", "message": {"role": "user", "content": "hello"},
    }  # fmt: skip
    write(home / ".claude" / "projects" / "-app" / f"{SESSION}.jsonl", json.dumps(said) + "\n")
    sys.stdout.write("a screen of somebody's\r\n")
    sys.stdout.flush()
    log.write("ready\n")
    size, tracer = window(), "0"
    while True:
        if select.select([0], [], [], 0.05)[0]:
            log.write(f"input {os.read(0, 1000)!r}\n")
        if (now := window()) != size:
            size = now
            log.write(f"size {size}\n")
        status = Path("/proc/self/status").read_text()
        if (traced := status.partition("TracerPid:")[2].split()[0]) != tracer:
            tracer = traced
            log.write(f"tracer {tracer}\n")


def window() -> tuple[int, ...]:
    return struct.unpack("4H", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


main()
