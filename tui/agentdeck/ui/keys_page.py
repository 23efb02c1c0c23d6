"""docs/keys.md, made from the action table: `python -m agentdeck.ui.keys_page > docs/keys.md`."""

from collections.abc import Iterable, Iterator, Mapping

from agentdeck.config import Keys
from agentdeck.ui.actions import ACTIONS, JOINED, JOINED_ACTIONS, Action
from agentdeck.ui.keymap import Combo, Keymap, readable
from agentdeck.ui.presets import PRESETS

Bound = Mapping[str, tuple[Combo, ...]]

_INTRODUCTION = """\
# Keys

agentdeck has two modes, and the chip at the bottom left says which one it is in.

* **TYPING**: every key goes to the session, byte for byte, except the few chords in the first table.
* **DECK**: single keys act on the selected session. A key that means nothing flashes the chip.

The key that leaves a session, pressed twice within 0.4 s, goes to the session instead. `?` shows the keys as they are
bound now; this page shows the default ones.
"""

_REBINDING = """\
## Your own keys

In the configuration file (`agentdeck config path`):

```toml
[keys]
preset = "default"            # or tmux, zellij, minimal

[keys.deck]                   # action = keys in the deck
zoom = ["f"]
quit = ["q", "ctrl+c"]
mark = []                     # no key at all

[keys.typing]                 # action = chords while typing
leave = ["ctrl+g"]
new = ["ctrl+b c"]            # a prefix key, then another

[keys.joined]                 # action = keys in a session that you joined
zoom = ["f11"]
```

Keys are written `j`, `G`, `?`, `enter`, `esc`, `tab`, `space`, `up`, `pageup`, `f5`, with `ctrl+`, `alt+` and `shift+`
before them. Your own keys win over the default ones of other actions; agentdeck names each conflict, each unknown
action and each unknown key when it starts, and goes on without it. In TYPING a prefix key pressed twice goes to the
session once. Plain characters, Enter, Tab, Esc and Backspace stay the session's. In a session that you joined plain
characters stay the line's. A session always keeps a key that leaves it.
"""


_JOINED = """\
`agentdeck join` has a line to write in, so plain keys are text there; `/help` lists the words that it understands.

"""


def render() -> str:
    keymap = Keymap.from_config(Keys())
    parts = [_INTRODUCTION]
    for title, rows in keymap.sections():
        about = _JOINED if title == JOINED else ""
        table = _table(("key", "what it does"), [(_code(keys), what) for keys, what in rows])
        parts.append(f"## {title}\n\n{about}{table}")
    parts.append(_REBINDING)
    parts.append("## Names of the actions\n\n" + _table(("action", "what it does"), _names(ACTIONS)))
    joined = "### In `[keys.joined]`\n\n"
    parts.append(joined + _table(("action", "what it does"), _names(JOINED_ACTIONS)))
    parts.append("## Presets\n\n" + _table(("preset", "what it is"), _summaries()))
    for name, preset in PRESETS.items():
        other = Keymap.from_config(Keys(preset=name))
        differing = [
            *(("TYPING", *row) for row in _differing(other.typing, keymap.typing)),
            *(("DECK", *row) for row in _differing(other.deck, keymap.deck)),
        ]
        if differing:
            heading = f"### {name}: {preset.summary}\n\n"
            parts.append(heading + _table(("mode", "key", "what it does"), differing))
    return "\n".join(parts)


def _differing(bound: Bound, default: Bound) -> Iterator[tuple[str, str]]:
    for action in ACTIONS:
        if bound[action.id] != default[action.id]:
            keys = " ".join(f"`{readable(combo)}`" for combo in bound[action.id])
            yield keys or "none", action.title


def _code(keys: str) -> str:
    return " ".join(f"`{key}`" for key in keys.split())


def _names(actions: Iterable[Action]) -> list[tuple[str, str]]:
    return [(action.id, action.title) for action in actions]


def _summaries() -> list[tuple[str, str]]:
    return [(name, preset.summary) for name, preset in PRESETS.items()]


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    print(render(), end="")
