"""What people do to one session, each as one request.

`ask` answers about any session, `act` does something to a running one. Prompts go out the one way that every CLI hears:
bracketed paste, a pause, Enter alone. An interrupt is a byte, never a signal: most CLIs die of SIGINT.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Final

from agentdeck.errors import UsageError
from agentdeck.hub.evidence import judge_session
from agentdeck.hub.session import LiveSession
from agentdeck.protocol import messages as m
from agentdeck.terminal import keys

PASTE_TO_ENTER: Final = 0.15
"""Seconds between a pasted prompt and its Enter: with less, Codex and Gemini lose the Enter."""

INTERRUPT_AGAIN: Final = 1.0
"""Seconds that a CLI gets to hear the first interrupt byte before the second goes out."""

READY_QUIET: Final = 0.5
"""Seconds without output after which a fresh program counts as ready for its first prompt."""

HISTORY_PAGE: Final = 2000
"""Rows in one answer at most."""


def ask(session: LiveSession, request: m.AnyRequest) -> m.AnyReply:
    match request:
        case m.ReadScreen():
            session.screen.refresh()
            return m.Screen(frame=session.screen.frame(0))
        case m.ReadHistory():
            total = session.emulator.history
            start = max(0, min(request.start, total))
            rows = session.emulator.history_rows(start, max(0, min(request.count, HISTORY_PAGE, total - start)))
            return m.History(start=start, total=total, rows=tuple(rows))
        case m.Rename():
            name = " ".join(request.name.split())[:60]
            if not name:
                raise UsageError("a session needs a name", hint="give it one that is not blank")
            session.update(name=name)
        case m.Mark():
            session.update(marked=request.on)
        case m.Seen():
            session.seen = True
            session.update(bells=0)
            judge_session(session)
        case m.AllowClipboard():
            session.allow_clipboard(request.on)
        case _:
            raise UsageError(f"{type(request).__name__} cannot be asked of a session", hint="")
    return m.Done(session=session.info.id)


def act(
    session: LiveSession, request: m.AnyRequest, later: Callable[[Coroutine[Any, Any, None]], None]
) -> m.AnyReply | Coroutine[Any, Any, m.AnyReply]:
    match request:
        case m.SendText():
            return _send_text(session, request)
        case m.SendKeys():
            session.write(b"".join(keys.encode(name, session.emulator.modes) for name in request.keys))
        case m.Mouse():
            session.write(session.emulator.encode_mouse(request.button, request.x, request.y, request.press))
        case m.Focus():
            if session.emulator.modes.focus_events:
                session.write(b"\x1b[I" if request.on else b"\x1b[O")
        case m.Interrupt():
            session.write(session.provider.interrupt[0])
            later(_interrupt_again(session))
        case m.Signal():
            if session.link is not None:
                session.link.signal(signal.SIGINT, foreground=True)
        case _:
            raise UsageError(f"{type(request).__name__} cannot be asked of a session", hint="")
    return m.Done(session=session.info.id)


async def _send_text(session: LiveSession, request: m.SendText) -> m.AnyReply:
    session.write(keys.paste(request.text, session.emulator.modes))
    if request.enter:
        await asyncio.sleep(PASTE_TO_ENTER)
        session.write(b"\r")
    return m.Done(session=session.info.id)


async def _interrupt_again(session: LiveSession) -> None:
    """Send the second byte, but only to a CLI that itself says that it still works: when idle it could quit."""
    before = session.last_input
    await asyncio.sleep(INTERRUPT_AGAIN)
    for byte in session.provider.interrupt[1:]:
        if session.info.state == "working" and session.last_input == before:
            session.write(byte)


async def first_prompt(session: LiveSession, prompt: str) -> None:
    """Type the first prompt of a program that takes none on its command line, once it has drawn itself."""
    while session.running:
        await asyncio.sleep(READY_QUIET / 2)
        quiet = session.last_output and asyncio.get_running_loop().time() - session.last_output_at >= READY_QUIET
        if quiet:
            await _send_text(session, m.SendText(session=session.info.id, text=prompt))
            return
