"""The demo: recordings that come with agentdeck, drawn into windows of any size, and nothing left behind."""

import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdeck.cli.output import width
from agentdeck.demo import make, recording, stage
from agentdeck.demo.picture import NOTICE, Picture
from agentdeck.demo.recording import Recording, Runs, Step, compress, decode, encode, names, open_recording
from agentdeck.terminal.emulator import Emulator

rows_of_text = st.lists(st.tuples(st.text("ab日 ", max_size=4), st.just(0)), max_size=3).map(tuple)
steps = st.builds(
    Step,
    pause=st.integers(0, 300).map(lambda hundredths: hundredths / 100),
    rows=st.dictionaries(st.integers(0, 5), rows_of_text),
    cursor=st.tuples(st.integers(0, 9), st.integers(0, 5), st.booleans()),
    aside=st.just("\x1b]2;title\x07"),
)


def shown(emulator: Emulator) -> list[str]:
    emulator.refresh()
    return [emulator.row(y).text.rstrip() for y in range(emulator.rows)]


def play(recorded: Recording, columns: int, height: int) -> Emulator:
    emulator = Emulator(columns, height, reply=lambda answer: None)
    emulator.feed(b"\x1b[?7l")
    picture = Picture(columns, height)
    for step in recorded.steps:
        emulator.feed(picture.apply(step))
    return emulator


@given(st.lists(steps, max_size=4))
def test_a_recording_survives_being_written(written: list[Step]) -> None:
    one = Recording(provider="claude", title="a", columns=10, height=6, steps=tuple(written))
    assert decode(encode(one)) == one
    assert encode(one) == encode(one)


@settings(max_examples=30, deadline=None)
@given(st.lists(steps, min_size=1, max_size=5), st.integers(2, 12), st.integers(2, 8))
def test_a_smaller_window_shows_the_lowest_rows_that_hold_anything(
    written: list[Step], columns: int, height: int
) -> None:
    one = Recording(provider="claude", title="a", columns=12, height=6, steps=tuple(written))
    rows: dict[int, Runs] = {}
    for step in written:
        rows |= step.rows
    lowest = max([y for y, runs in rows.items() if runs] + [written[-1].cursor[1]])
    top = max(0, lowest + 1 - height)
    whole, window = shown(play(one, 14, 8)), shown(play(one, columns, height))
    for y in range(min(height, 6 - top)):
        assert whole[top + y].startswith(window[y])
        assert width(whole[top + y]) <= columns or width(window[y]) >= columns - 3  # a blank or half a wide one is cut


def test_recordings_come_with_agentdeck_are_small_and_tell_of_three_agents() -> None:
    files = list((Path(recording.__file__).parent / "recordings").glob("*.gz"))
    assert sum(file.stat().st_size for file in files) < 400_000
    assert {open_recording(name).provider for name in names()} == {"claude", "codex", "gemini"}
    assert len({open_recording(name).title for name in names()}) == len(names()) == len(files)
    for name in names():
        assert 5 < open_recording(name).seconds < 90


@pytest.mark.parametrize("name", names())
def test_a_recording_in_its_own_size_shows_its_own_screen(name: str) -> None:
    one = open_recording(name)
    rows: dict[int, str] = {}
    for step in one.steps:
        rows |= {y: "".join(text for text, _ in runs).rstrip() for y, runs in step.rows.items()}
    assert shown(play(one, one.columns, one.height)) == [rows.get(y, "") for y in range(one.height)]


def test_a_picture_says_on_its_last_row_that_it_is_a_recording() -> None:
    picture = Picture(60, 5)
    picture.noticed = True
    emulator = Emulator(60, 5, reply=lambda answer: None)
    emulator.feed(picture.whole())
    assert shown(emulator)[-1].strip() == NOTICE.strip()


def test_long_pauses_are_shortened_and_an_empty_beginning_is_left_out() -> None:
    drawn = Step(pause=20, rows={0: (("a", 0),)})
    assert [step.pause for step in compress([Step(pause=9), drawn, Step(pause=1)], longest=2)] == [2, 1]


def test_a_cast_becomes_screens_titles_and_reports() -> None:
    cast = "\n".join(
        [
            '{"version": 2, "width": 20, "height": 4}',
            '[0.1, "o", "\\u001b]0;dir\\u0007one"]',
            '[0.2, "i", "typed"]',
            '[1.0, "o", "\\r\\n\\u001b]7501;?\\u001b\\\\\\u001b]7501;sta"]',
            '[1.5, "o", "te=working:app=x\\u001b\\\\two"]',
            '[9.0, "o", "never"]',
        ]
    )
    found = list(make.steps(cast, 0, 5))
    assert found[0].rows == {0: (("one", 0),)}
    assert "".join(step.aside for step in found) == "\x1b]0;dir\x07\x1b]7501;state=working:app=x\x1b\\"
    assert found[-1].rows == {1: (("two", 0),)}
    assert found[-1].cursor == (3, 1, True)


# ── the program that plays ─────────────────────────────────────────────────────────────────────


class Playing:
    """The player in a PTY of its own."""

    def __init__(self, *words: str) -> None:
        self.master, slave = pty.openpty()
        self.resize(100, 30)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agentdeck.demo.play", *words], stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        os.set_blocking(self.master, False)
        self.output = b""

    def resize(self, columns: int, rows: int) -> None:
        ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, self.output[-500:]
            try:
                self.output += os.read(self.master, 65536)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:  # the other end is closed
                time.sleep(0.01)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


def test_the_player_draws_follows_the_window_and_ends_at_ctrl_c() -> None:
    playing = Playing(names()[0])
    try:
        playing.until(lambda: b"\x1b[?2026l" in playing.output)
        playing.output = b""
        playing.resize(50, 10)
        os.kill(playing.process.pid, signal.SIGWINCH)
        playing.until(lambda: b"\x1b[2J" in playing.output)
        os.write(playing.master, b"hello")
        playing.until(lambda: b"this is a recording" in playing.output)
        os.write(playing.master, b"\x03")
        playing.until(lambda: playing.process.poll() is not None)
        assert playing.process.returncode == 0
        assert b"\x1b[?1049l" in playing.output
    finally:
        playing.end()


def test_the_player_ends_with_the_demo_that_started_it() -> None:
    demo = subprocess.Popen(["/bin/sh", "-c", "read x"], stdin=subprocess.PIPE)
    playing = Playing(names()[0], "--while-pid", str(demo.pid))
    try:
        playing.until(lambda: b"\x1b[?2026l" in playing.output)
        demo.communicate()
        playing.until(lambda: playing.process.poll() is not None)
        assert playing.process.returncode == 0
    finally:
        playing.end()


def test_leftovers_of_another_directory_are_never_cleared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    stage.clear_leftovers()
    assert (tmp_path / "state").exists()
