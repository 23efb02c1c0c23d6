"""The driver in a real PTY, seen from the terminal's side of it."""

import os
import signal

import pytest

from tests.ui.driver_host import Host, terminal

KEYS = {
    "Esc": b"\x1b",
    "Esc and a letter": b"\x1bb",
    "Alt+Enter": b"\x1b\r",
    "Alt+1": b"\x1b1",
    "Ctrl+H": b"\x08",
    "Backspace": b"\x7f",
    "Ctrl+C": b"\x03",
    "Ctrl+Z": b"\x1a",
    "Ctrl+Space": b"\x00",
    "Ctrl+Alt+N": b"\x1b\x0e",
    "Shift+Tab": b"\x1b[Z",
    "Up": b"\x1b[A",
    "Up in application mode": b"\x1bOA",
    "F2": b"\x1bOQ",
    "F5": b"\x1b[15~",
    "F12": b"\x1b[24~",
    "Ctrl+F3": b"\x1b[1;5R",
    "keypad Enter": b"\x1bOM",
    "Shift+Enter in kitty's protocol": b"\x1b[13;2u",
    "Shift+Enter with modifyOtherKeys": b"\x1b[27;2;13~",
    "a release in kitty's protocol": b"\x1b[97;1:3u",
    "text": "grüße 日本 👩‍👩‍👧".encode(),
}


def _restored(host: Host) -> bool:
    return host.settings() == host.before


@pytest.mark.parametrize("kitty", [False, True])
def test_every_key_reaches_the_program_byte_for_byte(kitty: bool) -> None:
    with terminal(kitty=kitty) as host:
        host.order("typing", True, 0, False)
        expected = b""
        for data in KEYS.values():
            expected += data
            host.send(data)
            host.until(lambda expected=expected: host.raw() == expected)  # type: ignore[misc]
        assert not host.heard("key")
        assert all(in_loop for _, in_loop in host.heard("raw"))


def test_a_long_paste_arrives_as_one_unit() -> None:
    text = b"".join(b"line %06d of the paste\r" % n for n in range(8000))[:200_000]
    with terminal() as host:
        host.order("typing", True, 0, False)
        host.send(b"a\x1b[200~" + text + b"\x1b[201~b")
        host.until(lambda: host.raw() == b"ab")
        assert host.heard("paste") == [[200_000, text[:20].hex(), text[-20:].hex()]]


def test_a_long_paste_in_the_deck_is_one_event() -> None:
    with terminal() as host:
        host.send(b"\x1b[200~" + b"x" * 200_000 + b"\x1b[201~j")
        host.until(lambda: ["j"] in host.heard("key"))
        assert host.heard("pasted") == [[200_000]]


def test_200_kb_typed_without_brackets_arrive_in_order() -> None:
    data = bytes(byte for byte in range(1, 256) if byte not in (0x1B, 0x11, 0x1D)) * 800
    with terminal() as host:
        host.order("typing", True, 0, False)
        host.send(data)
        host.until(lambda: len(host.raw()) >= len(data))
        assert host.raw() == data


def test_keys_in_the_deck_are_textuals() -> None:
    with terminal() as host:
        host.send(b"j?\x1b[5;5~")
        host.until(lambda: len(host.heard("key")) == 3)
        host.send(b"\x1b")
        host.until(lambda: len(host.heard("key")) == 4)
        host.send(b"\x1bx")
        host.until(lambda: len(host.heard("key")) == 5)
        assert [key for (key,) in host.heard("key")] == ["j", "question_mark", "ctrl+pageup", "escape", "alt+x"]
        assert host.raw() == b""


def test_the_byte_after_the_leaving_chord_is_for_the_deck() -> None:
    with terminal() as host:
        host.order("typing", True, 0, False)
        host.send(b"ab\x11j")
        host.until(lambda: bool(host.heard("key")))
        assert (host.raw(), host.heard("chord"), host.heard("key")) == (b"ab", [["leave"]], [["j"]])


@pytest.mark.parametrize(("second", "kitty"), [(b"\x11", False), (b"\x11", True), (b"\x1b[113;5u", True)])
def test_the_leaving_chord_pressed_twice_goes_to_the_program(second: bytes, kitty: bool) -> None:
    with terminal(kitty=kitty) as host:
        host.order("typing", True, 0, False)
        host.send(b"\x11" + second + b"x")
        host.until(lambda: host.raw() == b"\x11x")
        assert host.heard("chord") == [["leave"], ["type"]]


def test_mouse_focus_and_answers_never_reach_the_program() -> None:
    with terminal() as host:
        host.order("typing", True, 0, False)
        host.send(b"a\x1b[<0;3;4M\x1b[<0;3;4m\x1b[I\x1b]11;rgb:1111/1111/1111\x1b\\\x1b[?62;22c\x1bP>|xterm\x1b\\b")
        host.until(lambda: bool(host.heard("click")) and host.raw() == b"ab")
        assert host.heard("click") == [[2, 3]]
        assert not host.heard("key")


def test_answers_in_the_deck_are_not_taken_for_keys() -> None:
    with terminal() as host:
        host.send(b"\x1b[?62;22c\x1b[?1u\x1b]11;rgb:ffff/ffff/ffff\x07\x1bP>|xterm\x1b\\\x1b[0nj")
        host.until(lambda: bool(host.heard("key")))
        assert host.heard("key") == [["j"]]


def test_the_host_gets_the_kitty_flags_of_the_program_and_its_own_back() -> None:
    with terminal(kitty=True) as host:
        host.order("typing", True, 0, False)
        host.until(lambda: b"\x1b[=0;1u" in host.output)
        host.order("typing", True, 5, True)
        host.until(lambda: b"\x1b[=5;1u" in host.output and b"\x1b[?1h" in host.output)
        host.order("typing", False, 0, False)
        host.until(lambda: host.output.endswith(b"\x1b[=25;1u\x1b[?u\x1b[?1l"))


def test_a_host_without_kittys_protocol_is_told_nothing_of_it() -> None:
    with terminal() as host:
        host.order("typing", True, 5, False)
        host.order("typing", False, 0, False)
        host.send(b"j")
        host.until(lambda: bool(host.heard("key")))
        assert b"\x1b[=" not in host.output


def test_keys_sent_before_the_host_obeyed_are_said_again_in_the_programs_dialect() -> None:
    with terminal(replies={b"\x1b]11;?": b"\x1b[?25u"}) as host:  # answers the first query and no later one
        host.until(lambda: b"\x1b]11;?" in host.output)
        host.send(b"j")
        host.until(lambda: bool(host.heard("key")))
        host.order("typing", True, 0, False)
        host.until(lambda: b"\x1b[=0;1u" in host.output)
        host.send(b"\x1b[97;;97u\x1b[65;2;65u\x1b[99;5u\x1b[13u\x1b[27u\x1b[57441;2u")
        host.until(lambda: len(host.raw()) >= 5)
        host.send(b"\x1b[?0u\x1b[13;2u")
        host.until(lambda: host.raw() == b"aA\x03\r\x1b\x1b[13;2u")


@pytest.mark.parametrize(("report", "scheme"), [(b"\x1b[?997;1n", "dark"), (b"\x1b[?997;2n", "light")])
def test_the_colour_scheme_is_asked_for_and_followed(report: bytes, scheme: str) -> None:
    with terminal() as host:
        assert b"\x1b[?2031h" in host.output
        assert b"\x1b[?996n" in host.output
        host.send(report)
        host.until(lambda: host.heard("scheme") == [[scheme]])


def test_the_background_colour_stands_in_for_the_scheme_until_it_is_reported() -> None:
    with terminal() as host:
        host.send(b"\x1b]11;rgb:ffff/ffff/f0f0\x07")
        host.until(lambda: host.heard("scheme") == [["light"]])
        host.send(b"\x1b[?997;1n\x1b]11;rgb:ffff/ffff/f0f0\x07\x1b[?997;2n")
        host.until(lambda: host.heard("scheme") == [["light"], ["dark"], ["light"]])


def test_motion_without_a_button_is_not_asked_for() -> None:
    with terminal() as host:
        assert b"\x1b[?1002h" in host.output
        assert b"\x1b[?1006h" in host.output
        assert b"\x1b[?1003h" not in host.output


RESTORED = (b"\x1b[<u", b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1004l", b"\x1b[?1002l", b"\x1b[?2031l")


def _assert_restored(host: Host) -> None:
    assert _restored(host)
    for sequence in (*RESTORED, b"\x1b[?1006l", b"\x1b[?7h"):
        assert sequence in host.output, sequence


def test_the_terminal_comes_back_whole_on_exit() -> None:
    with terminal(kitty=True) as host:
        host.order("typing", True, 1, True)
        host.order("exit")
        assert host.end() == 0
        _assert_restored(host)
        assert b"\x1b[?1l" in host.output


def test_the_terminal_comes_back_whole_after_a_bug() -> None:
    with terminal() as host:
        host.order("crash")
        host.end()
        _assert_restored(host)
        assert b"ZeroDivisionError" in host.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_terminal_comes_back_whole_after_a_signal(number: signal.Signals) -> None:
    with terminal() as host:
        host.process.send_signal(number)
        host.until(lambda: bool(host.heard("ended")))
        host.end()
        assert host.heard("ended") == [[128 + number]]
        _assert_restored(host)


def test_a_closed_terminal_ends_the_app() -> None:
    with terminal() as host:
        host.hang_up()
        host.end()


def test_a_terminal_that_does_not_read_holds_up_nothing() -> None:
    with terminal() as host:
        host.order("typing", True, 0, False)
        host.reading = False
        for _ in range(8):
            host.order("flood", 100_000)
        assert 0 < host.heard("obeyed")[-1][0] < 600_000
        host.send(b"x")
        host.until(lambda: host.raw() == b"x")
        host.reading = True
        written = len(host.output)
        host.until(lambda: b"the probe is on the screen" in host.output[written:])


def test_what_restores_the_terminal_is_not_dropped_behind_a_backlog() -> None:
    with terminal() as host:
        host.reading = False
        for _ in range(5):
            host.order("flood", 100_000)
        host.order("exit")
        host.until(lambda: _restored(host))
        host.reading = True
        host.end()
        _assert_restored(host)


def _ended_by_asking_again(host: Host) -> bool:
    if host.process.poll() is None:
        host.process.send_signal(signal.SIGTERM)
    return host.process.poll() is not None


def _is_stopped(host: Host) -> bool:
    pid, status = os.waitpid(host.process.pid, os.WUNTRACED | os.WNOHANG)
    return pid != 0 and os.WIFSTOPPED(status)


def test_stopped_and_continued_it_gives_the_terminal_back_and_takes_it_again() -> None:
    with terminal(kitty=True) as host:
        host.order("typing", True, 0, True)
        host.process.send_signal(signal.SIGTSTP)
        host.until(lambda: _is_stopped(host))
        _assert_restored(host)
        painted = len(host.output)
        host.process.send_signal(signal.SIGCONT)
        host.until(lambda: b"the probe is on the screen" in host.output[painted:])
        host.until(lambda: b"\x1b[=0;1u" in host.output[painted:] and b"\x1b[?1h" in host.output[painted:])
        host.send(b"\x1b[13;2u")
        host.until(lambda: host.raw() == b"\x1b[13;2u")


def test_a_second_signal_ends_an_app_that_cannot_end_itself() -> None:
    with terminal() as host:
        host.order("hang")
        host.until(lambda: bool(host.heard("hanging")))
        host.process.send_signal(signal.SIGTERM)
        host.until(lambda: _ended_by_asking_again(host))
        assert host.process.returncode == -signal.SIGTERM
        host.until(lambda: b"\x1b[?1049l" in host.output)
        _assert_restored(host)
