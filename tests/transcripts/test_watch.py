"""Every way in which watching fails that was measured: what changed is found all the same, what is wrong is told."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from agentdeck.transcripts import watch as module
from agentdeck.transcripts.eye import Eye
from agentdeck.transcripts.tree import Tree, is_remote, nearest, watched
from agentdeck.transcripts.watch import CROWD, Watch

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify and its limits are Linux's")
PATIENCE = 20.0


class Seen:
    """What a watch has said since it was last forgotten. A sweep stands for everything."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.paths: set[bytes] = set()
        self.sweeps = 0
        self.news = asyncio.Event()

    async def listen(self) -> None:
        async for changed in self.watch.changes():
            self.paths |= changed
            self.sweeps += not changed
            self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """The deadline only ends a broken test."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), 0.05)
                self.news.clear()

    async def hears_of(self, path: Path) -> None:
        await self.until(lambda: os.fsencode(path) in self.paths)

    async def hears_of_appends(self, path: Path) -> None:
        """Lines are written until one is reported by its path: a sweep, which a new watcher asks for, covers others."""
        async with asyncio.timeout(PATIENCE):
            while os.fsencode(path) not in self.paths:
                with path.open("a") as file:
                    file.write("line\n")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), 0.2)
                self.news.clear()

    async def finds(self, path: Path) -> None:
        """It is told of the path itself, of a directory around it, or that everything has to be looked at."""
        wanted = {os.fsencode(each) for each in (path, *path.parents)}
        await self.until(lambda: self.sweeps > 0 or bool(wanted & self.paths))

    def forget(self) -> None:
        self.paths, self.sweeps = set(), 0


@asynccontextmanager
async def watching(*roots: Path, active: tuple[Path, ...] = ()) -> AsyncIterator[Seen]:
    async with Watch(roots, active=lambda: [os.fsencode(path) for path in active]) as watch:
        seen = Seen(watch)
        task = asyncio.create_task(seen.listen())
        try:
            await seen.until(lambda: seen.sweeps > 0)
            await ready(seen, roots)
            yield seen
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


probes = count()


async def ready(seen: Seen, roots: tuple[Path, ...]) -> None:
    """Wait until changes in every root that there is are really seen."""
    for root in (root for root in roots if root.is_dir() and not seen.watch.is_polling):
        probe = root / f"probe-{next(probes)}"
        async with asyncio.timeout(PATIENCE):
            while not any(path.endswith(probe.name.encode()) for path in seen.paths):
                probe.write_text(str(os.urandom(4)))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(seen.news.wait(), 0.2)
                seen.news.clear()
        probe.unlink()
    seen.forget()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "root"
    (root / "project").mkdir(parents=True)
    return root


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow sweeps come soon."""
    monkeypatch.setattr(module, "TICK", 0.05)
    monkeypatch.setattr(module, "DIRECTORIES_EVERY", 0.2)
    monkeypatch.setattr(module, "POLL_DIRECTORIES_EVERY", 0.1)
    monkeypatch.setattr(module, "POLL_EVERYTHING_EVERY", 0.2)


# ── as it should be ────────────────────────────────────────────────────────────────────────────


async def test_everything_is_swept_at_first(root: Path) -> None:
    async with Watch([root]) as watch:
        assert await anext(watch.changes()) == set()


async def test_an_append_is_reported_by_its_path(root: Path) -> None:
    path = root / "project" / "a.jsonl"
    path.touch()
    async with watching(root) as seen:
        with path.open("a") as file:
            file.write("line\n")
        await seen.hears_of(path)


async def test_an_atomic_replacement_is_reported_under_the_final_name(root: Path) -> None:
    path, other = root / "project" / "a.jsonl", root / "project" / "a.tmp"
    path.touch()
    async with watching(root) as seen:
        other.write_text("new")
        other.rename(path)
        await seen.hears_of(path)


async def test_a_removal_is_reported(root: Path) -> None:
    path = root / "project" / "a.jsonl"
    path.touch()
    async with watching(root) as seen:
        path.unlink()
        await seen.hears_of(path)


async def test_active_files_are_named_every_second_whatever_the_watcher_sees(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK", 0.05)
    path = root / "project" / "a.jsonl"
    path.touch()
    async with watching(root, active=(path,)) as seen:
        seen.forget()
        await seen.hears_of(path)
        seen.forget()
        await seen.hears_of(path)


# ── what watchers miss ─────────────────────────────────────────────────────────────────────────


async def test_files_in_directories_that_were_just_made_are_all_found(root: Path, fast: None) -> None:
    """Watchers miss about half of them: the directory is known before it is watched."""
    async with watching(root) as seen:
        paths = [root / f"{n % 10}" / f"{n % 20}" / f"{n}" / "a.jsonl" for n in range(100)]
        for path in paths:
            path.parent.mkdir(parents=True)
            path.write_text("line\n")
        for path in paths:
            await seen.finds(path)


async def test_a_new_directory_is_found_by_its_parents_time_alone(root: Path) -> None:
    tree = Tree([os.fsencode(root)])
    tree.walk()
    assert tree.changed() == set()
    (root / "y" / "m" / "d").mkdir(parents=True)
    os.utime(root, ns=(1, 1))
    assert os.fsencode(root) in tree.changed()
    assert os.fsencode(root / "y" / "m" / "d") in tree.directories
    (root / "y" / "m" / "d" / "a.jsonl").touch()
    os.utime(root / "y" / "m" / "d", ns=(1, 1))
    assert tree.changed() == {os.fsencode(root / "y" / "m" / "d")}
    shutil.rmtree(root / "y")
    assert os.fsencode(root) in tree.changed()
    assert tree.directories.keys() == {os.fsencode(root), os.fsencode(root / "project")}


async def test_a_report_of_thousands_of_paths_is_followed_by_a_sweep(root: Path) -> None:
    """So many are close to what the system's queue holds, and nobody tells of an overflow."""
    async with watching(root) as seen:
        eye = seen.watch._eyes[0]
        seen.watch._hear(eye, {b"%d" % n for n in range(CROWD)})
        await seen.until(lambda: seen.sweeps == 1)


class Program:
    """The watching program in a process of its own."""

    def __init__(self, *arguments: str, limits: str = "") -> None:
        argv = [sys.executable, "-m", "tests.transcripts.watching", *arguments]
        if limits:
            argv = ["unshare", "-Ur", "sh", "-c", f'{limits}; exec "$@"', "sh", *argv]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said: list[object] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.said.append(json.loads(line))
                self._news.notify()

    def until(self, condition: Callable[[list[object]], bool]) -> None:
        with self._news:
            assert self._news.wait_for(lambda: condition(self.said), PATIENCE), self.said[-5:]

    def until_ready(self, root: Path) -> None:
        self.until(lambda said: [] in said)
        for number in range(200):
            probe = root / f"probe-{number}"
            probe.touch()
            with self._news:
                if self._news.wait_for(lambda: any("probe-" in str(each) for each in self.said), 0.1):
                    return
        raise AssertionError("it sees nothing")

    def ask(self, question: str) -> dict[str, object]:
        assert self.process.stdin is not None
        before = sum(isinstance(each, dict) for each in self.said)
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        self.until(lambda said: sum(isinstance(each, dict) for each in said) > before)
        return [each for each in self.said if isinstance(each, dict)][-1]

    def until_polling(self) -> None:
        for _ in range(200):
            if self.ask("polling") == {"polling": True}:
                return
            with self._news:
                self._news.wait(0.1)
        raise AssertionError("it still trusts its watcher")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._thread.join()


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    started: list[Program] = []

    def start(*arguments: str, limits: str = "") -> Program:
        started.append(Program(*arguments, limits=limits))
        return started[-1]

    yield start
    for each in started:
        each.end()


@linux
def test_after_an_overflow_everything_is_swept(root: Path, program: Callable[..., Program]) -> None:
    watcher = program("--late=0.3", os.fspath(root))
    watcher.until_ready(root)
    os.kill(watcher.process.pid, signal.SIGSTOP)
    try:
        files = [(root / "project" / f"{n}.jsonl").open("w") for n in range(2)]
        for n in range(20_000):
            files[n % 2].write("line\n")
            files[n % 2].flush()
        for file in files:
            file.close()
        ended = watcher.process.pid
        asyncio.run(asyncio.sleep(0))  # nothing waits for time: it was stopped for as long as that took
        _wait_until_stopped_for(ended, 1.5)
    finally:
        before = watcher.said.count([])
        os.kill(watcher.process.pid, signal.SIGCONT)
    watcher.until(lambda said: said.count([]) > before)


def _wait_until_stopped_for(pid: int, seconds: float) -> None:
    """A stop shows by time alone."""
    import time

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert Path(f"/proc/{pid}/stat").read_text().split()[2] == "T"
        time.sleep(0.05)


def limited(sentence: str) -> str:
    """A limit of the system for one program alone, in a user namespace of its own."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-Ur", "true"], check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    return sentence


@linux
def test_when_no_watch_is_left_at_the_start_files_are_looked_for(root: Path, program: Callable[..., Program]) -> None:
    for n in range(20):
        (root / f"{n}").mkdir()
    limits = limited("echo 5 > /proc/sys/user/max_inotify_watches")
    watcher = program(os.fspath(root), limits=limits)
    watcher.until_polling()
    problems = watcher.ask("problems")["problems"]
    assert isinstance(problems, list)
    assert "limit" in problems[0]
    (root / "3" / "a.jsonl").touch()
    watcher.until(lambda said: any(os.fspath(root / "3") in str(each) for each in said))


@linux
def test_when_no_watcher_can_be_made_files_are_looked_for(root: Path, program: Callable[..., Program]) -> None:
    watcher = program(os.fspath(root), limits=limited("echo 0 > /proc/sys/user/max_inotify_instances"))
    (root / "project" / "a.jsonl").touch()
    watcher.until_polling()


@linux
def test_when_watches_run_out_later_it_is_noticed_and_told(
    root: Path, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watcher says nothing; the count of what the system watches does."""

    async def run() -> None:
        async with watching(root) as seen:
            for n in range(5):
                (root / f"{n}").mkdir()
            monkeypatch.setattr(module, "watched", lambda: 2)
            await seen.until(lambda: seen.watch.is_polling)
            assert "max_user_watches" in seen.watch.problems[0]
            seen.forget()
            await seen.finds(root / "4" / "a.jsonl")
            monkeypatch.setattr(module, "watched", lambda: 100)
            await seen.until(lambda: not seen.watch.is_polling)

    asyncio.run(run())


@linux
async def test_a_name_that_is_no_utf8_stops_nothing(root: Path, fast: None) -> None:
    path = root / "project" / "a.jsonl"
    async with watching(root) as seen:
        for n in range(5):
            odd = os.fsencode(root) + b"/project/\xff\xfe%d.jsonl" % n
            seen.forget()
            os.close(os.open(odd, os.O_CREAT))
            await seen.until(lambda: seen.sweeps > 0 or any(b"project" in each for each in seen.paths))
            seen.forget()
            with path.open("a") as text:
                text.write("line\n")
            await seen.finds(path)


async def test_a_watcher_that_fails_again_and_again_is_left_alone_for_a_while(
    root: Path, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(root) as seen:
        for _ in range(module.FAILURES):
            await seen.until(lambda: bool(seen.watch._eyes))
            seen.watch._hear(seen.watch._eyes[0], RuntimeError("it is poisoned"))
        await seen.until(lambda: seen.watch.is_polling)
        assert seen.watch.problems == [
            "transcripts are looked for every few seconds, because they cannot be watched: it is poisoned"
        ]
        seen.forget()
        (root / "project" / "a.jsonl").touch()
        await seen.finds(root / "project" / "a.jsonl")
        seen.watch._blind_until = asyncio.get_running_loop().time()
        await seen.until(lambda: not seen.watch.is_polling)
        await ready(seen, (root,))


# ── roots ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_root_that_is_made_later_is_watched_from_then_on(tmp_path: Path, fast: None) -> None:
    root = tmp_path / "home" / ".claude" / "projects"
    async with watching(root) as seen:
        (root / "project").mkdir(parents=True)
        path = root / "project" / "a.jsonl"
        path.touch()
        await seen.finds(path)
        await ready(seen, (root,))
        await seen.hears_of_appends(path)


async def test_a_root_that_is_removed_and_made_again_is_watched_again(root: Path, fast: None) -> None:
    async with watching(root) as seen:
        for _ in range(2):
            shutil.rmtree(root)
            (root / "project").mkdir(parents=True)
            path = root / "project" / "a.jsonl"
            path.touch()
            await seen.finds(path)
            await ready(seen, (root,))
            with path.open("a") as file:
                file.write("line\n")
            await seen.finds(path)


async def test_a_root_that_was_moved_away_is_noticed_though_nothing_is_said(root: Path, fast: None) -> None:
    async with watching(root) as seen:
        shutil.move(root, root.with_name("elsewhere"))
        await seen.until(lambda: seen.watch._identities == {os.fspath(root): None})
        (root / "project").mkdir(parents=True)
        await ready(seen, (root,))


def test_the_nearest_parent_of_what_is_missing_is_the_first_that_exists(tmp_path: Path) -> None:
    assert nearest(tmp_path / "a" / "b" / "c") == tmp_path
    (tmp_path / "a").mkdir()
    assert nearest(tmp_path / "a" / "b" / "c") == tmp_path / "a"
    (tmp_path / "a" / "b").touch()
    assert nearest(tmp_path / "a" / "b" / "c") == tmp_path / "a"


# ── links ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_root_that_is_a_link_is_watched_where_it_leads(tmp_path: Path, root: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    async with watching(link) as seen:
        path = root / "project" / "a.jsonl"
        path.touch()
        await seen.hears_of(path)


async def test_a_link_that_leaves_the_root_is_not_followed(tmp_path: Path, root: Path, fast: None) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    async with watching(root) as seen:
        inside = root / "project" / "a.jsonl"
        (outside / "deep" / "secret.jsonl").touch()
        await seen.hears_of_appends(inside)
        assert not [path for path in seen.paths if b"secret" in path or b"deep" in path]
        assert os.fsencode(outside / "deep") not in seen.watch._tree.directories


async def test_a_link_that_comes_later_is_not_followed_either(tmp_path: Path, root: Path, fast: None) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    async with watching(root) as seen:
        (root / "link").symlink_to(outside)
        await seen.until(lambda: bool(seen.watch._plan.flat))
        assert not seen.watch._plan.deep


async def test_links_in_a_circle_end(root: Path) -> None:
    (root / "project" / "up").symlink_to(root)
    (root / "project" / "self").symlink_to(root / "project" / "self")
    async with watching(root) as seen:
        path = root / "project" / "a.jsonl"
        path.touch()
        await seen.hears_of(path)
        assert seen.watch._tree.directories.keys() == {os.fsencode(root), os.fsencode(root / "project")}


# ── other machines' files ──────────────────────────────────────────────────────────────────────

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home/dev nfs4 rw 0 0
tmpfs /home/dev/local\\040disk tmpfs rw 0 0
sshfs#x /mnt/x fuse.sshfs rw 0 0
C: /mnt/c 9p rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "remote"),
    [
        ("/home/dev/.claude", True),
        ("/home/dev", True),
        ("/home/developer/.claude", False),
        ("/home/dev/local disk/.claude", False),
        ("/mnt/x/y", True),
        ("/mnt/c/Users", True),
        ("/etc", False),
    ],
)
def test_a_file_system_of_another_machine_is_known_by_its_kind(path: str, remote: bool) -> None:
    assert is_remote(path, MOUNTS) == remote


async def test_on_a_file_system_of_another_machine_files_are_looked_for(
    root: Path, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kernel does not tell ours what others write."""
    monkeypatch.setattr(module, "_mounts", lambda: f"server:/x {root} nfs4 rw 0 0\n")
    async with watching(root) as seen:
        assert seen.watch.is_polling
        assert not seen.watch._eyes
        path = root / "project" / "a.jsonl"
        path.touch()
        await seen.finds(path)


def test_where_the_system_does_not_tell_what_it_watches_the_count_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "listdir", lambda path: (_ for _ in ()).throw(OSError()))
    assert watched() is None


def test_an_eye_ends_soon_when_it_is_closed(root: Path) -> None:
    began = threading.Event()
    eye = Eye([os.fsencode(root)], recursive=True, report=lambda eye, report: began.set())
    assert began.wait(PATIENCE)
    eye.close()
    eye.join(PATIENCE)
    assert not eye._thread.is_alive()
