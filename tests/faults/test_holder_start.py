"""A program that cannot start is explained in a sentence; one that starts gets a clean slate."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentdeck.errors import MissingDirectoryError, SpawnError, UnsafePathError, UsageError
from agentdeck.hub.link import exit_record
from tests.fakes.holding import PYTHON, Holding, holding, until


@pytest.fixture
async def world() -> AsyncIterator[Holding]:
    async with holding() as world:
        yield world


def _script(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


async def test_each_way_not_to_start_has_its_own_sentence(world: Holding, tmp_path: Path) -> None:
    cases = {
        str(tmp_path / "none"): f"{tmp_path}/none does not exist",
        "no-such-agent": "no program 'no-such-agent' on PATH",
        str(tmp_path): f"{tmp_path} is a directory, not a program",
        _script(tmp_path / "plain", "#!/bin/sh\n", 0o644): f"{tmp_path}/plain is not executable",
        _script(tmp_path / "lost", "#!/no/such/shell\n"): (
            f"{tmp_path}/lost did not start: the interpreter named in its first line does not exist"
        ),
        _script(tmp_path / "junk", "\0\1\2"): f"{tmp_path}/junk is not a program that this machine can run",
    }
    for program, sentence in cases.items():
        with pytest.raises(SpawnError) as caught:
            await world.start(program, "argument")
        assert str(caught.value) == sentence
    assert os.listdir(world.run) == []


async def test_arguments_that_are_too_long_are_explained(world: Holding) -> None:
    with pytest.raises(SpawnError, match="its arguments and environment are too long"):
        await world.start("/bin/true", "x" * 4_000_000)


async def test_a_directory_that_cannot_be_entered_is_a_fault_of_the_directory(world: Holding, tmp_path: Path) -> None:
    with pytest.raises(MissingDirectoryError):
        await world.start("true", cwd=str(tmp_path / "none"))
    _script(tmp_path / "file", "")
    with pytest.raises(UsageError, match="cannot be entered: not a directory"):
        await world.start("true", cwd=str(tmp_path / "file"))


async def test_a_run_directory_that_is_no_directory_is_refused(world: Holding, tmp_path: Path) -> None:
    world.run.symlink_to(tmp_path)
    with pytest.raises(UnsafePathError):
        await world.start("true")


async def test_a_program_that_ends_at_once_is_seen_with_output_and_status(world: Holding) -> None:
    for status in (0, 1, 42):
        session = await world.start("sh", "-c", f"echo that was quick >&2; exit {status}")
        link, follower = await world.follow(session)
        await until(follower.has_ended)
        assert (follower.text(), follower.exits[0].status) == ("that was quick\n", status)
        link.acknowledge_exit()
        record = exit_record(world.run, session)
        assert record is not None
        assert (record.status, record.tail) == (status, b"that was quick\r\n")


async def test_the_end_waits_for_whoever_comes_late(world: Holding) -> None:
    session = await world.start("echo", "done")
    await until(lambda: exit_record(world.run, session))
    link, follower = await world.follow(session)
    assert link.hello.pid == 0
    await until(lambda: follower.exits)
    assert follower.text() == "done\n"


async def test_the_program_gets_exactly_its_environment_and_nothing_of_the_holder(
    world: Holding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTDECK_SECRET", "leaked")
    seen = tmp_path / "seen"
    script = (
        "import json,os,signal,sys,termios;"
        "json.dump({'env': dict(os.environ), 'cwd': os.getcwd(), 'argv': sys.argv[1:],"
        " 'fds': sorted(int(f) for f in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{f}')),"
        " 'ignored': open('/proc/self/status').read().split('SigIgn:')[1].split()[0],"
        " 'size': list(termios.tcgetwinsize(0)), 'tty': os.ttyname(0), 'foreground': os.tcgetpgrp(0) == os.getpgrp()},"
        f" open({str(seen)!r}, 'w'))"
    )
    env = {"ONLY": "this", "ODD": "\udcff é", "EMPTY": ""}
    session = await world.start(PYTHON, "-I", "-c", script, "a b", "", cwd=str(tmp_path), env=env)
    _, follower = await world.follow(session)
    await until(lambda: follower.exits)
    assert follower.text() == ""
    found = json.loads(seen.read_text())
    assert {name: found["env"].get(name) for name in env} == env
    assert found["env"].keys() - env.keys() <= {"LC_CTYPE"}, "only Python's own locale coercion may be added"
    assert (found["cwd"], found["argv"]) == (str(tmp_path), ["a b", ""])
    assert set(found["fds"]) <= {0, 1, 2, 3}, "3 is the listing's own"
    assert int(found["ignored"], 16) & ~0x1000000 in (0, 0x1000), "only Python's own SIGPIPE"
    assert found["size"] == [24, 80]
    assert found["tty"].startswith("/dev/pts/")
    assert found["foreground"]


async def test_signals_are_not_ignored_in_the_program(world: Holding) -> None:
    session = await world.start("grep", "SigIgn", "/proc/self/status")
    _, follower = await world.follow(session)
    await until(lambda: follower.exits)
    assert follower.text() == "SigIgn:\t0000000000000000\n"


async def test_a_program_whose_path_has_blanks_and_no_arguments_starts(world: Holding, tmp_path: Path) -> None:
    session = await world.start(_script(tmp_path / "my 'own' $agent", "#!/bin/sh\necho ok\n"))
    _, follower = await world.follow(session)
    await until(lambda: follower.exits)
    assert follower.text() == "ok\n"


async def test_a_program_is_found_relative_to_its_directory(world: Holding, tmp_path: Path) -> None:
    _script(tmp_path / "agent", "#!/bin/sh\necho here\n")
    session = await world.start("./agent", cwd=str(tmp_path))
    _, follower = await world.follow(session)
    await until(lambda: follower.exits)
    assert follower.text() == "here\n"


async def test_no_secret_is_in_the_holders_command_line_or_environment(world: Holding) -> None:
    session = await world.start("cat", env={"PATH": os.environ["PATH"], "API_KEY": "hush-hush"})
    link = await world.connect(session)
    proc = Path(f"/proc/{link.hello.holder_pid}")
    assert b"hush" not in (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()


async def test_only_the_owner_can_enter(world: Holding) -> None:
    session = await world.start("cat")
    assert stat.S_IMODE(world.run.stat().st_mode) == 0o700
    assert stat.S_IMODE(world.socket(session).stat().st_mode) == 0o600
    assert stat.S_IMODE((world.run / f"{session}.exit").stat().st_mode) == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
async def test_somebody_else_is_turned_away_even_with_the_doors_open(world: Holding) -> None:
    session = await world.start("cat")
    for path in (world.run.parent, world.run, world.socket(session)):
        path.chmod(0o777)
    if (stranger := os.fork()) == 0:
        os.setuid(65534)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(world.socket(session)))
            os._exit(len(connection.recv(1)))
    _, status = await asyncio.to_thread(os.waitpid, stranger, 0)
    assert status == 0, "it was given something"


async def test_a_second_holder_of_the_same_name_is_refused(world: Holding) -> None:
    session = await world.start("cat")
    with pytest.raises(SpawnError, match="running already"):
        await world.start("cat", id=session)
    link, follower = await world.follow(session)
    link.write(b"first\n")
    await until(lambda: "first" in follower.text())


async def test_a_leftover_socket_is_replaced(world: Holding) -> None:
    first = await world.start("cat")
    link = await world.connect(first)
    os.kill(link.hello.holder_pid, 9)
    await until(lambda: not link._open)
    assert world.socket(first).exists()
    await world.start("cat", id=first)
    assert await (await world.connect(first)).ping(5)


async def test_the_checkpoint_is_kept_for_the_next_hub(world: Holding) -> None:
    session = await world.start("cat")
    link, follower = await world.follow(session)
    assert await link.checkpoint() is None
    link.store_checkpoint(12, b"a screen")
    link.store_checkpoint(13, b"x" * 65537)
    link.close()
    again = await world.connect(session, follower)
    assert await again.checkpoint() == (12, b"a screen")


async def test_a_resize_reaches_the_program_once_and_the_next_hub(world: Holding) -> None:
    session = await world.start("sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done")
    link, follower = await world.follow(session)
    await until(lambda: "ready" in follower.text())
    link.resize(132, 50)
    await until(lambda: "50 132" in follower.text())
    again = await world.connect(session)
    assert (again.hello.cols, again.hello.rows) == (132, 50)
