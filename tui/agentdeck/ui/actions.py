"""Everything a person can do in the deck, in one table.

Footer, `?` help, palette, docs/keys.md and rebinding are all made from it, so none of them can forget or invent a key.
An action's handler is the deck screen's method `action_<id>`. What is not built yet is absent.
"""

from dataclasses import dataclass
from typing import Final

MOVE: Final = "Moving about"
SESSION: Final = "The selected session"
VIEW: Final = "What is shown"
DECK: Final = "agentdeck"


@dataclass(frozen=True, slots=True)
class Action:
    id: str
    title: str
    group: str
    deck: tuple[str, ...] = ()
    """Keys in DECK mode, as people write them: `j`, `ctrl+p`, `?`."""
    typing: tuple[str, ...] = ()
    """Chords in TYPING mode; `ctrl+b c` is a prefix key and then another."""
    footer: int = 0
    """0: not in the footer. Otherwise the highest are kept when there is no room for all."""
    label: str = ""
    """The title in one or two words, for the footer."""


ACTIONS: Final[tuple[Action, ...]] = (
    Action("type", "Type into the selected session", MOVE, ("enter",), (), 100, "type"),
    Action("leave", "Leave it for the deck; twice: the key goes to it", MOVE, (), ("ctrl+q", "f9"), 100, "deck"),
    *(Action(f"jump_{n}", f"Jump to session {n}", MOVE, (str(n),)) for n in range(1, 10)),
    Action("down", "Select the next session", MOVE, ("j", "down")),
    Action("up", "Select the previous session", MOVE, ("k", "up")),
    Action("first", "Select the first session", MOVE, ("g", "home")),
    Action("last", "Select the last session", MOVE, ("G", "end")),
    Action("next_waiting", "Next session that needs you", MOVE,
           ("w", "]", "ctrl+]", "f8"), ("ctrl+]", "f8"), 90, "next needing you"),
    Action("previous_waiting", "Previous session that needs you", MOVE, ("[",)),
    Action("next_session", "Next session, in the same mode", MOVE, ("ctrl+pagedown",), ("ctrl+pagedown",), 60, "next"),
    Action("previous_session", "Previous session, in the same mode", MOVE, ("ctrl+pageup",), ("ctrl+pageup",)),
    Action("next_panel", "Next panel", MOVE, ("tab",)),
    Action("filter", "Filter the sessions: words, s:waiting, p:codex, #tag", MOVE, ("/",), (), 70, "filter"),
    Action("new", "Start a session", SESSION, ("n",), (), 80, "new"),
    Action("new_prompt", "Start a session with a first prompt", SESSION, ("N",)),
    Action("message", "Send it a prompt", SESSION, ("m",), (), 85, "message"),
    Action("interrupt", "Interrupt its turn, with the keys that its CLI wants", SESSION, ("i",), (), 40, "interrupt"),
    Action("signal", "Send SIGINT to what runs in front; it ends most CLIs", SESSION, ("I",)),
    Action("ctrl_c", "Send it Ctrl+C", SESSION, ("C",)),
    Action("stop", "Stop it and everything it started", SESSION, ("x",), (), 30, "stop"),
    Action("restart", "Restart it, with its conversation where its CLI can", SESSION, ("R",)),
    Action("forget", "Forget it, once it has ended", SESSION, ("D",)),
    Action("rename", "Rename it", SESSION, ("r",)),
    Action("mark", "Mark it, or take the mark away", SESSION, ("*",)),
    Action("scroll_up", "Scroll back", VIEW, ("pageup", "shift+pageup"), ("shift+pageup",), 70, "scroll"),
    Action("scroll_down", "Scroll forward", VIEW, ("pagedown", "shift+pagedown"), ("shift+pagedown",)),
    Action("copy", "Copy the selection, or else the screen", VIEW, ("c",)),
    Action("zoom", "Zoom the session to the whole terminal, and back", VIEW, ("z",), (), 60, "zoom"),
    Action("layout", "Change the layout: focus, split, tiles", VIEW, ("v",), (), 50, "layout"),
    Action("sidebar", "Show or hide the sidebar", VIEW, ("b",)),
    Action("wider", "Make the sidebar wider", VIEW, (">",)),
    Action("narrower", "Make the sidebar narrower", VIEW, ("<",)),
    Action("resources", "Show or hide what the processes use", VIEW, ("o",), (), 35, "resources"),
    Action("palette", "Find an action by its name", DECK, (":", "ctrl+p")),
    Action("help", "Show the keys", DECK, ("?", "f1"), ("f1",), 95, "keys"),
    Action("quit", "Leave agentdeck; sessions keep running", DECK, ("q", "ctrl+c"), (), 20, "quit"),
)  # fmt: skip
