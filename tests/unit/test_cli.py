"""The command line itself: what it says, what it loads, how it prints."""

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.cli import main as command_line
from agentdeck.cli.commands import COMMANDS
from agentdeck.cli.commands.ls import listing, state_words
from agentdeck.cli.output import ago, paint, table, width
from agentdeck.protocol.messages import Session


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = command_line.main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_mistyped_command_gets_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "sendd", "x") == (
        2,
        "",
        "agentdeck: there is no command called 'sendd'\n  did you mean agentdeck send? agentdeck --help lists them\n",
    )


def test_a_command_like_no_other_gets_the_way_to_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = run(capsys, "xyzzy")
    assert (code, said.splitlines()[1]) == (2, "  agentdeck --help lists them")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ls", "--jsn"), "unrecognized arguments: --jsn"),
        (("send", "a"), "the following arguments are required: TEXT"),
        (("send", "a", ""), "there is no text to send"),
        (("stop", "a", "--grace", "soon"), "--grace: invalid float value: 'soon'"),
        (("stop", "a", "--grace", "nan"), "--grace must be between 0 and 3600 seconds"),
        (("hub",), "the following arguments are required: VERB"),
        (("config", "shw"), "VERB: invalid choice: 'shw'"),
        (("run",), "the following arguments are required: PROVIDER"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_a_hint(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    code, out, complaint = run(capsys, *words)
    assert (code, out) == (2, "")
    assert complaint.startswith(f"agentdeck: {said}")
    assert len(complaint.splitlines()) == 2
    assert "agentdeck" in complaint.splitlines()[1]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command_line.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"    {name} " in said for name in COMMANDS)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command_line.main(["--version"])
    assert capsys.readouterr().out.startswith("agentdeck 0.")


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> list[Session]:
        raise KeyboardInterrupt

    monkeypatch.setattr("agentdeck.cli.talk.find", interrupted)
    assert run(capsys, "ls") == (130, "", "")


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement."""
    code = f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["ls", "--help"], ["doctor", "--help"], ["demo", "--help"]])
def test_no_command_loads_textual_or_the_terminal_core_before_it_needs_them(words: list[str]) -> None:
    loaded = loaded_by(f"from agentdeck.cli.main import main; main({words!r})")
    assert "agentdeck.cli.main" in loaded
    assert not {"textual", "rich", "psutil", "cffi", "asyncio", "agentdeck.terminal", "agentdeck.ui"} & loaded


def test_a_command_that_talks_to_the_hub_loads_its_client_and_not_the_hub() -> None:
    loaded = loaded_by("import agentdeck.cli.talk")
    assert "agentdeck.hub.client" in loaded
    assert not {"textual", "rich", "psutil", "cffi", "agentdeck.hub.hub", "agentdeck.terminal.emulator"} & loaded


# ── printing ───────────────────────────────────────────────────────────────────────────────────


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=5))
def test_columns_begin_at_the_same_cell_in_every_row(rows: list[tuple[str, str, str]]) -> None:
    lines = table([(f"|{a}", f"|{b}", f"|{c}") for a, b, c in rows]).split("\n")
    assert len(lines) == len(rows)
    widest = max(width(line.split("  |")[0]) for line in lines)
    assert all("\x1b" not in line and width(line) >= 1 for line in lines)
    assert widest <= max(width(line) for line in lines)


def test_wide_and_combining_characters_do_not_push_columns_aside() -> None:
    assert table([("日本", "x"), ("e\u0301", "y"), ("abcd", "z")]).split("\n") == [
        "日本  x",
        "e\u0301     y",
        "abcd  z",
    ]


def test_numbers_stand_at_the_right() -> None:
    assert table([("1", "a"), ("100", "b")], right=frozenset({0})).split("\n") == ["  1  a", "100  b"]


def test_a_session_name_cannot_steer_the_terminal() -> None:
    assert table([("a\x1b[2Jb\nc", "x")]) == "a·[2Jb·c  x"


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paint("idle", "working") == "idle"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert paint("busy", "working") == "\x1b[32mbusy\x1b[m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("busy", "working") == "busy"


@pytest.mark.parametrize(
    ("seconds", "words"), [(-3, "0s"), (59.9, "59s"), (60, "1m"), (7200, "2h"), (86400 * 3.5, "3d")]
)
def test_times_are_told_in_the_largest_unit(seconds: float, words: str) -> None:
    assert ago(seconds) == words


def test_the_list_shows_state_age_and_mark() -> None:
    session = Session(
        id="0a1b2c3d", name="api", provider="claude", cwd="/home/x", argv=("claude",), pid=77, state="needs_you",
        since=100.0, started=90.0, marked=True,
    )  # fmt: skip
    head, line = listing([session], now=190.0).split("\n")
    assert head.split() == ["id", "name", "provider", "state", "for", "pid", "directory"]
    assert re.split(" {2,}", line) == ["0a1b2c3d", "* api", "claude", "needs you", "1m", "77", "/home/x"]


def test_an_ended_session_shows_its_status_and_no_pid() -> None:
    session = Session(
        id="0a1b2c3d", name="api", provider="claude", cwd="/", argv=(), pid=77, state="exited", ended=1.0, exit_status=9
    )
    assert state_words(session) == "exited 9"
    assert "77" not in listing([session], now=2.0).split("\n")[1]
