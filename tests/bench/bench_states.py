"""How right, how soon and how dear the states are: python -m tests.bench.bench_states [seconds].

First every recording is played and scored. Then some are played through a real hub, with a program in place of the CLI
that draws what was recorded and keeps the session file, and the hub's CPU is measured meanwhile.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from agentdeck.config import Config
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from tests.bench.measure import table
from tests.hub.conftest import until
from tests.status.recording import DATA, kept, names
from tests.status.replay import EVERY, Label, Score, label_file, labels, score, true_at

LIVE = (
    "claude-2.1.197-permission-request-session",
    "claude-2.1.329-permission-request-session",
    "codex-basic-session",
    "gemini-basic-session",
)
PLAYER = Path(__file__).parent.parent / "fakes" / "played_claude.py"
SLACK = 0.3


def main(seconds: int = 25) -> None:
    before = time.process_time()
    scores = [score(kept(name), labels(label_file(name))) for name in names()]
    spent = time.process_time() - before
    length = sum(kept(name).length for name in names())
    table("recordings", ("", "samples", "right %", "strictly %", "flickers", "latest s"), [*_rows(scores)])
    print(f"  {spent:.1f} s of CPU for {length:.0f} s of terminals, emulator included")
    asyncio.run(live(float(seconds)))


def _rows(scores: list[Score]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for cli in ("claude-2.1.197", "claude-2.1.329", "codex", "gemini", ""):
        chosen = [each for each in scores if each.name.startswith(cli)]
        samples = sum(each.samples for each in chosen)
        right = 100 * (1 - sum(len(each.wrong) for each in chosen) / samples)
        strictly = 100 * (1 - sum(each.strictly_wrong for each in chosen) / samples)
        late = max((late for each in chosen for _, late in each.late), default=0.0)
        rows.append((cli or "all", samples, right, strictly, sum(len(each.flickers) for each in chosen), late))
    return rows


async def live(seconds: float) -> None:
    with TemporaryDirectory(prefix="ad-") as root:
        base = Path(root)
        paths = Paths(state=base / "s", run=base / "s" / "run", config=base / "c", cache=base / "k")
        async with Hub(paths, Config()) as hub, await HubClient.over(await hub.connect(), kind="bench") as client:
            make(base / name for name in LIVE)
            cpu = time.process_time()
            rows = await asyncio.gather(*(watch(hub, client, base / name, name, seconds) for name in LIVE))
            used = 100 * (time.process_time() - cpu) / seconds
            table("through a hub", ("", "samples", "wrong", "strictly"), rows)
            print(f"  {used:.2f} % of a core for {len(LIVE)} sessions, holders not counted")
            for session in tuple(hub.roster.running):
                await hub.roster.stop(session, 0.2)


def make(homes: Iterable[Path]) -> None:
    for home in homes:
        home.mkdir()


async def watch(hub: Hub, client: HubClient, home: Path, name: str, seconds: float) -> tuple[str, int, int, int]:
    """Play one recording in a session and compare what the hub says of it with the truth, every half second."""
    recording, truth = kept(name), labels(label_file(name))
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm"}
    argv = (
        sys.executable,
        str(PLAYER),
        str(DATA / "recordings" / f"{name}.cast.gz"),
        str(DATA / "states" / f"{name}.json.gz"),
    )
    spawn = m.Spawn(provider=recording.provider, cwd=str(home), env=env, argv=argv, cols=120, rows=40)
    session = hub.roster.sessions[(await client.ask(spawn, m.Done)).session]
    started = home / ".claude" / "started"
    await until(started.exists)
    zero = float(started.read_text())
    wrong = strictly = samples = 0
    while (now := time.time() - zero) < min(seconds, recording.length) - EVERY:
        due = (int(now / EVERY) + 1) * EVERY
        await asyncio.sleep(due - now)
        samples += 1
        state = session.info.state
        strictly += state not in _true(truth, due, 0.0)
        if state not in _true(truth, due, SLACK):
            wrong += 1
            print(f"  {name} {due:5.1f} s: {state} for {'|'.join(true_at(truth, due))}: {session.info.why}")
    return name, samples, wrong, strictly


def _true(truth: list[Label], at: float, slack: float) -> set[str]:
    near = [true_at(truth, at - slack), *(label.states for label in truth if abs(label.at - at) <= slack)]
    wanted = {state for states in near for state in states}
    return wanted | ({"done"} if "idle" in wanted else set())  # nobody types here, so nobody has seen the end


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
