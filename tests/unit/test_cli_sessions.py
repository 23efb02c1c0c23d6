"""`agentdeck sessions`: everything this machine knows of, by project."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentdeck.cli.commands.sessions import listing
from agentdeck.cli.known import Known
from agentdeck.processes.resume import start_ticks
from agentdeck.transcripts.roots import Root, everywhere, roots
from tests.search.talk import OTHER, SESSION, Talk
from tests.unit.cli_home import CliHome, a_home
from tests.usage.history import meta, rollout

HOUR = 3600


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CliHome:
    talk = Talk(tmp_path, cwd=str(tmp_path / "shop")).prompt("fix the test").answer("done")
    talk.record({"type": "ai-title", "aiTitle": "The test", "sessionId": SESSION})
    talk.subagent("abc").prompt("explore")
    other = Talk(tmp_path, OTHER, cwd="/w/garden").prompt("plant a pear")
    old = time.time() - 2 * HOUR
    os.utime(other.path, (old, old))
    return a_home(tmp_path, monkeypatch, capsys)


def test_people_see_sessions_under_their_projects(home: CliHome) -> None:
    assert home.ok("sessions").splitlines() == [
        "~/shop (1)",
        "  live   claude  aaaaaaaa  0s  The test",
        "/w/garden (1)",
        "  ended  claude  bbbbbbbb  2h  plant a pear",
    ]


def test_programs_get_a_list_of_objects(home: CliHome) -> None:
    first, second = home.json("sessions")
    assert set(first) == {
        "provider", "session", "id", "name", "state", "why", "confidence", "pid", "project", "title", "prompt",
        "parent", "started", "last_at", "paths",
    }  # fmt: skip
    assert (first["session"], first["state"], first["confidence"]) == (SESSION, "live", None)
    assert (second["session"], second["state"], second["why"], second["confidence"]) == (OTHER, "ended", "idle", 0.5)
    assert (second["started"], second["prompt"]) == (1795168801.0, "plant a pear")


@pytest.mark.parametrize(
    ("words", "sessions"),
    [
        (("--provider", "claude"), [SESSION, OTHER]),
        (("--provider", "codex"), []),
        (("--project", "garden"), [OTHER]),
        (("--project", "/w"), [OTHER]),
        (("--state", "ended"), [OTHER]),
        (("--state", "ended", "--state", "live"), [SESSION, OTHER]),
        (("--since", "3650d"), [SESSION, OTHER]),
    ],
)
def test_the_list_can_be_narrowed_down(home: CliHome, words: tuple[str, ...], sessions: list[str]) -> None:
    assert [session["session"] for session in home.json("sessions", *words)] == sessions


def test_a_session_whose_process_lives_is_not_over_however_long_it_rests(home: CliHome) -> None:
    place = home.path / ".claude" / "sessions"
    place.mkdir()
    own = os.getpid()
    record = {"pid": own, "sessionId": OTHER, "procStart": start_ticks(own), "status": "idle"}
    (place / f"{own}.json").write_text(json.dumps(record))
    (found,) = (session for session in home.json("sessions") if session["session"] == OTHER)
    assert (found["state"], found["pid"]) == ("idle", own)
    (place / f"{own}.json").write_text(json.dumps(record | {"procStart": "1"}))
    (found,) = (session for session in home.json("sessions") if session["session"] == OTHER)
    assert (found["state"], found["pid"]) == ("ended", None)


@pytest.mark.skipif(sys.platform != "linux", reason="who has a file open is only known on Linux")
def test_a_rollout_that_a_process_has_open_is_live_and_one_that_nobody_has_is_closed(home: CliHome) -> None:
    path = home.path / rollout()
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(meta()) + "\n")

    def found() -> tuple[str, str]:
        (session,) = home.json("sessions", "--provider", "codex")
        return session["state"], session["why"]

    assert found() == ("ended", "closed")
    script = f"import sys; f = open({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert found() == ("live", "its process lives")
        assert holder.stdin is not None
        holder.stdin.close()
    assert found() == ("ended", "closed")


def test_without_any_session_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, monkeypatch, capsys)
    assert home.ok("sessions") == "no sessions\n"
    assert home.json("sessions") == []


def test_an_unknown_provider_is_one_sentence_and_a_hint(home: CliHome) -> None:
    assert home.refused("sessions", "--provider", "x")[0] == "agentdeck: no transcripts are known of 'x'"


def test_lines_are_cut_to_the_terminal_and_cannot_steer_it() -> None:
    known = Known(
        provider="claude", session=SESSION, state="live", why="", project="/w/\x1b[2J", title="wide 日本語 " * 20
    )
    heading, line = listing([known], 0.0, columns=40).split("\n")
    assert heading == "/w/·[2J (1)"
    assert line.endswith("…")
    assert len(line) <= 40


def test_directories_that_the_configuration_names_are_read_too(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    config = tmp_path / "config.toml"
    assert everywhere(config, env) == roots(env)
    config.write_text('[transcripts]\nroots = { claude = ["~/old/projects"], nobody = ["/x"] }\n')
    assert everywhere(config, env) == [*roots(env), Root("claude", tmp_path / "old/projects")]
    config.write_text("[transcripts")
    assert everywhere(config, env) == roots(env)
