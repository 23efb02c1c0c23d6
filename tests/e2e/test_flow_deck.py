"""The deck as a person uses it, in a real terminal, with plain shells: open, start, type, switch, leave, come back."""

import hashlib
import re
import sys

import pytest

from tests.e2e.patience import until
from tests.e2e.tmux import Tmux
from tests.e2e.world import World

pytestmark = pytest.mark.tmux

ENTER = b"\r"
ESC = b"\x1b"
CTRL_Q = b"\x11"
CTRL_PGUP = b"\x1b[5;5~"
CTRL_PGDN = b"\x1b[6;5~"
SIZES = [(80, 24), (120, 40), (200, 60)]
COOKED = "echo in {name}; while read line; do echo {name} heard $line; done"


def mode(screen: str) -> str:
    """The mode that the last row names."""
    found = re.search(r"\b(DECK|TYPING)\b", screen.rstrip().split("\n")[-1])
    return found[1] if found else ""


def in_mode(seat: Tmux, wanted: str) -> str:
    return seat.wait_for(lambda screen: mode(screen) == wanted)


def start_two(world: World) -> None:
    for name in ("alder", "birch"):
        world.wait_for_screen(world.shell(name, COOKED.format(name=name)), f"in {name}")


def test_without_any_agent_the_deck_explains_itself_and_opens_a_shell(world: World) -> None:
    seat = world.deck()
    screen = seat.wait_for("welcome to agentdeck")
    for name in ("claude", "codex", "gemini"):
        assert name in screen.lower()
    seat.send(ENTER)
    until(lambda: [s["provider"] for s in world.sessions()] == ["shell"])
    seat.wait_for("welcome to agentdeck", gone=True)
    in_mode(seat, "TYPING")
    seat.wait_until_still()
    seat.send(b"echo $((6 * 7)) trees\r")
    seat.wait_for("42 trees")


def test_a_session_is_started_typed_into_and_left_by_keyboard(world: World) -> None:
    world.shell("first", "echo in first; exec sleep 1000")
    seat = world.deck()
    seat.wait_for("in first")
    in_mode(seat, "DECK")
    seat.send(b"n")
    seat.wait_for("new session")
    seat.wait_until_still()
    seat.send(b"\t\t")  # past the provider and the directory
    seat.wait_until_still()
    seat.send(b"grove")
    seat.wait_for("grove")
    seat.send(ENTER)
    in_mode(seat, "TYPING")
    session = world.session("grove")
    assert session["cwd"] == str(world.project)
    seat.wait_until_still()
    seat.send(b"echo trees: $((10 + 7))\r")
    seat.wait_for("trees: 17")
    seat.send(CTRL_Q)
    in_mode(seat, "DECK")
    seat.send(b"echo")  # these are keys of the deck now, and none of them types
    seat.wait_until_still()
    assert "echo" not in world.screen(session["id"]).splitlines()[-1]


def test_digits_and_ctrl_page_keys_switch_sessions(world: World) -> None:
    start_two(world)
    seat = world.deck()
    seat.wait_for("in alder")
    in_mode(seat, "DECK")
    seat.send(b"2")
    seat.wait_for("in birch")
    seat.send(b"1")
    seat.wait_for("in alder")
    seat.send(ENTER)
    in_mode(seat, "TYPING")
    seat.send(CTRL_PGDN)
    seat.wait_for("in birch")
    seat.send(b"hello\r")
    seat.wait_for("birch heard hello")
    seat.send(CTRL_PGUP)
    seat.wait_for("in alder")
    seat.send(b"hello\r")
    seat.wait_for("alder heard hello")
    in_mode(seat, "TYPING")


def test_ctrl_q_twice_goes_through_to_the_program(world: World) -> None:
    session = world.shell("raw", "stty raw -echo; echo ready; exec cat -v")
    world.wait_for_screen(session, "ready")
    seat = world.deck("attach", session)
    in_mode(seat, "TYPING")
    seat.wait_until_still()
    seat.send(CTRL_Q + CTRL_Q)
    seat.wait_for("^Q")
    assert mode(seat.screen()) == "TYPING"


def test_every_byte_of_a_large_paste_arrives(world: World) -> None:
    text = "".join(f"{number:05} the orchard has a tree, ünïcödé ✓ 木\n" for number in range(4500))
    assert len(text.encode()) > 200_000
    reader = (
        "import hashlib, os, tty\n"
        "tty.setraw(0)\n"
        "os.write(1, b'\\x1b[?2004hready\\r\\n')\n"
        "data = b''\n"
        "while not data.endswith(b'\\x1b[201~'):\n"
        "    data += os.read(0, 65536)\n"
        "print(len(data), hashlib.sha256(data).hexdigest(), end='\\r\\n', flush=True)\n"
        "os.read(0, 1)\n"
    )
    session = world.shell("paste", sys.executable, "-c", reader)
    world.wait_for_screen(session, "ready")
    seat = world.deck("attach", session)
    in_mode(seat, "TYPING")
    seat.wait_until_still()
    seat.send(b"\x1b[200~" + text.encode() + b"\x1b[201~")
    arrived = b"\x1b[200~" + text.replace("\n", "\r").encode() + b"\x1b[201~"
    digest = hashlib.sha256(arrived).hexdigest()
    verbatim = b"\x1b[200~" + text.encode() + b"\x1b[201~"
    seat.wait_for(re.compile(f"{digest}|{hashlib.sha256(verbatim).hexdigest()}"), 60)


@pytest.mark.parametrize(
    "typed",
    [b"\x1b\r", b"\x1b", b"\x1bx", b"\x08", b"\x1b1", b"\x1bOQ\x1b[15~", b"\x03\x1a\x1c", b"\x00\x1f\x7f", b"\t\x1b[Z"],
    ids=["alt+enter", "esc", "esc+key", "ctrl+h", "alt+1", "f-keys", "signals", "controls", "tabs"],
)  # fmt: skip
def test_what_is_typed_arrives_byte_for_byte(world: World, typed: bytes) -> None:
    reader = (
        "import os, tty\n"
        "tty.setraw(0)\n"
        "os.write(1, b'ready\\r\\n')\n"
        "data = b''\n"
        "while not data.endswith(b'!'):\n"
        "    data += os.read(0, 1024)\n"
        "os.write(1, b'got ' + data.hex().encode() + b'.\\r\\n')\n"
        "os.read(0, 1)\n"
    )
    session = world.shell("keys", sys.executable, "-c", reader)
    world.wait_for_screen(session, "ready")
    seat = world.deck("attach", session)
    in_mode(seat, "TYPING")
    seat.wait_until_still()
    seat.send(typed)
    seat.wait_until_still(0.3)  # a lone Esc is not to be joined with what follows
    seat.send(b"!")
    seat.wait_for(f"got {typed.hex()}21.")


@pytest.mark.parametrize(("cols", "rows"), SIZES)
def test_the_program_gets_the_size_of_its_pane_and_follows_the_window(world: World, cols: int, rows: int) -> None:
    watcher = (
        "import os, signal, time\n"
        "def tell(*_):\n"
        "    size = os.get_terminal_size()\n"
        "    print(f'{size.columns} by {size.lines}', flush=True)\n"
        "signal.signal(signal.SIGWINCH, tell)\n"
        "tell()\n"
        "while True: signal.pause()\n"
    )
    session = world.shell("sized", sys.executable, "-c", watcher)
    seat = world.deck("attach", session, cols=cols, rows=rows)

    def told() -> tuple[int, int]:
        found = world.session(session)
        return found["cols"], found["rows"]

    seat.wait_for("sized")
    seat.wait_until_still(0.8)
    width, height = told()
    assert cols * 0.6 <= width <= cols
    assert rows * 0.6 <= height < rows
    seat.wait_for(f"{width} by {height}")
    seat.resize(100, 30)
    until(lambda: told() != (width, height))
    seat.wait_until_still(0.8)
    width, height = told()
    assert width <= 100
    assert height < 30
    seat.wait_for(f"{width} by {height}")


def test_leaving_is_detaching_and_coming_back_shows_the_same_screen(world: World) -> None:
    start_two(world)
    seat = world.deck("attach", "birch")
    in_mode(seat, "TYPING")
    seat.wait_until_still()
    seat.send(b"remember me\r")
    seat.wait_for("birch heard remember me")
    seat.send(CTRL_Q)
    in_mode(seat, "DECK")
    seat.send(b"q")
    seat.wait_for("leave agentdeck")
    seat.send(ENTER)
    until(lambda: seat.ended)
    assert seat.exit_status == 0
    assert not seat.alternate
    assert [s["exit_status"] for s in world.sessions()] == [None, None]
    again = world.deck("attach", "birch")
    again.wait_for("birch heard remember me")
    in_mode(again, "TYPING")


def test_a_stop_from_the_deck_asks_first(world: World) -> None:
    start_two(world)
    seat = world.deck()
    seat.wait_for("in alder")
    in_mode(seat, "DECK")
    seat.send(b"x")
    seat.wait_for(re.compile("enter yes|Cancel"))
    seat.wait_until_still()
    seat.send(ESC)
    seat.wait_for("enter yes", gone=True)
    assert world.session("alder")["exit_status"] is None
    seat.send(b"x")
    seat.wait_for(re.compile("enter yes|Cancel"))
    seat.wait_until_still()
    seat.send(ENTER)
    until(lambda: world.session("alder")["state"] == "exited")
    assert world.session("birch")["exit_status"] is None


def test_help_palette_and_filter_open_and_close(world: World) -> None:
    start_two(world)
    seat = world.deck()
    seat.wait_for("in alder")
    in_mode(seat, "DECK")
    seat.send(b"?")
    seat.wait_for(re.compile("jump", re.IGNORECASE))
    seat.send(b"zoom")
    seat.wait_for(lambda screen: "zoom" in screen.lower() and "jump" not in screen.lower())
    seat.send(ESC)
    in_mode(seat, "DECK")
    seat.wait_until_still()
    seat.send(b":")
    seat.wait_for("type a part of its name")
    seat.send(ESC)
    seat.wait_for("type a part of its name", gone=True)
    seat.wait_until_still()
    seat.send(b"/")
    seat.wait_until_still()
    seat.send(b"birch")
    seat.wait_until_still()
    seat.send(ENTER)
    seat.wait_for("in birch")


@pytest.mark.parametrize(("cols", "rows"), SIZES)
def test_layouts_fill_every_size_without_overflow(world: World, cols: int, rows: int) -> None:
    start_two(world)
    seat = world.deck(cols=cols, rows=rows)
    seat.wait_for("in alder")
    for key in (b"v", b"v", b"v", b"z", b"z", b"b", b"b", b"o", b"o"):
        seat.send(key)
        screen = seat.wait_until_still()
        assert mode(screen) == "DECK", screen
        assert "alder" in screen
    assert not seat.ended


def test_without_a_terminal_the_deck_says_what_to_do_instead(world: World) -> None:
    answer = world.call()
    assert answer.status == 2
    assert "terminal" in answer.err


def test_no_daemon_runs_the_hub_inside_the_deck_and_sessions_outlive_both(world: World) -> None:
    seat = world.deck("--no-daemon")
    seat.wait_for("welcome to agentdeck")
    seat.send(ENTER)
    in_mode(seat, "TYPING")
    seat.wait_until_still()
    seat.send(b"echo $((6 * 7)) trees\r")
    seat.wait_for("42 trees")
    seat.close()
    (session,) = world.sessions()
    assert session["exit_status"] is None
    assert "42 trees" in world.screen(session["id"])


def test_the_demo_shows_agents_without_any_and_leaves_nothing_behind(world: World) -> None:
    seat = world.deck("demo")
    seat.wait_for(lambda screen: all(name in screen for name in ("claude", "NEEDS YOU", "DECK")), 30)
    seat.send(b"q")
    seat.wait_until_still()
    if not seat.ended:
        seat.send(ENTER)
    until(lambda: seat.ended)
    assert seat.exit_status == 0
    assert world.sessions() == []
    assert list((world.root / "tmp").iterdir()) == []
