"""Every example of docs/library.md is run beside sessions that really go on, and prints what the page says."""

import inspect
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from agentdeck.events_wire import KINDS
from agentdeck.realtime import filters
from tests.fakes.pen import Pen
from tests.fakes.receiver import receiving

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
PATIENCE = 60.0


class Example(NamedTuple):
    heading: str
    code: str
    output: str


def examples() -> Iterator[Example]:
    heading = ""
    blocks = re.finditer(
        r"^#+ ([^\n]+)$|^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE.read_text("utf-8"), re.M | re.S
    )
    for block in blocks:
        if block[1]:
            heading = block[1].lower().replace(" ", "-")
        else:
            yield Example(heading, block[2], block[3] or "")


def work(pen: Pen) -> None:
    """One turn of one session, as the examples know it."""
    pen.ask("add a test for the till")
    pen.prompt = 15_000
    pen.edit(f"{pen.cwd}/src/till.py", added=12, removed=3)
    pen.prompt = 16_000
    pen.result(pen.call("Bash", command="pytest -q"), "1 failed, 3 passed\n" + "E" * 240_000, failed=True)
    pen.prompt = 76_000
    pen.spawn("a1", "look around")
    pen.compact(76_100, 12_000)
    pen.prompt = 14_000
    pen.say("The till works.")
    pen.end_turn()


@contextmanager
def working(home: Path) -> Iterator[None]:
    """Turns go on, one session after the other, until the block ends."""
    over = threading.Event()

    def go_on() -> None:
        number = 0
        while not over.wait(0.3):
            number += 1
            pen = Pen(home, f"{number:08x}-0000-4000-8000-000000000000", cwd=f"{home}/shop")
            with pen.at_once():
                work(pen)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def await_sessions(url: str) -> None:
    """Ask for metrics until they are of something."""
    deadline = time.monotonic() + PATIENCE
    while b"\nagentdeck_sessions_total 0\n" in urllib.request.urlopen(url, timeout=PATIENCE).read():
        assert time.monotonic() < deadline


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.heading)
def test_an_example_does_what_the_page_says(example: Example, tmp_path: Path) -> None:
    port = str(free_port())
    code, expected = (text.replace("9464", port) for text in (example.code, example.output))
    with receiving() as receiver, working(tmp_path):
        env = {
            "HOME": os.fspath(tmp_path),
            "PATH": os.environ["PATH"],
            "WEBHOOK_URL": receiver.url,
            "WEBHOOK_SECRET": "it is a secret",
            "SLACK_URL": receiver.url,
        }
        with subprocess.Popen(
            [sys.executable, "-c", code],
            env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as child:  # fmt: skip
            watchdog = threading.Timer(PATIENCE, child.kill)
            watchdog.start()
            try:
                assert child.stdout is not None
                printed = ""
                while expected not in printed and (line := child.stdout.readline()):
                    printed += line
                if "exporter.url" in code:
                    await_sessions(f"http://127.0.0.1:{port}/metrics")
                if ".start()" in code and ".stop()" not in code:
                    child.send_signal(signal.SIGINT)
                rest, errors = child.communicate()
            finally:
                watchdog.cancel()
    assert expected in printed + rest, errors
    if child.returncode == -signal.SIGINT:
        assert errors.endswith("\nKeyboardInterrupt\n")
    else:
        assert (child.returncode, errors) == (0, "")


def test_the_page_names_every_kind_of_event_and_every_filter() -> None:
    page = PAGE.read_text("utf-8")
    for kind, event in KINDS.items():
        assert f"| `{kind}` | `{event.__name__}` |" in page
    functions = inspect.getmembers(filters, inspect.isfunction)
    public = [name for name, function in functions if function.__module__ == filters.__name__]
    for name in public:
        if not name.startswith("_") and name not in ("known_kind", "used_by", "paths_of"):
            assert f"`{name}(" in page, name
