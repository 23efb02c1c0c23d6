"""Roles, secrets, clocks, the list of what is shared, the log: the pure parts of sharing, and the files behind them."""

import math
import os
import sqlite3
import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.errors import AllowlistError
from agentdeck.protocol import viewers as v
from agentdeck.share import clock, keyfile, tokens
from agentdeck.share.allowlist import Allowlist, Entry, Guard, read, write
from agentdeck.share.log import Draft, DuplicateError, Item, Log
from agentdeck.share.roles import may
from agentdeck.usage.ledger import Ledger
from tests.share.protocol_page import PAGE, page

# ── roles ──────────────────────────────────────────────────────────────────────────────────────


@given(st.sampled_from([kind.name for kind in v.KINDS]), st.booleans())
def test_a_higher_role_may_whatever_a_lower_one_may(kind: str, hands: bool) -> None:
    allowed = [may(role, kind, hands=hands) for role in v.ROLES]
    assert allowed == sorted(allowed)


def test_an_unknown_role_or_kind_may_nothing() -> None:
    assert not any(may(role, "resync") for role in ("", "root", "Owner", "observer "))
    assert not any(may("owner", kind) for kind in ("", "hello", "snapshot", "sudo"))
    assert not may("driver", "keys")
    assert may("driver", "keys", hands=True)
    assert not may("commenter", "keys", hands=True)


def test_the_protocol_page_is_what_the_schema_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.share.protocol_page writes it anew"


# ── secrets ────────────────────────────────────────────────────────────────────────────────────


def test_secrets_are_long_codes_can_be_read_out_and_no_two_are_the_same() -> None:
    made = {tokens.new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert min(map(len, made)) * math.log2(64) >= 256
    key = bytes(range(32))
    links = {tokens.link_secret(key, f"i{n}") for n in range(1000)}
    assert len(links) == 1000
    assert min(map(len, links)) * math.log2(64) >= 256
    codes = {tokens.typed_code(key, f"i{n}") for n in range(1000)}
    assert len(codes) == 1000
    assert {len(code) for code in codes} == {9}
    assert not set("".join(codes)) & set("ILOU")


def test_the_secret_of_an_invite_follows_from_the_key_and_from_nothing_else() -> None:
    one, other = bytes(32), bytes(31) + b"1"
    assert tokens.link_secret(one, "i1") == tokens.link_secret(one, "i1")
    found = {
        make(key, name) for make in (tokens.link_secret, tokens.typed_code) for key in (one, other) for name in "ab"
    }
    assert len(found) == 8


def test_the_key_of_links_is_made_once_and_believed_only_while_it_is_private(tmp_path: Path) -> None:
    place = tmp_path / "share.key"
    key = keyfile.load(place)
    assert len(key) == keyfile.SIZE
    assert keyfile.load(place) == key
    assert place.stat().st_mode & 0o777 == 0o600
    place.chmod(0o644)
    fresh = keyfile.load(place)
    assert fresh != key, "others may have read it"
    assert (keyfile.load(place), place.stat().st_mode & 0o777) == (fresh, 0o600)
    place.write_bytes(b"short")
    assert keyfile.load(place) not in (key, fresh, b"short")
    place.unlink()
    place.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(bytes(32))
    assert keyfile.load(place) != bytes(32)
    assert not place.is_symlink()
    assert len(keyfile.load(tmp_path / "no" / "such" / "place")) == keyfile.SIZE


def test_a_code_is_understood_however_it_is_typed() -> None:
    assert tokens.normalised(" 7kq2-m9xo ") == tokens.normalised("7KQ2M9X0")
    assert tokens.normalised("il10") == "1110"


@given(st.text())
def test_any_text_can_be_hashed_and_compared(text: str) -> None:
    assert tokens.same(tokens.hashed(text), tokens.hashed(text))
    assert len(tokens.words(tokens.hashed(text)).split()) == 3


# ── the clock ──────────────────────────────────────────────────────────────────────────────────


def test_a_changed_system_clock_moves_no_end() -> None:
    wall, passed = 1000.0, 50.0
    now = clock.steady(lambda: wall, lambda: passed)
    wall += 3600.0
    assert now() == 1000.0
    passed += 60.0
    wall -= 7200.0
    assert now() == 1060.0


# ── the list ───────────────────────────────────────────────────────────────────────────────────

ENTRY = Entry(
    path="/t.jsonl", session="0badcafe", share="s1", servers=("local",), roles=("observer",), repository="/r",
    shared_at=1.0, expires_at=2.0,
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "config" / "shared-sessions.json"


def test_a_missing_list_shares_nothing_and_a_written_one_is_closed_to_others(place: Path) -> None:
    assert read(place) == Allowlist()
    before = os.umask(0)
    try:
        write(place, Allowlist().with_entry("c1", ENTRY).with_repository("/r", "local", on=True))
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    listed = read(place)
    assert listed.entry_of("s1") == ENTRY
    assert listed.allows("/r", "local")
    assert not listed.allows("/r", "lan")
    assert listed.without("s1").sessions == {}
    assert [p.name for p in place.parent.iterdir()] == [place.name]


def spoil_json(place: Path) -> None:
    place.write_text("{")


def spoil_version(place: Path) -> None:
    place.write_text('{"version": 2, "sessions": {}}')


def spoil_deep(place: Path) -> None:
    place.write_text("[" * 100_000)


def spoil_type(place: Path) -> None:
    place.write_text('{"version": 1, "sessions": {"c1": {"share": "s1"}}}')


def open_to_others(place: Path) -> None:
    place.chmod(0o644)


def open_directory(place: Path) -> None:
    place.parent.chmod(0o777)


def link(place: Path) -> None:
    real = place.with_name("real.json")
    place.rename(real)
    place.symlink_to(real)


def fifo(place: Path) -> None:
    place.unlink()
    os.mkfifo(place, 0o600)


def directory(place: Path) -> None:
    place.unlink()
    place.mkdir(0o700)


@pytest.mark.parametrize(
    "spoil",
    [spoil_json, spoil_version, spoil_deep, spoil_type, open_to_others, open_directory, link, fifo, directory],
)
def test_a_list_that_cannot_be_believed_shares_nothing_and_says_why(place: Path, spoil: object) -> None:
    write(place, Allowlist().with_entry("c1", ENTRY))
    guard = Guard(place)
    assert guard.now().entry_of("s1") == ENTRY
    assert callable(spoil)
    spoil(place)
    assert guard.now() == Allowlist()
    assert isinstance(guard.problem, AllowlistError)
    assert str(place.parent) in str(guard.problem)


def test_every_kind_of_change_is_seen_at_the_next_look(place: Path) -> None:
    write(place, Allowlist().with_entry("c1", ENTRY))
    guard = Guard(place)
    for _ in range(3):  # saves by renaming, one after the other
        assert guard.now().entry_of("s1") is not None
        write(place, Allowlist())
        assert guard.now().entry_of("s1") is None
        write(place, Allowlist().with_entry("c1", ENTRY))
    place.unlink()
    assert guard.now() == Allowlist()
    assert guard.problem is None


def test_a_list_that_cannot_be_written_is_an_error_and_leaves_what_was(place: Path) -> None:
    write(place, Allowlist().with_entry("c1", ENTRY))
    if os.getuid() == 0:
        place.with_name(f".{place.name}.{os.getpid()}").mkdir()
    else:
        place.parent.chmod(0o500)
    with pytest.raises(AllowlistError):
        write(place, Allowlist())
    place.parent.chmod(0o700)
    assert read(place).entry_of("s1") == ENTRY


# ── the log ────────────────────────────────────────────────────────────────────────────────────


def said(text: str, key: str = "", by: str = "p1") -> Draft:
    return Draft("chat", 1.0, by, msgspec.json.encode({"text": text}), key)


def test_events_are_numbered_in_each_share_and_read_by_what_one_has(tmp_path: Path) -> None:
    log = Log(tmp_path / "d.db")
    assert [e.seq for e in log.append("a", [said("1"), said("2")])] == [1, 2]
    assert [e.seq for e in log.append("b", [said("x")])] == [1]
    assert [e.seq for e in log.append("a", [said("3")], [Item("person", "p1", b"x")])] == [3]
    assert [e.seq for e in log.read("a", 1, 10)] == [2, 3]
    assert [e.seq for e in log.read("a", 0, 2)] == [1, 2]
    assert log.read("a", 0, 10, ("feed",)) == []
    assert log.items("a") == [Item("person", "p1", b"x")]
    log.close()
    assert log.last("a") == 3, "another connection goes on where it was"
    log.purge("a")
    assert (log.last("a"), log.items("a"), log.last("b")) == (0, [], 1)


def test_the_same_key_of_the_same_person_is_stored_once(tmp_path: Path) -> None:
    log = Log(tmp_path / "d.db")
    log.append("a", [said("1", "k")])
    with pytest.raises(DuplicateError) as caught:
        log.append("a", [said("again", "k")], [Item("person", "p", b"never")])
    assert caught.value.seq == 1
    assert log.items("a") == [], "all or nothing"
    assert log.append("a", [said("2", "k", by="p2")])[0].seq == 2


def test_a_log_that_was_damaged_or_locked_says_so_and_works_again_when_mended(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    log = Log(path)
    log.append("a", [said("1")])
    log.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    good = path.read_bytes()
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        log.append("a", [said("2")])
    log.close()
    path.write_bytes(good)
    assert log.append("a", [said("2")])[0].seq == 2


def test_old_shares_are_forgotten_and_live_ones_never(tmp_path: Path) -> None:
    log = Log(tmp_path / "d.db")
    log.append("old", [said("1")])
    log.append("live", [said("1")])
    log.tidy(30 * 24 * 3600.0, ["live"])
    assert (log.last("old"), log.last("live")) == (0, 1)


def test_the_ledger_in_the_same_file_leaves_the_log_alone(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    log = Log(path)
    log.append("a", [said("1")])
    with Ledger(path):
        pass
    assert [e.seq for e in log.append("a", [said("2")])] == [2]
    log.close()
    assert Log(path).last("a") == 2
