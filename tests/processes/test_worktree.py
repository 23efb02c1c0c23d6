"""Two paths that are one file of a repository."""

import subprocess
from pathlib import Path

import pytest

from agentdeck.processes.worktree import identity


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with one commit and a second worktree beside it, as git itself makes them."""
    shop = tmp_path / "shop"
    env = {"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*words: str) -> None:
        who = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")
        subprocess.run(["git", *who, *words], cwd=shop, env=env, check=True, capture_output=True, timeout=20)

    shop.mkdir()
    git("init")
    git("commit", "--allow-empty", "-m", "first")
    git("worktree", "add", "../shop-fix", "-b", "fix")
    return shop


def test_a_file_is_the_same_in_all_worktrees_also_before_it_exists(shop: Path) -> None:
    fix = shop.parent / "shop-fix"
    assert identity(str(shop / "src/jwt.py")) == identity(str(fix / "src/jwt.py"))
    assert identity(str(shop / "src/jwt.py")) != identity(str(fix / "jwt.py"))


def test_files_of_two_repositories_and_of_none_are_different(shop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    names = {identity(str(root / "a.py")) for root in (shop, other, tmp_path / "plain")}
    assert len(names) == 3
    assert identity(str(tmp_path / "plain" / "a.py")) == str(tmp_path.resolve() / "plain" / "a.py")


def test_a_link_is_the_file_that_it_leads_to(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(shop)
    assert identity(str(tmp_path / "link" / "a.py")) == identity(str(shop / "a.py"))


def test_a_broken_git_file_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("nonsense")
    assert identity(str(tmp_path / "a.py")) == str(tmp_path.resolve() / "a.py")
