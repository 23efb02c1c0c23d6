#!/usr/bin/env python3
"""A program that behaves like Claude Code as far as a host sees: session file, transcript, a prompt and a dialog.

A prompt makes it work until the file `finish` is there; one with `dialog` in it asks, and any key answers; one with
`deaf` in it is lost. Every line that it is given goes into the file `heard`, in HOME.
"""

import json
import os
import re
import sys
import termios
import time
import tty
import uuid
from datetime import UTC, datetime
from pathlib import Path

HOME = Path(os.environ["HOME"])
SESSION = sys.argv[sys.argv.index("--session-id") + 1] if "--session-id" in sys.argv else str(uuid.uuid4())
TRANSCRIPT = HOME / ".claude" / "projects" / "-app" / f"{SESSION}.jsonl"
STATUS = HOME / ".claude" / "sessions" / f"{os.getpid()}.json"
START = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]


def status(word: str) -> None:
    STATUS.parent.mkdir(parents=True, exist_ok=True)
    known = {"pid": os.getpid(), "sessionId": SESSION, "procStart": START, "status": word, "waitingFor": "permission"}
    fresh = STATUS.with_suffix(".tmp")
    fresh.write_text(json.dumps({**known, "statusUpdatedAt": int(time.time() * 1000)}))
    fresh.rename(STATUS)
    title = "⠂ task" if word == "busy" else "✳ task"
    sys.stdout.write(f"\x1b]0;{title}\x07{word}\r\n")
    sys.stdout.flush()


def record(role: str, content: object) -> None:
    TRANSCRIPT.parent.mkdir(parents=True, exist_ok=True)
    said = {
        "type": role, "uuid": str(uuid.uuid4()), "sessionId": SESSION, "cwd": "/app", "version": "2.1.197",
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "message": {"role": role, "content": content, "model": "claude-opus-4-8", "id": str(uuid.uuid4())},
    }  # fmt: skip
    with TRANSCRIPT.open("a") as file:
        file.write(json.dumps(said) + "\n")


def wait_for(name: str) -> None:
    """Until that file is there, or somebody presses Esc."""
    os.set_blocking(0, False)
    while not (HOME / name).exists():
        time.sleep(0.02)
        try:
            if os.read(0, 1000)[:1] == b"\x1b":
                break
        except BlockingIOError:
            continue
    os.set_blocking(0, True)
    (HOME / name).unlink(missing_ok=True)


def turn(text: str) -> None:
    with (HOME / "heard").open("a") as file:
        file.write(text + "\n")
    if "deaf" in text:
        return
    record("user", text)
    if "dialog" in text:
        status("waiting")
        answer = os.read(0, 1)
        (HOME / "answers").write_text(f"{answer!r}\n")
    status("busy")
    if "tool" in text:
        record("assistant", [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}])
        wait_for("returned")
        record("user", [{"type": "tool_result", "tool_use_id": "t1", "content": "made"}])
    wait_for("finish")
    record("assistant", [{"type": "text", "text": "done"}])
    status("idle")


def main() -> None:
    tty.setraw(0, termios.TCSANOW)
    sys.stdout.write("\x1b[?2004h")
    status("idle")
    typed = b""
    while data := os.read(0, 65536):
        typed += data
        if typed.endswith(b"\r"):
            text = re.sub(rb"\x1b\[20[01]~|\x1b\[[IO]", b"", typed[:-1])
            typed = b""
            turn(text.decode("utf-8", "replace"))


main()
