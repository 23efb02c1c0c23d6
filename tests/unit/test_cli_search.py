"""`agentdeck search`: hits for people and for programs."""

from pathlib import Path

import pytest

from agentdeck.cli.commands import search
from agentdeck.search.ask import Hit
from tests.search.talk import OTHER, SESSION, Talk
from tests.unit.cli_home import CliHome, a_home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CliHome:
    Talk(tmp_path, cwd=str(tmp_path / "shop")).prompt("fix the flaky test").answer("the test is flaky no more")
    Talk(tmp_path, OTHER, cwd="/w/garden", minute=1).prompt("plant the flaky pear")
    return a_home(tmp_path, monkeypatch, capsys)


def test_people_see_when_where_and_the_words_around(home: CliHome) -> None:
    lines = home.ok("search", "flaky", "test").splitlines()
    assert lines == [
        f"2026-11-20 10:00  claude:{SESSION}:1  assistant  ~/shop",
        "    the test is flaky no more",
        f"2026-11-20 10:00  claude:{SESSION}:0  user  ~/shop",
        "    fix the flaky test",
    ]


def test_programs_get_everything_that_opens_a_hit(home: CliHome) -> None:
    first, *_ = home.json("search", "pear")
    assert first["session"] == OTHER
    assert first["turn"] == 0
    assert first["snippet"][slice(*first["marks"][0])] == "pear"
    assert first["at"] == 1795168861.0
    assert b"plant the flaky pear" in Path(first["path"]).read_bytes()[first["offset"] :]
    assert set(first) == {
        "provider", "session", "project", "at", "agent", "turn", "role", "snippet", "marks", "path", "offset",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sessions"),
    [
        (("--project", "garden"), {OTHER}),
        (("--project", "gar*"), {OTHER}),
        (("--project", "/w"), {OTHER}),
        (("--project", "~/shop"), {SESSION}),
        (("--role", "assistant"), {SESSION}),
        (("--provider", "claude"), {SESSION, OTHER}),
        (("--provider", "codex"), set()),
        (("--since", "2026-11-20"), {SESSION, OTHER}),
        (("--since", "2026-11-21"), set()),
        (("-n", "1"), {OTHER}),
    ],
)
def test_hits_can_be_narrowed_down(home: CliHome, words: tuple[str, ...], sessions: set[str]) -> None:
    assert {hit["session"] for hit in home.json("search", "flaky", *words)} == sessions


def test_nothing_found_is_said_and_is_no_failure(home: CliHome) -> None:
    assert home.run("search", "xyzzy") == (0, "", "nothing found\n")
    assert home.json("search", "xyzzy") == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--", "?!"), "there is nothing to look for"),
        (("x", "--provider", "shell"), "no transcripts are known of 'shell'"),
        (("x", "--since", "soon"), "'soon' is no day"),
        (("x", "--since", "99999999999d"), "'99999999999d' is no day"),
        (("x", "-n", "0"), "--count must be at least 1"),
        (("x", "--role", "cook"), "--role: invalid choice: 'cook'"),
    ],
)
def test_a_wrong_question_is_one_sentence_and_a_hint(home: CliHome, words: tuple[str, ...], sentence: str) -> None:
    assert home.refused("search", *words)[0].startswith(f"agentdeck: {sentence}")


def test_without_room_for_the_index_it_is_said(home: CliHome) -> None:
    home.state.parent.mkdir(parents=True)
    home.state.write_text("a file where the directory should be")
    sentence, hint = home.refused("search", "flaky")
    assert "the search index" in sentence
    assert "cannot be used" in sentence
    assert "made anew" in hint


def test_reading_can_be_cut_short_and_says_how_far_it_came(home: CliHome, monkeypatch: pytest.MonkeyPatch) -> None:
    from agentdeck.search import gather

    whole = gather.update

    def interrupted(*arguments: object, **more: object) -> object:
        yield next(iter(whole(*arguments, **more)))  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(gather, "update", interrupted)
    said = home.run("search", "flaky")
    assert said.err.endswith("agentdeck: 0 of 2 transcripts were read; the next search goes on\n")


def test_words_are_marked_where_colours_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "coloured", lambda: True)
    hit = Hit("claude", "s", "/w\x1b[31m", 0, "", 3, "user", "a flaky test", ((2, 7), (8, 12)), "/p", 0)
    head, text = search.shown(hit).split("\n")
    assert "\x1b[31m" not in head
    assert text == "    a \x1b[1;33mflaky\x1b[m \x1b[1;33mtest\x1b[m"
