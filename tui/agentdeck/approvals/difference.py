"""What a tool call would change, as a diff: from its input alone, so that it can be shown before anything happens."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Final

from agentdeck.approvals.call import ToolCall

LONGEST: Final = 400
"""Lines of a diff that are shown."""


def difference(call: ToolCall) -> str:
    """A unified diff, cut to a length that a person reads; empty for a call that edits nothing."""
    lines = list(_lines(call))
    if len(lines) > LONGEST:
        lines = [*lines[:LONGEST], f"… {len(lines) - LONGEST} more lines"]
    return "\n".join(lines)


def _lines(call: ToolCall) -> Iterator[str]:
    if call.patch:
        yield from call.patch.splitlines()
        return
    if call.kind != "edit":
        return
    given = call.input
    edits = given.get("edits")
    if isinstance(edits, list):
        for edit in edits:
            if isinstance(edit, dict):
                yield from _changed(edit)
    elif "old_string" in given or "new_string" in given:
        yield from _changed(given)
    else:
        new = next((given[name] for name in ("content", "new_source", "contents") if name in given), "")
        if isinstance(new, str):
            yield from (f"+{line}" for line in new.splitlines())


def _changed(edit: Mapping[str, object]) -> Iterator[str]:
    old, new = edit.get("old_string", ""), edit.get("new_string", "")
    if isinstance(old, str) and isinstance(new, str):
        found = difflib.unified_diff(old.splitlines(), new.splitlines(), n=3, lineterm="")
        yield from (line for line in found if not line.startswith(("---", "+++")))
