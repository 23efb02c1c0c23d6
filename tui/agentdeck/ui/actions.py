"""Everything a person can do in the deck, in one table.

Footer, `?` help, palette, docs/keys.md and rebinding are all made from it, so none of them can forget or invent a key.
An action's handler is the deck screen's method `action_<id>`. What is not built yet is absent.
"""

from dataclasses import dataclass
from typing import Final

MOVE: Final = "Moving about"
SESSION: Final = "The selected session"
VIEW: Final = "What is shown"
READ: Final = "Scrolled back"
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
    reading: tuple[str, ...] = ()
    """Keys in DECK mode while the session is scrolled back; they come before those of the deck."""
    own: bool = False
    """It needs a session that was started here: one that is only watched cannot be handled."""


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
    Action("search", "Search all conversations", MOVE, ("s",), (), 71, "search all"),
    Action("attach", "Watch an agent that runs elsewhere; about it; resume it here", SESSION, ("a",)),
    Action("new", "Start a session", SESSION, ("n",), (), 80, "new"),
    Action("new_prompt", "Start a session with a first prompt", SESSION, ("N",)),
    Action("message", "Queue a prompt for it, or send it now", SESSION, ("m",), (), 85, "message", own=True),
    Action("broadcast", "Queue a prompt for all marked sessions", SESSION, ("M",)),
    Action("peek", "Look at its last message or question, and reply", SESSION, ("space",), (), 88, "peek"),
    Action("explain", "Say why it is in its state", SESSION, ("e",), (), 42, "why"),
    Action("health", "How it does: health, loops, conflicts, servers", SESSION, ("H",)),
    Action("mute", "No notifications of it, or again", SESSION, ("Z",), own=True),
    Action("approve", "Allow what it asks, as shown", SESSION, ("y",), (), 92, "allow"),
    Action("approve_always", "Allow it, and the like of it until the session ends", SESSION, ("Y",)),
    Action("approvals", "All that waits for you: read it, allow, deny", SESSION, ("p",), (), 65, "waiting"),
    Action("interrupt", "Interrupt its turn; says first what else would end", SESSION,
           ("i",), (), 40, "interrupt", own=True),
    Action("signal", "Send SIGINT to what runs in front; it ends most CLIs", SESSION, ("I",), own=True),
    Action("ctrl_c", "Send it Ctrl+C", SESSION, ("C",), own=True),
    Action("stop", "Stop it and everything it started", SESSION, ("x",), (), 30, "stop", own=True),
    Action("restart", "Restart it, with its conversation where its CLI can", SESSION, ("R",), own=True),
    Action("forget", "Forget it, once it has ended", SESSION, ("D",), own=True),
    Action("rename", "Rename it", SESSION, ("r",), own=True),
    Action("mark", "Mark it, or take the mark away", SESSION, ("*",), own=True),
    Action("scroll_up", "Scroll back", VIEW, ("pageup", "shift+pageup"), ("shift+pageup",), 70, "scroll"),
    Action("scroll_down", "Scroll forward", VIEW, ("pagedown", "shift+pagedown"), ("shift+pagedown",)),
    Action("copy", "Copy the selection, or else the screen", VIEW, ("c",)),
    Action("zoom", "Zoom the session to the whole terminal, and back", VIEW, ("z",), (), 60, "zoom"),
    Action("layout", "Change the layout: focus, split, tiles", VIEW, ("v",), (), 50, "layout"),
    Action("sidebar", "Show or hide the sidebar", VIEW, ("b",)),
    Action("wider", "Make the sidebar wider", VIEW, (">",)),
    Action("narrower", "Make the sidebar narrower", VIEW, ("<",)),
    Action("resources", "Show or hide what the processes use", VIEW, ("o",), (), 35, "resources"),
    Action("events", "Show or hide the event feed", VIEW, ("E",), (), 38, "events"),
    Action("kinds", "Of the events: all, only tools, messages or errors", VIEW, ("K",)),
    Action("freeze", "Let the events stand still, or follow them", VIEW, ("F",)),
    Action("away", "What happened while you were away", VIEW, ("W",)),
    Action("usage", "Tokens and cost: by day, model and project", VIEW, ("$",), (), 45, "tokens"),
    Action("find", "Find a text above", READ, (), (), 100, "find", reading=("/",)),
    Action("find_older", "The next place further up", READ, (), (), 90, "older", reading=("n",)),
    Action("find_newer", "The next place further down", READ, (), (), 80, "newer", reading=("N",)),
    Action("live", "Back to the live screen", READ, (), (), 95, "live", reading=("esc",)),
    Action("share", "Share it; shared: its link, people, chat and queue", SESSION, ("S",), (), 33, "share"),
    Action("admit", "Let in the guest who waits, as shown", SESSION, ("L",)),
    Action("panic", "Cut off everything that is shared, at once", DECK, ("X",)),
    Action("palette", "Find an action by its name", DECK, (":", "ctrl+p")),
    Action("help", "Show the keys", DECK, ("?", "f1"), ("f1",), 95, "keys"),
    Action("quit", "Leave agentdeck; sessions keep running", DECK, ("q", "ctrl+c"), (), 20, "quit"),
)  # fmt: skip

JOINED: Final = "In a session that you joined"

JOINED_ACTIONS: Final[tuple[Action, ...]] = (
    Action("send", "Send what the line says; /help lists its words", JOINED, ("enter",), (), 100, "send"),
    Action("prompt", "Write a prompt for the agent instead of a word to people, and back", JOINED,
           ("ctrl+t",), (), 90, "prompt"),
    Action("next_panel", "Show the next: screen, chat, people, events", JOINED, ("tab",), (), 80, "next panel"),
    Action("scroll_up", "Scroll the chat, the events or the screen back", JOINED,
           ("pageup", "shift+pageup"), (), 40, "scroll"),
    Action("scroll_down", "Scroll forward", JOINED, ("pagedown", "shift+pagedown")),
    Action("pan_left", "Show what the screen has further left", JOINED, ("alt+left",)),
    Action("pan_right", "Show what the screen has further right", JOINED, ("alt+right",), (), 82, "move"),
    Action("pan_up", "Show what the screen has further up", JOINED, ("alt+up",)),
    Action("pan_down", "Show what the screen has further down", JOINED, ("alt+down",)),
    Action("follow", "Back to the cursor of the screen, or from a prompt to the chat", JOINED,
           ("esc",), (), 85, "follow"),
    Action("copy", "Copy the selection, or else what is in view of the screen", JOINED, ("f5", "alt+c")),
    Action("zoom", "Give the screen the whole terminal, and back", JOINED, ("f3", "ctrl+z"), (), 60, "zoom"),
    Action("type", "Type into the session, if you were given its keys", JOINED, ("f4", "ctrl+o"), (), 30, "type"),
    Action("interrupt", "Interrupt the agent's turn", JOINED, ("ctrl+x",), (), 20, "interrupt"),
    Action("help", "Show these keys and the words of the line", JOINED, ("f1",), (), 95, "help"),
    Action("leave", "Leave the session, or its keyboard", JOINED, ("ctrl+q", "f9", "ctrl+c"), (), 70, "leave"),
)  # fmt: skip
"""Keys (as `deck`) in the screen of `agentdeck join`, whose line has all plain keys. A handler is that screen's method
`_<id>`. Of the keys of `leave` those of `Keymap.way_back` also end typing into the session.
"""
