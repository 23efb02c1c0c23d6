"""Sets of keys for people whose fingers know another program. Each says what differs from the default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Bindings = Mapping[str, tuple[str, ...]]
"""Action id → its keys, in place of the default ones."""


@dataclass(frozen=True, slots=True)
class Preset:
    summary: str
    deck: Bindings = field(default_factory=dict)
    typing: Bindings = field(default_factory=dict)
    only: bool = False
    """TYPING has these chords and none of the default ones."""


_TMUX_LETTERS: Final[Bindings] = {
    "new": ("c",),
    "layout": ("v", "-"),
    "previous_session": ("p", "h"),
    "next_session": ("n", "l"),
    "down": ("j",),
    "up": ("k",),
    "zoom": ("z",),
    "stop": ("x",),
    "leave": ("w",),
    "scroll_up": ("[",),
    "quit": ("d",),
    "help": ("?",),
    "rename": (",",),
    "palette": (":",),
} | {f"jump_{n}": (str(n),) for n in range(1, 10)}

PRESETS: Final[Mapping[str, Preset]] = {
    "default": Preset("two modes, single letters in the deck"),
    "tmux": Preset(
        "Ctrl+B and a letter while typing, the same letters in the deck; Ctrl+B twice goes to the program",
        deck={
            "new": ("c",),
            "layout": ("v", "-"),
            "next_session": ("n", "l", "ctrl+pagedown"),
            "previous_session": ("p", "h", "ctrl+pageup"),
            "scroll_up": ("[", "pageup", "shift+pageup"),
            "previous_waiting": ("W",),
            "quit": ("d", "q", "ctrl+c"),
            "copy": ("H",),
            "health": ("J",),
            "away": ("U",),
            "approvals": ("P",),
            "rename": (",", "r"),
        },
        typing={action: tuple(f"ctrl+b {key}" for key in keys) for action, keys in _TMUX_LETTERS.items()}
        | {
            "leave": ("ctrl+b w", "f9"),
            "next_waiting": ("f8",),
            "scroll_up": ("ctrl+b [", "shift+pageup"),
            "scroll_down": ("shift+pagedown",),
            "help": ("ctrl+b ?", "f1"),
        },
        only=True,
    ),
    "zellij": Preset(
        "Ctrl+G locks the keyboard to the program, and unlocks it",
        deck={
            "type": ("ctrl+g", "enter"),
            "zoom": ("f", "z"),
            "quit": ("ctrl+q", "q", "d", "ctrl+c"),
            "up": ("k", "up"),
            "next_session": ("l", "right", "ctrl+pagedown"),
            "previous_session": ("h", "left", "ctrl+pageup"),
        },
        typing={"leave": ("ctrl+g",)},
        only=True,
    ),
    "minimal": Preset("Ctrl+Q leaves; every other key goes to the program", typing={"leave": ("ctrl+q",)}, only=True),
}
