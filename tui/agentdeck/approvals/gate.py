"""The gate: asks the rules about a tool call and says what is to be done with it.

Pure but for reading the person's rule file anew when it has changed. Everybody who lets an agent's call through asks
here: the hub, the hook when there is no hub, and programs that use agentdeck as a library.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentdeck.approvals.call import ToolCall
from agentdeck.approvals.rules import ACTIONS, RISKS, Rule, RuleSet, builtin, load
from agentdeck.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Verdict:
    """`action`: allow (no rule has anything to say), warn, hold or deny."""

    action: str = "allow"
    rule: str = ""
    why: str = ""
    risk: str = "low"


ALLOW: Final = Verdict()

_OUTSIDE: Final = re.compile(r"^(/|~|\.\.|\$|`)|\*$|^\.$")
"""A path to delete that is not plainly something inside the project."""


class ApprovalGate:
    """Rules over tool calls. The strictest rule that fits decides; of equals the first, a person's before ours.

    >>> gate = ApprovalGate()
    >>> gate.judge(ToolCall("Bash", {"command": "FORCE=1 bash -c 'rm -r -f /srv'"})).rule
    'rm -rf'
    """

    def __init__(self, rules: Iterable[Rule] = (), *, with_builtin: bool = True, hold: float = 600.0) -> None:
        self._own = tuple(rules)
        self._with_builtin = with_builtin
        self.hold = hold
        self._path: Path | None = None
        self._stamp: object = None
        self._rules = (*self._own, *(builtin().rules if with_builtin else ()))
        self.errors: tuple[ConfigError, ...] = ()
        """What is wrong with the rule file."""

    @classmethod
    def of(cls, path: Path) -> "ApprovalGate":
        """A gate with the built-in rules and those in the file at `path`, which need not exist."""
        gate = cls()
        gate._path = path
        gate.refresh()
        return gate

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self._rules

    def refresh(self) -> bool:
        """Read the rule file if it has changed; say whether it had."""
        if self._path is None:
            return False
        try:
            found = self._path.stat()
            stamp: object = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError as error:
            stamp = error.errno
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self.take(load(self._path))
        return True

    def take(self, rules: RuleSet) -> None:
        """Use these rules in place of the file's that were used before."""
        ours = builtin().rules if self._with_builtin else ()
        names = {rule.name for rule in ours}
        unknown = [name for name in rules.off if name not in names]
        path = str(self._path or "rules")
        self.errors = (
            *rules.errors,
            *(ConfigError(path, 0, "off", f"there is no built-in rule called {name!r}") for name in unknown),
        )
        self.hold = rules.hold
        self._rules = (*self._own, *rules.rules, *(rule for rule in ours if rule.name not in rules.off))

    def judge(self, call: ToolCall) -> Verdict:
        """What is to be done with this call."""
        fitting = [rule for rule in self._rules if rule.fits(call)]
        if not fitting:
            return ALLOW
        rule = max(fitting, key=lambda rule: ACTIONS.index(rule.action))
        return Verdict(rule.action, rule.name, rule.reason or f"the rule {rule.name!r} fits", risk_of(call, rule))


def risk_of(call: ToolCall, rule: Rule | None = None) -> str:
    """How bad a mistake would be: low, medium or high. What deletes outside the project is always high."""
    risk = (
        rule.risk if rule is not None else {"read": "low", "edit": "medium", "shell": "medium"}.get(call.kind, "medium")
    )
    for command in call.commands:
        if command.program in ("rm", "rmdir", "shred", "unlink") and any(
            _OUTSIDE.search(word) for word in command.words[1:] if not word.startswith("-")
        ):
            return RISKS[-1]
    return risk
