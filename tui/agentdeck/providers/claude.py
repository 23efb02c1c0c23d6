"""Claude Code.

Its state comes from OSC 7501 (2.1.329) or from the session file that it keeps (2.1.197, see `processes.resume`). The
title alone tells a turn from the rest, but `✳` stands both for an empty prompt and for a permission that waits.
"""

import re
from typing import Final

from agentdeck.providers.base import Launch, Provider, TitleRule, as_argument

_CHOOSES_SESSION: Final = ("--session-id", "--resume", "-r", "--continue", "-c", "--from-pr", "--teleport")
"""Arguments of the person's that already say which conversation it is; a second one is refused."""


def _arguments(launch: Launch) -> list[str]:
    given = [argument.partition("=")[0] for argument in launch.args]
    arguments = []
    if launch.resume_id:
        arguments = ["--resume", launch.resume_id]
    elif launch.session_id and not any(name in given for name in _CHOOSES_SESSION):
        arguments = ["--session-id", launch.session_id]
    return [*arguments, *launch.args, *as_argument(launch.prompt)]


PROVIDER: Final = Provider(
    name="claude",
    label="Claude Code",
    programs=("claude",),
    arguments=_arguments,
    # 2.1.197 asks for the kitty keyboard (Shift+Enter!) only of terminals that it knows by name; ours is Ghostty's.
    environment={"TERM_PROGRAM": "ghostty"},
    chooses_id=True,
    titles=(
        TitleRule(pattern=re.compile("^[\u2801-\u28ff◐◓◑◒] "), state="working"),
        TitleRule(pattern=re.compile("^✳"), state="unknown"),
    ),
    install="npm install -g @anthropic-ai/claude-code",
    daemons=("claude daemon", "bg-pty-host", "bg-spare"),
)
