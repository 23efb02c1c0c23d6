"""A conversation as Markdown that renders as it was meant: nothing in it can break out of its place."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from agentdeck.cli.transcript import (
    SPEAKERS,
    Block,
    Called,
    Conversation,
    Noted,
    Said,
    Spawned,
    changed,
    facts,
    has_more,
    outcome,
    stamp,
)

_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_TICKS: Final = re.compile(r"(`+)(.+?)\1(?!`)")
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#|~&])")
_LEADING: Final = re.compile(r"^(\d*)([-+=.)])")
"""What makes a line an item of a list or the line above it a heading."""


def written(conversation: Conversation) -> Iterator[str]:
    """Yield the document in pieces."""
    portrait = conversation.portrait
    title = portrait.title or portrait.prompt.strip().split("\n")[0][:80] or portrait.session
    yield f"# {escaped(one_line(title))}\n\n"
    yield "".join(f"- {name}: {_code(value)}\n" for name, value in facts(conversation))
    yield from _blocks(conversation.blocks, 2)


def _blocks(blocks: Sequence[Block], level: int) -> Iterator[str]:
    speaker = ""
    for block in blocks:
        match block:
            case Said():
                if block.role == "user" or speaker != block.role:
                    name = SPEAKERS.get(block.role, block.role)
                    yield f"\n{'#' * level} {name} · {stamp(block.at)}\n"
                speaker = block.role
                yield f"\n{quoted(block.text) if block.role != 'assistant' else contained(block.text)}\n"
            case Called():
                yield "\n" + _call(block)
            case Noted():
                lead = "error: " if block.is_error else ""
                yield f"\n---\n\n*{lead}{escaped(one_line(block.text))}* · {stamp(block.at)}\n"
                speaker = ""
            case Spawned():
                about = escaped(one_line(block.description)) or "a sub-agent"
                yield f"\n<details><summary>sub-agent: {about}</summary>\n"
                yield from _blocks(block.blocks, min(6, level + 1))
                yield "\n</details>\n"
                speaker = ""


def _call(call: Called) -> str:
    about = f" {_code(one_line(call.subject))}" if call.subject else ""
    parts = [f"**{escaped(one_line(call.tool))}**{about}{outcome(call)}\n"]
    details = []
    if has_more(call):
        details.append(f"input\n\n{fenced(call.input)}")
    details += [
        f"{_code(change.path)}{changed(change)}" + (f"\n\n{fenced(change.diff, 'diff')}" if change.diff else "")
        for change in call.files
    ]
    if call.output:
        details.append(f"result\n\n{fenced(call.output)}")
    if details:
        inside = "\n\n".join(details)
        parts.append(f"\n<details><summary>more</summary>\n\n{inside}\n\n</details>\n")
    return "".join(parts)


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{plain(text).rstrip(chr(10))}\n{fence}"


def quoted(text: str) -> str:
    """A block quote of plain text: line breaks stay, and nothing of it is Markdown."""
    return "\n".join(f"> {escaped(line)}  " if line.strip() else ">" for line in plain(text).strip("\n").split("\n"))


def contained(text: str) -> str:
    """Markdown that an agent wrote: open code blocks are closed, and HTML is shown instead of used."""
    found: list[str] = []
    fence = ""
    for line in plain(text).strip("\n").split("\n"):
        match = _FENCE.match(line)
        if fence:
            closes = match is not None and match[1].startswith(fence) and not match[2].strip()
            fence = "" if closes else fence
            found.append(line)
        elif match is not None and not (match[1][0] == "`" and "`" in match[2]):
            fence = match[1]
            found.append(line)
        else:
            found.append(_without_html(line))
    if fence:
        found.append(fence)
    return "\n".join(found)


def _without_html(line: str) -> str:
    parts, last = [], 0
    for code in _TICKS.finditer(line):
        parts += [line[last : code.start()].replace("<", "&lt;"), code[0]]
        last = code.end()
    return "".join([*parts, line[last:].replace("<", "&lt;")])


def escaped(text: str) -> str:
    """One line of plain text in which nothing means anything to Markdown; blanks at its beginning stay."""
    bare = text.lstrip()
    indent = "&nbsp;" * len(text[: len(text) - len(bare)].expandtabs(4))
    return indent + _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", bare))


def _code(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{plain(text)}{pad}{ticks}" if text else ""


def one_line(text: str) -> str:
    return " ".join(plain(text).split())


def plain(text: str) -> str:
    """Text without control characters and what turns its direction; line ends and tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if (c >= " " and not "\x7f" <= c <= "\x9f" and c not in _TURNING) or c in "\n\t")


_TURNING: Final = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Marks that make text read otherwise than it is."""
