"""How fast the emulator takes output in and gives frames out, and what its scrollback costs.

    python tests/bench/bench_terminal.py

Thread CPU time, best of a few, on a screen of 200×50. Only ratios within one run mean anything.
"""

import gc
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agentdeck.protocol.wire import encode
from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.screen import Screen

COLS: Final = 200
ROWS: Final = 50
CHUNK: Final = 16 * 1024
SIZE: Final = 8 * 1024 * 1024


def plain() -> bytes:
    return b"".join(b"%06d %s\r\n" % (n, b"the quick brown fox jumps over the lazy dog " * 3) for n in range(2000))


def coloured() -> bytes:
    chosen = random.Random(1)
    words = (
        b"\x1b[%d;%dm%s\x1b[m " % (chosen.choice((0, 1, 3)), chosen.randint(30, 37), b"word" * 2) for _ in range(20_000)
    )
    return b"".join(word + (b"\r\n" if n % 18 == 17 else b"") for n, word in enumerate(words))


def redraws() -> bytes:
    """Whole screens in synchronized blocks, as the CLIs draw them."""
    frames = []
    for number in range(60):
        rows = b"".join(
            b"\x1b[%dH\x1b[38;2;%d;120;90m\xe2\x94\x82 row %d \x1b[1mframe %d\x1b[22m %s\x1b[K"
            % (y + 1, y * 4, y, number, "日本語 ✻ text ".encode() * 6)
            for y in range(ROWS)
        )
        frames.append(b"\x1b[?2026h" + rows + b"\x1b[m\x1b[?2026l")
    return b"".join(frames)


def best(times: int, run: Callable[[], None]) -> float:
    found = []
    for _ in range(times):
        begun = time.thread_time()
        run()
        found.append(time.thread_time() - begun)
    return min(found)


def drop(_result: object) -> None:
    """Take a result that is only made for its time."""


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def new() -> Emulator:
    return Emulator(COLS, ROWS, reply=lambda _: None)


def feeding(name: str, data: bytes) -> None:
    data = (data * (SIZE // len(data) + 1))[:SIZE]
    emulator = new()

    def feed() -> None:
        for at in range(0, len(data), CHUNK):
            emulator.feed(data[at : at + CHUNK])

    seconds = best(2, feed)
    emulator.close()
    print(f"feed    {name:9} {SIZE / 1e6 / seconds:7.0f} MB/s")


def painting(name: str, data: bytes) -> None:
    """A refresh of a whole screen that changed everywhere, its frame, and the frame's bytes on the wire."""
    emulator = new()
    screen = Screen("bench", emulator)
    spent = {"refresh": 9.9, "frame": 9.9, "wire": 9.9}
    third = len(data) // 3
    for turn in range(12):
        emulator.feed(data[third * (turn % 3) : third * (turn % 3 + 1)] + b"%d" % turn)
        since = screen.seq
        begun = time.thread_time()
        screen.refresh()
        refreshed = time.thread_time()
        frame = screen.frame(since)
        framed = time.thread_time()
        encode(frame)
        ended = time.thread_time()
        for part, seconds in (("refresh", refreshed - begun), ("frame", framed - refreshed), ("wire", ended - framed)):
            spent[part] = min(spent[part], seconds)
    emulator.close()
    print(f"paint   {name:9} " + "  ".join(f"{part} {seconds * 1000:.2f} ms" for part, seconds in spent.items()))


def flooding(name: str, data: bytes, size: int = 50_000_000) -> None:
    """50 MB through a visible pane at 30 frames a second, without the PTY and the pane's own drawing."""
    data = (data * (CHUNK * 64 // len(data) + 1))[: CHUNK * 64]
    emulator = new()
    screen = Screen("bench", emulator)
    fed = frames = 0
    begun, due = time.perf_counter(), 0.0
    while fed < size:
        at = fed % len(data)
        emulator.feed(data[at : at + CHUNK])
        fed += CHUNK
        if time.perf_counter() >= due:
            since = screen.seq
            screen.refresh()
            encode(screen.frame(since))
            frames += 1
            due = time.perf_counter() + 1 / 30
    seconds = time.perf_counter() - begun
    emulator.close()
    print(f"flood   {name:9} {size / 1e6 / seconds:7.0f} MB/s with {frames / seconds:.0f} frames/s")


def remembering() -> None:
    new().close()
    data = b"".join(b"\x1b[%dm%s\r\n" % (31 + n % 7, b"x" * (COLS - 1)) for n in range(12_000))
    gc.collect()
    before = resident()
    emulator = new()
    emulator.feed(data)
    emulator.refresh()
    print(f"memory  {emulator.history} rows above the screen cost {(resident() - before) / 1e6:.1f} MB")
    reading = best(3, lambda: drop(emulator.history_rows(0, 200)))
    print(f"history 200 rows {reading * 1000:.2f} ms")
    writing = best(3, lambda: drop(emulator.snapshot()))
    print(f"snapshot {len(emulator.snapshot())} bytes {writing * 1000:.2f} ms")
    emulator.close()


def main() -> None:
    streams = {"plain": plain(), "coloured": coloured(), "redraws": redraws()}
    remembering()
    for measure in (feeding, painting, flooding):
        for name, data in streams.items():
            measure(name, data)


if __name__ == "__main__":
    main()
