"""How a terminal is told to show a desktop notification, and how far it goes on the way there.

There are three dialects and no way to ask which one a terminal speaks, so it goes by its name: OSC 9 (iTerm2, and many
after it), OSC 777 (rxvt, and those of VTE), OSC 99 (kitty). One that is not known gets its bell, which all have.
Sources: iTerm2's proprietary escape codes, rxvt-unicode's notify extension, kitty's desktop notifications.
"""

import re
from collections.abc import Mapping
from typing import Final

_BY_PROGRAM: Final = {
    "iterm.app": "osc9",
    "wezterm": "osc9",
    "ghostty": "osc9",
    "rio": "osc9",
    "warpterminal": "osc9",
    "kitty": "osc99",
    "contour": "osc777",
}
_BY_TERM: Final = (("xterm-kitty", "osc99"), ("rxvt", "osc777"), ("foot", "osc777"), ("xterm-ghostty", "osc9"))
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_ITERM_PROGRESS: Final = (3, 6, 6)
"""The first iTerm2 that takes OSC 9;4 for progress; an older one shows it as a notification."""


def choose(setting: str, env: Mapping[str, str]) -> str:
    """Return osc9, osc777, osc99, bell or off."""
    if setting != "auto":
        return setting
    if env.get("TMUX") or env.get("TERM", "").startswith(("screen", "tmux", "linux")):
        return "bell"  # a multiplexer keeps the others to itself, and shows a bell
    program = env.get("TERM_PROGRAM", "").lower()
    if program in _BY_PROGRAM:
        return _BY_PROGRAM[program]
    if env.get("WT_SESSION") or env.get("ConEmuPID"):
        return "osc9"
    if env.get("VTE_VERSION"):
        return "osc777"
    return next((how for term, how in _BY_TERM if env.get("TERM", "").startswith(term)), "bell")


def sequence(how: str, title: str, text: str) -> str:
    """The bytes for one notification, empty when there is to be none."""
    title, text = _safe(title), _safe(text)
    match how:
        case "osc9":
            return f"\x1b]9;{title}: {text}\x07" if text else f"\x1b]9;{title}\x07"
        case "osc777":
            return f"\x1b]777;notify;{title.replace(';', ',')};{text.replace(';', ',')}\x07"
        case "osc99":
            return f"\x1b]99;i=agentdeck:d=0;{title}\x1b\\\x1b]99;i=agentdeck:p=body;{text}\x1b\\"
        case "bell":
            return "\x07"
        case _:
            return ""


def shows_progress(env: Mapping[str, str]) -> bool:
    """Whether OSC 9;4 is safe: ignored at worst. To an old iTerm2 it is a notification, to the console rubbish."""
    if env.get("TERM_PROGRAM") == "Apple_Terminal" or env.get("TERM") in ("linux", "dumb"):
        return False
    if env.get("TERM_PROGRAM") == "iTerm.app":
        version = tuple(int(part) for part in re.findall(r"\d+", env.get("TERM_PROGRAM_VERSION", ""))[:3])
        return version >= _ITERM_PROGRESS
    return True


def progress(state: int) -> str:
    """The bytes that show an OSC 9;4 state on the terminal's own tab or icon."""
    return f"\x1b]9;4;{state};{100 if state == 4 else 0}\x07"


def _safe(text: str) -> str:
    return _UNSAFE.sub(" ", text).strip()[:200]
