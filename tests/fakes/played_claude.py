"""A program that draws what a Claude Code drew, and keeps the session file that it kept, at the same times.

    played_claude.py CAST.gz BESIDE.json.gz

It writes when it began into `~/.claude/started`. Standard library only, because it runs in a session.
"""

import gzip
import json
import os
import sys
import time
from pathlib import Path


def start_ticks() -> str:
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    return fields[19].decode()


def main(cast: str, beside: str) -> None:
    rows = [json.loads(line) for line in gzip.decompress(Path(cast).read_bytes()).decode().split("\n")[1:] if line]
    told = json.loads(gzip.decompress(Path(beside).read_bytes()))
    moments = [(t, "o", data) for t, kind, data in rows if kind == "o"]
    moments += [(t, "file", value) for t, kind, value in told["moments"] if kind == "file"]
    moments.sort(key=lambda moment: moment[0])
    home = Path.home() / ".claude"
    file = home / "sessions" / f"{os.getpid()}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    began = time.time()
    (home / "started.new").write_text(str(began))
    (home / "started.new").rename(home / "started")
    for t, kind, value in moments:
        time.sleep(max(0.0, began + t - time.time()))
        if kind == "o":
            os.write(1, value.encode())
        elif value is None:
            file.unlink(missing_ok=True)
        else:
            status, waiting_for, at = value
            record = {"sessionId": "", "procStart": start_ticks(), "status": status, "waitingFor": waiting_for}
            record["statusUpdatedAt"] = int(1000 * (at - told["started"] + began))
            file.write_text(json.dumps(record))
    time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
