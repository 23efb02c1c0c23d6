"""`agentdeck queue` and `agentdeck ps`: what the words mean, and what is printed."""

import argparse
import io

import pytest

from agentdeck.cli.commands import ps, queue
from agentdeck.cli.main import main, parser
from agentdeck.errors import UsageError
from agentdeck.protocol import queue as q
from agentdeck.protocol.outside import Agent, Candidate

Asked = q.Enqueue | q.EditQueued | q.SendQueued | q.MoveQueued | q.CancelQueued | q.PauseQueued


def request(*words: str) -> Asked | None:
    parsed: argparse.Namespace = parser(["queue"]).parse_args(["queue", "api", *words])
    asked = queue._requests(parsed, ("a1b2c3d4",))
    assert len(asked) < 2
    return asked[0] if asked else None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), None),
        (("--list",), None),
        (("do it",), q.Enqueue(sessions=("a1b2c3d4",), text="do it")),
        (("do it", "--now"), q.Enqueue(sessions=("a1b2c3d4",), text="do it", now=True)),
        (("--now", "do it"), q.Enqueue(sessions=("a1b2c3d4",), text="do it", now=True)),
        (("--edit", "3", "do that"), q.EditQueued(n=3, text="do that")),
        (("--first", "3"), q.MoveQueued(n=3, place=1)),
        (("--cancel", "3"), q.CancelQueued(n=3)),
        (("--send", "3"), q.SendQueued(n=3)),
        (("--pause",), q.PauseQueued(session="a1b2c3d4")),
        (("--resume",), q.PauseQueued(session="a1b2c3d4", on=False)),
    ],
)
def test_words_become_one_request(words: tuple[str, ...], expected: Asked | None) -> None:
    assert request(*words) == expected


@pytest.mark.parametrize(
    "words",
    [
        ("",),
        ("  ",),
        ("--now",),
        ("--edit", "3", ""),
        ("--edit", "x", "text"),
        ("a text", "--cancel", "3"),
        ("one", "--now", "two"),
        ("--cancel", "x"),
        ("--cancel", "3", "--send", "3"),
        ("--pause", "--resume"),
        ("a text", "--pause"),
    ],
)
def test_words_that_make_no_sense_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        request(*words)


def test_a_text_can_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("two\nlines\n"))
    assert request("-") == q.Enqueue(sessions=("a1b2c3d4",), text="two\nlines")


def test_the_list_says_what_each_prompt_waits_for() -> None:
    one = q.Queued(n=12, session="s", place=1, text="fix\n the docs", added=40.0, state="waiting", why="waits for x")
    text = queue.listing([one], {"s": "api"}, 100.0)
    for words in ("12", "api", "1m", "waits for x", "fix the docs"):
        assert words in text


def agent(**facts: object) -> Agent:
    plain: dict[str, object] = {"provider": "codex", "pid": 4711, "start": 1, "began": 40.0, "cwd": "/app"}
    return Agent(**{**plain, **facts})  # type: ignore[arg-type]


def test_agents_are_listed_with_what_is_known_and_how_surely() -> None:
    text = ps.listing(
        [
            agent(session="11111111-2222", how="certain", state="needs_you", screen="tmux"),
            agent(how="ambiguous", candidates=(Candidate("a", "/a"), Candidate("b", "/b")), terminal="pts/3"),
            agent(session="22222222-3333", how="probable", ours="0badcafe"),
        ],
        100.0,
    ).split("\n")
    for words in ("needs you", "tmux", "11111111"):
        assert words in text[1]
    for words in ("one of 2", "pts/3"):
        assert words in text[2]
    for words in ("probable", "0badcafe", "1m"):
        assert words in text[3]


def test_an_agent_as_json_has_everything_by_name() -> None:
    whole = ps.as_object(agent(candidates=(Candidate("a", "/a", 1.0),)))
    assert whole["candidates"] == [{"session": "a", "transcript": "/a", "changed": 1.0}]
    assert {"pid", "how", "why", "screen_why", "ours"} <= whole.keys()


@pytest.mark.parametrize("word", ["abc", "", "-1", "1.5", "٣"])
def test_what_is_no_process_id_is_refused_before_anything_starts(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--attach={word}"]) == 2
    assert "no process id" in capsys.readouterr().err
