"""What a shell command line really runs, found without running it.

`rm -rf build` can be written in many ways: behind an environment variable, `sudo` or `timeout`, in `bash -c '…'`, in
`$(…)`, after `&&`, on the other side of a pipe. A rule should not care. `commands` takes a command line apart into the
simple commands in it. What only the shell could know (a variable's value, an alias, a script's content) stays unknown:
this is a net for mistakes, not a wall against somebody who hides.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

DEPTH: Final = 8
"""Scripts inside scripts that are still looked into."""

MOST: Final = 2000
"""Commands in one command line that are looked at."""

LONGEST: Final = 256 * 1024
"""Characters of a command line that are looked at; what follows is data, most likely."""


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command, quotes removed. `words[0]` is the program's name without its directory."""

    words: tuple[str, ...]
    targets: tuple[str, ...] = ()
    """Files that it is redirected to or from."""
    fed: str = ""
    """What reaches its standard input, as far as the command line says: a here-document or an echo before the pipe."""

    @property
    def program(self) -> str:
        return self.words[0] if self.words else ""


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHELLS: Final = words_of("sh bash zsh dash ksh ash fish busybox")
WRAPPERS: Final = words_of(
    """
    sudo doas pkexec env nice ionice nohup time timeout gtimeout stdbuf xargs exec command builtin setsid caffeinate
    chronic strace ltrace unbuffer watch parallel flock firejail chrt taskset
    """
)
"""Programs whose arguments, after their own options, are a command."""
FAR: Final = words_of("docker podman nerdctl kubectl oc ssh mosh chroot nsenter flatpak su runuser lxc incus")
"""Programs that run a command somewhere else; where it begins depends on too much, so every beginning is tried."""
_RESERVED: Final = words_of("if then else elif fi do done while until for case esac in select function { } ! [[")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
_DURATION: Final = re.compile(r"\d+(\.\d+)?[smhd]?")
_SAYS: Final = frozenset({"echo", "printf", "cat"})


def commands(text: str, depth: int = 0) -> list[Command]:
    """Return every simple command that `text` runs, the inner ones too. Never raises."""
    found: list[Command] = []
    if depth > DEPTH:
        return found
    reading = _Reading(text[:LONGEST])
    for pipeline in reading.pipelines():
        before = ""
        for command in pipeline:
            fed = command.fed or before
            says = command.words and _name(command.words[0]) in _SAYS
            before = (command.fed or " ".join(command.words[1:])) if says else ""
            found += islice(_unwrapped(replace(command, fed=fed), depth), MOST - len(found))
    for inner in reading.substitutions[:MOST]:
        found += islice(commands(inner, depth + 1), max(0, MOST - len(found)))
    return found


def _unwrapped(command: Command, depth: int) -> Iterator[Command]:
    """The command itself, and those that it starts."""
    words = command.words
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in _RESERVED):
        words = words[1:]
    if not words:
        if command.targets:
            yield command
        return
    words = (_name(words[0]), *words[1:])
    yield replace(command, words=words)
    if depth >= DEPTH:
        return
    program, arguments = words[0], words[1:]
    if program in SHELLS or program == "eval":
        yield from _script(program, arguments, command.fed, depth)
    elif program == "find":
        yield from _find(arguments, depth)
    elif program in WRAPPERS:
        for start in _starts(arguments):
            yield from _unwrapped(Command(arguments[start:], fed=command.fed), depth + 1)
    elif program in FAR:
        for start in range(1, min(len(arguments), 40)):
            if not arguments[start].startswith("-"):
                yield from _unwrapped(Command(arguments[start:], fed=command.fed), max(depth + 1, DEPTH - 1))
        for word in arguments:
            if " " in word.strip():
                yield from commands(word, depth + 1)


def _script(program: str, arguments: Sequence[str], fed: str, depth: int) -> Iterator[Command]:
    """What a shell is told to run: after `-c`, by `eval`, or through its standard input."""
    if program == "eval":
        yield from commands(" ".join(arguments), depth + 1)
        return
    if program == "busybox":
        yield from _unwrapped(Command(tuple(arguments)), depth + 1)
        return
    for n, word in enumerate(arguments):
        if re.fullmatch(r"-[a-z]*c[a-z]*", word):
            for script in arguments[n + 1 : n + 2]:
                yield from commands(script, depth + 1)
            return
        if not word.startswith(("-", "+")):
            return  # a script file: nobody knows what is in it
    if fed:
        yield from commands(fed, depth + 1)


def _find(arguments: Sequence[str], depth: int) -> Iterator[Command]:
    for n, word in enumerate(arguments):
        if word in ("-exec", "-execdir", "-ok", "-okdir"):
            rest = arguments[n + 1 :]
            end = next((i for i, each in enumerate(rest) if each in (";", "+")), len(rest))
            yield from _unwrapped(Command(tuple(rest[:end])), depth + 1)


def _starts(arguments: Sequence[str]) -> list[int]:
    """Where a wrapper's command may begin: after its options, whose values cannot be told from the command."""
    starts: list[int] = []
    after_option = False
    for n, word in enumerate(arguments):
        if word == "--":
            return [*starts, n + 1] if n + 1 < len(arguments) else starts
        if word.startswith("-") and len(word) > 1:
            after_option = "=" not in word
            continue
        if _ASSIGNMENT.match(word) or _DURATION.fullmatch(word):
            after_option = False
            continue
        starts.append(n)
        if not after_option:
            break
        after_option = False
    return starts


def _name(word: str) -> str:
    return word.rpartition("/")[2] or word


class _Reading:
    """One pass over a command line."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\\\n", "")
        self.at = 0
        self.substitutions: list[str] = []
        self._documents: list[tuple[str, bool]] = []
        """Here-documents that were announced on this line: the end word, and whether tabs are stripped."""
        self._fed = ""

    def pipelines(self) -> Iterator[list[Command]]:
        pipeline: list[Command] = []
        words: list[str] = []
        targets: list[str] = []

        def end() -> None:
            if words or targets:
                pipeline.append(Command(tuple(words), tuple(targets)))
                words.clear()
                targets.clear()

        while (token := self._next()) is not None:
            kind, value = token
            if kind == "word":
                words.append(value)
            elif kind == "skip":
                continue
            elif kind == "redirect":
                if words and words[-1].isdigit() and self._glued:
                    words.pop()
                following = self._next()
                if following is not None and following[0] == "word" and not value.endswith("&"):
                    targets.append(following[1])
            elif kind == "string":
                following = self._next()
                self._fed = following[1] if following is not None else ""
                if words:
                    pipeline.append(Command(tuple(words), tuple(targets), self._fed))
                    words.clear()
                    targets.clear()
            else:
                end()
                if value not in ("|", "|&"):
                    yield self._with_documents(pipeline)
                    pipeline = []
        end()
        yield self._with_documents(pipeline)

    def _with_documents(self, pipeline: list[Command]) -> list[Command]:
        if not self._documents or not pipeline:
            return pipeline
        bodies = "\n".join(self._body(*document) for document in self._documents)
        self._documents = []
        return [replace(pipeline[0], fed=bodies), *pipeline[1:]]

    def _body(self, word: str, tabs: bool) -> str:
        lines: list[str] = []
        while self.at < len(self.text):
            end = self.text.find("\n", self.at)
            line = self.text[self.at : end if end >= 0 else len(self.text)]
            self.at = end + 1 if end >= 0 else len(self.text)
            if (line.lstrip("\t") if tabs else line) == word:
                break
            lines.append(line)
        return "\n".join(lines)

    _glued = False
    """The redirection stood directly behind a word: `2>file`."""

    def _next(self) -> tuple[str, str] | None:
        text = self.text
        glued = self.at > 0 and not text[self.at - 1 : self.at].isspace()
        while self.at < len(text) and text[self.at] in " \t\r":
            self.at += 1
            glued = False
        if self.at >= len(text):
            return None
        rest = text[self.at : self.at + 3]
        if rest.startswith("#") and not glued:
            end = text.find("\n", self.at)
            self.at = end if end >= 0 else len(text)
            return "skip", ""
        if rest == "<<<":
            self.at += 3
            return "string", rest
        if rest.startswith("<<"):
            return self._announce()
        if rest.startswith(("<(", ">(")):
            self.at += 1
            self.substitutions.append(self._bracketed())
            return "word", "/dev/fd/63"
        if match := re.match(r"&>>?|>>|>\||>&|<&|<>|<|>", text[self.at : self.at + 3]):
            self.at += match.end()
            self._glued = glued
            return "redirect", match[0]
        if match := re.match(r"&&|\|\||\|&|;;&?|;&|[;&|()\n]", text[self.at : self.at + 3]):
            self.at += match.end()
            return "end", match[0]
        return "word", self._word()

    def _announce(self) -> tuple[str, str]:
        """`<<EOF`: remember the here-document, whose body comes after this line."""
        tabs = self.text[self.at + 2 : self.at + 3] == "-"
        self.at += 3 if tabs else 2
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1
        self._documents.append((self._word(), tabs))
        return "skip", ""

    def _word(self) -> str:
        text, out = self.text, []
        while self.at < len(text):
            c = text[self.at]
            if c in " \t\r\n;&|<>()":
                break
            self.at += 1
            if c == "\\":
                out.append(text[self.at : self.at + 1])
                self.at += 1
            elif c == "'":
                end = text.find("'", self.at)
                end = end if end >= 0 else len(text)
                out.append(text[self.at : end])
                self.at = end + 1
            elif c == '"':
                out.append(self._quoted())
            elif c == "`":
                out.append(self._backticks())
            elif c == "$" and text[self.at : self.at + 1] == "(":
                self.substitutions.append(self._bracketed())
                out.append("$(…)")
            elif c == "$" and text[self.at : self.at + 1] == "'":
                self.at += 1
                out.append(self._ansi())
            else:
                out.append(c)
        return "".join(out)

    def _quoted(self) -> str:
        text, out = self.text, []
        while self.at < len(text):
            c = text[self.at]
            self.at += 1
            if c == '"':
                break
            if c == "\\" and text[self.at : self.at + 1] in ('"', "\\", "$", "`"):
                out.append(text[self.at])
                self.at += 1
            elif c == "$" and text[self.at : self.at + 1] == "(":
                self.substitutions.append(self._bracketed())
                out.append("$(…)")
            elif c == "`":
                out.append(self._backticks())
            else:
                out.append(c)
        return "".join(out)

    def _backticks(self) -> str:
        end = self.text.find("`", self.at)
        end = end if end >= 0 else len(self.text)
        self.substitutions.append(self.text[self.at : end])
        self.at = end + 1
        return "`…`"

    def _ansi(self) -> str:
        """`$'…'`, whose escapes can spell any letter."""
        match = re.compile(r"(?:[^'\\]|\\.)*", re.DOTALL).match(self.text, self.at)
        assert match is not None  # it matches nothing at least
        self.at = match.end() + 1
        try:
            return match[0].encode("latin-1", "backslashreplace").decode("unicode_escape")
        except UnicodeDecodeError:
            return match[0]

    def _bracketed(self) -> str:
        """The text between the bracket at `at` and the one that closes it."""
        self.at += 1
        start, open_, text = self.at, 1, self.text
        while self.at < len(text) and open_:
            c = text[self.at]
            self.at += 1
            if c == "\\":
                self.at += 1
            elif c == "'":
                end = text.find("'", self.at)
                self.at = end + 1 if end >= 0 else len(text)
            elif c == '"':
                self._quoted_span()
            elif c == "(":
                open_ += 1
            elif c == ")":
                open_ -= 1
        return text[start : self.at - 1 if not open_ else self.at]

    def _quoted_span(self) -> None:
        while self.at < len(self.text):
            c = self.text[self.at]
            self.at += 2 if c == "\\" else 1
            if c == '"':
                return
