"""Every way in which a transcript may change under us, as `Tail` sees it."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agentdeck.transcripts import tail as module
from agentdeck.transcripts.tail import LINE_LIMIT, OVERSIZE, Look, Tail

A, B, C = b'{"n":1}', b'{"n":2}', b'{"n":3}'
NOBODY = 65534


def lines(look: Look) -> list[bytes]:
    return [line for _, line in look.lines]


def all_of(tail: Tail, budget: int = 4096) -> list[bytes]:
    found: list[bytes] = []
    more = True
    while more:
        look = tail.look(budget)
        found += lines(look)
        more = look.more
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transcript.jsonl"


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def replace(path: Path, data: bytes) -> None:
    other = path.with_suffix(".tmp")
    other.write_bytes(data)
    other.rename(path)


# ── lines ──────────────────────────────────────────────────────────────────────────────────────


def test_a_partial_line_waits_for_its_rest(path: Path) -> None:
    append(path, A + b"\n" + B[:3])
    tail = Tail(path.as_posix())
    assert lines(tail.look()) == [A]
    append(path, B[3:])
    assert lines(tail.look()) == []
    append(path, b"\n")
    assert tail.look().lines == [(len(A) + 1, B)]


def test_a_complete_record_without_its_newline_can_be_shown_but_does_not_count(path: Path) -> None:
    append(path, A)
    tail = Tail(path.as_posix())
    assert lines(tail.look()) == []
    assert tail.pending == A
    assert tail.position.offset == 0
    assert lines(Tail(path.as_posix(), tail.position).look()) == []


def test_a_character_split_over_two_writes_is_whole(path: Path) -> None:
    text = '"naïve 日本語"\n'.encode()
    tail = Tail(path.as_posix())
    for n in range(len(text)):
        append(path, text[n : n + 1])
        look = tail.look()
    assert [json.loads(line) for line in lines(look)] == ["naïve 日本語"]


def test_carriage_returns_blank_lines_and_nul_bytes_are_left_to_the_parser(path: Path) -> None:
    append(path, b"\xef\xbb\xbf" + A + b"\r\n\n" + b"\0" * 5 + B + b"\n")
    assert lines(Tail(path.as_posix()).look()) == [b"\xef\xbb\xbf" + A + b"\r", b"", b"\0" * 5 + B]


def test_a_line_of_ten_megabytes_comes_whole_in_several_looks(path: Path) -> None:
    long = b'"' + b"x" * 10_000_000 + b'"'
    append(path, long + b"\n" + A + b"\n")
    tail = Tail(path.as_posix())
    looks = [tail.look()]
    while looks[-1].more:
        looks.append(tail.look())
    assert len(looks) == 3
    assert [line for look in looks for line in lines(look)] == [long, A]


def test_a_line_over_the_limit_is_a_placeholder_and_the_next_one_is_read(path: Path) -> None:
    append(path, A + b"\n" + b"x" * (LINE_LIMIT + 5_000_000) + b"\n" + B + b"\n")
    tail = Tail(path.as_posix())
    assert all_of(tail, 1024 * 1024) == [A, OVERSIZE, B]


def test_an_oversize_line_takes_no_memory_and_the_position_stays_before_it(path: Path) -> None:
    append(path, A + b"\n" + b"x" * (LINE_LIMIT + 1))
    tail = Tail(path.as_posix())
    assert all_of(tail) == [A]
    assert tail.pending == b""
    assert tail.position.offset == len(A) + 1
    append(path, b"y\n" + B + b"\n")
    again = Tail(path.as_posix(), tail.position)
    assert all_of(tail) == [OVERSIZE, B]
    assert all_of(again) == [OVERSIZE, B]
    append(path, C + b"\n")
    assert all_of(tail) == [C]
    assert all_of(again) == [C]


def test_an_oversize_first_line_proves_the_file_afterwards(path: Path) -> None:
    append(path, b"x" * (LINE_LIMIT + 1))
    tail = Tail(path.as_posix())
    assert all_of(tail) == []
    append(path, b"yz\n" + A + b"\n")
    assert all_of(tail) == [OVERSIZE, A]
    assert tail.position == _position_of(path)


def _position_of(path: Path) -> module.Position:
    tail = Tail(path.as_posix())
    all_of(tail)
    return tail.position


# ── other files in its place ───────────────────────────────────────────────────────────────────


def test_a_shorter_file_is_read_again(path: Path) -> None:
    append(path, A + b"\n" + B + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    os.truncate(path, len(A) + 1)
    look = tail.look()
    assert (look.reset, lines(look)) == ("truncated", [A])


def test_a_file_cut_and_grown_beyond_our_position_is_read_again(path: Path) -> None:
    append(path, A + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    with open(path, "r+b") as file:
        file.truncate(0)
        file.write(B + b"\n" + C + b"\n")
    look = tail.look()
    assert (look.reset, lines(look)) == ("rewritten", [B, C])


def test_a_rotated_file_is_read_from_its_start(path: Path) -> None:
    append(path, A + b"\n" + B + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    path.rename(path.with_suffix(".1"))
    append(path, C + b"\n")
    look = tail.look()
    assert (look.reset, lines(look)) == ("replaced", [C])


def test_an_atomic_rewrite_that_keeps_our_part_replays_nothing(path: Path) -> None:
    append(path, A + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    replace(path, A + b"\n" + B + b"\n")
    look = tail.look()
    assert (look.reset, lines(look)) == ("", [B])


def test_an_atomic_rewrite_with_other_content_is_read_again(path: Path) -> None:
    append(path, A + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    replace(path, B + b"\n" + C + b"\n")
    look = tail.look()
    assert (look.reset, lines(look)) == ("replaced", [B, C])


def test_a_change_far_from_the_beginning_is_seen_just_before_our_position(path: Path) -> None:
    padding = b'"' + b"p" * 3000 + b'"\n'
    append(path, padding + A + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    replace(path, padding + B + b"\n" + C + b"\n")
    assert tail.look().reset == "replaced"


def test_a_partial_line_that_was_changed_is_read_again(path: Path) -> None:
    append(path, A + b"\n" + b'{"n":')
    tail = Tail(path.as_posix())
    tail.look()
    replace(path, A + b"\n" + b'{"m":4}\n')
    look = tail.look()
    assert (look.reset, lines(look)) == ("", [b'{"m":4}'])


def test_a_deleted_file_is_gone_and_its_position_kept(path: Path) -> None:
    append(path, A + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    before = tail.position
    path.unlink()
    assert tail.look() == Look([], problem="gone")
    assert tail.position == before


def test_a_file_made_anew_is_another_even_with_the_same_inode(path: Path) -> None:
    append(path, A + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    with open(path, "r+b") as file:  # as after a delete and create that got the inode again
        file.truncate(0)
        file.write(B + b"\n")
    look = tail.look()
    assert (look.reset, lines(look)) == ("rewritten", [B])


def test_a_rewrite_between_reading_and_checking_is_not_mistaken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(path, A + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    append(path, B + b"\n")
    pread, calls = os.pread, 0

    def racing(fd: int, count: int, offset: int) -> bytes:
        nonlocal calls
        calls += 1
        data = pread(fd, count, offset)
        if calls == 1:
            path.write_bytes(C + b"\n" + C + b"\n")
        return data

    monkeypatch.setattr(os, "pread", racing)
    look = tail.look()
    assert look.reset
    assert lines(look) == [C, C]


def test_an_edit_in_the_middle_of_the_same_length_is_not_noticed(path: Path) -> None:
    padding = b'"' + b"p" * 3000 + b'"\n'
    append(path, padding + A + b"\n" + padding)
    tail = Tail(path.as_posix())
    tail.look()
    with open(path, "r+b") as file:
        file.seek(len(padding))
        file.write(B)
    append(path, C + b"\n")
    assert lines(tail.look()) == [C]


# ── restarts, odd files ────────────────────────────────────────────────────────────────────────


def test_a_new_tail_goes_on_where_the_old_one_was(path: Path) -> None:
    append(path, A + b"\n" + B[:4])
    before = Tail(path.as_posix())
    before.look()
    append(path, B[4:] + b"\n" + C + b"\n")
    after = Tail(path.as_posix(), before.position)
    assert after.look().lines == [(len(A) + 1, B), (len(A) + len(B) + 2, C)]


def test_a_look_without_a_budget_only_tells_whether_the_position_holds(path: Path) -> None:
    append(path, A + b"\n" + B + b"\n")
    position = _position_of(path)
    assert Tail(path.as_posix(), position).look(0) == Look([])
    replace(path, C + b"\n" + B + b"\n")
    assert Tail(path.as_posix(), position).look(0).reset == "replaced"


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR, stat.S_IFLNK])
def test_what_is_no_plain_file_is_not_opened(path: Path, kind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    match kind:
        case stat.S_IFIFO:
            os.mkfifo(path)
        case stat.S_IFCHR:
            path = Path("/dev/null")
        case stat.S_IFDIR:
            path.mkdir()
        case _:
            other = path.with_name("other")
            other.write_bytes(A + b"\n")
            path.symlink_to(other)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    assert Tail(os.fspath(path)).look() == Look([], problem="not a file")


@contextmanager
def as_somebody() -> Iterator[None]:
    """Root may read everything, so be nobody for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_is_denied_and_read_once_it_may_be(path: Path) -> None:
    append(path, A + b"\n")
    path.chmod(0)
    for parent in (path.parent, *path.parents[1:3]):
        if os.stat(parent).st_uid == os.getuid():
            parent.chmod(0o755)
    tail = Tail(path.as_posix())
    with as_somebody():
        assert tail.look() == Look([], problem="denied")
    path.chmod(0o644)
    with as_somebody():
        assert lines(tail.look()) == [A]


def test_names_that_are_no_utf8_are_followed(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe.jsonl"
    with open(name, "wb") as file:
        file.write(A + b"\n")
    assert lines(Tail(name).look()) == [A]


def test_nothing_is_read_while_nothing_changes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(path, A + b"\n")
    tail = Tail(path.as_posix())
    tail.look()
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    assert tail.look() == Look([])
