"""Where somebody's screen can be seen, and where it only seems so."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdeck.processes import screens, sessions
from agentdeck.processes.screens import Picture, Seat, Unseen
from tests.processes.trees import Tree


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A socket of ours, and a directory of programs of a test's own."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)  # unix socket paths are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("door")
        yield tmp_path / "door"


def program(door: Path, name: str, script: str) -> None:
    path = door.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def seat_of(tree: Tree) -> Seat:
    (agent,) = sessions.find(tree.look)
    return screens.find_seat(agent, tree.look)


def claude(tree: Tree, env: dict[str, str], *, tty: int = 3, parent: int = 1) -> None:
    tree.add(10, ["claude"], exe="/opt/claude.exe", env=env, tty=tty, parent=parent)


def test_the_tmux_pane_that_has_its_terminal_is_its_seat(tree: Tree, door: Path) -> None:
    program(door, "tmux", r"printf '/dev/pts/1\t%%0\n/dev/pts/3\t%%7\n'")
    claude(tree, {"TMUX": f"{door},123,0", "TMUX_PANE": "%0"})
    seat = seat_of(tree)
    assert (seat.kind, seat.name, seat.tty) == ("tmux", "%7", "/dev/pts/3")
    words = " ".join(seat.command)
    assert "capture-pane" in words
    for harm in ("attach", "pipe-pane", "send-keys", "resize", "new-", "kill"):
        assert harm not in words


def test_a_tmux_that_is_only_inherited_is_not_its_seat(tree: Tree, door: Path) -> None:
    """Started in a pane, but it runs in another terminal now: that pane shows something else."""
    program(door, "tmux", r"printf '/dev/pts/1\t%%0\n'")
    claude(tree, {"TMUX": f"{door},123,0", "TMUX_PANE": "%0"})
    assert seat_of(tree).command == ()
    assert "pts/3" in seat_of(tree).why


@pytest.mark.parametrize("script", ["exit 1", "printf garbage", "exec sleep 60"])
def test_a_tmux_that_does_not_answer_is_no_seat(
    tree: Tree, door: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "PATIENCE", 0.3)
    program(door, "tmux", f"PATH=/usr/bin:/bin; {script}")
    claude(tree, {"TMUX": f"{door},123,0"})
    assert seat_of(tree).command == ()


def test_another_users_tmux_is_not_asked(tree: Tree, door: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(door, "tmux", r"printf '/dev/pts/3\t%%7\n'")
    claude(tree, {"TMUX": f"{door},123,0"})
    real = os.getuid()
    (agent,) = sessions.find(tree.look)
    monkeypatch.setattr(os, "getuid", lambda: real + 1)
    assert screens.find_seat(agent, tree.look).command == ()


def test_a_pane_that_went_to_somebody_else_is_not_shown(door: Path) -> None:
    seat = Seat(
        kind="tmux", name="%7", tty="/dev/pts/3", command=("/bin/printf", r"/dev/pts/9\t80\t24\t0\t0\t1\t0\tx\n")
    )
    assert isinstance(screens.take(seat, door.parent / "scratch"), Unseen)


def test_a_picture_of_a_pane_has_its_lines_size_cursor_and_title(door: Path) -> None:
    said = r"/dev/pts/3\t80\t2\t4\t1\t1\t0\ta title\n\033[31mred\033[0m\n> hi\n"
    seat = Seat(kind="tmux", name="%7", tty="/dev/pts/3", command=("/bin/printf", said))
    picture = screens.take(seat, door.parent / "scratch")
    assert picture == Picture(lines=(b"\x1b[31mred\x1b[0m", b"> hi"), cols=80, rows=2, cursor=(4, 1), title="a title")


def screen(tree: Tree, door: Path) -> Seat:
    """A GNU screen with the process in it."""
    session = "50.pts-0.host"
    door.rename(door.with_name(session))
    tree.add(50, ["SCREEN"], tty=-1)
    tree.add(51, ["/bin/bash"], parent=50)
    claude(tree, {"STY": session, "WINDOW": "2", "SCREENDIR": str(door.parent)}, parent=51)
    program(door, "screen", "for last; do :; done; echo 'a plain screen' > \"$last\"")
    return seat_of(tree)


def test_gnu_screen_is_asked_while_nobody_is_attached(tree: Tree, door: Path) -> None:
    seat = screen(tree, door)
    Path(seat.door).chmod(stat.S_IRUSR | stat.S_IWUSR)
    picture = screens.take(seat, door.parent / "scratch")
    assert isinstance(picture, Picture)
    assert picture.lines == (b"a plain screen",)
    assert not (door.parent / "scratch").exists()


def test_gnu_screen_is_left_alone_while_somebody_is_attached(tree: Tree, door: Path) -> None:
    """It would tell them about each look."""
    seat = screen(tree, door)
    Path(seat.door).chmod(stat.S_IRWXU)
    picture = screens.take(seat, door.parent / "scratch")
    assert isinstance(picture, Unseen)
    assert "attached" in picture.why


def test_a_gnu_screen_that_is_only_inherited_is_not_its_seat(tree: Tree, door: Path) -> None:
    claude(tree, {"STY": "50.pts-0.host", "WINDOW": "2", "SCREENDIR": str(door.parent)})
    assert seat_of(tree).command == ()


def test_zellij_is_asked_for_its_own_pane(tree: Tree, door: Path) -> None:
    program(door, "zellij", "printf 'in zellij\\n'")
    claude(tree, {"ZELLIJ_SESSION_NAME": "work", "ZELLIJ_PANE_ID": "4"})
    seat = seat_of(tree)
    assert ("dump-screen" in seat.command, "terminal_4" in seat.command) == (True, True)
    picture = screens.take(seat, door.parent / "scratch")
    assert isinstance(picture, Picture)
    assert picture.lines[0] == b"in zellij"


@pytest.mark.parametrize(("session", "pane"), [("--help", "4"), ("work", "4; x"), ("work", "--full")])
def test_an_environment_cannot_smuggle_words_into_a_question(tree: Tree, door: Path, session: str, pane: str) -> None:
    program(door, "zellij", "printf x")
    claude(tree, {"ZELLIJ_SESSION_NAME": session, "ZELLIJ_PANE_ID": pane})
    assert seat_of(tree).command == ()


def test_any_other_terminal_keeps_its_screen_to_itself(tree: Tree, door: Path) -> None:
    claude(tree, {"TERM_PROGRAM": "gnome-terminal"})
    assert seat_of(tree) == Seat(why="its terminal (pts/3) shows its screen to nobody else")


def test_what_has_no_terminal_has_no_screen(tree: Tree, door: Path) -> None:
    claude(tree, {}, tty=-1)
    assert seat_of(tree).why == "it has no terminal"
