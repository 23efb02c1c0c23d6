"""Two sessions and one file: in one tree, in two worktrees, too long ago, and with a session that is gone."""

import os
import subprocess
from pathlib import Path

from agentdeck.live.radar import WITHIN, Radar
from agentdeck.processes.worktree import identity


def same(path: str) -> str:
    return path


def test_two_sessions_that_change_one_file_are_in_conflict() -> None:
    radar = Radar(same)
    assert radar.touch("a", "/x/jwt.py", 10.0) is None
    assert radar.touch("a", "/x/jwt.py", 11.0) is None
    assert radar.touch("b", "/x/other.py", 12.0) is None
    found = radar.touch("b", "/x/jwt.py", 13.0)
    assert found is not None
    assert found.sessions == ("a", "b")
    assert [conflict.path for conflict in radar.conflicts(14.0)] == ["/x/jwt.py"]


def test_the_conflict_is_known_before_the_second_write() -> None:
    radar = Radar(same)
    radar.touch("a", "/x/jwt.py", 10.0)
    before = radar.before("b", "/x/jwt.py", 20.0)
    assert before is not None
    assert before.sessions == ("a", "b")
    assert radar.before("a", "/x/jwt.py", 20.0) is None
    assert radar.before("b", "/x/free.py", 20.0) is None
    assert radar.conflicts(20.0) == []


def test_long_ago_and_gone_sessions_do_not_count() -> None:
    radar = Radar(same)
    radar.touch("a", "/f", 0.0)
    assert radar.touch("b", "/f", WITHIN + 1) is None
    radar.touch("c", "/f", WITHIN + 2)
    radar.gone("c")
    assert radar.conflicts(WITHIN + 3) == []
    radar.touch("d", "/f", WITHIN + 4)
    assert radar.conflicts(3 * WITHIN) == []


def git(*words: str, cwd: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=a", "-c", "user.email=a@example.invalid")
    subprocess.run(["git", *who, *words], cwd=cwd, env=env, check=True, capture_output=True, timeout=30)


def test_a_file_is_the_same_in_all_worktrees_of_a_repository(tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.mkdir()
    git("init", "-q", cwd=main)
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=main)
    git("worktree", "add", "-q", str(tmp_path / "tree"), cwd=main)
    assert identity(str(main / "src/a.py")) == identity(str(tmp_path / "tree/src/a.py"))
    assert identity(str(main / "src/a.py")) != identity(str(main / "src/b.py"))


def test_outside_of_a_repository_a_file_is_its_real_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert identity(str(tmp_path / "link/a")) == str(tmp_path / "real/a")
