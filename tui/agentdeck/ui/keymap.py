"""Which key does what, from the action table, a preset and the person's own configuration.

Nothing in a configuration can break the deck: what cannot be used is said in `problems`, and there is always a key
that leaves a session.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal

from textual.keys import _character_to_key, key_to_character

from agentdeck.config import Keys
from agentdeck.errors import BadKeyError
from agentdeck.terminal.keys import ALT, CTRL, NAMED, SHIFT, Key, parse
from agentdeck.ui.actions import ACTIONS, JOINED, JOINED_ACTIONS, Action
from agentdeck.ui.presets import PRESETS
from agentdeck.ui.typing_stream import LEAVE, Chords

Mode = Literal["deck", "typing", "reading", "joined"]
Combo = tuple[Key, ...]

_SHORT: Final = {"pageup": "PgUp", "pagedown": "PgDn", "up": "↑", "down": "↓", "left": "←", "right": "→"}
_ALSO_CONTROL: Final = frozenset("imj[h")
"""With Ctrl these are Tab, Enter, line feed, Esc and Backspace to most terminals."""
_CTRL_C: Final[Combo] = (Key("c", CTRL),)


@dataclass(frozen=True)
class Keymap:
    preset: str
    deck: Mapping[str, tuple[Combo, ...]]
    """Action id → keys in DECK mode. The first one is the one that gets shown."""
    typing: Mapping[str, tuple[Combo, ...]]
    problems: tuple[str, ...]
    """What is wrong with the configuration, a sentence each."""
    reading: Mapping[str, tuple[Combo, ...]] = field(default_factory=dict)
    """Action id → keys that mean it while a session is scrolled back."""
    joined: Mapping[str, tuple[Combo, ...]] = field(default_factory=dict)
    """Action id → keys in a session that was joined."""

    def __post_init__(self) -> None:
        tables = (("_deck_table", self.deck), ("_reading_table", self.reading), ("_joined_table", self.joined))
        for name, bound in tables:
            table = {_textual_name(combo[0]): action for action, combos in bound.items() for combo in combos}
            object.__setattr__(self, name, table)

    @classmethod
    def from_config(cls, keys: Keys) -> "Keymap":
        problems: list[str] = []
        name = keys.preset
        if name not in PRESETS:
            problems.append(f"keys.preset: there is no preset called {name!r}; there are {', '.join(PRESETS)}")
            name = "default"
        preset = PRESETS[name]
        defaults = {action.id: action.typing for action in ACTIONS} if not preset.only else {}
        deck = _merge("deck", {a.id: a.deck for a in ACTIONS} | dict(preset.deck), keys.deck, problems)
        typing = _merge("typing", defaults | dict(preset.typing), keys.typing, problems)
        reading = _merge("reading", {a.id: a.reading for a in ACTIONS}, keys.reading, problems)
        joined = _merge("joined", {a.id: a.deck for a in JOINED_ACTIONS}, keys.joined, problems)
        return cls(name, deck, typing, tuple(problems), reading, joined)

    def deck_action(self, key: str, *, reading: bool = False) -> str | None:
        """The action of a key in DECK mode, named as Textual names it; `reading`: while it is scrolled back."""
        key = _ALIASES.get(key, key)
        first: dict[str, str] = self.__dict__["_reading_table"] if reading else {}
        table: dict[str, str] = self.__dict__["_deck_table"]
        return first.get(key) or table.get(key)

    def joined_action(self, key: str) -> str | None:
        """The action of a key in a joined session, named as Textual names it."""
        table: dict[str, str] = self.__dict__["_joined_table"]
        return table.get(_ALIASES.get(key, key))

    @property
    def way_back(self) -> tuple[Combo, ...]:
        """Keys that end typing into a joined session: those of `leave` that a program has no need of."""
        own = self.joined.get(LEAVE, ())
        return tuple(combo for combo in own if combo != _CTRL_C) or own

    def ends_typing(self, key: str) -> bool:
        """Whether a key, named as Textual names it, is one of `way_back`."""
        return key in [_textual_name(combo[0]) for combo in self.way_back]

    @property
    def chords(self) -> Chords:
        return {combo: action for action, combos in self.typing.items() for combo in combos}

    def keys_for(self, action: str, mode: Mode = "deck") -> str:
        """The action's keys as people read them, "j ↓"; those of the other mode when it has none in this one."""
        first, second = (self.deck, self.typing) if mode == "deck" else (self._of(mode), self.deck)
        if mode == "joined":
            second = {}
        return " ".join(map(readable, first.get(action) or second.get(action) or self.reading.get(action, ())))

    def _of(self, mode: Mode) -> Mapping[str, tuple[Combo, ...]]:
        return {"deck": self.deck, "typing": self.typing, "reading": self.reading, "joined": self.joined}[mode]

    def hints(self, mode: Mode) -> list[tuple[str, str]]:
        """What the footer shows, a key and a word or two each, the most needed first."""
        bound = self._of(mode)
        shown = sorted(
            (action for action in ACTIONS if action.footer and bound.get(action.id)), key=lambda a: -a.footer
        )
        return [(readable(bound[action.id][0]), action.label or action.title) for action in shown]

    def sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Every action as (keys, what they do), for help and docs: the chords while typing, then the deck by group."""
        deck = [
            (group, list(self._rows(list(actions)))) for group, actions in groupby(ACTIONS, lambda action: action.group)
        ]
        typing = [
            (self.keys_for(action.id, "typing"), action.title) for action in ACTIONS if self.typing.get(action.id)
        ]
        reading = [
            (self.keys_for(action.id, "reading"), action.title) for action in ACTIONS if self.reading.get(action.id)
        ]
        groups = [(f"In the deck: {group}", rows) for group, rows in deck if rows]
        return [("While typing", typing), *groups, ("In the deck, scrolled back", reading), self.joined_section()]

    def joined_section(self) -> tuple[str, list[tuple[str, str]]]:
        """The keys of a joined session, as a section of help and docs."""
        bound = [action for action in JOINED_ACTIONS if self.joined.get(action.id)]
        return JOINED, [(" ".join(map(readable, self.joined[action.id])), action.title) for action in bound]

    def entries(self) -> list[tuple[str, str, str]]:
        """Every action as (id, title, keys), for the palette."""
        return [(action.id, action.title, self.keys_for(action.id)) for action in ACTIONS if action.id != LEAVE]

    def _rows(self, actions: list[Action]) -> Iterator[tuple[str, str]]:
        jumps = [action for action in actions if action.id.startswith("jump_")]
        plain = all(self.deck.get(jump.id) == ((Key(jump.id[-1]),),) for jump in jumps)
        for action in actions:
            if not self.deck.get(action.id):
                continue
            if not (plain and action in jumps):
                yield self.keys_for(action.id), action.title
            elif action is jumps[0]:
                yield "1–9", "Jump to a session by its number"


def read_combo(text: str) -> Combo:
    """Read a key, or a prefix and a key, as people or Textual write them. Raises BadKeyError."""
    words = text.split() if text.strip() else [text]
    return tuple(_read(word) for word in words)


def readable(combo: Combo) -> str:
    """A key as short as the footer wants it: `^Q`, `⇧PgUp`, `?`."""
    return " ".join(_readable(key) for key in combo)


def _read(word: str) -> Key:
    try:
        return parse(word)
    except BadKeyError:
        held, _, last = word.rpartition("+")
        character = key_to_character(last.lower())
        if character is None:
            raise
        return parse(f"{held}+{character}" if held else character)


def _readable(key: Key) -> str:
    base, held = key
    if base in NAMED:
        name = _SHORT.get(base, base.upper() if base[0] == "f" and base[1:].isdecimal() else base)
        shift = "⇧" if held & SHIFT else ""
    else:
        name, shift = (base.upper() if held & (SHIFT | CTRL) else base), "⇧" if held & CTRL and held & SHIFT else ""
    return ("Alt+" if held & ALT else "") + ("^" if held & CTRL else "") + shift + name


_TEXTUAL_NAMES: Final = {"esc": "escape"}
_ALIASES: Final = {"ctrl+@": "ctrl+space", "ctrl+at": "ctrl+space"}


def _textual_name(key: Key) -> str:
    base, held = key
    words = [name for name, bit in (("alt", ALT), ("ctrl", CTRL)) if held & bit]
    if base in NAMED:
        words += ["shift"] if held & SHIFT else []
        words.append(_TEXTUAL_NAMES.get(base, base))
    elif held & SHIFT and not held & (CTRL | ALT):
        words.append(_character_to_key(base.upper()))
    else:
        words += ["shift"] if held & SHIFT else []
        words.append(_character_to_key(base))
    return "+".join(words)


def _merge(
    mode: Mode, defaults: Mapping[str, tuple[str, ...]], own: Mapping[str, list[str]], problems: list[str]
) -> dict[str, tuple[Combo, ...]]:
    """The person's keys first, then the defaults of the other actions as far as their keys are still free."""
    actions = [action.id for action in (JOINED_ACTIONS if mode == "joined" else ACTIONS)]
    taken: dict[Combo, str] = {}
    bound: dict[str, tuple[Combo, ...]] = {LEAVE: tuple(map(read_combo, defaults.get(LEAVE, ())))}
    for action, words in own.items():
        where = f"keys.{mode}.{action}"
        if action not in actions:
            near = difflib.get_close_matches(action, actions, 1)
            problems.append(
                f"{where}: there is no action called {action!r}" + (f"; did you mean {near[0]!r}?" if near else "")
            )
            continue
        usable = tuple(_usable(mode, where, words, problems))
        if action == LEAVE and mode in ("typing", "joined") and not usable:
            kept = ", ".join(map(readable, bound[LEAVE]))
            problems.append(f"{where}: a session must have a key that leaves it; {kept} is kept")
            continue
        bound[action] = usable
    for action in (*bound, *(action for action in actions if action not in bound)):
        combos = bound.get(action)
        if combos is None:
            combos = tuple(map(read_combo, defaults.get(action, ())))
        bound[action] = tuple(_free(mode, action, combos, taken, problems))
    return {action: bound[action] for action in actions}


def _usable(mode: Mode, where: str, words: list[str], problems: list[str]) -> Iterator[Combo]:
    for word in words:
        try:
            combo = read_combo(word)
        except BadKeyError as error:
            problems.append(f"{where}: {error}")
            continue
        if mode != "typing" and len(combo) > 1:
            problems.append(f"{where}: {word!r} is two keys; in the deck one is enough")
        elif mode == "joined" and _is_text(combo[0]):
            problems.append(f"{where}: {word!r} is text for the line; use ctrl, alt or a function key")
        elif mode == "typing" and len(combo) > 2:
            problems.append(f"{where}: {word!r} is more than a prefix and a key")
        elif mode == "typing" and _belongs_to_programs(combo[0]):
            problems.append(f"{where}: {word!r} would be taken from every program; use ctrl, alt or a function key")
        else:
            yield combo


def _free(
    mode: Mode, action: str, combos: tuple[Combo, ...], taken: dict[Combo, str], problems: list[str]
) -> Iterator[Combo]:
    for combo in combos:
        other = next((taken[found] for found in taken if _clash(found, combo)), None)
        if other == action:
            continue
        if other is not None:
            problems.append(
                f"keys.{mode}: {readable(combo)} is a key of both {other!r} and {action!r}; {other!r} has it"
            )
            continue
        taken[combo] = action
        yield combo


def _clash(one: Combo, other: Combo) -> bool:
    """The same keys, or the one begins the other."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _is_text(key: Key) -> bool:
    base, held = key
    return not held & (ALT | CTRL) and (base not in NAMED or base in ("space", "backspace"))


def _belongs_to_programs(key: Key) -> bool:
    base, held = key
    if base in ("enter", "tab", "backspace", "esc", "space") or (base in NAMED and base[0] != "f" and not held):
        return not held & (ALT | CTRL)
    if base in NAMED:
        return False
    return not held & (ALT | CTRL) or (held == CTRL and base in _ALSO_CONTROL)
