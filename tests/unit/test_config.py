"""A configuration file may be wrong in any way: agentdeck starts, says what is wrong, and uses the rest."""

import os
from pathlib import Path

import msgspec
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.config import CHOICES, RANGES, Config, CustomProvider, Keys, Limits, Lines, load, parse


def problems(text: str) -> list[tuple[int, str, str]]:
    return [(error.line, error.key, error.why) for error in parse(text, "config.toml")[1]]


def test_a_missing_file_is_an_empty_one(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == (Config(), [])


def test_every_setting_can_be_set() -> None:
    config, wrong = parse(
        """
        theme = "paper"
        sidebar_width = 30
        [limits]
        sessions = 0
        idle = 90.5
        [keys]
        preset = "tmux"
        deck.stop = ["X"]
        [keys.typing]
        leave = ["f12", "ctrl+g"]
        [providers.review]
        command = ["claude"]
        args = ["--model", "opus"]
        env = { A = "b" }
        label = "Reviewer"
        """,
        "",
    )
    assert wrong == []
    assert config == Config(
        theme="paper",
        sidebar_width=30,
        limits=Limits(sessions=0, idle=90.5),
        keys=Keys(preset="tmux", deck={"stop": ["X"]}, typing={"leave": ["f12", "ctrl+g"]}),
        providers={
            "review": CustomProvider(command=("claude",), args=("--model", "opus"), env={"A": "b"}, label="Reviewer")
        },
    )


def test_one_bad_key_does_not_cost_the_others() -> None:
    config, wrong = parse('theme = "paper"\nscrollback = "many"\n[limits]\nidle = 60\nsessions = -1\n', "c.toml")
    assert (config.theme, config.limits.idle) == ("paper", 60)
    assert (config.scrollback, config.limits.sessions) == (Config().scrollback, Limits().sessions)
    assert [str(error) for error in wrong] == [
        'c.toml:2: scrollback: expected a whole number, found "many"',
        "c.toml:5: limits.sessions: expected 0 to 1,000, found -1",
    ]


def test_an_unknown_key_is_named_with_the_one_that_was_meant() -> None:
    assert problems("\n[limits]\nsesions = 3\n[ui]\nx = 1\n") == [
        (3, "limits.sesions", "there is no such setting; did you mean sessions?"),
        (4, "ui", "there is no such setting"),
    ]


def test_a_word_that_is_not_among_the_choices_is_refused_with_the_choices() -> None:
    assert problems('glyphs = "emoji"') == [
        (1, "glyphs", 'expected one of auto, unicode, narrow, ascii; found "emoji"')
    ]


def test_true_is_no_number_and_a_text_is_no_list() -> None:
    assert problems("scrollback = true\n[keys.deck]\nstop = 'x'\nmark = ['*', 1]\n") == [
        (1, "scrollback", "expected a whole number, found true"),
        (3, "keys.deck.stop", 'expected a list of texts, found "x"'),
        (4, "keys.deck.mark", "expected a list of texts, found a list"),
    ]


def test_one_bad_entry_of_a_table_does_not_cost_its_neighbours() -> None:
    config, wrong = parse('[providers.a]\ncommand = "ls"\nlabel = "A"\n[providers.b]\ncommand = ["b"]\n', "")
    assert [error.key for error in wrong] == ["providers.a.command"]
    assert config.providers == {"a": CustomProvider(label="A"), "b": CustomProvider(command=("b",))}


def test_a_value_where_a_table_belongs_is_named() -> None:
    assert problems("limits = 3\nproviders = 4\n") == [
        (1, "limits", "expected a table, found 3"),
        (2, "providers", "expected a table, found 4"),
    ]


def test_what_is_no_toml_is_left_out_with_its_line_and_key_named() -> None:
    config, (wrong,) = parse('theme = "paper"\nscrollback = many\n', "/x/config.toml")
    assert config == Config()
    assert (wrong.line, wrong.key) == (2, "scrollback")
    assert str(wrong).startswith("/x/config.toml:2: scrollback: this is not TOML: ")


def test_a_syntax_error_at_the_very_end_names_the_last_line() -> None:
    assert problems('theme = "paper"\nglyphs = [')[0][:2] == (2, "glyphs")


def test_a_file_that_is_no_text_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'theme = "paper"\nglyphs = "\xff"\n')
    config, (wrong,) = load(path)
    assert (config, wrong.line, wrong.why) == (Config(), 2, "this is not UTF-8 text")


def test_a_directory_in_place_of_the_file_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    config, (wrong,) = load(tmp_path)
    assert config == Config()
    assert "cannot be read" in str(wrong)


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_file_that_we_may_not_read_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    path.chmod(0)
    assert "Permission denied" in str(load(path)[1][0])


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("# a\n\na.b = 1\n", ("a", "b"), 3),
        ("[a]\nc = 1\nb = 1\n", ("a", "b"), 3),
        ("x = [\n  1,\n]\na = { b = 1 }\n", ("a", "b"), 4),
        ('x = """\nb = 1\n"""\nb = 2\n', ("b",), 4),
        ('"a b" = 1\n["c.d"]\ne = 1', ("c.d", "e"), 3),
        ("a = 1\n", ("b",), 0),
    ],
)
def test_the_line_of_a_key_is_found_however_it_is_written(text: str, key: tuple[str, ...], line: int) -> None:
    assert Lines(text).of(key) == line


@given(
    st.lists(
        st.sampled_from(["# note", "", "k{} = 1", "k{} = [\n 1,\n]", 'k{} = """\nk0 = 2\n"""']), min_size=1, max_size=12
    )
)
def test_every_key_of_a_file_is_found_on_its_own_line(entries: list[str]) -> None:
    text = ""
    where: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if "{}" in entry:
            where[f"k{number}"] = text.count("\n") + 1
        text += entry.replace("{}", str(number)) + "\n"
    # comments and blank lines before a key are whole beginnings that lack it, so they never count as its line
    assert {key: Lines(text).of((key,)) for key in where} == where


def test_the_defaults_are_valid_and_survive_being_written() -> None:
    assert parse(tomli_w.dumps(msgspec.to_builtins(Config())), "") == (Config(), [])


def test_every_setting_with_choices_or_a_range_exists_and_allows_its_default() -> None:
    for key in (*CHOICES, *RANGES):
        value: object = Config()
        for part in key.split("."):
            value = getattr(value, part)
        if key in CHOICES:
            assert value in CHOICES[key]
        else:
            assert isinstance(value, int | float)
            assert RANGES[key][0] <= value <= RANGES[key][1]


scalars = st.one_of(st.text(max_size=5), st.integers(-5, 50), st.booleans(), st.floats(-2, 2))
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
settings = st.sampled_from([*Config.__struct_fields__, "no such"])


@given(st.dictionaries(settings, values, max_size=5))
def test_whatever_the_file_holds_a_configuration_and_every_problem_with_its_line_come_out(
    table: dict[str, object],
) -> None:
    config, wrong = parse(tomli_w.dumps(table), "f")
    assert isinstance(config, Config)
    assert all(error.line > 0 and error.key and error.why for error in wrong)
    assert parse(tomli_w.dumps(msgspec.to_builtins(config)), "") == (config, [])


@given(st.text(max_size=60))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    assert isinstance(parse(text, "f")[0], Config)
