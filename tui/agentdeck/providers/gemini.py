"""Gemini CLI.

Its title says its state in words. After a trust answer it wants to be started again: without its own relauncher it
ends with status 199, and the hub starts it again.
"""

import re
from typing import Final

from agentdeck.providers.base import Launch, Provider, TitleRule

_CHOOSES_SESSION: Final = ("--session-id", "--resume", "-r")


def _arguments(launch: Launch) -> list[str]:
    given = [argument.partition("=")[0] for argument in launch.args]
    arguments = []
    if launch.resume_id:
        arguments = ["--resume", launch.resume_id]
    elif launch.session_id and not any(name in given for name in _CHOOSES_SESSION):
        arguments = ["--session-id", launch.session_id]
    prompt = [f"--prompt-interactive={launch.prompt}"] if launch.prompt else []
    return [*arguments, *launch.args, *prompt]


PROVIDER: Final = Provider(
    name="gemini",
    label="Gemini CLI",
    programs=("gemini",),
    arguments=_arguments,
    environment={"GEMINI_CLI_NO_RELAUNCH": "true"},
    chooses_id=True,
    titles=(
        TitleRule(pattern=re.compile(r"^✋|Action Required"), state="needs_you"),
        TitleRule(pattern=re.compile(r"^✦"), state="working"),
        TitleRule(pattern=re.compile(r"^◇"), state="idle"),
    ),
    restart_status=199,
    install="npm install -g @google/gemini-cli",
)
