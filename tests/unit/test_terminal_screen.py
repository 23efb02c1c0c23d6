"""Frames for clients that keep up, fall behind, come late or were away."""

from collections.abc import Iterator

import pytest

from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.screen import Screen


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    made = Emulator(20, 5, reply=lambda _: None)
    yield made
    made.close()


@pytest.fixture
def screen(emulator: Emulator) -> Screen:
    return Screen("s1", emulator)


def changed(screen: Screen, since: int) -> list[int]:
    return [y for y, _ in screen.frame(since).rows]


def test_the_first_frame_is_full(screen: Screen) -> None:
    assert screen.refresh()
    frame = screen.frame(0)
    assert (frame.session, frame.seq, frame.full, frame.cols, frame.height) == ("s1", 1, True, 20, 5)
    assert [y for y, _ in frame.rows] == [0, 1, 2, 3, 4]


def test_nothing_new_is_no_frame(emulator: Emulator, screen: Screen) -> None:
    screen.refresh()
    emulator.feed(b"\x1b[1;1H")
    assert not screen.refresh()
    assert screen.seq == 1


def test_each_client_gets_what_it_lacks(emulator: Emulator, screen: Screen) -> None:
    screen.refresh()
    emulator.feed(b"\x1b[2;1Ha")
    screen.refresh()
    emulator.feed(b"\x1b[4;1Hb")
    screen.refresh()
    assert changed(screen, 1) == [1, 3]
    assert changed(screen, 2) == [3]
    assert changed(screen, 3) == []
    assert not screen.frame(1).full


@pytest.mark.parametrize("change", [b"\x1b[3;3H", b"\x1b[?25l", b"\x1b[?2004h", b"\x1b[3 q"])
def test_a_cursor_or_mode_that_changes_is_a_frame_without_rows(
    emulator: Emulator, screen: Screen, change: bytes
) -> None:
    screen.refresh()
    emulator.feed(change)
    assert screen.refresh()
    assert changed(screen, 1) == []


def test_rows_that_scroll_off_are_counted(emulator: Emulator, screen: Screen) -> None:
    emulator.feed(b"line\r\n" * 9)
    screen.refresh()
    assert screen.frame(0).history == 5


def test_another_size_is_a_full_frame_for_everybody(emulator: Emulator, screen: Screen) -> None:
    screen.refresh()
    emulator.resize(10, 3)
    assert screen.refresh()
    frame = screen.frame(1)
    assert (frame.full, frame.cols, frame.height, len(frame.rows)) == (True, 10, 3, 3)
    emulator.feed(b"x")
    screen.refresh()
    assert not screen.frame(2).full


def test_a_client_of_another_hub_gets_everything(screen: Screen) -> None:
    screen.refresh()
    assert screen.frame(4711).full


def test_a_frame_never_shows_half_a_redraw(emulator: Emulator, screen: Screen) -> None:
    emulator.feed(b"\x1b[?2026h\x1b[Hone\r\none\x1b[?2026l\x1b[?2026h\x1b[Htwo")
    assert not emulator.synchronizing
    screen.refresh()
    frame = screen.frame(0)
    assert [row.text.strip() for _, row in frame.rows[:2]] == ["one", "one"]
    assert (frame.cursor.x, frame.cursor.y) == (3, 1)
    assert emulator.synchronizing
    emulator.feed(b"\r\ntwo\x1b[?2026l")
    screen.refresh()
    assert [row.text.strip() for _, row in screen.frame(1).rows] == ["two", "two"]
