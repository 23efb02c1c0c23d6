"""Everything that the real CLIs drew in 42 recorded sessions, against the screens that a reference terminal showed."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.screen import Screen

RECORDINGS = Path(__file__).parent.parent / "data" / "recordings"
SUFFIX = ".cast.gz"
NAMES = sorted(path.name.removesuffix(SUFFIX) for path in RECORDINGS.glob(f"*{SUFFIX}"))


def read(name: str) -> tuple[list[Any], list[dict[str, Any]]]:
    lines = gzip.decompress((RECORDINGS / f"{name}{SUFFIX}").read_bytes()).decode().split("\n")
    screens = gzip.decompress((RECORDINGS / f"{name}.screens.json.gz").read_bytes())
    return [json.loads(line) for line in lines if line], json.loads(screens)


def seen(emulator: Emulator, screen: Screen) -> dict[str, object]:
    screen.refresh()
    screen.refresh()  # the first takes the last whole frame, and lets in what a program has begun to draw
    frame = screen.frame(0)
    return {
        "screen": [row.text.rstrip() for _, row in frame.rows],
        "cursor": [frame.cursor.x, frame.cursor.y],
        "buffer": "alternate" if frame.modes.alternate else "normal",
        "scrollback": frame.history,
        "title": emulator.title,
    }


def wanted(screen: dict[str, Any]) -> dict[str, object]:
    """The reference keeps rows longer than the screen after a resize, and counts a cursor that wraps as one further."""
    cols = screen["cols"]
    x, y = screen["cursor"]
    return {
        "screen": [row[:cols].rstrip() for row in screen["screen"]],
        "cursor": [min(x, cols - 1), y],
        "buffer": screen["buffer"],
        "scrollback": screen["scrollback"],
        "title": screen["title"].strip(),
    }


def test_the_recordings_cover_every_cli() -> None:
    assert len(NAMES) == 42
    for cli in ("claude-2.1.197", "claude-2.1.329", "codex", "gemini"):
        assert any(name.startswith(cli) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("chunk", [0, 61], ids=["as recorded", "in small pieces"])
def test_every_recorded_screen_is_shown_as_the_reference_shows_it(name: str, chunk: int) -> None:
    (header, *events), screens = read(name)
    emulator = Emulator(header["width"], header["height"], reply=lambda _: None)
    screen = Screen(name, emulator)
    compared = iter(screens)
    for _, kind, data in events:
        if kind == "o":
            output = data.encode()
            for at in range(0, len(output), chunk or len(output) or 1):
                emulator.feed(output[at : at + (chunk or len(output))])
        elif kind == "r":
            emulator.resize(*map(int, data.split("x")))
        elif kind == "m":
            reference = next(compared)
            assert seen(emulator, screen) == wanted(reference), reference["label"]
    assert seen(emulator, screen) == wanted(next(compared))
    assert next(compared, None) is None
    emulator.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_screen_survives_a_new_emulator_before_each_of_them(name: str) -> None:
    (header, *events), screens = read(name)
    outputs = [index for index, (_, kind, _) in enumerate(events) if kind == "o"]
    restarts = set(outputs[:: max(1, len(outputs) // 20)])
    emulator = Emulator(header["width"], header["height"], reply=lambda _: None)
    compared = iter(screens)
    for index, (_, kind, data) in enumerate(events):
        output = data.encode()
        if kind == "o" and index in restarts:
            half = len(output) // 2
            emulator.feed(output[:half])
            fresh = Emulator(emulator.cols, emulator.rows, reply=lambda _: None)
            fresh.feed(b"something old\x1b[?1000h\x1b[5;9r" + emulator.snapshot())
            emulator.close()
            emulator, output = fresh, output[half:]
        if kind == "o":
            emulator.feed(output)
        elif kind == "r":
            emulator.resize(*map(int, data.split("x")))
        elif kind == "m":
            reference = next(compared)
            shown, expected = seen(emulator, Screen(name, emulator)), wanted(reference)
            for row_counts in (shown, expected):  # the rows above the screen stay behind with the old emulator
                del row_counts["scrollback"]
            assert shown == expected, reference["label"]
    emulator.close()
