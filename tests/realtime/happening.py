"""Events as values, short to write: the moment is given in seconds after a fixed start."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentdeck import events as e

START: Final = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def base(at: float, session: str = "s1", provider: str = "claude", agent: str = "") -> dict[str, Any]:
    return {"provider": provider, "session": session, "at": moment(at), "agent": agent}


def said(
    at: float, role: str = "assistant", text: str = "x", prompt: int = 0, output: int = 0, name: str = "", **of: Any
) -> e.MessageAdded:
    tokens = e.Tokens(input=prompt, output=output) if prompt else None
    model = of.pop("model", "")
    return e.MessageAdded(**base(at, **of), role=role, text=text, message=name, tokens=tokens, model=model)


def used(at: float, call: str, tool: str = "Bash", category: str = "command", **of: Any) -> e.ToolUsed:
    arguments = of.pop("input", {})
    return e.ToolUsed(**base(at, **of), call=call, tool=tool, input=arguments, category=category)


def returned(at: float, call: str, output: str = "ok", is_error: bool = False, **of: Any) -> e.ToolReturned:
    files = of.pop("files", ())
    return e.ToolReturned(**base(at, **of), call=call, output=output, is_error=is_error, files=files)
