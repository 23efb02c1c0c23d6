"""Codex CLI.

It reports OSC 7501 at every change. Started without `--no-daemon` it would run its turns in a background daemon
that all sessions share and that outlives them, so that neither a stop nor a look at its processes would be true.
"""

import re
from typing import Final

from agentdeck.providers.base import Launch, Provider, TitleRule, as_argument

_OWN: Final = ("--no-daemon", "-c", "check_for_update_on_startup=false")


def _arguments(launch: Launch) -> list[str]:
    resume = ["resume", launch.resume_id] if launch.resume_id else []
    return [*_OWN, *launch.args, *resume, *as_argument(launch.prompt)]


PROVIDER: Final = Provider(
    name="codex",
    label="Codex",
    programs=("codex",),
    arguments=_arguments,
    titles=(
        TitleRule(pattern=re.compile(r"Action Required"), state="needs_you"),
        TitleRule(pattern=re.compile("^[\u2801-\u28ff] "), state="working"),
    ),
    install="npm install -g @openai/codex",
    daemons=("codex app-server", "pid-update-loop"),
)
