"""What agentdeck knows about one agent CLI: how it is started, resumed, interrupted and found.

A provider is one file that makes one `Provider` value and one row in `providers/__init__.py`. Nothing here runs
anything; the hub does. Everything that differs between versions of a CLI is data.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What the person asked for, and what a restart adds."""

    prompt: str = ""
    args: Sequence[str] = ()
    session_id: str = ""
    """An id that we choose, for CLIs that let us."""
    resume_id: str = ""
    """Resume this conversation instead of starting one."""


def as_argument(prompt: str) -> list[str]:
    """Return the arguments that hand over a first prompt as a prompt, whatever it says.

    Measured with Claude Code and Codex: a prompt that begins with a dash is taken for an option unless `--` comes
    before it, and one that is a subcommand's name (`doctor`, `update`) runs that even after `--`, unless it differs
    from it by a space.
    """
    if not prompt:
        return []
    return ["--", prompt if any(character.isspace() for character in prompt) else f"{prompt} "]


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleRule:
    """A window title that says what state the CLI is in. First match wins."""

    pattern: re.Pattern[str]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    name: str
    """What people type: claude, codex, gemini, cursor, shell."""
    label: str
    """What people read."""
    programs: tuple[str, ...]
    """Names to look for on PATH, the first that exists wins."""
    arguments: Callable[[Launch], list[str]]
    """The arguments after the program's name."""
    environment: dict[str, str] = field(default_factory=dict)
    """Added to the child's environment unless the person set it."""
    chooses_id: bool = False
    """Whether it takes a session id that we make up."""
    interrupt: tuple[bytes, ...] = (b"\x1b", b"\x03")
    """Bytes that end a turn: the first, and the second if the first was not heard."""
    prompt_in_arguments: bool = True
    """Whether the first prompt can go on the command line."""
    titles: tuple[TitleRule, ...] = ()
    restart_status: int | None = None
    """An exit status that means `start me again` (gemini after a trust answer)."""
    install: str = ""
    """The command that installs it, shown when it is missing."""
    daemons: tuple[str, ...] = ()
    """Substrings of command lines of user-wide daemons that a stop must spare."""
    kind: str = ""
    """For a provider of the person's own: the built-in one whose habits it has. Read it through `family`."""
    foreground: bool = False
    """A shell: its state is whether something runs in the foreground."""
    common_names: tuple[str, ...] = ()
    """Names in `programs` that others use too: accepted only where the real path names the provider's own directory."""
    home: str = ""
    """That directory's name."""

    @property
    def family(self) -> str:
        return self.kind or self.name
