"""How soon an appended line is an event at a subscriber, and what following costs.

python -m tests.bench.bench_follow [files seconds]: a worker of its own over a made-up home directory.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agentdeck import events_wire
from agentdeck.events import MessageAdded
from agentdeck.live.store import LiveStore
from agentdeck.protocol.wire import Decoder
from agentdeck.protocol.worker import AnyFrame, Told, Totals
from agentdeck.transcripts.follow import Follower
from agentdeck.transcripts.roots import roots
from tests.bench.measure import CpuMeter, memory, percentile, table

ACTIVE = 20
DIRECTORIES = 200


def line(text: str, session: str, number: int, at: float | None = None) -> bytes:
    record = {
        "type": "assistant",
        "sessionId": session,
        "uuid": f"{session[:8]}-{number:04x}-4000-8000-000000000000",
        "requestId": f"req_{session}{number}",
        "timestamp": datetime.fromtimestamp(time.time() if at is None else at, UTC).isoformat(),
        "message": {
            "id": f"msg_{session}{number}",
            "model": "claude-opus-4-8",
            "content": [{"type": "text", "text": text}],
            "usage": {"input_tokens": 5, "cache_read_input_tokens": 20_000, "output_tokens": 50},
        },
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def history(home: Path, files: int) -> list[Path]:
    """That many transcripts, of which each tenth was written today."""
    paths: list[Path] = []
    now = time.time()
    for number in range(files):
        session = f"{number:08x}-0000-4000-8000-000000000000"
        path = home / ".claude" / "projects" / f"-p-{number % DIRECTORIES}" / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        at = now - 86_400 * (number % 60 + 3) if number % 10 else now
        path.write_bytes(b"".join(line("x" * 2000, session, n, at) for n in range(20)))
        os.utime(path, (at, at))
        paths.append(path)
    return paths


class Subscriber:
    """Reads what a worker tells, as the hub does."""

    def __init__(self, home: Path) -> None:
        env = {"HOME": str(home), "PATH": os.defpath, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        argv = [sys.executable, "-m", "agentdeck.worker.main", f"--state={home}/state", f"--config={home}/config.toml"]
        self.started = time.monotonic()
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self.totals: list[tuple[float, Totals]] = []
        self.heard: dict[str, float] = {}
        self.ready = threading.Event()
        self.complete = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        decoder: Decoder[AnyFrame] = Decoder(AnyFrame)
        while data := os.read(self.process.stdout.fileno(), 256 * 1024):
            for frame in decoder.feed(data):
                now = time.monotonic()
                if isinstance(frame, Totals):
                    self.totals.append((now - self.started, frame))
                    if frame.complete:
                        self.complete.set()
                elif isinstance(frame, Told) and not frame.history:
                    self._hear(frame, now)

    def _hear(self, frame: Told, now: float) -> None:
        for data in frame.events:
            event = events_wire.decode(data)
            if isinstance(event, MessageAdded):
                self.heard[event.text[:40].strip()] = now
                self.ready.set()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        self._thread.join(5)


@contextmanager
def subscribed(home: Path) -> Iterator[Subscriber]:
    subscriber = Subscriber(home)
    try:
        yield subscriber
    finally:
        subscriber.end()


async def write(paths: list[Path], rate: int, seconds: float, name: str) -> dict[str, float]:
    """Append `rate` lines a second to the files in turn; return when each was written."""
    loop, written = asyncio.get_running_loop(), dict[str, float]()
    files = [os.open(path, os.O_WRONLY | os.O_APPEND) for path in paths]
    began = loop.time()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        text = f"{name}{number}"
        data = line(f"{text:<40}" + "x" * 500, paths[number % len(paths)].stem, 1000 + number)
        written[text] = time.monotonic()
        os.write(files[number % len(files)], data)
    for file in files:
        os.close(file)
    return written


def until_all(subscriber: Subscriber, written: dict[str, float]) -> None:
    until = time.monotonic() + 10
    while written.keys() - subscriber.heard.keys() and time.monotonic() < until:
        time.sleep(0.05)


def latency(home: Path, paths: list[Path], seconds: float) -> None:
    rows: list[list[object]] = []
    with subscribed(home) as subscriber:
        subscriber.complete.wait(60)
        while not subscriber.ready.is_set():  # the watcher watches
            asyncio.run(write(paths[:1], 20, 0.1, f"probe{time.monotonic()}"))
            subscriber.ready.wait(1)
        for rate in (20, 1000):
            time.sleep(1)
            meter = CpuMeter(worker=subscriber.process.pid)
            written = asyncio.run(write(paths[:ACTIVE], rate, seconds, f"at{rate}."))
            used = meter.read()["worker"]
            until_all(subscriber, written)
            waits = [1000 * (subscriber.heard[text] - at) for text, at in written.items() if text in subscriber.heard]
            lost = len(written) - len(waits)
            figures = [percentile(waits, 50), percentile(waits, 99), max(waits)]
            rows.append([rate, *figures, used, lost, memory(subscriber.process.pid)])
        time.sleep(2)
        meter = CpuMeter(worker=subscriber.process.pid)
        time.sleep(5)
        rows.append(["none", "", "", "", meter.read()["worker"], "", memory(subscriber.process.pid)])
    head = ("appends/s", "p50 ms", "p99 ms", "max ms", "CPU %", "lost", "MB")
    table(f"append → event at a subscriber, {ACTIVE} active files among {len(paths)}", head, rows)


def first_numbers(home: Path, files: int) -> None:
    rows: list[list[object]] = []
    for name in ("no index", "warm", "warm"):
        with subscribed(home) as subscriber:
            subscriber.complete.wait(120)
            (first, told), (done, _) = subscriber.totals[0], subscriber.totals[-1]
            rows.append([name, 1000 * first, told.today_tokens, 1000 * done, memory(subscriber.process.pid)])
    table(f"first numbers, {files} transcripts", ("start", "first ms", "tokens today", "complete ms", "MB"), rows)


def day(home: Path) -> None:
    """A day of 300 sessions of 400 messages, one after the other, on a clock of its own."""
    folder = home / ".claude" / "projects" / "-day"
    folder.mkdir(parents=True)
    clock = time.time()
    time.monotonic = lambda: clock
    follower = Follower(roots({"HOME": str(home)}), positions=home / "positions", now=lambda: clock)
    store, rows = LiveStore(), list[list[object]]()
    for number in range(300):
        session = f"d{number:07x}-0000-4000-8000-000000000000"
        data = b"".join(line(f"day{number}.{n}".ljust(40) + "x" * 200, session, n) for n in range(400))
        (folder / f"{session}.jsonl").write_bytes(data)
        for event in follower.sweep():
            store.apply(event)
        clock += 86_400 / 300
        store.tick(datetime.fromtimestamp(clock, UTC))
        follower.save()
        if number % 50 == 49:
            rows.append([number + 1, (number + 1) * 400, len(follower.active()), memory(os.getpid())])
    table("a day of following, and of keeping live state", ("sessions", "events", "active files", "MB"), rows)


def main(files: int = 5000, seconds: float = 5) -> None:
    with tempfile.TemporaryDirectory(prefix="ad-", ignore_cleanup_errors=True) as root:
        latency(Path(root), history(Path(root), files), seconds)
    with tempfile.TemporaryDirectory(prefix="ad-", ignore_cleanup_errors=True) as root:
        history(Path(root), 2500)
        first_numbers(Path(root), 2500)
    with tempfile.TemporaryDirectory(prefix="ad-", ignore_cleanup_errors=True) as root:
        day(Path(root))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
