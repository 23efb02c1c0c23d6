import os
import pty
import signal
from collections.abc import Iterator

import pytest

from agentdeck.holder.terminal import INPUT_LIMIT, Terminal


@pytest.fixture
def ends() -> Iterator[tuple[Terminal, int]]:
    """A terminal, and the side of it that a program would have; nobody has it as controlling terminal."""
    master, slave = pty.openpty()
    yield Terminal(master), slave
    os.close(master)
    os.close(slave)


def test_a_signal_without_a_foreground_group_reaches_nobody(ends: tuple[Terminal, int]) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        with pytest.raises(OSError, match=r"foreground|ioctl|process|device"):
            ends[0].signal_foreground(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [], "our own process group got it"


def test_input_over_the_limit_is_refused_whole(ends: tuple[Terminal, int]) -> None:
    terminal, _ = ends
    assert not terminal.write(bytes(INPUT_LIMIT + 1))
    assert not terminal.has_input
    assert terminal.write(b"x" * INPUT_LIMIT)
    assert terminal.has_input


def test_a_resize_is_what_the_program_sees(ends: tuple[Terminal, int]) -> None:
    terminal, slave = ends
    terminal.resize(132, 43)
    assert os.get_terminal_size(slave) == (132, 43)
