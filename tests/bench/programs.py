"""What runs in the panes while something is measured: the words after the file name say which.

Standard library only, so that it starts the same under agentdeck and under tmux.
"""

import itertools
import os
import shutil
import sys
import time
import tty

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
READY = "ready"
RATE = 20 * 1024
"""Bytes a second of a busy agent."""

FRAMES = 20
"""Redraws a second of a busy agent."""


def token(number: int) -> str:
    """Return what answers key number `number`: no cell is as it was in the answer before."""
    return "".join(LETTERS[(number + 5 * place) % len(LETTERS)] for place in range(6))


def echo() -> None:
    """Answer each key with the next token in the same place."""
    tty.setraw(0)
    os.write(1, f"{READY}\r\n".encode())
    for number in itertools.count():
        if not os.read(0, 1):
            return
        os.write(1, f"\r{token(number)}".encode())


def busy() -> None:
    """Redraw a few coloured rows again and again, as agent CLIs do while they think."""
    os.write(1, f"{READY}\r\n".encode())
    size = RATE // FRAMES
    width = max(20, min(60, shutil.get_terminal_size().columns - 2))
    due = time.monotonic()
    for number in itertools.count():
        frame = ["\x1b[H"]
        length = row = 0
        while length < size:
            colour = (number + row) % 200 + 16
            word = f"\x1b[38;5;{colour}mframe {number} row {row} \x1b[0m".ljust(width, ".") + "\x1b[K\r\n"
            frame.append(word)
            length += len(word)
            row += 1
        os.write(1, "".join(frame).encode())
        due += 1 / FRAMES
        time.sleep(max(0.0, due - time.monotonic()))


def flood(path: str) -> None:
    """Wait for a key, print a file as fast as it goes, and say so."""
    tty.setcbreak(0)
    os.write(1, f"{READY}\r\n".encode())
    os.read(0, 1)
    with open(path, "rb") as file:
        while piece := file.read(1 << 16):
            view = memoryview(piece)
            while view:
                view = view[os.write(1, view) :]
    os.write(1, b"\r\nTHE-END\r\n")
    idle()


def endless(kind: str) -> None:
    """Never stop printing: plain text, or text in colour."""
    line = b"the quick brown fox jumps over the lazy dog " * 3 if kind == "plain" else b"\x1b[32mflood\x1b[0m " * 12
    block = (line + b"\r\n") * 200
    os.write(1, f"{READY}\r\n".encode())
    while True:
        os.write(1, block)


def lines(count: int) -> None:
    """Print numbered lines as wide as the terminal."""
    width = shutil.get_terminal_size().columns - 1
    for number in range(count):
        sys.stdout.write(f"{number:6} ".ljust(width, "x") + "\n")
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    idle()


def idle() -> None:
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["echo"]:
            echo()
        case ["busy"]:
            busy()
        case ["endless", kind]:
            endless(kind)
        case ["flood", path]:
            flood(path)
        case ["lines", count]:
            lines(int(count))
        case _:
            print(READY, flush=True)
            idle()
