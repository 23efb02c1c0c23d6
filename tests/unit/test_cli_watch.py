"""`agentdeck watch`: a real process that looks on, for people and for programs."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agentdeck import events as e
from agentdeck.cli.commands.watch import moment
from agentdeck.cli.telling import Teller, worded
from agentdeck.errors import UsageError
from tests.search.talk import OTHER, SESSION, Talk
from tests.unit.cli_home import CliHome, a_home


@contextmanager
def watching(home: Path, *words: str, **env: str) -> Iterator["subprocess.Popen[str]"]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "CLAUDE_", "CODEX_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "agentdeck", "watch", *words],
        env=clean | {"HOME": str(home), "TZ": "UTC"} | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().rstrip("\n") for _ in range(count)]


def test_programs_get_a_line_of_json_for_each_event_past_and_new(tmp_path: Path) -> None:
    talk = Talk(tmp_path).prompt("fix the test").answer("done")
    with watching(tmp_path, "--since", "2026-11-01", "--json", "--events", "message") as process:
        past = [json.loads(line) for line in lines(process, 2)]
        assert [(event["kind"], event["role"], event["text"]) for event in past] == [
            ("message", "user", "fix the test"),
            ("message", "assistant", "done"),
        ]
        assert past[0]["at"] == "2026-11-20T10:00:01Z"
        assert (past[0]["provider"], past[0]["session"]) == ("claude", SESSION)
        talk.prompt("and now?")
        (new,) = map(json.loads, lines(process, 1))
        assert new["text"] == "and now?"
        assert talk.path.read_bytes()[new["source"]["offset"] :].startswith(b'{"type": "user"')
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_people_see_who_does_what_without_colours_in_a_pipe(tmp_path: Path) -> None:
    Talk(tmp_path).prompt("fix it").call("Bash", "no such file", failed=True, command="cat x").answer("Hm.")
    with watching(tmp_path, "--since", "2026-11-01") as process:
        assert lines(process, 6) == [
            "— 2026-11-20 —",
            "10:00:01  claude:aaaaaaaa shop  started in /w/shop",
            "10:00:01  claude:aaaaaaaa shop  > fix it",
            "10:00:02  claude:aaaaaaaa shop  * Bash cat x",
            "10:00:03  claude:aaaaaaaa shop  ✗ Bash 1.0s  no such file",
            "10:00:04  claude:aaaaaaaa shop  Hm.",
        ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--session", SESSION[:8]), "one"),
        (("--session", f"claude:{OTHER}"), "two"),
        (("--project", "garden"), "two"),
        (("--project", "/w/shop"), "one"),
    ],
)
def test_only_what_was_asked_for_is_told(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    Talk(tmp_path).prompt("one")
    Talk(tmp_path, OTHER, cwd="/w/garden").prompt("two")
    with watching(tmp_path, "--since", "2026-11-01", "--json", "--events", "message", *words) as process:
        (event,) = map(json.loads, lines(process, 1))
        assert event["text"] == told


def test_it_ends_when_nobody_reads_any_more(tmp_path: Path) -> None:
    talk = Talk(tmp_path).prompt("one")
    with watching(tmp_path, "--since", "2026-11-01") as process:
        lines(process, 2)
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        talk.prompt("two").prompt("three")
        assert process.wait(timeout=20) == 0


def test_ctrl_c_is_the_usual_way_out(tmp_path: Path) -> None:
    Talk(tmp_path).prompt("one")
    with watching(tmp_path, "--since", "2026-11-01") as process:
        lines(process, 2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert (process.returncode, said) == (130, "")


def test_metrics_are_served_beside_it(tmp_path: Path) -> None:
    Talk(tmp_path).prompt("one").call("Bash", "ok", command="ls")
    with watching(tmp_path, "--since", "2026-11-01", "--events", "tool_result", "--prometheus", ":0") as process:
        assert process.stderr is not None
        found = re.fullmatch(
            r"agentdeck: metrics are at (http://127\.0\.0\.1:\d+/metrics)\n", process.stderr.readline()
        )
        assert found is not None
        lines(process, 2)
        with urllib.request.urlopen(found[1], timeout=10) as answer:
            assert 'agentdeck_tool_calls_total{tool="Bash"} 1' in answer.read().decode()


# ── questions ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CliHome:
    return a_home(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--provider", "shell"), "no transcripts are known of 'shell'"),
        (("--events", "mesage"), "there is no event called 'mesage'"),
        (("--events", ""), "there is no event called ''"),
        (("--since", "soon"), "'soon' is no time"),
        (("--prometheus", "x"), "'x' is no address to listen on"),
    ],
)
def test_a_wrong_question_is_one_sentence_and_a_hint(home: CliHome, words: tuple[str, ...], sentence: str) -> None:
    assert home.refused("watch", *words)[0].startswith(f"agentdeck: {sentence}")


def test_times_are_read_as_people_write_them() -> None:
    assert moment("90s") == timedelta(seconds=90)
    assert moment("7d") == timedelta(days=7)
    assert moment("2026-11-20T09:30+00:00") == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    for text in ("", "d", "5", "-3m", "2026-11-20T99:00", "9" * 30 + "d"):
        with pytest.raises(UsageError):
            moment(text)


# ── lines ──────────────────────────────────────────────────────────────────────────────────────


def an_event(**more: object) -> dict[str, object]:
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    return {"provider": "claude", "session": SESSION, "at": at} | more


def test_colours_are_around_what_they_mean_and_nothing_in_an_event_can_steer_the_terminal() -> None:
    teller = Teller(coloured=True)
    failed = e.ErrorRaised(**an_event(text="bad \x1b[2J thing", agent="x\x1b]0;t"))  # type: ignore[arg-type]
    line = teller.line(failed, "/w/\x1b[31mshop")
    assert line.endswith("\x1b[31m! bad [2J thing\x1b[m")
    assert re.sub(r"\x1b\[[\d;]*m", "", line).count("\x1b") == 0
    assert "\x1b" not in Teller(coloured=False).line(failed)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (e.SessionEnded(**an_event(reason="process_gone", confidence=0.99)), "ended: process gone, 99% sure"),  # type: ignore[arg-type]
        (e.ContextGrew(**an_event(tokens=12345, cause="Read")), "context grew by 12,345 tokens, mostly Read"),  # type: ignore[arg-type]
        (e.Compacted(**an_event(before=160000, after=9000)), "compacted 160,000 → 9,000 tokens"),  # type: ignore[arg-type]
        (e.TurnEnded(**an_event(interrupted=True)), "interrupted"),  # type: ignore[arg-type]
        (e.MessageAdded(**an_event(role="thinking", text="")), ""),  # type: ignore[arg-type]
    ],
)
def test_events_are_told_in_a_few_words(event: e.AnyEvent, words: str) -> None:
    assert worded(event)[1] == words
