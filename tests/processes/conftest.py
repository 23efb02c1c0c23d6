"""A tree of processes that nobody runs."""

from pathlib import Path

import pytest

from tests.processes.trees import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    for name in ("proc", "home"):
        (tmp_path / name).mkdir()
    return Tree(tmp_path / "proc", tmp_path / "home")
