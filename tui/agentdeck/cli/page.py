"""A conversation as one HTML page: no scripts, nothing from the network, light or dark as its reader likes it."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from typing import Final

from agentdeck.cli.markdown import one_line, plain
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

_STYLE: Final = """\
:root{color-scheme:light dark;--text:#1c1e21;--page:#fdfdfc;--soft:#f1f1ee;--line:#d8d8d3;--dim:#63666b;--user:#0b57a4;
--bad:#b3261e;--plus:#19692c;--minus:#b3261e;--tool:#6a3d9a}
@media (prefers-color-scheme:dark){:root{--text:#e4e4e1;--page:#17181a;--soft:#222427;--line:#3a3d41;--dim:#9a9da2;
--user:#8ab8f5;--bad:#f2958d;--plus:#7fd08f;--minus:#f2958d;--tool:#c5a3ee}}
body{margin:0 auto;padding:2rem 1rem 6rem;max-width:54rem;color:var(--text);background:var(--page);
font:16px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.3}h2,h3,h4,h5{font-size:1.05rem;margin:1.2em 0 .4em}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;color:var(--dim)}dd{margin:0}
article{margin:1.4rem 0}article>header,summary{color:var(--dim);font-size:.85rem}
article>header b{color:var(--text)}
.user{border-left:3px solid var(--user);padding-left:1rem}.user>header b{color:var(--user)}
.user p,.thinking p{white-space:pre-wrap}.thinking{color:var(--dim);font-style:italic}
.call,.agent{border:1px solid var(--line);border-radius:6px;padding:.3rem .8rem;margin:.7rem 0}
.agent{border-left-width:3px}.call b{color:var(--tool)}.bad,.bad b{color:var(--bad)}
.note{text-align:center;color:var(--dim);font-size:.85rem;border-top:1px solid var(--line);padding-top:.6rem;
white-space:pre-wrap}
pre,code{font:13px/1.45 ui-monospace,monospace;background:var(--soft);border-radius:4px}
pre{padding:.6rem .8rem;overflow-x:auto;white-space:pre-wrap}code{padding:.1em .3em}pre code{padding:0}
ins{color:var(--plus);text-decoration:none}del{color:var(--minus);text-decoration:none}time{white-space:nowrap}
@media print{details{display:block}body{max-width:none}}
"""

_HEAD: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
"""

_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)[^`]*$")
_HEADING: Final = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")
_ITEM: Final = re.compile(r"^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$")
_INLINE: Final = re.compile(r"(`+)(.+?)\1(?!`)|\*\*(?=\S)(.+?)(?<=\S)\*\*")


def written(conversation: Conversation) -> Iterator[str]:
    """Yield the page in pieces."""
    portrait = conversation.portrait
    title = _safe(one_line(portrait.title or portrait.prompt)[:120] or portrait.session)
    yield _HEAD.format(title=title, style=_STYLE)
    yield f"<h1>{title}</h1>\n<dl>\n"
    yield "".join(f"<dt>{name}</dt><dd>{_safe(value)}</dd>\n" for name, value in facts(conversation))
    yield "</dl>\n<main>\n"
    yield from _blocks(conversation.blocks)
    yield "</main>\n</body>\n</html>\n"


def _blocks(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Said():
                name = SPEAKERS.get(block.role, block.role)
                text = prose(block.text) if block.role == "assistant" else f"<p>{_safe(block.text.strip())}</p>\n"
                kind = block.role if block.role in SPEAKERS else "assistant"
                head = f"<header><b>{_safe(name)}</b> {_time(block.at)}</header>"
                yield f'<article class="{kind}">{head}\n{text}</article>\n'
            case Called():
                yield _call(block)
            case Noted():
                kind = "note bad" if block.is_error else "note"
                yield f'<p class="{kind}">{_safe(block.text)} {_time(block.at)}</p>\n'
            case Spawned():
                about = _safe(one_line(block.description)) or "without a description"
                yield f'<details class="agent"><summary><b>sub-agent</b> {about} {_time(block.at)}</summary>\n'
                yield from _blocks(block.blocks)
                yield "</details>\n"


def _call(call: Called) -> str:
    head = f"<b>{_safe(one_line(call.tool))}</b> {_safe(one_line(call.subject))}{outcome(call)}"
    inside = []
    if has_more(call):
        inside.append(f"<pre>{_safe(call.input)}</pre>\n")
    for change in call.files:
        inside.append(f"<p><code>{_safe(change.path)}</code>{changed(change)}</p>\n")
        if change.diff:
            inside.append(f"<pre>{_diff(change.diff)}</pre>\n")
    if call.output:
        inside.append(f"<pre>{_safe(call.output)}</pre>\n")
    kind = "call bad" if call.is_error else "call"
    if not inside:
        return f'<div class="{kind}">{head}</div>\n'
    return f'<details class="{kind}"><summary>{head}</summary>\n{"".join(inside)}</details>\n'


def _diff(diff: str) -> str:
    lines = []
    for line in plain(diff).rstrip("\n").split("\n"):
        tag = "ins" if line.startswith("+") else "del" if line.startswith("-") else ""
        lines.append(f"<{tag}>{_safe(line)}</{tag}>" if tag else _safe(line))
    return "\n".join(lines)


def prose(text: str) -> str:
    """The Markdown that agents write, as far as reading is easier with it: code, headings, lists, bold. All escaped."""
    parts: list[str] = []
    held: list[str] = []
    fence, items = "", ""

    def flush() -> None:
        if held:
            parts.append("<p>" + "<br>\n".join(map(_inline, held)) + "</p>\n")
            held.clear()

    def leave_list() -> None:
        nonlocal items
        if items:
            parts.append(f"</{items}>\n")
            items = ""

    for line in plain(text).strip("\n").split("\n"):
        mark = _FENCE.match(line)
        if fence:
            if mark is not None and mark[1].startswith(fence) and not mark[2]:
                parts.append("</code></pre>\n")
                fence = ""
            else:
                parts.append(f"{_safe(line)}\n")
        elif mark is not None:
            flush()
            leave_list()
            fence = mark[1]
            parts.append("<pre><code>")
        elif heading := _HEADING.match(line):
            flush()
            leave_list()
            level = min(5, len(heading[1]) + 1)
            parts.append(f"<h{level}>{_inline(heading[2])}</h{level}>\n")
        elif item := _ITEM.match(line):
            flush()
            wanted = "ol" if item[1] else "ul"
            if items != wanted:
                leave_list()
                items = wanted
                start = f' start="{int(item[1])}"' if item[1] and item[1] != "1" and len(item[1]) < 9 else ""
                parts.append(f"<{items}{start}>\n")
            parts.append(f"<li>{_inline(item[2])}</li>\n")
        elif not line.strip():
            flush()
        else:
            if not line.startswith(" "):
                leave_list()
            held.append(line)
    flush()
    leave_list()
    if fence:
        parts.append("</code></pre>\n")
    return "".join(parts)


def _inline(text: str) -> str:
    parts, last = [], 0
    for found in _INLINE.finditer(text):
        parts.append(_safe(text[last : found.start()]))
        parts.append(f"<code>{_safe(found[2].strip())}</code>" if found[1] else f"<strong>{_safe(found[3])}</strong>")
        last = found.end()
    return "".join([*parts, _safe(text[last:])])


def _safe(text: str) -> str:
    return escape(plain(text))


def _time(at: datetime) -> str:
    if at.timestamp() <= 0:
        return ""
    return f'<time datetime="{at.isoformat()}">{stamp(at)}</time>'
