"""What holds for every mixture of signals, also those that no program should send."""

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.protocol.messages import STATES, ProgramStatus, Progress
from agentdeck.providers import Provider, builtin
from agentdeck.status.rules import Reading
from agentdeck.status.signals import REST, Held, SessionFile, Signals
from agentdeck.status.state import judge
from agentdeck.status.turn import Call, Turn

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
readings = st.none() | st.builds(
    Reading,
    rule=st.just("a rule"),
    state=st.sampled_from(["needs_you", "working", "idle", "limited", "starting"]),
    words=texts,
    asks=st.sampled_from(["approval", "question"]),
    weight=st.sampled_from([0.45, 0.6, 0.8, 0.96]),
    firm=st.booleans(),
)
turns = st.none() | st.builds(
    Turn,
    open=st.booleans(),
    at=moments,
    calls=st.just(()) | st.builds(lambda call: (call,), st.builds(Call, st.just("1"), texts, moments)),
    error=texts,
    limited=st.booleans(),
    until=st.none() | moments,
    interrupted=st.booleans(),
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
    held=st.none() | st.builds(Held, what=texts, at=moments),
    reading=readings,
    read_at=moments,
    turn=turns,
    turned=st.booleans(),
    worked_at=moments,
    since=moments,
    hook=st.sampled_from(["", "Stop", "PreToolUse", "PermissionRequest", "SessionStart", "Another"]),
    hook_at=moments,
    child=st.sampled_from(["", "pytest"]),
    interrupted_at=moments,
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
    rests = signals.foreground is False or any(
        each.state in (REST, "idle", "limited", "error") for each in verdict.signals
    )
    if verdict.state in ("idle", "done") and verdict.state != signals.before:
        assert rests


@given(signals.filter(lambda s: not s.ended), st.sampled_from(PROVIDERS), moments)
def test_who_is_waited_for_is_told_whatever_else_is_said(signals: Signals, provider: Provider, now: float) -> None:
    """A call that our gate holds, and a dialog of a program that reports it, are above every other signal."""
    if provider.foreground and signals.foreground is False:
        return
    verdict = judge(signals, provider, now)
    if signals.held is not None or (signals.status.state == "blocked" and signals.reading is None):
        assert verdict.state == "needs_you"
        assert verdict.asks


@given(signals.filter(lambda s: not s.ended), st.sampled_from(PROVIDERS), moments)
def test_only_what_decides_and_what_speaks_against_it_make_a_state(
    signals: Signals, provider: Provider, now: float
) -> None:
    verdict = judge(signals, provider, now)
    weights = [each.weight for each in verdict.signals]
    assert weights == sorted(weights, reverse=True)
    if verdict.state == "unknown" and " but " in verdict.why:
        assert len({each.source for each in verdict.signals if each.says in verdict.why}) > 1


@given(signals, st.sampled_from(PROVIDERS), moments)
def test_without_new_signals_the_looks_come_to_an_end(signals: Signals, provider: Provider, now: float) -> None:
    """Only output or a contradiction keeps a session under observation, and neither lasts: resting costs nothing."""
    looks = 0
    while (verdict := judge(signals, provider, now)).again:
        now += verdict.again
        looks += 1
        assert looks < 2000
