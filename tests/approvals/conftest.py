"""A hub in the test's own process, with a session whose program asks through the real hook."""

import json
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agentdeck.approvals.audit import AuditLog
from agentdeck.hub.approvals import log_path, rules_path
from agentdeck.hub.client import HubClient
from agentdeck.hub.hook_door import NAME
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import approvals as a
from agentdeck.protocol import messages as m
from tests.hub.conftest import client, connect, environment, hub, paths, text, until

__all__ = ["client", "connect", "hub", "paths"]

REPO = Path(__file__).parents[2]

ASKING = REPO / "tests" / "fakes" / "asking.py"


@dataclass
class Cli:
    """A session that asks."""

    client: HubClient
    paths: Paths
    session: str
    told: list[m.AnyReply] = field(default_factory=list)
    _asked: int = 0

    async def ask(self, command: str, event: str = "PreToolUse", **more: object) -> int:
        """Ask about a shell command, as a CLI would, and return the question's number."""
        payload = {
            "session_id": "s", "cwd": "/work", "hook_event_name": event, "permission_mode": "default",
            "tool_name": "Bash", "tool_input": {"command": command},
        } | more  # fmt: skip
        return await self.say({"event": event, "payload": payload})

    async def say(self, told: dict[str, object]) -> int:
        number, self._asked = self._asked, self._asked + 1
        await self.client.call(m.Input(session=self.session, data=json.dumps(told).encode() + b"\n"))
        return number

    async def answer(self, number: int, seconds: float = 20.0) -> tuple[int, dict[str, object]]:
        """Wait for what the CLI got: the hook's exit status and its JSON, empty for nothing."""
        found: list[tuple[int, dict[str, object]]] = []

        async def there() -> bool:
            shown = re.sub(r"\n(?!#|ready)", "", await text(self.client, self.session))
            match = re.search(rf"^#{number} (\d+)\b ?(.*?)$", shown, re.MULTILINE)
            if match is not None:
                found.append((int(match[1]), json.loads(match[2]) if match[2].strip() else {}))
            return match is not None

        await until(there, seconds)
        return found[-1]

    async def waiting(self, count: int = 1) -> list[a.Approval]:
        """Wait until so many calls wait, and return them."""
        found: list[a.Approval] = []

        async def there() -> bool:
            found[:] = (await self.client.ask(a.ListApprovals(), a.Approvals)).approvals
            return len(found) == count

        await until(there)
        return found

    async def decide(self, approval: str, verb: str, reason: str = "") -> m.Done:
        return await self.client.ask(a.Decide(approval=approval, verb=verb, reason=reason, who="test"), m.Done)

    def log(self) -> list[tuple[object, object]]:
        return [(entry["decision"], entry["who"]) for entry in AuditLog(log_path(self.paths)).read()]


def decision(answer: dict[str, object]) -> str:
    """What a hook's JSON says: allow, deny, ask, or nothing."""
    said = answer.get("hookSpecificOutput", {})
    assert isinstance(said, dict)
    inner = said.get("decision")
    return str(inner["behavior"]) if isinstance(inner, dict) else str(said.get("permissionDecision", "nothing"))


def reason(answer: dict[str, object]) -> str:
    said = answer["hookSpecificOutput"]
    assert isinstance(said, dict)
    inner = said.get("decision")
    return str(inner["message"] if isinstance(inner, dict) else said["permissionDecisionReason"])


Begin = Callable[..., Awaitable[Cli]]


@pytest.fixture
def begin(hub: Hub, client: HubClient, paths: Paths) -> Begin:
    async def one(provider: str = "claude", name: str = "") -> Cli:
        words = (sys.executable, str(ASKING), provider)
        places = (paths.run / NAME, rules_path(paths), log_path(paths))
        request = m.Spawn(
            provider=provider,
            cwd="/",
            env=environment(paths) | {"PYTHONPATH": str(REPO)},
            argv=(*words, *(str(place) for place in places)),
            cols=400,
            rows=40,
            name=name,
        )
        cli = Cli(client, paths, (await client.ask(request, m.Done)).session)

        async def ready() -> bool:
            return "ready" in await text(client, cli.session)

        await until(ready)
        return cli

    return one


@pytest.fixture
async def cli(begin: Begin) -> Cli:
    return await begin()
