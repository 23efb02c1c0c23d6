"""Bugs that other tools shipped, as tests: those that are about states and about who is told.

The numbers are those of the list of the peers' bugs from which these were taken.

1 prose that sounds like a question · 2 the resume dialog · 3 long thinking · 4 a silent parent of sub-agents
5 a long silent tool · 6 an interrupt that no hook tells of · 7 ids that change, and nested sessions
8 no forks in steady state · 9 a clock that jumps · 10 what rests costs nothing · 18 a source that fails is no opinion
"""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from agentdeck import events as e
from agentdeck.hub import evidence
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.processes import resume, tools
from agentdeck.providers import Provider, builtin
from agentdeck.status import rules
from agentdeck.status.signals import SessionFile
from agentdeck.transcripts.reading import EPOCH
from tests.hub.conftest import client, connect, environment, hub, paths, until
from tests.status.recording import Moment, Recording, kept, names
from tests.status.replay import Played
from tests.unit.status_timeline import START, Timeline
from tests.unit.test_status_live import Agent

__all__ = ["client", "connect", "hub", "paths"]

CLAUDE, CODEX, GEMINI, CURSOR = (builtin()[name] for name in ("claude", "codex", "gemini", "cursor"))
RULE = "─" * 120

PROSE = [
    "● Would you like to proceed? I would answer:",
    "",
    "  Do you want to make this edit to trees.py?",
    "  ❯ 1. Yes",
    "    2. Yes, allow all edits during this session (shift+tab)",
    "    3. No",
    "",
    "  Esc to cancel · Tab to amend",
    "  Press Enter to continue…",
    "  Enter to select · ↑/↓ to navigate · Esc to cancel",
]
CLAUDE_REST = [RULE, "❯ ", RULE, "  ? for shortcuts"]
CODEX_PROSE = [
    "• Would you like to run the following command?",
    "› 1. Yes, proceed (y)",
    "  2. No, and tell Codex what to do differently (esc)",
    "  Press enter to confirm or esc to cancel",
]
CODEX_REST = ["", "› Ask Codex to do anything", "", "  GPT-6.1-Sol default · ~/orchard", "  ? for shortcuts"]
GEMINI_PROSE = [
    "✦ Apply this change?",
    "╭──────────────────╮",
    "│ Allow execution? │",
    "│ ● 1. Allow once  │",
    "│   2. No          │",
    "╰──────────────────╯",
]
GEMINI_REST = ["▄" * 60, " >   Type your message or @path/to/file", "▀" * 60, " workspace (/directory)", " ~/orchard"]


# ── 1 ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("provider", "prose", "rest"),
    [(CLAUDE, PROSE, CLAUDE_REST), (CODEX, CODEX_PROSE, CODEX_REST), (GEMINI, GEMINI_PROSE, GEMINI_REST)],
    ids=["claude", "codex", "gemini"],
)
def test_1_prose_that_sounds_like_a_dialog_needs_nobody(
    provider: Provider, prose: Sequence[str], rest: Sequence[str]
) -> None:
    reading = rules.builtin(provider.family).read([*prose, "", *rest])
    assert reading is None or reading.state in ("idle", "working")
    talk = Timeline(provider)
    talk.hear(1, "screen", [*prose, "", *rest])
    talk.until(START + 30)
    assert "needs_you" not in [state for _, state, _ in talk.states]


def test_1_the_same_words_in_their_place_do() -> None:
    dialog = Timeline(CLAUDE)
    dialog.hear(1, "screen", [RULE, " Edit file", *(line[1:] for line in PROSE[2:8])])
    dialog.until(START + 2)
    assert dialog.states[-1][1] == "needs_you"


# ── 2 ──────────────────────────────────────────────────────────────────────────────────────────


def test_2_the_question_at_the_resumption_of_a_long_conversation_needs_somebody() -> None:
    resumed = Timeline(CLAUDE)
    resumed.hear(0.5, "title", "✳ Claude Code")
    resumed.hear(
        1,
        "screen",
        [
            " This session is 3h 2m old and 128k tokens.",
            "",
            " Resuming the full session will consume a substantial portion of your usage limits.",
            "",
            " ❯ 1. Resume from summary (recommended)",
            "   2. Resume full session as-is",
            "   3. Don't ask me again",
            "",
            " Enter to confirm · Esc to cancel",
        ],
    )
    resumed.until(START + 60)
    assert resumed.states[-1][1] == "needs_you"


# ── 3 ──────────────────────────────────────────────────────────────────────────────────────────


def thinking(seconds: int) -> list[str]:
    line = f"✻ Pondering… ({seconds // 60}m {seconds % 60}s · ↓ {seconds * 40} tokens)"
    return ["❯ think hard", "", line, "", RULE, "❯ ", RULE, "  ⏸ manual mode on · ? for shortcuts"]


@pytest.mark.parametrize("titles", [True, False], ids=["with its title", "by the screen alone"])
def test_3_two_minutes_of_thinking_without_a_word_of_the_interrupt_key_are_one_state(titles: bool) -> None:
    thinks = Timeline(CLAUDE)
    for second in range(1, 120):
        if titles:
            thinks.hear(second, "title", f"{'⠂⠐'[second % 2]} Think")
        thinks.hear(second + 0.1, "screen", thinking(second))
        thinks.until(START + second + 0.9)
    changes = [state for _, state, _ in thinks.states]
    assert [state for state in changes if state != "starting"] == ["working"]


# ── 4 ──────────────────────────────────────────────────────────────────────────────────────────


def test_4_a_silent_parent_of_sub_agents_works() -> None:
    waits = ["● I sent an explorer.", "", "✻ Waiting for 2 background agents to finish", "", *CLAUDE_REST]
    parent = Timeline(CLAUDE)
    parent.hear(1, "file", "busy", "", 1)
    parent.hear(1, "output")
    parent.until(START + 2)
    parent.hear(3, "file", "idle", "", 3)
    parent.hear(3, "screen", waits)
    parent.until(START + 600)
    assert parent.judge(START + 600).state == "working"


# ── 5 ──────────────────────────────────────────────────────────────────────────────────────────


def used(call: str) -> e.ToolUsed:
    return e.ToolUsed(provider="claude", session="s", at=EPOCH, call=call, tool="Bash", input={})


@pytest.mark.parametrize("provider", [CLAUDE, CODEX, GEMINI, CURSOR], ids=lambda provider: provider.name)
def test_5_a_tool_that_is_silent_for_ten_minutes_is_work(provider: Provider) -> None:
    quiet = Timeline(provider)
    quiet.hear(1, "output")
    quiet.hear(2, "event", used("1"))
    quiet.until(START + 600)
    assert quiet.judge(START + 600).state == "working"
    quiet.hear(601, "event", e.ToolReturned(provider="claude", session="s", at=EPOCH, call="1", output=""))
    quiet.hear(602, "event", e.TurnEnded(provider="claude", session="s", at=EPOCH))
    assert quiet.judge(START + 610).state == "done"


def test_5_a_tool_of_a_program_that_tells_nothing_is_found_among_the_processes() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "setsid sleep 60 & wait"], start_new_session=True) as agent:
        try:
            while tools.running(agent.pid) != "sleep":  # it is called setsid for a moment
                assert agent.poll() is None
        finally:
            for child in reversed(list(resume.descendants(agent.pid))):
                os.kill(child, 9)
    silent = Timeline(CURSOR)
    silent.hear(1, "output")
    silent.hear(20, "child", "pytest")
    assert silent.judge(START + 600).state == "working"


# ── 6 ──────────────────────────────────────────────────────────────────────────────────────────


def interrupts() -> list[tuple[str, float]]:
    """Each recorded Esc or Ctrl+C while a turn ran, with the recording that has it."""
    recordings = [kept(name) for name in names()]
    return [
        (recording.name, moment.t)
        for recording in recordings
        for moment in recording.moments
        if moment.kind == "i" and moment.value in ("\x1b", "\x03")
    ]


def test_6_an_interrupt_is_rest_within_a_second_though_no_hook_tells_of_it() -> None:
    checked = 0
    for name, at in interrupts():
        played = Played(kept(name).without("hook"))
        before = ""
        for t in played.play():
            if t <= at:
                before = played.info.state
            elif t >= at + 1:
                break
        if before in ("working", "needs_you"):
            checked += 1
            assert played.info.state == "idle", f"{name} at {at:.1f} s: {played.info.why}"
    assert checked >= 12


# ── 7 ──────────────────────────────────────────────────────────────────────────────────────────

FIRST, SECOND, NESTED = (f"{n}1111111-2222-4333-8444-555555555555" for n in (1, 2, 3))


def tell(paths: Paths, pid: int, conversation: str, status: str = "busy") -> None:
    file = Path(environment(paths)["HOME"]) / ".claude" / "sessions" / f"{pid}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    record = {"sessionId": conversation, "procStart": resume.start_ticks(pid), "status": status}
    file.write_text(json.dumps(record))


async def test_7_a_new_conversation_in_the_same_process_is_followed_and_a_nested_one_is_not(
    hub: Hub, client: HubClient, paths: Paths
) -> None:
    script = 'setsid sleep 60 & stty -echo; printf ready; while read -r line; do printf "$line"; done'
    agent = await Agent.start(hub, client, paths, "claude", "/bin/sh", "-c", script)
    await until(lambda: agent.info.pid > 0)
    tell(paths, agent.info.pid, FIRST)
    agent.says(r"\033]0;⠂ One\007")
    await until(lambda: agent.info.resume_id == FIRST)
    session = hub.roster.sessions[agent.session]
    await until(lambda: len(list(resume.descendants(agent.info.pid))) > 1)
    nested = list(resume.descendants(agent.info.pid))[-1]
    tell(paths, nested, NESTED)
    own = Path(environment(paths)["HOME"]) / ".claude" / "sessions" / f"{agent.info.pid}.json"
    own.write_text("{")  # torn, and then gone for a moment
    evidence.judge_session(session)
    own.unlink()
    evidence.judge_session(session)
    assert agent.info.resume_id == FIRST
    tell(paths, agent.info.pid, SECOND)
    agent.says(r"\033]0;⠐ Two\007")
    await until(lambda: agent.info.resume_id == SECOND)


# ── 8, 9, 10 ───────────────────────────────────────────────────────────────────────────────────


def idle_hour(recording: Recording) -> tuple[Played, int]:
    """Play a recording, then let an hour pass; return how often it was looked at in that hour."""
    played = Played(recording)
    for _ in played.play():
        pass
    looks = 0
    judge = played.judge

    def counted() -> None:
        nonlocal looks
        looks += 1
        judge()

    played.judge = counted  # type: ignore[method-assign]
    played.clock.until(played.clock.now + 10)
    settled, looks = looks, 0
    played.clock.until(played.clock.now + 3600)
    assert settled < 30
    return played, looks


@pytest.mark.parametrize("cli", ["claude-2.1.197", "claude-2.1.329", "codex", "gemini"])
def test_10_a_session_that_rests_is_not_looked_at_any_more(cli: str) -> None:
    name = f"{cli}-basic-session"
    recording = kept(name)
    quit_at = max(moment.t for moment in recording.moments if moment.kind == "i" and moment.value == "\r")
    resting = tuple(moment for moment in recording.moments if moment.t < quit_at)
    _, looks = idle_hour(Recording(name, recording.provider, 120, 40, recording.started, resting))
    assert looks == 0


def test_8_no_process_is_started_to_learn_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    for name in ("Popen", "run", "check_output"):
        monkeypatch.setattr(subprocess, name, refuse)
    for name in ("fork", "posix_spawn", "system"):
        monkeypatch.setattr(os, name, refuse)
    for _ in Played(kept("claude-2.1.197-agents-session")).play():
        pass


@pytest.mark.parametrize("jump", [600.0, -600.0], ids=["forward", "back"])
def test_9_a_clock_that_jumps_changes_no_state_and_brings_no_burst(jump: float) -> None:
    working = Timeline(CLAUDE)
    working.hear(1, "file", "busy", "", 1)
    working.hear(2, "title", "⠂ Fix it")
    working.until(START + 5)
    assert working.judge(START + 5 + jump).state == "working"
    assert working.due - (START + 5 + jump) > 0.04
    resting = Timeline(GEMINI)
    resting.hear(1, "title", "✦  Working… (app)")
    resting.hear(5, "title", "◇  Ready (app)")
    resting.until(START + 10)
    assert resting.judge(START + 10 + jump).state == "done"
    assert resting.due == float("inf")


# ── 18 ─────────────────────────────────────────────────────────────────────────────────────────


def test_18_a_source_that_cannot_be_read_is_no_opinion() -> None:
    recording = kept("claude-2.1.329-basic-session")
    whole = Played(recording)
    for _ in whole.play():
        pass

    class Broken(Played):
        def file(self, session: object, now: float) -> SessionFile | None:
            return None

    broken = Broken(recording)
    for _ in broken.play():
        pass
    assert [state for _, state, _ in broken.changes] == [state for _, state, _ in whole.changes]


def test_18_what_no_rule_knows_is_unknown_and_never_idle() -> None:
    strange = Played(
        Recording(
            "x", "claude", 80, 24, 1000.0, (Moment(0.5, "o", "\x1b]0;✳ x\x07something new"), Moment(40.0, "m", ""))
        )
    )
    seen = set()
    for t in strange.play():
        if t > 12:
            seen.add(strange.info.state)
    assert seen == {"unknown"}
