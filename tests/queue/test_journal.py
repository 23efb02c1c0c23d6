"""The queue on disk: whole after every crash, and never half changed."""

import os
from pathlib import Path

import pytest

from agentdeck.queue.core import Added, Dropped, Operation, Prompt, Sending
from agentdeck.queue.journal import Journal, read


def added(n: int, text: str = "do it") -> Operation:
    return Added(Prompt(n=n, session="a", text=text, added=1.0))


def opened(path: Path) -> Journal:
    journal = Journal(path)
    journal.open()
    return journal


def test_what_is_noted_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "queue.journal"
    journal = opened(path)
    journal.note(added(1), added(2, "zwei\n\x1b[31m 世"))
    journal.note(Sending(1, 7.0))
    again = opened(path)
    assert again.prompts == journal.prompts
    assert [each.text for each in again.prompts] == ["do it", "zwei\n\x1b[31m 世"]


def test_a_number_is_never_given_again(tmp_path: Path) -> None:
    path = tmp_path / "queue.journal"
    opened(path).note(added(4), Dropped(4))
    assert opened(path).last == 4
    assert opened(path).last == 4, "not even after the file was written anew twice"


@pytest.mark.parametrize("cut", [1, 5, 20, 60])
def test_a_line_that_a_crash_has_cut_did_not_happen(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "queue.journal"
    journal = opened(path)
    journal.note(added(1))
    journal.note(added(2))
    path.write_bytes(path.read_bytes()[:-cut])
    assert [each.n for each in opened(path).prompts] == [1]


def test_garbage_in_the_file_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "queue.journal"
    opened(path).note(added(1), added(2))
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([b"\0\xff", lines[1], b'{"type":"flood"}', *lines[2:]]))
    assert [each.n for each in opened(path).prompts] == [1, 2]


def test_a_full_disk_is_told_and_nothing_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "queue.journal"
    journal = opened(path)
    journal.note(added(1))
    before = path.read_bytes()
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    with pytest.raises(OSError, match="space"):
        journal.note(added(2))
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [each.n for each in journal.prompts] == [1]
    journal.note(added(2))
    assert [each.n for each in opened(path).prompts] == [1, 2]


def test_a_long_journal_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "queue.journal"
    journal = opened(path)
    for n in range(1, 1100):
        journal.note(added(n), Dropped(n))
    journal.note(added(2000))
    assert len(read(path)) < 2000
    assert [each.n for each in opened(path).prompts] == [2000]


def test_it_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "queue.journal"
    opened(path).note(added(1))
    assert path.stat().st_mode & 0o077 == 0
