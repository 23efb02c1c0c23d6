"""What each source says, and how much it is believed: one function for each, pure.

The weights are an order, learned from recordings of the real CLIs: our own gate knows; a dialog on the screen is there;
a program knows itself (OSC 7501, then Claude's session file); a title and a transcript are coarse or late; that
something runs or prints says only that. A signal that says nothing about the state (`✳` in Claude's title stands both
for rest and for a question) is told with an empty state, so that `explain` can show it.
"""

import re
from collections.abc import Callable
from typing import Final

from agentdeck.providers.base import Provider
from agentdeck.status.resets import is_limit, lifted_at
from agentdeck.status.signals import REST, Signal, Signals

ECHO: Final = 0.6
"""Seconds after a key in which output is taken for its echo."""

QUIET: Final = 3.0
"""Seconds without output after which a program that says nothing of itself no longer counts as printing."""

STILL: Final = 1.0
"""Seconds without output after which an empty prompt on the screen counts as rest."""

ANSWERED: Final = 1.0
"""Seconds for which a dialog may stay on the screen after its answer."""

HOOK: Final = 10.0
"""Seconds for which a hook's word that something begins is believed."""

RECENT: Final = 60.0
"""Seconds for which an open turn without a running call is believed to go on."""

SPOKEN: Final = 120
"""Characters of a program's message that the evidence repeats."""

SPINNER: Final = re.compile("[\u2801-\u28ff◐◓◑◒]|\\[ [.!] \\]")
"""What turns in a title: evidence that changes ten times a second is none."""

_ASKS: Final = {"permission": "approval", "question": "question", "auth": "login"}

_HOOKS_WORK: Final = frozenset(
    [
        "UserPromptSubmit",
        "PreToolUse",
        "PostToolUse",
        "PostToolUseFailure",
        "PostToolBatch",
        "SubagentStart",
        "PreCompact",
        "BeforeAgent",
        "BeforeModel",
        "BeforeTool",
        "AfterTool",
        "PreCompress",
    ]
)
_HOOKS_REST: Final = frozenset(["Stop", "StopFailure", "AfterAgent", "Interrupt"])


def told(signals: Signals, provider: Provider, now: float) -> list[Signal]:
    """Return what every source says, heaviest first; sources that are silent are absent."""
    found = [signal for source in _SOURCES if (signal := source(signals, provider, now)) is not None]
    return sorted(found, key=lambda signal: -signal.weight)


def is_at_rest(signals: Signals, provider: Provider, now: float) -> bool:
    """Whether a prompt on the screen means rest: when the title says that nothing works, when nothing is printed any
    more, or when it has been there for a moment and is of a kind that a turn does not show."""
    reading = signals.reading
    since = signals.read_at if reading is not None and reading.firm else signals.last_output
    return title_state(signals, provider) == "unknown" or now - since >= STILL


def title_state(signals: Signals, provider: Provider) -> str:
    return next((rule.state for rule in provider.titles if rule.pattern.search(signals.title)), "")


def _gate(signals: Signals, provider: Provider, now: float) -> Signal | None:
    held = signals.held
    return Signal("gate", "needs_you", f"waits for your word: {held.what}", held.at, 0.98, held.asks) if held else None


def _status(signals: Signals, provider: Provider, now: float) -> Signal | None:
    status = signals.status
    message = f": {status.message[:SPOKEN]}" if status.message else ""
    match status.state:
        case "blocked":
            asks = _ASKS.get(status.kind, "question")
            return Signal(
                "status", "needs_you", f"asks for {status.kind or 'an answer'}{message}", status.at, 0.95, asks
            )
        case "working":
            return Signal("status", "working", f"reports working{message}", status.at, 0.95)
        case "error" if is_limit(status.message):
            until = lifted_at(status.message, status.at or now)
            return Signal("status", "limited", f"reports a limit{message}", status.at, 0.95, until=until)
        case "error":
            return Signal("status", "error", f"reports an error{message}", status.at, 0.95)
        case "done":
            return Signal("status", REST, "reports done", status.at, 0.95)
        case "idle":
            return Signal("status", "idle", "reports idle", status.at, 0.95)
        case _:
            return None


def _file(signals: Signals, provider: Provider, now: float) -> Signal | None:
    file = signals.file
    if file is None or not file.status:
        return None
    match file.status:
        case "waiting":
            asks = "approval" if "permission" in file.waiting_for else "question"
            says = f"its session file: waits for {file.waiting_for or 'an answer'}"
            return Signal("file", "needs_you", says, file.at, 0.9, asks)
        case "busy":
            return Signal("file", "working", "its session file: busy", file.at, 0.9)
        case "shell":
            return Signal("file", "working", "its session file: a background command runs", file.at, 0.9)
        case "idle":
            return Signal("file", REST, "its session file: idle", file.at, 0.9)
        case other:
            return Signal("file", "", f"its session file: {other[:SPOKEN]}", file.at, 0.0)


def _screen(signals: Signals, provider: Provider, now: float) -> Signal | None:
    reading = signals.reading
    if reading is None:
        return None
    words = reading.words[:SPOKEN]
    match reading.state:
        case "needs_you" if _was_answered(signals, provider, now):
            return Signal("screen", "", f"the screen still asks: {words}", signals.read_at, reading.weight)
        case "needs_you":
            return Signal(
                "screen", "needs_you", f"the screen asks: {words}", signals.read_at, reading.weight, reading.asks
            )
        case "limited":
            until = lifted_at(words, signals.read_at)
            return Signal("screen", "limited", f"the screen: {words}", signals.read_at, reading.weight, until=until)
        case "working":
            says = words if any(character.isalpha() for character in words) else reading.rule
            return Signal("screen", "working", f"the screen: {says}", signals.read_at, reading.weight)
        case "starting":
            return Signal("screen", "starting", f"the screen: {words}", signals.read_at, reading.weight)
        case _:
            rests = is_at_rest(signals, provider, now)
            return Signal("screen", REST if rests else "", "the screen: a prompt", signals.read_at, reading.weight)


def _was_answered(signals: Signals, provider: Provider, now: float) -> bool:
    """Whether the program works again since a key was pressed in a dialog that is still on the screen for a moment."""
    if signals.last_input <= signals.read_at:
        return False
    began = [signals.status.at] if signals.status.state == "working" else []
    began += [signals.title_at] if title_state(signals, provider) == "working" else []
    began += [signals.file.at] if signals.file is not None and signals.file.status == "busy" else []
    return any(at > signals.read_at and 0 <= now - at < ANSWERED for at in began)


def _transcript(signals: Signals, provider: Provider, now: float) -> Signal | None:
    turn = signals.turn
    if turn is None or not turn.at:
        return None
    call = turn.calls[-1] if turn.calls else None
    if call is not None and call.asks:
        return Signal("transcript", "needs_you", f"the transcript: {call.what} asks", call.at, 0.6, call.asks)
    if call is not None:
        return Signal("transcript", "working", f"the transcript: {call.what} has no result yet", call.at, 0.55)
    if turn.error:
        ended = "a limit" if turn.limited else "an error"
        says = f"the transcript: the turn ended with {ended}: {turn.error[:SPOKEN]}"
        return Signal("transcript", "limited" if turn.limited else "error", says, turn.at, 0.5, until=turn.until)
    if not turn.open:
        ended = "was interrupted" if turn.interrupted else "is over"
        return Signal("transcript", REST, f"the transcript: the turn {ended}", turn.at, 0.5)
    fresh = 0 <= now - turn.at < RECENT
    return Signal("transcript", "working" if fresh else "", "the transcript: a turn is open", turn.at, 0.4)


def _hook(signals: Signals, provider: Provider, now: float) -> Signal | None:
    name = signals.hook
    if not name:
        return None
    says, at = f"its hook: {name}", signals.hook_at
    if not 0 <= now - at < HOOK and name not in _HOOKS_REST:
        return Signal("hook", "", says, at, 0.5)  # an answer, an interrupt and an end are told to no hook of ours
    if name == "PermissionRequest":
        return Signal("hook", "needs_you", says, at, 0.58, "approval")
    if name in _HOOKS_WORK:
        return Signal("hook", "working", says, at, 0.5)
    return Signal("hook", REST if name in _HOOKS_REST else "", says, at, 0.5)


def _progress(signals: Signals, provider: Provider, now: float) -> Signal | None:
    progress = signals.progress
    if progress.state == 1:
        return Signal("progress", "working", f"reports progress: {progress.percent} %", 0.0, 0.7)
    return Signal("progress", "working", "reports progress", 0.0, 0.7) if progress.state == 3 else None


def _title(signals: Signals, provider: Provider, now: float) -> Signal | None:
    if not signals.title:
        return None
    state, says = title_state(signals, provider), f"title: {SPINNER.sub('…', signals.title)}"
    match state:
        case "idle" | "done":
            return Signal("title", REST, says, signals.title_at, 0.75)
        case "unknown":
            says = f"{says}; it says the same at rest and while it asks"
            return Signal("title", "", says, signals.title_at, 0.2)
        case "":
            return Signal("title", "", says, signals.title_at, 0.0)
        case "needs_you":
            return Signal("title", state, says, signals.title_at, 0.75, "approval")
        case _:
            return Signal("title", state, says, signals.title_at, 0.75)


def _process(signals: Signals, provider: Provider, now: float) -> Signal | None:
    if signals.foreground:
        return Signal("process", "working", "a command has the foreground", 0.0, 0.65)
    if signals.child:
        return Signal("process", "working", f"{signals.child} runs below it", 0.0, 0.5)
    return None


def _output(signals: Signals, provider: Provider, now: float) -> Signal | None:
    if not signals.last_output:
        return None
    at, quiet = signals.last_output, now - signals.last_output
    printing = at > signals.last_input + ECHO and 0 <= quiet < QUIET
    return Signal("output", "working" if printing else "", "it prints" if printing else "it does not print", at, 0.3)


_SOURCES: Final[tuple[Callable[[Signals, Provider, float], Signal | None], ...]] = (
    _gate, _status, _file, _screen, _transcript, _hook, _progress, _title, _process, _output,
)  # fmt: skip
