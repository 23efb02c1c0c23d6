"""The disk fails under a share, or something lies in the way of its files; and what our processes give away."""

import json
import os
import resource
import signal
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from agentdeck.errors import AgentdeckError
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import Guest, World, until
from tests.gateway.test_closing import talking

SH = ("/bin/sh", "-c", "while read x; do echo [$x]; done")


# ── the log ────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def locked(database: Path) -> Iterator[None]:
    blocker = sqlite3.connect(database, timeout=20)
    blocker.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        blocker.rollback()
        blocker.close()


@contextmanager
def full(database: Path) -> Iterator[None]:
    """No file of this process may grow any more."""
    before, soft = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, soft[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft)
        signal.signal(signal.SIGXFSZ, before)


@contextmanager
def spoiled(database: Path) -> Iterator[None]:
    """Every byte of it is nonsense, until its owner puts the copy back."""
    names = [database, Path(f"{database}-wal"), Path(f"{database}-shm")]
    kept = {path: path.read_bytes() for path in names if path.exists()}
    for path, data in kept.items():
        path.write_bytes(os.urandom(max(len(data), 4096)))
    try:
        yield
    finally:
        for path in names:
            path.unlink(missing_ok=True)
        for path, data in kept.items():
            path.write_bytes(data)


async def refusal(guest: Guest, kind: str, key: str) -> tuple[str, bool]:
    """What is said of something that cannot be stored, and whether it says when to come back."""
    await guest.send(kind, key, text=f"echo {key}")
    told = await guest.answer(key)
    return told["d"].get("code", told["t"]), told["d"].get("retry_after") is not None


async def is_said(guest: Guest) -> bool:
    return (await refusal(guest, "chat", f"after{time.monotonic_ns()}"))[0] == "echo"


@pytest.mark.parametrize("trouble", [locked, full, spoiled])
async def test_without_a_log_words_and_prompts_are_refused_and_the_terminal_goes_on(
    world: World, trouble: Callable[[Path], AbstractContextManager[None]]
) -> None:
    session = await world.start(*SH)
    await world.share(session)
    link = await world.invite(session, "driver", max_uses=3)
    joined = await world.token(link, "ben")
    guest = await world.join(link, "ana")
    await guest.send("chat", "before", text="before")
    assert (await guest.answer("before"))["t"] == "echo"
    store = world.hub.sharing.shares.store
    with trouble(world.paths.state / "usage.db"):
        await store._do(store._log.close)  # what SQLite still has of the file in memory does not help
        assert await refusal(guest, "chat", "c1") == ("UNAVAILABLE", True)
        assert await refusal(guest, "command", "q1") == ("UNAVAILABLE", True)
        async with httpx.AsyncClient(base_url=link.base, headers={"Authorization": f"Bearer {joined.token}"}) as http:
            said = await http.post(
                f"/v1/s/{link.share}/messages", json={"t": "chat", "id": "h1", "d": {"text": "x"}}, timeout=20
            )
        assert (said.status_code, said.json()["code"]) == (503, "UNAVAILABLE")
        assert int(said.headers["retry-after"]) > 0
        world.client.post(m.Input(session=session, data=b"meanwhile\r"))
        await guest.until(lambda: "[meanwhile]" in guest.screen)
    assert guest.closed is None
    await until(lambda: is_said(guest), 30)  # the same hub goes on
    await guest.until(lambda: any("echo after" in each["d"]["text"] for each in guest.of("chat")))
    assert not any("echo c1" in each["d"]["text"] for each in guest.of("chat")), "what was refused has not been said"
    assert not guest.of("command"), "and no prompt is on its way"


# ── files ──────────────────────────────────────────────────────────────────────────────────────


async def test_no_file_of_a_share_is_written_through_a_link_that_somebody_laid(world: World) -> None:
    victim = world.place / "victim"
    victim.write_text("precious")
    world.paths.run.mkdir(parents=True, exist_ok=True)
    for name in ("gateway.token", "gateway.json"):
        (world.paths.run / name).symlink_to(victim)
    session = await world.start(*SH)
    link = await world.share(session)
    await world.join(link)
    assert victim.read_text() == "precious"
    assert not (world.paths.run / "gateway.token").is_symlink()
    for path in (world.paths.run / "gateway.token", world.allowlist, world.paths.state / "usage.db"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for place in (world.paths.run, world.paths.state, world.allowlist.parent):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700, place


@pytest.mark.parametrize(
    ("name", "text"), [("run/gateway.lock", "precious"), ("gateway.log", "precious"), ("usage.db", "")]
)
async def test_a_link_in_the_way_of_a_file_that_we_need_is_an_error_and_nothing_is_shared(
    world: World, name: str, text: str
) -> None:
    victim = world.place / "victim"
    victim.write_text(text)
    session = await world.start(*SH)
    path = world.paths.state / name
    path.unlink(missing_ok=True)
    path.symlink_to(victim)
    with pytest.raises(AgentdeckError):
        await world.share(session)
    assert victim.read_text() == text
    assert '"share"' not in (world.allowlist.read_text() if world.allowlist.exists() else "")
    path.unlink()


async def test_a_database_that_was_open_to_others_is_closed_to_them(world: World) -> None:
    world.paths.state.mkdir(parents=True, exist_ok=True)
    database = world.paths.state / "usage.db"
    database.touch()
    database.chmod(0o644)
    await world.share(await world.start(*SH))
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


# ── what others on this machine see ────────────────────────────────────────────────────────────


async def test_no_secret_is_in_a_command_line_and_the_gateway_has_none_of_the_owners_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-api03-owners-own-key")
    monkeypatch.setenv("DATABASE_URL", "postgres://me:hunter2hunter2@db/x")
    session = await world.start(*SH)
    link = await world.share(session)
    joined = await world.token(link, "ana")
    await world.invite(session, "driver")
    gateway = psutil.Process(world.gateway_pid())
    owner = (world.paths.run / "gateway.token").read_text()
    seen = [*psutil.Process().children(recursive=True), gateway]
    for process in seen:
        with suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            shown = f"{process.cmdline()} {process.environ()}"
            for secret in (link.secret, link.code, joined.token, joined.csrf, owner):
                assert secret not in shown
    found = gateway.environ()
    assert not any("owners-own-key" in value or "hunter2" in value for value in found.values())
    assert "PATH" in found


async def test_the_address_of_nobody_who_asks_is_ever_written_down_nor_what_they_asked(world: World) -> None:
    link = await world.share(await world.start(*SH))
    async with httpx.AsyncClient(base_url=link.base) as http:
        await http.get(f"/s/{link.share}?secret=in-a-query", headers={"Referer": "http://evil.test/leak"})
        await http.post(f"/v1/s/{link.share}/join", json={"secret": "guessed-secret", "bearer": True})
    await world.client.ask(s.Unshare(session=""), m.Done)
    text = "".join(path.read_text(errors="replace") for path in world.paths.state.glob("*.log"))
    assert not any(word in text for word in ("in-a-query", "evil.test", "guessed-secret", link.share))


# ── the list of what is shared ─────────────────────────────────────────────────────────────────


def becomes_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def becomes_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def becomes_huge(path: Path) -> None:
    os.truncate(path, 2_000_000_000)


def becomes_binary(path: Path) -> None:
    path.write_bytes(os.urandom(4096))


def becomes_empty(path: Path) -> None:
    path.write_text("")


def is_of_another_version(path: Path) -> None:
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))


def has_a_word_that_we_do_not_know(path: Path) -> None:
    path.write_text(path.read_text().replace('"version": 1', '"version": 1, "trust": "all"'))


def names_another_session(path: Path) -> None:
    listed = json.loads(path.read_text())
    for entry in listed["sessions"].values():
        entry["session"] = "another"
    path.write_text(json.dumps(listed))


def lies_open_in_its_place(path: Path) -> None:
    path.parent.chmod(0o777)


def changes_its_mode_only(path: Path) -> None:
    path.chmod(0o602)


@pytest.mark.parametrize(
    "happens",
    [
        becomes_a_directory, becomes_a_pipe, becomes_huge, becomes_binary, becomes_empty, is_of_another_version,
        has_a_word_that_we_do_not_know, names_another_session, lies_open_in_its_place, changes_its_mode_only,
    ],
)  # fmt: skip
async def test_whatever_happens_to_the_list_nothing_leaves_a_second_later_and_the_owner_is_told_why(
    world: World, happens: Callable[[Path], None]
) -> None:
    notices: list[str] = []
    world.client.on_push = lambda push: notices.append(push.text) if isinstance(push, m.Notice) else None
    await world.client.ask(m.Watch(resources=False), m.Sessions)
    _, guest = await talking(world)
    happens(world.allowlist)
    began = time.monotonic()
    await guest.until(lambda: guest.closed is not None, 10)
    assert guest.closed == 4410
    assert time.monotonic() - began < 5, "one second, and what a busy machine adds"
    count = len(guest.wire)
    await until(lambda: not world.hub.sharing.shares.rooms)
    assert len(guest.wire) == count
    if happens is not names_another_session:
        await until(lambda: any("nothing is shared any more" in text for text in notices))
    world.allowlist.parent.chmod(0o700)
    if world.allowlist.is_dir():
        world.allowlist.rmdir()
    else:
        world.allowlist.unlink(missing_ok=True)
