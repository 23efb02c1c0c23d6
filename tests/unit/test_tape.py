"""The tape of a session's last output keeps every moment that a state was judged by."""

from agentdeck.hub.tape import TOGETHER, Tape


def pieces(*added: tuple[float, bytes]) -> list[tuple[float, bytes]]:
    tape = Tape(lambda: b"<screen>")
    for at, data in added:
        tape.add(at, data)
    return list(tape.play())


def test_what_comes_at_once_is_one_piece() -> None:
    assert pieces((1.0, b"a"), (1.0 + TOGETHER / 2, b"b"), (2.0, b"c")) == [
        (1.0, b"<screen>"), (1.0, b"ab"), (2.0, b"c"),
    ]  # fmt: skip


def test_a_title_stands_alone_however_soon_it_comes() -> None:
    working, ready = b"\x1b]0;working\x07", b"key\r\n\x1b]0;ready\x07"
    assert pieces((1.0, working), (1.001, b"text"), (1.002, ready)) == [
        (1.0, b"<screen>"), (1.0, working + b"text"), (1.002, ready),
    ]  # fmt: skip
