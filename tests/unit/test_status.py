"""States from single signals and from several that fit or fight. Whole recordings: `tests/status`."""

import pytest

from agentdeck.config import CustomProvider
from agentdeck.protocol.messages import ProgramStatus, Progress
from agentdeck.providers import builtin
from agentdeck.providers.custom import from_config
from agentdeck.status.signals import Signals
from agentdeck.status.state import judge
from tests.unit.status_timeline import START, Timeline

CLAUDE, CODEX, GEMINI, SHELL = (builtin()[name] for name in ("claude", "codex", "gemini", "shell"))
TRUST = [" ❯ 1. Yes, I trust this folder", "   2. No, exit", "", " Enter to confirm · Esc to cancel"]
OTHER = from_config("other", CustomProvider(command=("some-agent",)), builtin())


def test_a_resting_title_of_claude_without_its_file_is_unknown_not_idle() -> None:
    signals = Signals(started=START, before="working", title="✳ Fix it", title_at=START + 20, last_output=START + 20)
    assert judge(signals, CLAUDE, START + 40).state == "unknown"


def test_a_long_silent_tool_stays_working() -> None:
    busy = Timeline(GEMINI)
    busy.hear(1, "title", "◇  Ready (app)")
    busy.hear(2, "title", "✦  Working… (app)")
    busy.until(START + 600)
    assert busy.judge(START + 600).state == "working"
    assert [state for _, state, _ in busy.states] == ["idle", "working"]


def test_prose_that_sounds_like_a_question_is_not_one() -> None:
    talk = Timeline(CLAUDE)
    talk.hear(1, "file", "idle", "", 1)
    talk.hear(2, "file", "busy", "", 2)
    talk.hear(2, "output")
    talk.hear(3, "screen", ["Would you like to continue? Yes, I trust this folder."])
    assert talk.judge(START + 4).state == "working"


def test_a_file_that_comes_later_than_the_title_is_waited_for() -> None:
    late = Timeline(CLAUDE)
    late.hear(1, "file", "busy", "", 1)
    late.hear(1.2, "output")
    late.until(START + 2)
    late.hear(3, "title", "✳ Fix it")
    assert [state for _, state, _ in late.states] == ["working"]
    late.hear(4, "file", "waiting", "permission prompt", 3.9)
    late.until(START + 5)
    assert [state for _, state, _ in late.states] == ["working", "needs_you"]


def test_a_finished_turn_is_done_until_somebody_looks() -> None:
    finished = ProgramStatus(state="done", at=START + 5)
    unseen = judge(Signals(started=START, before="working", turned=True, status=finished, seen=False), CODEX, START + 6)
    seen = judge(Signals(started=START, before="done", status=finished, seen=True), CODEX, START + 7)
    assert (unseen.state, seen.state) == ("done", "idle")


def test_a_limit_is_not_an_ordinary_error() -> None:
    message = "You've reached your usage limit · resets 16:10"
    status = ProgramStatus(state="error", message=message, at=START + 5)
    verdict = judge(Signals(started=START, before="working", status=status), CLAUDE, START + 6)
    assert verdict.state == "limited"
    assert "16:10" in verdict.why


@pytest.mark.parametrize(
    ("status", "problem", "ran", "state", "why"),
    [
        (0, "", True, "exited", "exit status 0"),
        (3, "", True, "exited", "exit status 3"),
        (137, "", True, "exited", "exit status 137 (SIGKILL)"),
        (None, "its holder was killed", True, "exited", "its holder was killed"),
        (None, "", True, "exited", "ended, and nobody saw how"),
        (None, "claude is not installed", False, "error", "claude is not installed"),
    ],
)
def test_an_end_beats_everything_and_is_named(
    status: int | None, problem: str, ran: bool, state: str, why: str
) -> None:
    signals = Signals(
        started=START,
        before="working",
        ended=True,
        exit_status=status,
        problem=problem,
        ran=ran,
        status=ProgramStatus(state="working", at=START),
    )
    verdict = judge(signals, CLAUDE, START + 5)
    assert (verdict.state, verdict.why, verdict.again) == (state, why, 0.0)


def test_a_shell_is_idle_at_its_prompt_and_works_while_a_command_has_the_foreground() -> None:
    terminal = Timeline(SHELL)
    terminal.hear(0.2, "foreground", False)
    terminal.hear(3, "foreground", True)
    terminal.until(START + 500)
    terminal.hear(500, "foreground", False)
    assert [state for _, state, _ in terminal.states] == ["idle", "working", "done"]


def test_an_agent_that_was_killed_inside_a_shell_leaves_no_state_behind() -> None:
    signals = Signals(
        started=START,
        before="working",
        status=ProgramStatus(state="working", at=START + 9),
        progress=Progress(3),
        title="⠂ Fix it",
        foreground=False,
    )
    assert judge(signals, SHELL, START + 20).state in ("idle", "done")


def test_a_program_that_only_prints_works_while_it_prints_and_is_unknown_after() -> None:
    program = Timeline(OTHER)
    program.hear(20, "output")
    program.hear(21, "output")
    program.until(START + 60)
    assert [(round(seconds), state) for seconds, state, _ in program.states][-2:] == [(20, "working"), (24, "unknown")]


def test_the_echo_of_typing_is_not_work() -> None:
    program = Timeline(OTHER)
    program.hear(20, "output")
    program.until(START + 30)
    for tenth in range(20):
        program.hear(30 + tenth / 10, "input")
        program.hear(30.02 + tenth / 10, "output")
    program.until(START + 40)
    assert [state for _, state, _ in program.states if state == "working"] == ["working"]


def test_a_silent_program_stops_starting_and_nobody_looks_again() -> None:
    silent = Timeline(CLAUDE)
    silent.judge(START + 0.1)
    silent.until(START + 600)
    assert silent.states[-1][1] == "unknown"
    assert silent.due == float("inf")


def test_progress_of_a_program_counts_until_it_is_taken_back() -> None:
    bar = Timeline(OTHER)
    bar.hear(20, "progress", 1, 40)
    assert bar.judge(START + 90).why == "reports progress: 40 %"
    bar.hear(100, "progress", 0, 0)
    bar.until(START + 120)
    assert bar.judge(START + 120).state == "unknown"


def test_a_program_that_takes_its_leave_keeps_its_state_for_a_moment() -> None:
    leaving = Timeline(GEMINI)
    leaving.hear(2, "title", "◇  Ready (app)")
    leaving.hear(20, "title", "")
    assert leaving.judge(START + 20.5).state == "idle"
    leaving.until(START + 60)
    assert leaving.judge(START + 60).state == "unknown"


def test_after_the_trust_question_claude_is_asked_again_until_its_file_is_there() -> None:
    start = Timeline(CLAUDE)
    start.hear(1.3, "screen", TRUST)
    start.until(START + 2)
    start.hear(2.2, "screen", [])
    start.hear(2.3, "title", "✳ Claude Code")
    start.until(START + 3)
    start.hear(3.1, "file", "idle", "", 3)
    start.until(START + 4)
    assert [state for _, state, _ in start.states] == ["needs_you", "starting", "idle"]


def test_a_turning_spinner_is_no_news() -> None:
    turning = Timeline(CLAUDE)
    turning.hear(1, "file", "busy", "", 1)
    evidence = set()
    for tenth in range(10, 60):
        turning.hear(tenth / 10, "title", f"{'⠂⠐'[tenth % 2]} Fix it")
        evidence.add(turning.signals.before_why)
        turning.until(START + tenth / 10 + 0.05)
        evidence.add(turning.signals.before_why)
    assert len(evidence) <= 2
    assert [state for _, state, _ in turning.states] == ["working"]
