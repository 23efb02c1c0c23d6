import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdeck.protocol.messages import STATES
from agentdeck.ui import glyphs
from agentdeck.ui.glyphs import ASCII, NARROW, SETS, UNICODE, Glyphs, choose

every_set = pytest.mark.parametrize("signs", SETS.values(), ids=SETS)


def characters(signs: Glyphs) -> Iterator[str]:
    for name in signs.__slots__:
        value = getattr(signs, name)
        if name == "states":
            yield from value.values()
        elif name not in ("name", "border"):
            yield from value


@every_set
def test_every_state_has_a_shape_one_cell_wide(signs: Glyphs) -> None:
    assert all(len(signs.state(state)) == 1 for state in STATES)


@every_set
def test_a_state_is_told_by_its_shape_alone(signs: Glyphs) -> None:
    """An error and an ended session share one; their words differ."""
    shapes = {state: signs.state(state) for state in STATES}
    assert shapes.pop("exited") == shapes["error"]
    assert len(set(shapes.values())) == len(shapes)


@every_set
def test_a_state_of_a_newer_hub_reads_as_unknown(signs: Glyphs) -> None:
    assert signs.state("dreaming") == signs.state("unknown")


def test_the_ascii_set_is_ascii() -> None:
    assert all(character.isascii() and character.isprintable() for character in characters(ASCII))


def test_the_narrow_set_has_no_character_of_two_widths() -> None:
    assert {c for c in characters(NARROW) if unicodedata.east_asian_width(c) in "AWF"} == set()


def test_the_unicode_set_is_never_wide() -> None:
    assert {c for c in characters(UNICODE) if unicodedata.east_asian_width(c) in "WF"} == set()


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"LANG": "en_US.UTF-8"}, UNICODE),
        ({"LANG": "de_DE.utf8"}, UNICODE),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, UNICODE),
        ({}, UNICODE),
        ({"LANG": "ja_JP.UTF-8"}, NARROW),
        ({"LANG": "zh_CN.UTF-8@pinyin"}, NARROW),
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "ko_KR.UTF-8"}, NARROW),
        ({"LANG": "en_US.UTF-8", "VTE_CJK_WIDTH": "wide"}, NARROW),
        ({"LANG": "C"}, ASCII),
        ({"LANG": "POSIX"}, ASCII),
        ({"LANG": "de_DE.ISO-8859-1"}, ASCII),
        ({"LANG": "de_DE@euro"}, ASCII),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, ASCII),
        ({"LANG": "ja_JP.eucJP"}, ASCII),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, ASCII),
    ],
)
def test_auto_looks_at_the_locale(env: dict[str, str], expected: Glyphs) -> None:
    assert choose("auto", env) is expected


def test_a_measured_width_beats_the_language() -> None:
    assert choose("auto", {"LANG": "ja_JP.UTF-8"}, ambiguous_wide=False) is UNICODE
    assert choose("auto", {"LANG": "en_US.UTF-8"}, ambiguous_wide=True) is NARROW


def test_a_set_that_is_asked_for_by_name_is_used_everywhere() -> None:
    assert [choose(name, {"LANG": "C"}) for name in SETS] == list(SETS.values())


def test_an_unknown_setting_is_auto() -> None:
    assert choose("fancy", {"LANG": "C"}) is ASCII


def test_one_set_is_active_for_the_whole_terminal() -> None:
    try:
        glyphs.activate(ASCII)
        assert glyphs.active() is ASCII
    finally:
        glyphs.activate(UNICODE)


def test_the_documentation_shows_the_signs_that_are_drawn() -> None:
    text = (Path(__file__).parents[2] / "docs" / "themes.md").read_text(encoding="utf-8")
    words = {"needs_you": "needs you", "done": "done, not yet seen", "error": "ended, error"}
    for state in STATES:
        if state != "exited":
            signs = " | ".join(glyphs.state(state) for glyphs in (UNICODE, NARROW, ASCII))
            assert f"| {words.get(state, state)} | {signs} |" in text
