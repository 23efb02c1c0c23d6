import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.color import Color
from textual.strip import Strip

from agentdeck.errors import ConfigError
from agentdeck.ui.theme import (
    ANSI,
    INKS,
    ROLES,
    Palette,
    choose_palette,
    contrast,
    find_themes,
    load_palettes,
    parse_palette,
    textual_theme,
    without_colour,
)
from agentdeck.ui.widgets.footer import Footer
from tests.ui.showing import Stage, inks

PALETTES = load_palettes()
every_palette = pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
COLOURS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def test_there_are_dark_light_and_high_contrast_themes() -> None:
    assert {"night", "ember", "paper", "contrast", "daylight"} <= set(PALETTES)
    assert PALETTES["night"].dark
    assert PALETTES["contrast"].dark
    assert not PALETTES["paper"].dark
    assert not PALETTES["daylight"].dark


@every_palette
@pytest.mark.parametrize("ground", ["background", "panel"])
@pytest.mark.parametrize("ink", INKS)
def test_every_text_is_readable_on_every_ground(palette: Palette, ink: str, ground: str) -> None:
    assert contrast(getattr(palette, ink), getattr(palette, ground)) >= 4.5


@every_palette
def test_everything_on_the_selected_row_stands_out(palette: Palette) -> None:
    assert all(contrast(getattr(palette, ink), palette.selected) >= 3 for ink in INKS)
    assert contrast(palette.text, palette.selected) >= 4.5


@every_palette
def test_filled_chips_are_readable(palette: Palette) -> None:
    """They are written in the background colour: waiting, the two modes, the flash, the chosen button."""
    for fill in (palette.needs_you, palette.working, palette.accent, palette.error):
        assert contrast(palette.background, fill) >= 4.5


@pytest.mark.parametrize("name", ["contrast", "daylight"])
def test_the_high_contrast_themes_reach_seven_to_one(name: str) -> None:
    palette = PALETTES[name]
    assert all(contrast(getattr(palette, ink), palette.background) >= 7 for ink in INKS)


@every_palette
def test_programs_can_use_their_colours_on_the_background(palette: Palette) -> None:
    for name, colour in zip(ANSI, palette.ansi, strict=True):
        if "black" not in name:
            assert contrast(colour, palette.background) >= 3, name


@every_palette
def test_states_have_different_colours(palette: Palette) -> None:
    states = (palette.working, palette.needs_you, palette.error, palette.done, palette.limited, palette.muted)
    assert len(set(states)) == len(states)


@given(COLOURS, COLOURS)
def test_contrast_is_a_ratio_that_does_not_depend_on_the_order(one: str, other: str) -> None:
    assert 1 <= contrast(one, other) <= 21.01
    assert contrast(one, other) == contrast(other, one)


def test_black_on_white_is_the_highest_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


# ── the person's own themes ────────────────────────────────────────────────────────────────────


def test_a_theme_of_ones_own_may_change_a_single_colour(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('base = "night"\n[roles]\naccent = "#FFAA00"\n')
    themes = find_themes(tmp_path)
    assert themes.problems == []
    assert themes.palettes["mine"].accent == "#ffaa00"
    assert themes.palettes["mine"].text == PALETTES["night"].text
    assert themes.palettes["mine"].dark


def test_a_complete_theme_needs_no_base(tmp_path: Path) -> None:
    roles = dict.fromkeys(ROLES, "#eeeeee")
    text = "[roles]\n" + "".join(f'{role} = "{colour}"\n' for role, colour in roles.items())
    text += "[ansi]\n" + "".join(f'{name} = "#123456"\n' for name in ANSI)
    palette = parse_palette("bright", text, {})
    assert not palette.dark  # as bright a background is light, whoever forgets to say so
    assert palette.ansi == ("#123456",) * 16


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('base = "night"\n[roles]\naccent = "blue"\n', 3, "'blue' is not a colour"),
        ('base = "night"\n[roles]\nacent = "#000000"\n', 3, "is not one of"),
        ('base = "nihgt"\n', 1, "there is no theme called 'nihgt'"),
        ('[roles]\naccent = "#000000"\n', 0, "missing"),
        ('base = "night"\n[roles\n', 2, ""),
        ('base = "night"\ncolour = 3\n', 0, "colour"),
        ('base = "night"\n[roles]\naccent = 3\n', 0, "str"),
        ('base = "night"\n[ansi]\nblack = "#00"\n', 3, "not a colour"),
    ],
)
def test_a_broken_theme_is_left_out_and_the_reason_is_said(tmp_path: Path, text: str, line: int, said: str) -> None:
    (tmp_path / "broken.toml").write_text(text)
    themes = find_themes(tmp_path)
    assert "broken" not in themes.palettes
    assert "night" in themes.palettes
    [problem] = themes.problems
    assert said in str(problem)
    assert "broken.toml" in str(problem)
    assert problem.line == line


def test_a_file_that_is_no_text_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_bytes(b"\xff\xfe\x00")
    themes = find_themes(tmp_path)
    assert len(themes.problems) == 1
    assert themes.palettes == PALETTES


def test_no_directory_for_own_themes_is_no_problem(tmp_path: Path) -> None:
    assert find_themes(tmp_path / "none").problems == []


@given(st.text(max_size=200))
def test_whatever_a_theme_file_holds_it_is_a_palette_or_a_sentence(text: str) -> None:
    with suppress(ConfigError):
        assert isinstance(parse_palette("any", text, PALETTES), Palette)


def test_auto_follows_the_terminal() -> None:
    assert choose_palette(PALETTES, "auto", dark=True)[0].name == "night"
    assert choose_palette(PALETTES, "auto", dark=False)[0].name == "paper"
    assert choose_palette(PALETTES, "auto", dark=False, day="daylight")[0].name == "daylight"


def test_a_named_theme_wins_over_the_terminal() -> None:
    assert choose_palette(PALETTES, "ember", dark=False) == (PALETTES["ember"], "")


def test_a_missing_theme_is_named_and_the_default_is_used() -> None:
    palette, sentence = choose_palette(PALETTES, "nowhere", dark=False)
    assert palette.name == "paper"
    assert "'nowhere'" in sentence


def test_every_theme_and_role_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "themes.md").read_text(encoding="utf-8")
    assert [name for name in (*PALETTES, *ROLES) if f"`{name}`" not in text] == []


def test_the_shipped_files_are_plain_toml() -> None:
    for path in (Path(__file__).parents[2] / "themes").glob("*.toml"):
        assert set(tomllib.loads(path.read_text())["roles"]) == set(ROLES)


# ── on the screen ──────────────────────────────────────────────────────────────────────────────


@every_palette
async def test_widgets_are_drawn_in_the_palette(palette: Palette) -> None:
    footer = Footer()
    app = Stage(footer, theme=palette.name)
    async with app.run_test(size=(60, 3)) as pilot:
        footer.show("typing", [("?", "keys")])
        await pilot.pause()
        assert inks(footer)[0] == (" TYPING ", palette.working)
        assert inks(footer)[1][1] == palette.panel


async def test_a_new_theme_repaints_what_is_shown() -> None:
    footer = Footer()
    app = Stage(footer)
    async with app.run_test(size=(60, 3)) as pilot:
        footer.show("typing", [])
        app.theme = "paper"
        await pilot.pause()
        assert inks(footer)[0] == (" TYPING ", PALETTES["paper"].working)


async def test_without_colour_only_attributes_are_sent() -> None:
    footer = Footer()
    app = Stage(footer)
    without_colour(app)
    async with app.run_test(size=(60, 3)) as pilot:
        footer.show("typing", [("?", "keys")])
        await pilot.pause()
        strips = footer.render_lines(footer.size.region)
        segments = [segment for strip in strips for segment in _filtered(app, strip)]
        styles = [segment.style for segment in segments if segment.style]
        assert all(style.color is None or style.color.is_default for style in styles)
        assert all(style.bgcolor is None or style.bgcolor.is_default for style in styles)
        assert any(style.reverse and style.bold for style in styles)


def _filtered(app: Stage, strip: Strip) -> Strip:
    """As the terminal gets it."""
    for line_filter in app._filters:
        if line_filter.enabled:
            strip = strip.apply_filter(line_filter, Color(0, 0, 0))
    return strip


def test_the_textual_theme_has_the_name_of_the_palette() -> None:
    assert {textual_theme(palette).name for palette in PALETTES.values()} == set(PALETTES)
