"""A world in which a session asks about tool calls through the real hook, as an agent CLI would."""

import json
import sys

import psutil

from agentdeck.hub.approvals import log_path, rules_path
from agentdeck.hub.hook_door import NAME
from tests.approvals.conftest import ASKING, REPO
from tests.e2e.patience import until
from tests.e2e.world import World


class Asking:
    """A session whose program asks through the real hook. `provider` is what it says that it is."""

    def __init__(self, world: World, provider: str = "claude") -> None:
        world.env["PYTHONPATH"] = str(REPO)
        places = (world.paths.run / NAME, rules_path(world.paths), log_path(world.paths))
        words = (sys.executable, str(ASKING), provider, *(str(place) for place in places))
        self.session = world.shell("asks", *words)
        self.world = world
        world.wait_for_screen(self.session, "ready")

    def ask(self, command: str, event: str = "PreToolUse") -> None:
        payload = {"hook_event_name": event, "tool_name": "Bash", "tool_input": {"command": command}, "cwd": "/"}
        self.world.agentdeck("send", self.session, json.dumps({"event": event, "payload": payload}), "--no-enter")
        self.world.agentdeck("key", self.session, "ctrl+j")

    def hooks(self) -> list[int]:
        """Our hook programs that run in this world."""
        socket = str(self.world.paths.run / NAME)
        return [each.pid for each in psutil.process_iter(["cmdline"]) if socket in (each.info["cmdline"] or [])[3:]
                and "-S" in each.info["cmdline"]]  # fmt: skip

    def waiting(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.world.agentdeck("approvals", "--json"))
        return found

    def answer(self, number: int = 0, seconds: float = 30.0) -> dict[str, object]:
        last = ""

        def there() -> bool:
            nonlocal last
            last = self.world.screen(self.session)
            return f"#{number} 0" in last

        until(there, seconds, what=f"answer {number}")
        told = "".join(last.partition(f"#{number} 0")[2].partition("\n#")[0].split("\n")).strip()
        found: dict[str, object] = json.loads(told) if told else {}
        return found
