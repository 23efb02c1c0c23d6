"""Transcripts are followed: each event once, whatever happens to files, directories and to us."""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard

from agentdeck.events import AnyEvent, MessageAdded, SessionStarted, ToolReturned, UnknownRecord
from agentdeck.transcripts import follow as module
from agentdeck.transcripts.follow import Follower, Reading, read_all
from agentdeck.transcripts.positions import load
from agentdeck.transcripts.roots import Root, configured, roots
from agentdeck.transcripts.tail import LINE_LIMIT
from tests.fakes import recorded
from tests.transcripts.test_tail import as_somebody

SESSION = "0b6d7a52-7f0c-4a5e-8f5e-2d1f0a9c3e11"
BEGIN = datetime(2026, 11, 21, 8, tzinfo=UTC)


class World:
    """A home directory, a clock, and a follower that can be started again and again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = BEGIN.timestamp()
        self.past: list[AnyEvent] = []
        self._count = 0

    def follower(self, *, since: float | None = None, recall: bool = False, extra: tuple[Root, ...] = ()) -> Follower:
        return Follower(
            [*roots({"HOME": str(self.home)}), *extra],
            positions=self.home / "positions",
            since=since,
            recall=self.past.extend if recall else None,
            now=lambda: self.clock,
        )

    def line(self, text: str) -> bytes:
        self._count += 1
        self.clock += 1
        record = {
            "type": "user",
            "sessionId": SESSION,
            "uuid": f"{self._count:08}-0000-4000-8000-000000000000",
            "timestamp": datetime.fromtimestamp(self.clock, UTC).isoformat(),
            "message": {"role": "user", "content": text},
        }
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"

    def claude(self, name: str = SESSION, project: str = "-home-dev") -> Path:
        path = self.home / ".claude" / "projects" / project / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, path: Path, data: bytes, mode: str = "ab") -> None:
        """Write, and give the file the time of our clock."""
        with open(path, mode) as file:
            file.write(data)
        self.clock += 1
        os.utime(path, (self.clock, self.clock))

    def say(self, path: Path, *texts: str) -> None:
        self.write(path, b"".join(map(self.line, texts)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path.resolve())


def texts(events: list[AnyEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, MessageAdded)]


def named(path: Path) -> list[bytes]:
    return [os.fsencode(path)]


# ── growing ────────────────────────────────────────────────────────────────────────────────────


def test_what_is_there_and_what_is_appended_is_told_once(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "one", "two")
    assert texts(follower.sweep()) == ["one", "two"]
    assert follower.sweep() == []
    world.say(path, "three")
    assert texts(follower.touch(named(path))) == ["three"]
    assert follower.touch(named(path)) == []


def test_a_line_that_is_half_written_waits(world: World) -> None:
    path, follower = world.claude(), world.follower()
    line = world.line("naïve 日本語")
    for end in range(0, len(line) - 1, 7):
        world.write(path, line[:end], "wb")
        assert follower.touch(named(path)) == []
    world.write(path, line, "wb")
    assert texts(follower.touch(named(path))) == ["naïve 日本語"]


def test_the_newest_files_come_first(world: World) -> None:
    for name in ("a", "c", "b"):
        world.say(world.claude(name), name)
    assert texts(world.follower().sweep()) == ["b", "c", "a"]


def test_files_in_a_new_directory_are_found_through_the_directory(world: World) -> None:
    follower = world.follower()
    follower.sweep()
    path = world.claude("a", "new/deeper/deepest")
    world.say(path, "one")
    assert texts(follower.touch(named(path.parents[2]))) == ["one"]


def test_events_say_where_they_stand(world: World) -> None:
    path = world.claude()
    world.say(path, "one", "two")
    second = world.follower().sweep()[-1]
    assert second.source is not None
    assert path.read_bytes()[second.source.offset :].startswith(b'{"type":"user"')
    assert second.source.path == str(path)


def test_bad_lines_are_counted_and_unknown_records_kept(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.write(path, b"{broken\n" + b"[" * 100_000 + b"\n" + b'{"type":"from-the-future","x":[1]}\n')
    world.say(path, "fine")
    events = follower.sweep()
    assert texts(events) == ["fine"]
    assert [event.record["x"] for event in events if isinstance(event, UnknownRecord)] == [[1]]
    assert follower.bad_lines == {str(path): 2}


def test_odd_bytes_spoil_no_line(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.write(path, b"\xef\xbb\xbf" + world.line("bom").replace(b"\n", b"\r\n") + b"\n\n")
    world.write(path, b"\0" * 100 + world.line("after a crash"))
    world.write(path, world.line("bad #").replace(b"#", b"\xff\xfe"))
    assert texts(follower.sweep()) == ["bom", "after a crash", "bad \ufffd\ufffd"]


def test_a_line_of_ten_megabytes_is_one_event_and_a_longer_one_than_the_limit_none(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "x" * 10_000_000)
    assert [len(text) for text in texts(follower.sweep())] == [10_000_000]
    world.say(path, "y" * (LINE_LIMIT + 1), "next")
    events = follower.sweep()
    assert texts(events) == ["next"]
    assert [event.type for event in events if isinstance(event, UnknownRecord)] == ["agentdeck-oversize"]


def test_a_huge_file_is_read_in_slices_with_others_in_between(world: World) -> None:
    for number in range(3):
        world.say(world.claude(), *(f"{number}.{n}." + "x" * 20_000 for n in range(200)))
    slices = list(world.follower().sweeping(slice=0.001))
    assert len(slices) > 5
    assert len(texts([event for events in slices for event in events])) == 600


# ── rewritten, moved, removed ──────────────────────────────────────────────────────────────────


def test_a_transcript_that_is_rewritten_tells_only_what_is_new_in_it(world: World) -> None:
    path, follower = world.claude(), world.follower()
    first, second = world.line("one"), world.line("two")
    world.write(path, first + second)
    follower.sweep()
    world.write(path, second + world.line("three"), "wb")
    assert texts(follower.touch(named(path))) == ["three"]
    world.write(path, world.line("zero") + first + second + world.line("four"), "wb")
    assert texts(follower.touch(named(path))) == ["zero", "four"]


def test_records_that_are_linked_anew_are_known_by_their_ids(world: World) -> None:
    path, follower = world.claude(), world.follower()
    line = world.line("one")
    world.write(path, line)
    follower.sweep()
    world.write(path, line.replace(b'"user",', b'"user","parentUuid":null,', 1), "wb")
    assert follower.touch(named(path)) == []


def test_an_atomic_replacement_that_keeps_what_we_have_read_goes_on(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "one")
    follower.sweep()
    other = path.with_suffix(".tmp")
    other.write_bytes(path.read_bytes() + world.line("two"))
    other.rename(path)
    assert texts(follower.touch(named(path))) == ["two"]


def test_a_truncated_file_is_read_again_and_told_once(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "one", "two")
    follower.sweep()
    size = path.stat().st_size
    os.truncate(path, size // 2)
    assert follower.touch(named(path)) == []
    world.write(path, path.read_bytes()[: size // 2] + world.line("three"), "wb")
    assert texts(follower.touch(named(path))) == ["three"]


def test_a_file_that_is_removed_and_made_again_is_another(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "one")
    follower.sweep()
    path.unlink()
    assert follower.touch(named(path)) == []
    assert not follower.problems
    world.say(path, "two")
    assert texts(follower.touch(named(path))) == ["two"]


def test_the_same_words_said_twice_are_two_events(world: World) -> None:
    path, follower = world.claude(), world.follower()
    line = world.line("again")
    world.write(path, line + line)
    assert texts(follower.sweep()) == ["again", "again"]


def codex(world: World, folder: str = "sessions/2026/11/21", suffix: str = ".jsonl") -> Path:
    path = world.home / ".codex" / folder / f"rollout-2026-11-21T00-00-00-{SESSION}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def rollout(world: World, *said: str) -> bytes:
    lines = []
    for text in said:
        world.clock += 1
        payload = {
            "type": "message",
            "role": "assistant",
            "id": text,
            "content": [{"type": "output_text", "text": text}],
        }
        at = datetime.fromtimestamp(world.clock, UTC).isoformat()
        lines.append(json.dumps({"timestamp": at, "type": "response_item", "payload": payload}).encode() + b"\n")
    return b"".join(lines)


def test_a_rollout_that_is_archived_and_compressed_is_not_told_again(world: World) -> None:
    path, follower = codex(world), world.follower()
    world.write(path, rollout(world, "one", "two"))
    assert texts(follower.sweep()) == ["one", "two"]
    archived = codex(world, "archived_sessions")
    path.rename(archived)
    assert follower.sweep() == []
    world.write(archived, rollout(world, "three"))
    assert texts(follower.sweep()) == ["three"]
    packed = codex(world, "archived_sessions", ".jsonl.zst")
    world.write(packed, zstandard.compress(archived.read_bytes()))
    archived.unlink()
    assert follower.sweep() == []


def test_a_compressed_rollout_is_read_also_when_it_has_several_frames(world: World) -> None:
    packed = codex(world, "archived_sessions", ".jsonl.zst")
    world.write(packed, zstandard.compress(rollout(world, "one")) + zstandard.compress(rollout(world, "two")))
    assert texts(world.follower().sweep()) == ["one", "two"]


def test_a_damaged_archive_is_told_once_and_read_when_it_is_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, follower = codex(world, "archived_sessions", ".jsonl.zst"), world.follower()
    whole = zstandard.compress(rollout(world, *(f"{n} {os.urandom(40).hex()}" for n in range(50))))
    world.write(packed, whole[: len(whole) // 2])
    first = texts(follower.sweep())
    assert len(follower.problems) == 1
    assert "damaged" in follower.problems[0]
    monkeypatch.setattr("agentdeck.transcripts.followed.RETRY", -1.0)
    follower = world.follower()
    follower.sweep()
    world.write(packed, whole, "wb")
    assert len(set(first + texts(follower.sweep()))) == 50


def gemini(world: World, suffix: str) -> Path:
    path = world.home / ".gemini" / "tmp" / "hash" / "chats" / f"session-2026-11-21T08-00-0b6d7a52{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def chat(world: World, *said: str) -> bytes:
    at = datetime.fromtimestamp(BEGIN.timestamp(), UTC).isoformat()
    messages = [{"id": text, "type": "user", "timestamp": at, "content": text} for text in said]
    return json.dumps({"sessionId": SESSION, "startTime": at, "messages": messages}, indent=2).encode()


def test_an_old_chat_that_is_one_document_tells_only_its_new_messages(world: World) -> None:
    path, follower = gemini(world, ".json"), world.follower()
    world.write(path, chat(world, "one"))
    assert texts(follower.sweep()) == ["one"]
    world.write(path, chat(world, "one", "two"), "wb")
    assert texts(follower.touch(named(path))) == ["two"]
    world.write(path, chat(world, "one", "two")[:-20], "wb")  # caught while it is written
    assert follower.touch(named(path)) == []
    world.write(path, chat(world, "one", "two", "three"), "wb")
    assert texts(follower.touch(named(path))) == ["three"]


def test_cursors_transcripts_are_followed_though_nothing_in_them_has_a_time(world: World) -> None:
    path = world.home / ".cursor" / "projects" / "home-dev" / "agent-transcripts" / SESSION / f"{SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    follower = world.follower()
    world.write(path, b'{"role":"user","message":{"content":[{"type":"text","text":"one"}]}}\n')
    (event,) = [event for event in follower.sweep() if isinstance(event, MessageAdded)]
    assert (event.text, event.session, event.at.timestamp()) == ("one", SESSION, world.clock)
    world.write(path, b'{"role":"assistant","message":{"content":[{"type":"text","text":"two"}]}}\n')
    assert texts(follower.touch(named(path))) == ["two"]
    assert texts(world.follower().sweep()) == ["one", "two"]


# ── across restarts ────────────────────────────────────────────────────────────────────────────


def test_the_next_life_goes_on_where_the_last_one_was_saved(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "one")
    follower.sweep()
    follower.save()
    world.say(path, "two")
    world.say(world.claude("other"), "three")
    again = world.follower()
    assert sorted(texts(again.sweep())) == ["three", "two"]
    again.save(now=True)
    assert texts(world.follower().sweep()) == []


def test_a_file_that_was_rewritten_meanwhile_tells_only_what_is_new(world: World) -> None:
    path, follower = world.claude(), world.follower()
    lines = [world.line(str(n)) for n in range(20)]
    world.write(path, b"".join(lines))
    follower.sweep()
    follower.save()
    world.write(path, b"".join(lines[5:]) + world.line("new"), "wb")
    assert texts(world.follower().sweep()) == ["new"]


def test_the_past_is_recalled_and_is_no_news(world: World) -> None:
    path = world.claude()
    world.say(path, "one")
    world.clock += 10
    follower = world.follower(recall=True)
    assert follower.sweep() == []
    assert texts(world.past) == ["one"]
    world.say(path, "two")
    assert texts(follower.sweep()) == ["two"]
    follower.save(now=True)
    world.say(path, "three")
    world.past.clear()
    assert texts(world.follower(recall=True).sweep()) == ["three"]
    assert texts(world.past) == ["one", "two"]


def test_old_files_are_left_alone_until_they_grow(world: World) -> None:
    path = world.claude()
    world.say(path, "old")
    world.clock += 1000
    follower = world.follower(since=world.clock - 500)
    assert follower.sweep() == []
    world.say(path, "new")
    assert texts(follower.sweep()) == ["new"]


def test_positions_that_are_damaged_are_as_good_as_none(world: World) -> None:
    world.say(world.claude(), "one")
    (world.home / "positions").write_bytes(b"\x81\xa2at")
    assert texts(world.follower().sweep()) == ["one"]
    (world.home / "positions").unlink()
    (world.home / "positions").mkdir()
    follower = world.follower()
    assert texts(follower.sweep()) == ["one"]
    follower.save()
    assert "cannot be saved" in follower.problems[0]


def test_positions_are_written_whole_privately_and_not_too_often(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "one")
    follower.sweep()
    follower.save()
    saved = world.home / "positions"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert os.fsencode(path) in load(saved).places
    before = saved.stat().st_ino
    world.say(path, "two")
    follower.sweep()
    follower.save()
    assert saved.stat().st_ino == before
    follower.save(now=True)
    assert saved.stat().st_ino != before
    assert [each.name for each in world.home.iterdir() if each.is_file()] == ["positions"]


def test_a_clock_that_jumps_loses_nothing(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "one")
    follower.sweep()
    follower.save()
    for jump in (-86_400.0, 10 * 86_400.0):
        world.clock += jump
        world.say(path, f"{jump}")
        assert texts(follower.sweep()) == [f"{jump}"]
        follower.save(now=True)
        world.say(path, f"after {jump}")
        follower = world.follower()
        assert texts(follower.sweep()) == [f"after {jump}"]


def test_files_that_rest_keep_their_place_and_no_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST", -1.0)
    path, follower = world.claude(), world.follower()
    world.say(path, "one")
    follower.sweep()
    assert not follower._files
    world.say(path, "two")
    assert texts(follower.touch(named(path))) == ["two"]


def test_files_that_are_gone_for_long_are_forgotten(world: World) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "one")
    follower.sweep()
    path.unlink()
    follower.sweep()
    assert os.fsencode(path) in follower._places
    world.clock += module.KEEP_GONE + 10
    follower.sweep()
    assert not follower._places


# ── odd files ──────────────────────────────────────────────────────────────────────────────────


def fifo(path: Path) -> None:
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    other = path.parents[3] / "secret.jsonl"
    other.write_bytes(b'{"type":"user"}\n')
    path.symlink_to(other)


def circle(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("make", [fifo, directory, link, circle])
def test_what_is_no_plain_file_is_left_out(world: World, make: Callable[[Path], None]) -> None:
    path, follower = world.claude("odd"), world.follower()
    make(path)
    world.say(world.claude(), "one")
    assert texts(follower.sweep()) == ["one"]
    assert follower.touch(named(path)) == []


def test_a_directory_that_is_a_link_is_not_entered(world: World) -> None:
    outside = world.home / "outside"
    outside.mkdir()
    world.say(outside / "a.jsonl", "secret")
    world.say(world.claude(), "one")
    (world.claude().parent / "link").symlink_to(outside)
    follower = world.follower()
    assert texts(follower.sweep()) == ["one"]
    assert follower.touch(named(outside / "a.jsonl")) == []


def test_a_root_that_is_a_link_is_read_once_whatever_it_is_called(world: World) -> None:
    world.say(world.claude(), "one")
    (world.home / ".config").mkdir()
    (world.home / ".config" / "claude").symlink_to(world.home / ".claude")
    follower = world.follower()
    assert texts(follower.sweep()) == ["one"]
    world.say(world.claude(), "two")
    way = world.home / ".config" / "claude" / "projects" / "-home-dev" / f"{SESSION}.jsonl"
    assert texts(follower.touch(named(way))) == ["two"]
    assert follower.sweep() == []


@contextmanager
def forbidden(path: Path) -> Iterator[None]:
    """Nobody may read it; root is somebody else meanwhile."""
    path.chmod(0)
    for parent in path.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o755)
    try:
        with as_somebody():
            yield
    finally:
        path.chmod(0o755)


def test_a_file_that_may_not_be_read_is_told_and_read_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path, follower = world.claude(), world.follower()
    world.say(path, "one")
    with forbidden(path):
        assert follower.sweep() == []
        assert follower.problems == [f"{path} cannot be followed: denied"]
    monkeypatch.setattr("agentdeck.transcripts.followed.time.monotonic", lambda: 1e12)
    assert texts(follower.sweep()) == ["one"]


def test_a_directory_that_may_not_be_read_hides_only_what_is_in_it(world: World) -> None:
    hidden, path, follower = world.claude("a", "hidden"), world.claude(), world.follower()
    world.say(hidden, "hidden")
    world.say(path, "one")
    with forbidden(hidden.parent):
        assert texts(follower.sweep()) == ["one"]
    assert texts(follower.sweep()) == ["hidden"]


def test_a_name_that_is_no_utf8_is_followed_and_can_be_read_again(world: World) -> None:
    name = os.fsencode(world.claude().parent) + b"/\xff\xfe.jsonl"
    with open(name, "wb") as file:
        file.write(world.line("one"))
    (event,) = [event for event in world.follower().sweep() if isinstance(event, MessageAdded)]
    assert event.source is not None
    assert event.source.path.endswith("\\xff\\xfe.jsonl")
    assert texts(list(read_all(event.source.path))) == ["one"]


def test_other_files_are_no_transcripts(world: World) -> None:
    for path in (
        world.claude().with_name("notes.txt"),
        world.home / ".codex" / "sessions" / "history.jsonl",
        world.home / ".gemini" / "tmp" / "hash" / "logs.json",
        world.home / ".cursor" / "projects" / "p" / "rules.jsonl",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        world.say(path, "no")
    assert world.follower().sweep() == []


# ── where ──────────────────────────────────────────────────────────────────────────────────────


def test_the_usual_places_are_those_of_the_environment() -> None:
    env = {"HOME": "/h", "CLAUDE_CONFIG_DIR": "/a,/b", "CODEX_HOME": "/c"}
    assert [(root.agent, str(root.path)) for root in roots(env)] == [
        ("claude", "/a/projects"),
        ("claude", "/b/projects"),
        ("claude", "/h/.claude/projects"),
        ("claude", "/h/.config/claude/projects"),
        ("codex", "/c/sessions"),
        ("codex", "/c/archived_sessions"),
        ("gemini", "/h/.gemini/tmp"),
        ("cursor", "/h/.cursor/projects"),
    ]


def test_the_configuration_may_name_more(world: World) -> None:
    more = configured({"claude": ["~/more", "rel", "/abs", ""]}, {"HOME": str(world.home)})
    assert [root.path for root in more] == [world.home / "more", world.home / "rel", Path("/abs")]
    path = world.home / "more" / "a.jsonl"
    path.parent.mkdir()
    world.say(path, "one")
    assert texts(world.follower(extra=tuple(more)).sweep()) == ["one"]


# ── the real ones ──────────────────────────────────────────────────────────────────────────────


def test_every_recorded_transcript_is_followed_as_if_it_were_written_bit_by_bit(world: World) -> None:
    """Cut anywhere, with restarts in between, they tell what they tell as a whole."""
    recordings = recorded.transcripts()
    (world.home / "whole").mkdir()
    whole = World(world.home / "whole")
    recorded.lay_out(whole.home, recordings=recordings)
    expected = sorted(map(_content, whole.follower().sweep()))
    follower = world.follower()
    found: list[AnyEvent] = []
    for share in (0.3, 0.55, 0.8, 1.0):
        for each in recordings:
            path = world.home / each.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each.data[: int(len(each.data) * share)])
        found += follower.sweep()
        follower.save(now=True)
        if share == 0.55:
            follower = world.follower()
    assert sorted(map(_content, found)) == expected
    assert not follower.bad_lines
    assert {event.provider for event in found} == {"claude", "codex", "gemini"}
    assert any(isinstance(event, ToolReturned) for event in found)


def _content(event: AnyEvent) -> str:
    """An event without the directory that it was read from."""
    assert event.source is not None
    return repr(event).replace(event.source.path, Path(event.source.path).name)


def test_no_recorded_record_is_unknown(world: World) -> None:
    recorded.lay_out(world.home)
    events = world.follower().sweep()
    assert {event.type for event in events if isinstance(event, UnknownRecord)} == set()
    assert len({(event.provider, event.session) for event in events if isinstance(event, SessionStarted)}) == 45


def test_a_reading_goes_on_when_its_file_grows(world: World) -> None:
    path = world.claude()
    world.say(path, "one")
    reading = Reading(str(path))
    assert texts([event for events in reading.news() for event in events]) == ["one"]
    world.say(path, "two")
    assert texts([event for events in reading.news() for event in events]) == ["two"]
    shutil.rmtree(path.parent)
    assert [event for events in reading.news() for event in events] == []
    assert list(read_all(str(path))) == []


def test_copies_of_recordings_can_be_moved_in_time(world: World) -> None:
    (path,) = recorded.lay_out(
        world.home, ended=timedelta(minutes=1), recordings=recorded.transcripts("codex", "exec-json")
    )
    events = list(read_all(str(path)))
    assert abs((datetime.now(UTC) - events[-1].at).total_seconds() - 60) < 30
