"""What `agentdeck doctor` looks at. Each check says what it found, whether that is well, and how to mend it.

Only what keeps agentdeck itself from working is `broken`; an agent CLI that is missing is something to know.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentdeck.config import Config
from agentdeck.errors import AgentdeckError, ConfigError
from agentdeck.paths import Paths
from agentdeck.providers.survey import Found

GOOD: Final = "good"
NOTE: Final = "note"
BROKEN: Final = "broken"

SMALLEST: Final = (64, 20)
"""Columns and rows below which the deck is a squeeze."""


@dataclass(frozen=True, slots=True)
class Check:
    about: str
    """The group that it belongs to: agents, terminal, directories, configuration or program."""
    name: str
    state: str
    """good, note or broken."""
    text: str
    mend: str = ""
    """What to do about it."""


def agents(found: Iterable[Found]) -> list[Check]:
    checks = []
    for one in found:
        if not one.program:
            checks.append(Check("agents", one.provider.name, NOTE, "not installed", one.provider.install))
        elif one.problem:
            checks.append(
                Check(
                    "agents",
                    one.provider.name,
                    NOTE,
                    " ".join(filter(None, (one.version, one.program, f"— {one.problem}"))),
                    f"run {one.program} by hand to see why; reinstalling: {one.provider.install}",
                )
            )
        else:
            version = f"{one.version}  " if one.version else ""
            checks.append(Check("agents", one.provider.name, GOOD, f"{version}{one.program}"))
    return checks


def terminal(env: Mapping[str, str], *, is_terminal: bool, size: os.terminal_size) -> list[Check]:
    checks = [_term(env.get("TERM", ""), is_terminal=is_terminal), _colours(env)]
    if is_terminal:
        text = f"{size.columns}×{size.lines}"
        small = size.columns < SMALLEST[0] or size.lines < SMALLEST[1]
        mend = f"make it at least {SMALLEST[0]}×{SMALLEST[1]}; 120×40 shows everything" if small else ""
        checks.append(Check("terminal", "size", NOTE if small else GOOD, text, mend))
    checks += [_locale(env), _host(env)]
    return checks


def _term(term: str, *, is_terminal: bool) -> Check:
    if not is_terminal:
        return Check("terminal", "TERM", NOTE, f"{term or 'not set'}; this output is no terminal", "")
    if term in ("", "dumb", "unknown"):
        return Check("terminal", "TERM", BROKEN, term or "not set", "export TERM=xterm-256color")
    return Check("terminal", "TERM", GOOD, term)


def _colours(env: Mapping[str, str]) -> Check:
    if env.get("NO_COLOR"):
        return Check("terminal", "colours", GOOD, "none, because NO_COLOR is set")
    if env.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return Check("terminal", "colours", GOOD, "24 bit")
    return Check(
        "terminal",
        "colours",
        NOTE,
        "256 at most: COLORTERM does not say truecolor",
        "if your terminal has them: export COLORTERM=truecolor",
    )


def _locale(env: Mapping[str, str]) -> Check:
    name = next((env[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if env.get(key)), "")
    if "UTF-8" in name.upper() or "UTF8" in name.upper():
        return Check("terminal", "locale", GOOD, name)
    return Check(
        "terminal",
        "locale",
        NOTE,
        f"{name or 'not set'}: agents may draw question marks instead of lines",
        "export LANG=C.UTF-8",
    )


def _host(env: Mapping[str, str]) -> Check:
    if env.get("TMUX"):
        return Check(
            "terminal",
            "host",
            NOTE,
            "inside tmux",
            "for all keys and colours put these into tmux.conf: set -s extended-keys on; "
            "set -as terminal-features ',*:RGB:extkeys'; set -g focus-events on; set -g set-clipboard on",
        )
    if env.get("STY"):
        return Check("terminal", "host", NOTE, "inside GNU screen, which has no kitty keyboard", "use it outside")
    name = env.get("TERM_PROGRAM") or next(
        (name for name, key in _HOSTS.items() if env.get(key)), "not known by its environment"
    )
    where = " over ssh" if env.get("SSH_CONNECTION") else ""
    return Check("terminal", "host", GOOD, f"{name}{where}")


_HOSTS: Final[Mapping[str, str]] = {
    "kitty": "KITTY_WINDOW_ID",
    "Ghostty": "GHOSTTY_RESOURCES_DIR",
    "WezTerm": "WEZTERM_PANE",
    "Windows Terminal": "WT_SESSION",
    "VTE": "VTE_VERSION",
    "Konsole": "KONSOLE_VERSION",
}


def keyboard(answer: bool | None) -> Check:
    """`answer` says whether the terminal answered the question for kitty's keyboard protocol; None: not asked."""
    if answer is None:
        return Check("terminal", "keyboard", NOTE, "not asked, this is no terminal")
    if answer:
        return Check("terminal", "keyboard", GOOD, "kitty protocol: every key can be told apart")
    return Check(
        "terminal",
        "keyboard",
        NOTE,
        "legacy: Shift+Enter and some Ctrl keys look like others",
        "a terminal with the kitty keyboard protocol (kitty, Ghostty, WezTerm, foot, Alacritty …) tells them apart",
    )


def directories(paths: Paths) -> list[Check]:
    named = (("state", paths.state), ("run", paths.run), ("cache", paths.cache), ("config", paths.config.parent))
    return [_directory(name, path, private=name in ("state", "run")) for name, path in named]


def _directory(name: str, path: Path, *, private: bool) -> Check:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return _creatable(name, path)
    except OSError as error:
        return Check("directories", name, BROKEN, f"{path}: {error.strerror}", f"look at the directories above {path}")
    mode = stat.S_IMODE(found.st_mode)
    if not path.is_dir():
        return Check("directories", name, BROKEN, f"{path} is not a directory", "move it away")
    if found.st_uid != os.getuid() and private:
        return Check("directories", name, BROKEN, f"{path} belongs to somebody else", f"chown it, or remove {path}")
    if not os.access(path, os.W_OK | os.X_OK):
        return Check("directories", name, BROKEN, f"{path} cannot be written", f"chmod u+rwx {path}")
    if private and mode & 0o077:
        return Check("directories", name, NOTE, f"{path} is open to others ({mode:o})", f"chmod 700 {path}")
    return Check("directories", name, GOOD, f"{path} ({mode:o})")


def _creatable(name: str, path: Path) -> Check:
    above = next(parent for parent in path.parents if parent.exists())
    if os.access(above, os.W_OK | os.X_OK):
        return Check("directories", name, GOOD, f"{path} (created when needed)")
    return Check("directories", name, BROKEN, f"{path} cannot be created in {above}", f"make {above} writable")


def configuration(path: Path, config: Config, problems: Sequence[ConfigError]) -> list[Check]:
    if problems:
        return [Check("configuration", "config.toml", NOTE, str(one), "agentdeck config edit") for one in problems]
    text = str(path) if path.exists() else f"none, the defaults are used (it would be {path})"
    return [Check("configuration", "config.toml", GOOD, text)]


def terminal_core(load: Callable[[], object], version: str) -> Check:
    """`load` is the loader of the terminal library."""
    try:
        load()
    except AgentdeckError as error:
        return Check("program", "terminal core", BROKEN, str(error), error.hint)
    return Check("program", "terminal core", GOOD, f"libghostty-vt of pyghostty {version}")


def tmux(path: str) -> Check:
    found = shutil.which("tmux", path=path)
    return Check("program", "tmux", GOOD, f"{found} (only agentdeck's own tests use it)" if found else "not needed")
