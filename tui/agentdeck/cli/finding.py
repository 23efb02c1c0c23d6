"""Which conversation a person means: by the id or name of a session of the deck, by the CLI's own id, or by a file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from agentdeck.errors import AmbiguousSessionError, SessionError, UnknownSessionError

if TYPE_CHECKING:
    from agentdeck.search.portraits import Portrait


def find_conversation(ref: str) -> "Portrait":
    """Raises `UnknownSessionError`, `AmbiguousSessionError`, and `SessionError` for one without a transcript."""
    from agentdeck.cli.known import of_the_hub
    from agentdeck.paths import locate
    from agentdeck.search.portraits import chosen, portraits
    from agentdeck.transcripts.roots import everywhere

    if "/" in ref or ref.endswith((".jsonl", ".json", ".zst")):
        return _of_file(ref)
    if not ref:
        raise UnknownSessionError(ref)
    ours = [(family, session) for family, session in of_the_hub() if ref in (session.id, session.name)]
    every = portraits(everywhere(locate().config, os.environ))
    if len(ours) == 1:
        family, session = ours[0]
        found = [p for p in every if (p.provider, p.session) == (family, session.resume_id)]
        if not found:
            raise SessionError(f"session {session.id} has no conversation yet", hint="prompt it first")
    else:
        found = chosen(every, ref)
    if not found:
        error = UnknownSessionError(ref)
        error.hint = "agentdeck sessions lists them"
        raise error
    if len(found) > 1:
        raise AmbiguousSessionError(ref, [f"{portrait.provider}:{portrait.session}" for portrait in found[:8]])
    return found[0]


def _of_file(ref: str) -> "Portrait":
    from agentdeck.search.portraits import portrait_of
    from agentdeck.transcripts.follow import _agent as agent_of
    from agentdeck.transcripts.roots import Found

    path = Path(ref).expanduser().absolute()
    try:
        status = path.lstat()
    except OSError as error:
        raise SessionError(f"{ref} cannot be read: {error.strerror}", hint="agentdeck sessions lists them") from None
    found = Found(
        agent_of(str(path)), os.fsencode(path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
    )
    return portrait_of(found)
