"""The index over all conversations, and hits in it: python -m tests.bench.bench_search HOME [words…].

HOME is a home directory with transcripts; nothing is written there. The first hits are those of a whole process as a
person calls it, and of a question alone.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agentdeck.search.ask import ask, question
from agentdeck.search.gather import update
from agentdeck.search.index import Index
from agentdeck.transcripts.roots import roots, transcripts
from tests.bench.measure import percentile, table

WORDS = ("timeout", "token buffer", '"cache usage"', "résumé", "tok* graph", "session -error", "nowhere-to-be-found")
TIMES = 20
FIRST = 10
"""Hits that a screen shows."""


def main(home: str, *words: str) -> None:
    places = roots({"HOME": str(Path(home).absolute())})
    size = sum(found.size for root in places for found in transcripts(root))
    with tempfile.TemporaryDirectory(prefix="ad-bench-") as state:
        path = Path(state, "agentdeck", "search.db")
        began, cpu, first = time.monotonic(), time.process_time(), 0.0
        with Index(path) as index:
            for step in update(index, places):
                first = first or (time.monotonic() - began if step.done else 0.0)
            built, used = time.monotonic() - began, time.process_time() - cpu
            again = time.monotonic()
            for _ in update(index, places):
                pass
            again = time.monotonic() - again
            rows = [(text, *_asked(index, text)) for text in words or WORDS]
        megabytes = path.stat().st_size / 1e6
        table(
            f"the index over {size / 1e6:.0f} MB",
            ("", "seconds"),
            [("first step is to be searched", first), ("built", built), ("CPU", used), ("nothing new", again)],
        )
        print(
            f"  {megabytes:.0f} MB on disk, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB resident"
        )
        table(f"first {FIRST} hits, ms, {TIMES} times", ("words", "hits", "p50", "p99"), rows)
        env = {"HOME": str(Path(home).absolute()), "XDG_STATE_HOME": state, "PATH": os.environ["PATH"]}
        times = [_called(env, WORDS[0]) for _ in range(5)]
        print(f"\nagentdeck search {WORDS[0]}, the whole process: {1000 * min(times):.0f} ms")


def _asked(index: Index, text: str) -> tuple[int, float, float]:
    times, hits = [], 0
    for _ in range(TIMES):
        begin = time.perf_counter()
        hits = len(list(ask(index, question(text), count=FIRST)))
        times.append(1000 * (time.perf_counter() - begin))
    return hits, percentile(times, 50), percentile(times, 99)


def _called(env: dict[str, str], text: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "agentdeck", "search", text], env=env, capture_output=True, check=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(*sys.argv[1:])
