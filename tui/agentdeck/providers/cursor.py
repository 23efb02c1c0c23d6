"""Cursor's CLI, which nobody has recorded here: known from its documentation only.

It says nothing of its state beside its text, so a session of it works while it prints and is unknown while it rests.
"""

from typing import Final

from agentdeck.providers.base import Launch, Provider, as_argument


def _arguments(launch: Launch) -> list[str]:
    resume = ["--resume", launch.resume_id] if launch.resume_id else []
    return [*resume, *launch.args, *as_argument(launch.prompt)]


PROVIDER: Final = Provider(
    name="cursor",
    label="Cursor",
    programs=("cursor-agent", "agent"),
    arguments=_arguments,
    interrupt=(b"\x03",),
    install="see cursor.com/cli; its program is called cursor-agent or agent",
    common_names=("agent",),
    home="cursor-agent",
)
