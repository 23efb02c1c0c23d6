"""What the hook adds to a tool call that needs no approval: python -m tests.bench.bench_hook [calls].

A session's own process starts the hook as the CLIs do, by a shell, once for each call, with a hub that judges. The
price is the time from starting it to its end; beside it stand an empty shell and the hook when there is no hub.
"""

import json
import sys
from pathlib import Path

from agentdeck.approvals.install import command
from agentdeck.hub.approvals import log_path, rules_path
from agentdeck.hub.hook_door import NAME
from tests.bench.measure import percentile, table
from tests.e2e.patience import until
from tests.e2e.world import World

CALLER = """\
import json, subprocess, sys, time
lines, payload, calls, out = json.loads(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3]), sys.argv[4]
times = {name: [] for name in lines}
for n in range(calls + 3):
    for name, line in lines.items():
        began = time.perf_counter()
        done = subprocess.run(["/bin/sh", "-c", line], input=payload, capture_output=True)
        if done.returncode or done.stdout:
            raise SystemExit(f"{name}: {done}")
        if n >= 3:
            times[name].append((time.perf_counter() - began) * 1000)
with open(out + ".part", "w") as file:
    json.dump(times, file)
import os
os.rename(out + ".part", out)
time.sleep(60)
"""

PAYLOAD = {
    "session_id": "5a5dbf0f-790d-4d50-bd15-8aec89817418",
    "cwd": "/home/dev/orchard",
    "permission_mode": "default",
    "hook_event_name": "PreToolUse",
    "tool_name": "Bash",
    "tool_input": {
        "command": "pytest -q tests/test_auth.py && git add -A && git commit -m 'fix'",
        "description": "Run",
    },
    "tool_use_id": "toolu_0123456789",
}


def main(calls: int = 60) -> None:
    with World() as world:
        places = {"rules": rules_path(world.paths), "log": log_path(world.paths)}
        lines = {
            "an empty shell": "exec true",
            "the hook": command("claude", "PreToolUse", socket=world.paths.run / NAME, **places),
            "the hook without a hub": command("claude", "PreToolUse", socket=Path("/nowhere.sock"), **places),
        }
        script, out = world.root / "caller.py", world.root / "times.json"
        script.write_text(CALLER)
        world.shell("caller", sys.executable, str(script), json.dumps(lines), json.dumps(PAYLOAD), str(calls), str(out))
        until(out.exists, 120, what="the calls")
        times: dict[str, list[float]] = json.loads(out.read_text())
    rows = [(name, *(percentile(each, p) for p in (50, 95, 100))) for name, each in times.items()]
    table(f"milliseconds for one tool call, {calls} calls", ("", "median", "95 %", "most"), rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
