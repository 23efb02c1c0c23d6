"""What `always, in this session` covers: said before it is chosen, and no wider than what is said.

A plain command covers the same program and subcommand with other arguments; anything that a rule caught, or that is
more than one plain command, covers itself alone. An edit covers edits inside the project. Other tools cover
themselves.
"""

import os
from dataclasses import dataclass
from typing import Final

from agentdeck.approvals.call import ToolCall
from agentdeck.approvals.shell import FAR, SHELLS, WRAPPERS, words_of

_FAMILIES: Final = words_of("git npm npx pnpm yarn bun cargo go make docker kubectl uv pip poetry dotnet gradle mvn")
"""Programs whose first argument says what they do."""
_POWERFUL: Final = (
    SHELLS | WRAPPERS | FAR | words_of("python python3 node ruby perl php rm mv dd curl wget eval source")
)
"""Programs whose arguments are everything: they cover only the very same command."""


_ONCE: Final = frozenset({"ExitPlanMode", "exit_plan_mode"})
"""Tools of which each call is another matter: a plan."""


@dataclass(frozen=True, slots=True)
class Scope:
    """`text` says it to the person."""

    text: str
    tool: str
    fingerprint: str = ""
    words: tuple[str, ...] = ()
    inside: str = ""
    rule: str = ""

    def covers(self, call: ToolCall, rule: str = "") -> bool:
        if call.tool != self.tool or rule != self.rule:
            return False
        if self.fingerprint:
            return call.fingerprint == self.fingerprint
        if self.words:
            return plain_words(call)[: len(self.words)] == self.words
        return not self.inside or all(_within(path, call.cwd, self.inside) for path in call.paths)


def scope_of(call: ToolCall, rule: str = "") -> Scope:
    """What `always` means for this call."""
    if rule:
        return Scope(f"exactly this call, although {rule!r} catches it", call.tool, call.fingerprint, rule=rule)
    if call.kind == "shell":
        words = plain_words(call)
        if not words:
            return Scope("exactly this command", call.tool, call.fingerprint)
        return Scope(f"commands that begin with {' '.join(words)!r}", call.tool, words=words)
    if (
        call.kind == "edit"
        and call.cwd
        and call.paths
        and all(_within(path, call.cwd, call.cwd) for path in call.paths)
    ):
        return Scope(f"{call.tool} of files below {call.cwd}", call.tool, inside=call.cwd)
    if call.kind in ("edit", "web") or call.tool in _ONCE:
        return Scope("exactly this call", call.tool, call.fingerprint)
    return Scope(f"every {call.tool}", call.tool)


def plain_words(call: ToolCall) -> tuple[str, ...]:
    """The beginning of a command that is one plain command, empty for any other."""
    if len(call.commands) != 1 or "$" in call.command or "`" in call.command:
        return ()
    command = call.commands[0]
    if command.targets or command.fed or command.program in _POWERFUL:
        return ()
    if call.command.split()[:1] != [command.program]:
        return ()  # a path to a program, or variables before it
    words = command.words
    if command.program in _FAMILIES:
        return words[:2] if len(words) > 1 and not words[1].startswith("-") else ()
    return words[:1]


def _within(path: str, cwd: str, root: str) -> bool:
    whole = os.path.normpath(os.path.join(cwd, path))  # noqa: PTH118 - nothing on a disk is meant
    return whole == root or whole.startswith(root.rstrip("/") + "/")
