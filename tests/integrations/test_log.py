"""The log: whole lines, files that are turned over, and disks that are full."""

import errno
import os
import stat
import threading
from pathlib import Path

import msgspec
import pytest

from agentdeck.integrations import payloads
from agentdeck.integrations.log import LogSink
from tests.realtime.happening import returned, said, used


def lines(path: Path) -> list[dict[str, object]]:
    return [msgspec.json.decode(line, type=dict[str, object]) for line in path.read_bytes().splitlines()]


def test_events_are_lines_of_json_that_only_their_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "made" / "events.jsonl"
    with LogSink(path) as sink:
        sink.write(said(0, "user", "zwei\nlines"))
        sink.write(used(1, "c1", input={"command": "ls"}))
        assert sink.lines == 2
    first, second = lines(path)
    assert (first["kind"], first["text"], first["at"]) == ("message", "zwei\nlines", "2026-11-21T10:00:00Z")
    assert second["input"] == {"command": "ls"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_template_can_leave_contents_out(tmp_path: Path) -> None:
    with LogSink(tmp_path / "log", template=payloads.facts) as sink:
        sink.write(returned(0, "c1", "secret"))
    assert b"secret" not in sink.path.read_bytes()
    assert lines(sink.path)[0]["kind"] == "tool_result"


def test_a_full_file_is_turned_over_and_the_oldest_goes(tmp_path: Path) -> None:
    with LogSink(tmp_path / "log", max_bytes=1000, keep=2) as sink:
        for number in range(50):
            sink.write(said(number, text=str(number)))
    names = ["log.2", "log.1", "log"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert all((tmp_path / name).stat().st_size <= 1000 for name in names)
    kept = [line["text"] for name in names for line in lines(tmp_path / name)]
    assert kept == [str(number) for number in range(50)][-len(kept) :]


def test_nothing_older_is_kept_when_that_is_wanted(tmp_path: Path) -> None:
    with LogSink(tmp_path / "log", max_bytes=300, keep=0) as sink:
        for number in range(10):
            sink.write(said(number))
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_line_that_an_earlier_life_left_unfinished_stays_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"kind":"mess')
    with LogSink(path) as sink:
        sink.write(said(0))
    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"kind":"mess'
    assert msgspec.json.decode(whole)["kind"] == "message"


def test_a_full_disk_leaves_no_half_line_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, is_full = os.write, True

    def short(fd: int, data: bytes) -> int:
        if not is_full:
            return write(fd, data)
        if len(data) < 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", short)
    with LogSink(tmp_path / "log") as sink:
        with pytest.raises(OSError, match="No space left"):
            sink.write(said(0, text="lost"))
        assert sink.path.read_bytes() == b""
        is_full = False
        sink.write(said(1, text="kept"))
        assert [line["text"] for line in lines(sink.path)] == ["kept"]
        assert sink.lines == 1


def test_it_opens_again_after_it_was_closed(tmp_path: Path) -> None:
    sink = LogSink(tmp_path / "log")
    sink.write(said(0))
    sink.close()
    sink.close()
    sink.write(said(1))
    sink.close()
    assert len(lines(sink.path)) == 2


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    with LogSink(tmp_path / "log", max_bytes=20_000, keep=100) as sink:

        def write() -> None:
            for _ in range(100):
                sink.write(said(0, text="x" * 500))

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(len(lines(path)) for path in tmp_path.iterdir()) == 400
