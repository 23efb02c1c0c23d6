"""A program that looks like Claude Code: its session file, a recorded transcript moved to now, a recorded screen."""

import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

source, watched = Path(sys.argv[1]), sys.argv[2]
home = Path(os.environ["HOME"])
data = source.read_text("utf-8")
session = next(found[1] for found in [re.search(r'"sessionId":\s*"([0-9a-f-]{36})"', data)] if found)
start = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]

moments = re.compile(r'"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z"')
newest = max(datetime.fromisoformat(found).replace(tzinfo=UTC) for found in moments.findall(data))
by = datetime.now(UTC) - newest


def moved(found: "re.Match[str]") -> str:
    then = datetime.fromisoformat(found[1]).replace(tzinfo=UTC) + by
    return f'"{then.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]}Z"'


for folder in ("sessions", "projects/-orchard"):
    (home / ".claude" / folder).mkdir(parents=True, exist_ok=True)
status = {"pid": os.getpid(), "sessionId": session, "procStart": start, "status": "busy"}
(home / ".claude" / "sessions" / f"{os.getpid()}.json").write_text(json.dumps(status))
(home / ".claude" / "projects" / "-orchard" / f"{session}.jsonl").write_text(moments.sub(moved, data))
os.execv(
    sys.executable, [sys.executable, "-m", "agentdeck.demo.play", "claude", "--while-pid", watched, "--skip", "60"]
)
