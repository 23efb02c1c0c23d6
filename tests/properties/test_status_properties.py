"""What holds for every mixture of signals, also those that no program should send."""

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.protocol.messages import STATES, ProgramStatus, Progress
from agentdeck.providers import Provider, builtin
from agentdeck.status.state import SessionFile, Signals, judge

PROVIDERS = list(builtin().values())
moments = st.floats(min_value=900, max_value=1100)
texts = st.sampled_from(
    ["", "✳ x", "⠂ x", "◇  Ready (x)", "✦  Working… (x)", "✋  Action Required (x)", "vim"]
) | st.text(max_size=20)
statuses = st.builds(
    ProgramStatus,
    state=st.sampled_from(["", "idle", "working", "blocked", "done", "error"]),
    kind=st.sampled_from(["", "permission"]),
    message=texts,
    at=moments,
)
files = st.none() | st.builds(
    SessionFile, status=st.sampled_from(["", "idle", "busy", "waiting", "shell", "new"]), waiting_for=texts, at=moments
)
signals = st.builds(
    Signals,
    started=st.just(1000.0),
    before=st.sampled_from(STATES),
    before_why=texts,
    ended=st.booleans(),
    exit_status=st.none() | st.integers(0, 255),
    problem=texts,
    ran=st.booleans(),
    status=statuses,
    file=files,
    dialog=st.sampled_from(["", "Do you trust this folder"]),
    progress=st.builds(Progress, state=st.integers(0, 4), percent=st.integers(0, 100)),
    title=texts,
    title_at=moments,
    foreground=st.sampled_from([None, True, False]),
    last_output=moments,
    last_input=moments,
    seen=st.booleans(),
)


@given(signals, st.sampled_from(PROVIDERS), moments)
def test_there_is_always_a_known_state_with_evidence(signals: Signals, provider: Provider, now: float) -> None:
    verdict = judge(signals, provider, now)
    assert verdict.state in STATES
    assert verdict.again >= 0


@given(signals, st.sampled_from(PROVIDERS), moments)
def test_an_ended_session_is_exited_or_never_started(signals: Signals, provider: Provider, now: float) -> None:
    verdict = judge(signals, provider, now)
    if signals.ended:
        assert verdict.state in ("exited", "error")
        assert verdict.why


@given(signals.filter(lambda s: not s.ended), st.sampled_from(PROVIDERS), moments)
def test_idle_is_never_a_guess(signals: Signals, provider: Provider, now: float) -> None:
    """Without anybody saying that it rests, a session that was not idle does not become so."""
    verdict = judge(signals, provider, now)
    rests = (
        signals.status.state in ("idle", "done")
        or (signals.file is not None and signals.file.status == "idle")
        or signals.title.startswith("◇")
        or signals.foreground is False
    )
    if verdict.state in ("idle", "done") and verdict.state != signals.before:
        assert rests


@given(signals.filter(lambda s: not s.ended), st.sampled_from(PROVIDERS), moments)
def test_what_the_program_reports_of_itself_is_never_overruled(
    signals: Signals, provider: Provider, now: float
) -> None:
    if signals.foreground is False:
        return
    verdict = judge(signals, provider, now)
    match signals.status.state:
        case "working":
            assert verdict.state == "working"
        case "blocked":
            assert verdict.state == "needs_you"
        case "done" | "idle":
            assert verdict.state in ("idle", "done")
        case _:
            pass


@given(signals, st.sampled_from(PROVIDERS), moments)
def test_without_new_signals_the_looks_come_to_an_end(signals: Signals, provider: Provider, now: float) -> None:
    """Only output or a contradiction keeps a session under observation, and neither lasts: resting costs nothing."""
    looks = 0
    while (verdict := judge(signals, provider, now)).again:
        now += verdict.again
        looks += 1
        assert looks < 2000
