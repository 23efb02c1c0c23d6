"""A command in a rule: a program, words that must follow, and options however they are spelled.

`rm -r|-R|--recursive -f|--force` fits `rm -rf x`, `rm -r --force x` and `rm --recurs -vf x`, and neither `rm -r x` nor
`rm -- -rf`. `git push --force` does not fit `git push --force-with-lease`. A word with a `*` or `?` is a glob for any
argument: `git push +*`.
"""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentdeck.approvals.shell import Command

_VALUED: Final[Mapping[str, frozenset[str]]] = {
    "git": frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--super-prefix"}),
    "docker": frozenset({"--context", "-c", "-H", "--host", "--config", "-l", "--log-level"}),
    "kubectl": frozenset({"-n", "--namespace", "--context", "--kubeconfig", "--cluster", "-s", "--server"}),
    "npm": frozenset({"--prefix", "-C", "--workspace", "-w"}),
}
"""Options before a subcommand that take a value: `git -C dir push`."""

_SHORTEST: Final = 4
"""Characters of an abbreviated long option, dashes included, that are taken for it."""


@dataclass(frozen=True, slots=True)
class CommandPattern:
    programs: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    """Subcommands, each with its other names, in their order."""
    options: tuple[tuple[str, ...], ...]
    globs: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> "CommandPattern":
        """Raises `ValueError` for a text without a program."""
        parts = [tuple(part.split("|")) for part in text.split()]
        if not parts or any(not name or name.startswith("-") for name in parts[0]):
            raise ValueError("a command begins with the name of a program")
        words, options, globs = [], [], []
        for part in parts[1:]:
            if part[0].startswith("-"):
                options.append(part)
            elif any(c in "*?" for c in part[0]):
                globs.append(part[0])
            else:
                words.append(part)
        return cls(parts[0], tuple(words), tuple(options), tuple(globs))

    def fits(self, command: Command) -> bool:
        if not any(fnmatch.fnmatchcase(command.program, program) for program in self.programs):
            return False
        plain, given = _split(
            command.words[1:], _VALUED.get(command.program, frozenset()) if self.words else frozenset()
        )
        if len(plain) < len(self.words) or any(plain[n] not in names for n, names in enumerate(self.words)):
            return False
        if not all(any(_given(name, given) for name in names) for names in self.options):
            return False
        return all(any(fnmatch.fnmatchcase(word, glob) for word in plain[len(self.words) :]) for glob in self.globs)


def _split(arguments: Sequence[str], valued: frozenset[str]) -> tuple[list[str], list[str]]:
    """Take arguments apart into words and options. `valued` options take the next argument with them."""
    plain: list[str] = []
    options: list[str] = []
    skip = False
    for n, word in enumerate(arguments):
        if skip:
            skip = False
        elif word == "--":
            return plain + list(arguments[n + 1 :]), options
        elif word.startswith("-") and len(word) > 1:
            options.append(word)
            skip = not plain and word in valued
        else:
            plain.append(word)
    return plain, options


def _given(wanted: str, options: Sequence[str]) -> bool:
    for option in options:
        name = option.partition("=")[0]
        if wanted.startswith("--"):
            if name.startswith("--") and len(name) >= _SHORTEST and wanted.startswith(name):
                return True
        elif len(wanted) == 2 and re.fullmatch(r"-\w+", name):
            if wanted[1] in name[1:]:
                return True
        elif name == wanted:
            return True
    return False
