"""Where our sessions write that have another home directory, or another configuration, than the hub."""

import os
from collections.abc import Container

from agentdeck.hub.session import LiveSession
from agentdeck.processes.resume import environment
from agentdeck.transcripts.roots import Root, roots


class Elsewhere:
    def __init__(self) -> None:
        self._known: dict[str, tuple[float, tuple[Root, ...]]] = {}
        """By session: when it was started, and where it writes beside where we look anyway."""

    def take_note(self, session: LiveSession, others: Container[str]) -> bool:
        """Return whether a place has come. `others` are the ids of all sessions that there are."""
        id, started = session.info.id, session.info.started
        if not session.running or session.provider.foreground or session.info.pid <= 0:
            return False
        if id in self._known and self._known[id][0] == started:
            return False
        before = set(self.roots())
        env = session.env or environment(session.info.pid)  # a hub that was restarted asks the process
        usual = roots(os.environ)
        own = roots({**session.provider.environment, **env})
        more = tuple(root for root in own if root.agent == session.provider.family and root not in usual)
        self._known = {name: known for name, known in self._known.items() if name in others}
        self._known[id] = started, more
        return not before.issuperset(more)

    def roots(self) -> list[Root]:
        """Return the places, each once."""
        return list(dict.fromkeys(root for _, more in self._known.values() for root in more))
