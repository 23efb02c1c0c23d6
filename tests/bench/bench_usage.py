"""The first scan of a history, beside ccusage: python -m tests.bench.bench_usage HOME [CCUSAGE [rounds]].

HOME is a home directory with transcripts, generated or one's own; nothing is written there. CCUSAGE is the native
program of ccusage 20; both answer how many tokens each day took, and run in turns. CPU is that of the whole process,
its start included; memory is the most that was resident.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import table

CHILD = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stderr.write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
sys.stdout.buffer.write(done.stdout)
sys.exit(done.returncode)
"""


class Run(NamedTuple):
    cpu: float
    wall: float
    megabytes: float
    output: bytes


def run(words: Sequence[str], env: Mapping[str, str]) -> Run:
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", CHILD, *words], env=env, capture_output=True, check=True)
    wall = time.monotonic() - begin
    cpu, kilobytes = done.stderr.split()[-2:]
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    return Run(float(cpu), wall, int(kilobytes) / unit, done.stdout)


def ours(home: Path, state: Path) -> Run:
    env = {"HOME": str(home), "XDG_STATE_HOME": str(state), "PATH": os.environ["PATH"], "TZ": "UTC"}
    return run([sys.executable, "-m", "agentdeck", "usage", "--json"], env)


def theirs(home: Path, program: str) -> Run:
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "TZ": "UTC"}
    return run([program, "daily", "--offline", "--json"], env)


def main(home: str, ccusage: str = "", rounds: int = 3) -> None:
    place = Path(home).absolute()
    runs: dict[str, list[Run]] = {"agentdeck, first scan": [], "agentdeck, warm": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="ad-bench-") as state:
            runs["agentdeck, first scan"].append(ours(place, Path(state)))
            runs["agentdeck, warm"].append(ours(place, Path(state)))
        if ccusage:
            runs.setdefault("ccusage", []).append(theirs(place, ccusage))
    best = {name: min(found, key=lambda each: each.cpu) for name, found in runs.items()}
    rows = [(name, each.cpu, min(r.wall for r in runs[name]), each.megabytes) for name, each in best.items()]
    table(f"{place}, best of {rounds}", ("program", "CPU s", "wall s", "MB"), rows)
    first = best["agentdeck, first scan"]
    sessions = json.loads(first.output)["sessions"]
    print(f"tokens: {sum(session['tokens'] for session in sessions.values()):,}")
    counted = place.with_name("expected.json")
    if counted.exists():  # beside a generated home: what its generator counted
        wanted = json.loads(counted.read_bytes())["sessions"]
        wrong = [name for name in wanted.keys() | sessions if wanted.get(name) != sessions.get(name, {}).get("tokens")]
        print(f"sessions: {len(sessions):,}, of which {len(wrong)} differ from what was generated")
    if ccusage:
        print(f"ccusage: {json.loads(best['ccusage'].output)['totals']['totalTokens']:,}")
        print(f"CPU, as a share of ccusage's: {first.cpu / best['ccusage'].cpu:.2f}")


if __name__ == "__main__":
    main(sys.argv[1], "".join(sys.argv[2:3]), int("".join(sys.argv[3:4]) or 3))
