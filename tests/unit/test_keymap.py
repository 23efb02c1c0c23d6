"""One table, presets and a person's own keys: who has which key, and what is said about the rest."""

import itertools
import re
from pathlib import Path

import pytest
from textual.keys import _character_to_key

from agentdeck.config import Keys
from agentdeck.terminal.keys import parse
from agentdeck.ui import keys_page
from agentdeck.ui.actions import ACTIONS
from agentdeck.ui.keymap import Keymap, read_combo, readable
from agentdeck.ui.presets import PRESETS

DEFAULT = Keymap.from_config(Keys())
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("enter", "type"),
        ("j", "down"),
        ("down", "down"),
        ("G", "last"),
        ("g", "first"),
        ("1", "jump_1"),
        ("9", "jump_9"),
        ("0", None),
        ("right_square_bracket", "next_waiting"),
        ("left_square_bracket", "previous_waiting"),
        ("slash", "filter"),
        ("colon", "palette"),
        ("ctrl+p", "palette"),
        ("question_mark", "help"),
        ("f1", "help"),
        ("asterisk", "mark"),
        ("less_than_sign", "narrower"),
        ("greater_than_sign", "wider"),
        ("ctrl+c", "quit"),
        ("tab", "next_panel"),
        ("ctrl+pagedown", "next_session"),
        ("escape", None),
        ("ctrl+q", None),
        ("U", None),
    ],
)
def test_the_deck_knows_keys_by_textuals_names(key: str, action: str | None) -> None:
    assert DEFAULT.deck_action(key) == action


def test_every_action_has_a_key_and_an_id_of_its_own() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    assert all(action.deck or action.typing or action.reading for action in ACTIONS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_without_conflicts_and_can_leave_a_session(preset: str) -> None:
    keymap = Keymap.from_config(Keys(preset=preset))
    assert keymap.problems == ()
    assert keymap.typing["leave"]
    assert {"type", "quit", "help", "new"} <= {
        keymap.deck_action(key) for key in ("enter", "q", "question_mark", "n", "c")
    }


def test_minimal_takes_one_key_from_the_programs() -> None:
    assert Keymap.from_config(Keys(preset="minimal")).chords == {(parse("ctrl+q"),): "leave"}


def test_tmux_takes_its_prefix_and_no_ctrl_q() -> None:
    chords = Keymap.from_config(Keys(preset="tmux")).chords
    assert chords[parse("ctrl+b"), parse("c")] == "new"
    assert chords[parse("ctrl+b"), parse("5")] == "jump_5"
    assert (parse("ctrl+q"),) not in chords


def test_zellij_locks_and_unlocks_with_one_key() -> None:
    keymap = Keymap.from_config(Keys(preset="zellij"))
    assert keymap.chords == {(parse("ctrl+g"),): "leave"}
    assert keymap.deck_action("ctrl+g") == "type"


def test_own_keys_replace_those_of_their_action_and_leave_the_others() -> None:
    keymap = Keymap.from_config(Keys(deck={"zoom": ["f", "Ctrl+Up"], "mark": []}, typing={"new": ["alt+n"]}))
    assert keymap.problems == ()
    assert [keymap.deck_action(key) for key in ("f", "ctrl+up", "z", "asterisk", "n")] == [
        "zoom",
        "zoom",
        None,
        None,
        "new",
    ]
    assert keymap.chords[parse("alt+n"),] == "new"


@pytest.mark.parametrize(
    ("written", "textual"),
    [
        ("?", "question_mark"),
        ("question_mark", "question_mark"),
        ("/", "slash"),
        ("+", "plus"),
        ("ctrl+]", "ctrl+right_square_bracket"),
        ("ctrl+right_square_bracket", "ctrl+right_square_bracket"),
        ("shift+g", "G"),
        ("esc", "escape"),
        ("pgup", "pageup"),
        ("shift+tab", "shift+tab"),
        ("ctrl+shift+n", "ctrl+shift+n"),
        ("alt+x", "alt+x"),
        ("space", "space"),
        ("ctrl+space", "ctrl+@"),
        ("é", "é"),
        ("€", "euro_sign"),
    ],
)
def test_keys_may_be_written_as_people_do_or_as_textual_does(written: str, textual: str) -> None:
    keymap = Keymap.from_config(Keys(deck={"zoom": [written]}))
    assert keymap.deck_action(textual) == "zoom"


def test_every_printable_key_has_textuals_name() -> None:
    for character in map(chr, range(33, 127)):
        keymap = Keymap.from_config(Keys(deck={"zoom": [character]}))
        assert keymap.deck_action(_character_to_key(character)) == "zoom", character


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (Keys(preset="emacs"), "there is no preset called 'emacs'; there are default, tmux, zellij, minimal"),
        (Keys(deck={"zoomm": ["f"]}), "keys.deck.zoomm: there is no action called 'zoomm'; did you mean 'zoom'?"),
        (Keys(deck={"zoom": ["hyper+f"]}), "keys.deck.zoom: there is no key called 'hyper+f'"),
        (Keys(deck={"zoom": ["x"]}), "keys.deck: x is a key of both 'zoom' and 'stop'; 'zoom' has it"),
        (Keys(deck={"zoom": ["ctrl+b z"]}), "keys.deck.zoom: 'ctrl+b z' is two keys; in the deck one is enough"),
        (Keys(typing={"new": ["n"]}), "keys.typing.new: 'n' would be taken from every program"),
        (Keys(typing={"new": ["enter"]}), "'enter' would be taken from every program"),
        (Keys(typing={"new": ["ctrl+m"]}), "'ctrl+m' would be taken from every program"),
        (Keys(typing={"new": ["up"]}), "'up' would be taken from every program"),
        (Keys(typing={"new": ["ctrl+b c d"]}), "'ctrl+b c d' is more than a prefix and a key"),
        (Keys(typing={"new": ["f9"]}), "keys.typing: F9 is a key of both 'leave' and 'new'; 'leave' has it"),
        (
            Keys(typing={"new": ["ctrl+b"], "help": ["ctrl+b h"]}),
            "^B h is a key of both 'new' and 'help'; 'new' has it",
        ),
        (Keys(typing={"leave": []}), "keys.typing.leave: a session must have a key that leaves it; ^Q, F9 is kept"),
        (Keys(typing={"leave": ["x"]}), "a session must have a key that leaves it"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_the_rest_works(keys: Keys, problem: str) -> None:
    keymap = Keymap.from_config(keys)
    assert any(problem in said for said in keymap.problems), keymap.problems
    assert keymap.typing["leave"]
    assert keymap.deck_action("m") == "message"


def test_a_joined_session_has_keys_of_its_own_that_are_no_text() -> None:
    own = Keymap.from_config(Keys(joined={"zoom": ["f11", "z"], "copy": ["ctrl+t"], "leave": ["ctrl+c"]}))
    assert (own.joined_action("f11"), own.joined_action("f3"), own.joined_action("z")) == ("zoom", None, None)
    assert own.joined_action("ctrl+t") == "copy"
    assert own.ends_typing("ctrl+c")
    assert any("'z' is text for the line" in problem for problem in own.problems)
    assert any("^T is a key of both" in problem for problem in own.problems)
    assert own.deck_action("z") == "zoom"


def test_a_joined_session_always_has_a_key_that_leaves_and_typing_ends_without_ctrl_c() -> None:
    own = Keymap.from_config(Keys(joined={"leave": []}))
    assert own.joined_action("ctrl+q") == "leave"
    assert [key for key in ("ctrl+q", "f9", "ctrl+c") if own.ends_typing(key)] == ["ctrl+q", "f9"]
    assert DEFAULT.joined_action("alt+left") == "pan_left"


def test_a_key_given_twice_to_one_action_is_no_conflict() -> None:
    keymap = Keymap.from_config(Keys(deck={"zoom": ["f", "f"]}))
    assert keymap.problems == ()
    assert keymap.keys_for("zoom") == "f"


def test_no_configuration_takes_the_last_leaving_key() -> None:
    taken = Keymap.from_config(Keys(typing={"new": ["ctrl+q"], "help": ["f9"]}))
    assert taken.typing["leave"]
    assert len(taken.problems) >= 1


def test_no_key_has_two_actions() -> None:
    for preset in PRESETS:
        keymap = Keymap.from_config(Keys(preset=preset))
        for bound in (keymap.deck, keymap.typing):
            combos = list(itertools.chain.from_iterable(bound.values()))
            assert len(combos) == len(set(combos))


def test_keys_are_shown_short() -> None:
    assert readable(read_combo("ctrl+q")) == "^Q"
    assert readable(read_combo("shift+pageup")) == "⇧PgUp"
    assert readable(read_combo("ctrl+b ?")) == "^B ?"
    assert readable(read_combo("ctrl+shift+n")) == "^⇧N"
    assert readable(read_combo("alt+G")) == "Alt+G"
    assert DEFAULT.keys_for("down") == "j ↓"
    assert DEFAULT.keys_for("leave") == "^Q F9"
    assert DEFAULT.keys_for("next_waiting", "typing") == "^] F8"


def test_the_footer_names_bound_actions_the_most_needed_first() -> None:
    assert DEFAULT.hints("typing")[0] == ("^Q", "deck")
    assert DEFAULT.hints("deck")[:2] == [("enter", "type"), ("?", "keys")]
    assert ("n", "new") in DEFAULT.hints("deck")
    assert "new" not in dict(map(reversed, Keymap.from_config(Keys(deck={"new": []})).hints("deck")))  # type: ignore[arg-type]


def test_help_shows_every_action_once_and_the_digits_together() -> None:
    deck = [row for title, rows in DEFAULT.sections() if title.startswith("In the deck: ") for row in rows]
    expected = sum(1 for action in ACTIONS if action.deck) - 8
    assert len(deck) == expected
    assert ("1–9", "Jump to a session by its number") in deck


def test_the_palette_finds_every_action_that_makes_sense_there() -> None:
    assert {entry[0] for entry in DEFAULT.entries()} == {action.id for action in ACTIONS} - {"leave"}


def test_the_page_of_keys_is_up_to_date() -> None:
    assert (ROOT / "docs/keys.md").read_text("utf-8") == keys_page.render(), keys_page.__doc__


def test_the_page_of_keys_names_every_action() -> None:
    page = keys_page.render()
    assert all(re.search(rf"^\| {re.escape(action.id)} \|", page, re.MULTILINE) for action in ACTIONS)
