"""What the host terminal is told, and what its answers mean."""

import pytest

from agentdeck.ui import host_replies
from agentdeck.ui.host_modes import HostModes, switch

DECK = HostModes()
PLAIN = HostModes(kitty_flags=0)


def test_a_host_in_the_right_modes_is_told_nothing() -> None:
    assert switch(PLAIN, PLAIN, kitty=True) == ""


def test_kitty_flags_are_set_and_asked_back_so_that_the_moment_is_known() -> None:
    assert switch(DECK, PLAIN, kitty=True) == "\x1b[=0;1u\x1b[?u"
    assert switch(PLAIN, DECK, kitty=True) == "\x1b[=25;1u\x1b[?u"
    assert switch(DECK, PLAIN, kitty=False) == ""


def test_cursor_keys_and_motion_are_mirrored_and_taken_back() -> None:
    wanting = HostModes(kitty_flags=0, application_cursor=True, any_motion=True)
    assert switch(PLAIN, wanting, kitty=True) == "\x1b[?1h\x1b[?1003h"
    assert switch(wanting, PLAIN, kitty=True) == "\x1b[?1l\x1b[?1003l\x1b[?1002h"


@pytest.mark.parametrize(
    ("reply", "scheme"),
    [
        (b"\x1b]11;rgb:0000/0000/0000\x1b\\", "dark"),
        (b"\x1b]11;rgb:1111/1313/1a1a\x07", "dark"),
        (b"\x1b]11;rgb:ffff/ffff/ffff\x07", "light"),
        (b"\x1b]11;rgb:fd/f6/e3\x07", "light"),
        (b"\x1b]11;rgba:ffff/ffff/ffff/ffff\x07", "light"),
        (b"\x1b]10;rgb:ffff/ffff/ffff\x07", None),
        (b"\x1b]11;blue\x07", None),
    ],
)
def test_a_background_colour_is_dark_or_light(reply: bytes, scheme: str | None) -> None:
    assert host_replies.background_scheme(reply) == scheme


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        (b"\x1b[?2026;2$y", True),
        (b"\x1b[48;24;80;384;640t", True),
        (b"\x1b[?62c", False),
        (b"\x1b[?25u", False),
        (b"\x1b]11;rgb:1/1/1\x07", False),
    ],
)
def test_textual_gets_only_the_answers_that_it_can_read(reply: bytes, wanted: bool) -> None:
    assert host_replies.is_for_textual(reply) is wanted
