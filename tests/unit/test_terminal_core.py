"""Loading the native library: only the version we know, fast at every start but the first."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdeck.errors import TerminalCoreError
from agentdeck.terminal import cells, core


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    core.load.cache_clear()
    yield tmp_path / "agentdeck"
    core.load.cache_clear()


def parsing_fails(_package: Path) -> None:
    raise AssertionError("the declarations were parsed again")


def test_the_second_start_parses_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    core.load()
    (compiled,) = cache.glob("*.py")
    assert compiled.stat().st_mode & 0o777 == 0o600
    core.load.cache_clear()
    monkeypatch.setattr(core, "_parsed_declarations", parsing_fails)
    assert core.load().lib is not None


@pytest.mark.parametrize("content", ["", "this is ( no Python", "ffi_is_missing = 1"])
def test_a_broken_cache_is_written_anew(cache: Path, content: str) -> None:
    core.load()
    (compiled,) = cache.glob("*.py")
    whole = compiled.read_text()
    compiled.write_text(content)
    core.load.cache_clear()
    core.load()
    assert compiled.read_text() == whole


def test_a_cache_that_others_can_write_is_not_run(cache: Path) -> None:
    core.load()
    (compiled,) = cache.glob("*.py")
    compiled.write_text("raise SystemExit('this must not run')")
    compiled.chmod(0o666)
    core.load.cache_clear()
    assert core.load().lib is not None


def test_a_cache_that_cannot_be_written_costs_only_time(cache: Path) -> None:
    cache.write_text("a file where the directory should be")
    assert core.load().lib is not None


def test_another_version_of_the_library_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "VERSION", "9.9.9")
    with pytest.raises(TerminalCoreError, match=r"needs pyghostty 9\.9\.9"):
        core.load()


def test_a_missing_library_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(TerminalCoreError, match="pyghostty is not installed"):
        core.load()


def test_a_platform_without_the_library_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "_LIBRARIES", ("libghostty-vt.of-no-platform",))
    with pytest.raises(TerminalCoreError, match="no library for this platform"):
        core.load()


def test_another_layout_of_the_cells_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_STYLE_SHIFT", 27)
    with pytest.raises(TerminalCoreError, match="lays its cells out"):
        core.load()
