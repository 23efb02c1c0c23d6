"""Twenty real sessions of three CLIs at once, several in one directory: whose is which conversation, or a doubt."""

import json
from functools import partial
from pathlib import Path

import pytest

from agentdeck.processes.look import UNDER
from tests.e2e.clis import CLAUDE, CLAUDE_NEXT, CODEX, GEMINI, RealCli, make_project
from tests.e2e.conversation import rules
from tests.e2e.patience import until
from tests.e2e.strangers import ask, chosen_id, end, prepare, stranger
from tests.e2e.tmux import Tmux
from tests.e2e.world import Json, World
from tests.fakes.mock_api import MockApi

pytestmark = [pytest.mark.tmux, pytest.mark.real_cli, pytest.mark.timeout(600)]

TRANSCRIPTS = (".claude/projects/*/*.jsonl", ".codex/sessions/*/*/*/rollout-*.jsonl", ".gemini/tmp/*/chats/session-*")


def ps(world: World, seats: list[Tmux]) -> dict[int, Json]:
    """What `agentdeck ps` says of the programs in these terminals, by pid."""
    world.env[UNDER] = ",".join(str(seat.pid) for seat in seats)
    return {agent["pid"]: agent for agent in json.loads(world.agentdeck("ps", "--json"))}


def transcript_with(world: World, text: str) -> str:
    """The one transcript in which a prompt stands."""
    paths = [path for pattern in TRANSCRIPTS for path in world.home.glob(pattern)]
    found = [str(path) for path in paths if text in path.read_text(errors="replace")]
    return found[0] if len(found) == 1 else ""


def test_twenty_sessions_each_have_their_own_conversation_or_are_asked_about(world: World) -> None:
    for cli in (CLAUDE, CLAUDE_NEXT, CODEX, GEMINI):
        if cli.path is None:
            pytest.skip(f"{cli.key} is not in AGENTDECK_TEST_CLIS")
    shared = make_project(world.root / "shared")
    apart = [make_project(world.root / f"apart{n}") for n in range(3)]
    plan: list[tuple[RealCli, Path, list[str]]] = [
        *((CLAUDE, shared, []) for _ in range(3)),
        *((CLAUDE_NEXT, shared, []) for _ in range(2)),
        (CLAUDE, apart[0], ["--session-id", chosen_id()]),
        (CLAUDE_NEXT, apart[1], []),
        *((CODEX, shared, ["--no-daemon"]) for _ in range(3)),
        *((CODEX, shared, []) for _ in range(2)),
        (CODEX, apart[0], ["--no-daemon"]),
        (CODEX, apart[1], []),
        *((GEMINI, shared, ["--session-id", chosen_id()]) for _ in range(2)),
        *((GEMINI, shared, []) for _ in range(2)),
        *((GEMINI, each, []) for each in apart[:2]),
    ]
    assert len(plan) == 20
    with MockApi(rules(CLAUDE)) as api:
        for cli in (CLAUDE, CODEX, GEMINI):
            prepare(world, cli, api.url, shared, *apart)
        seats = [stranger(world, cli, directory, words) for cli, directory, words in plan]
        for (cli, _, _), seat in zip(plan, seats, strict=True):
            seat.wait_for(cli.ready, 120)
        before = ps(world, seats)
        assert len(before) == 20
        tags = [f"how many trees stand in row {n:02d} of the orchard" for n in range(20)]
        truth: dict[int, str] = {}
        for seat, tag in zip(seats, tags, strict=True):
            ask(seat, tag)
        for seat, tag in zip(seats, tags, strict=True):
            truth[seat.pid] = until(partial(transcript_with, world, tag), 60, what=f"a transcript of {tag!r}")
        after = ps(world, seats)
        pids = [seat.pid for seat in seats]
        end(world, *seats)
    wrong, asked = [], 0
    for (cli, directory, words), pid in zip(plan, pids, strict=True):
        agent = after[pid]
        assert (agent["provider"], agent["cwd"], agent["screen"]) == (cli.provider, str(directory), "tmux")
        if agent["how"] in ("certain", "probable"):
            wrong += [agent] if agent["transcript"] != truth[pid] else []
        else:
            asked += 1
            assert agent["how"] == "ambiguous", agent
            assert cli is GEMINI or (cli is CODEX and not words), "these leave nothing on disk that names them"
            assert truth[pid] in [each["transcript"] for each in agent["candidates"]], agent
        told = before[pid]  # without a prompt; a file has at least the start of its id in its name
        assert told["session"][:8] in Path(truth[pid]).name, (told, agent)
    assert not wrong
    print(f"{20 - asked} told, {asked} asked about")
