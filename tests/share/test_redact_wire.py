"""Known secrets never reach the wire, however a program prints them: all that is between is the real thing."""

import json
import os
import string
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentdeck.share.canvas import Canvas
from agentdeck.share.redact import Redactor
from agentdeck.share.rows import ABOVE, Twin
from agentdeck.terminal import width
from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.screen import Screen

CASES: Final = int(os.environ.get("AGENTDECK_FUZZ", "300"))
"""10,000 in the nightly run."""

LEAK: Final = 8
"""Characters of a secret in a row that count as seen."""

SYMBOLS: Final = string.ascii_letters + string.digits + "-_+/=.~"
secrets = st.text(SYMBOLS, min_size=12, max_size=90).filter(
    lambda s: any(map(str.isdigit, s)) and any(map(str.isalpha, s)) and len(set(s)) > 6
)
prose = st.text(string.ascii_lowercase + " .,:\n│é界🙂", max_size=30)
sgr = st.sampled_from(["", "\x1b[31m", "\x1b[0m", "\x1b[1;4m", "\x1b[38;5;99m", "\x1b[48;2;1;2;3m", "\x1b[7m"])


@st.composite
def sessions(draw: st.DrawFn) -> tuple[int, int, str, bytes, list[int]]:
    """A size, a secret, what a program prints with the secret in it, and where the output is cut."""
    cols, rows = draw(st.integers(12, 90)), draw(st.integers(2, 12))
    secret = draw(secrets)
    parts: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        parts.append(draw(prose).replace("\n", "\r\n"))
        parts.append(draw(st.sampled_from(["", "TOKEN=", "> ", "\r\n", "\x1b[2J\x1b[H", "\x1b[3;5H", "│ ", '"'])))
        how = draw(st.sampled_from(["plain", "styled", "framed", "typed"]))
        if how == "plain":
            parts.append(secret)
        elif how == "typed":
            parts.append("".join(f"{letter}\x1b[0m" for letter in secret))
        elif how == "styled":
            cuts = sorted(draw(st.lists(st.integers(0, len(secret)), max_size=5)))
            pieces = [secret[a:b] for a, b in zip([0, *cuts], [*cuts, len(secret)], strict=True)]
            parts.append("".join(piece + draw(sgr) for piece in pieces))
        else:
            width = draw(st.integers(4, max(4, cols - 6)))
            pieces = [secret[at : at + width] for at in range(0, len(secret), width)]
            parts.append("\r\n" + "".join(f"│ {piece:<{width}} │\r\n" for piece in pieces))
    data = "".join(parts).encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return cols, rows, secret, data, cuts


def pieces(secret: str) -> set[str]:
    return {secret[at : at + LEAK] for at in range(len(secret) - LEAK + 1)}


@given(sessions())
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_piece_of_a_known_secret_is_ever_sent(case: tuple[int, int, str, bytes, list[int]]) -> None:
    cols, rows, secret, data, cuts = case
    emulator = Emulator(cols, rows, reply=lambda answer: None, scrollback=100)
    screen, twin, canvas = Screen("s", emulator), Twin(Redactor([secret])), Canvas()
    seen = 0
    since = 0
    try:
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            emulator.feed(data[start:end])
            screen.refresh()
            total = emulator.history
            above = emulator.history_rows(max(0, total - ABOVE), min(total, ABOVE)) if total else ()
            frame = screen.frame(since)
            since = screen.seq
            canvas.take(twin.take(frame, above))
            body = canvas.body(seen)
            seen = canvas.tseq
            if body is None:
                continue
            sent = json.loads(body)
            text = ["".join(run[0] for run in runs) for _, runs in sent["lines"]]
            for row in text:
                assert not [piece for piece in pieces(secret) if piece in row], (secret, text)
            whole = json.loads(canvas.body(0) or b"{}")
            joined = "".join("".join(run[0] for run in runs) for _, runs in whole["lines"])
            assert not [piece for piece in pieces(secret) if piece in joined], (secret, joined)
    finally:
        emulator.close()


@given(sessions())
@settings(max_examples=max(20, CASES // 10), deadline=None, suppress_health_check=list(HealthCheck))
def test_redacting_changes_no_layout(case: tuple[int, int, str, bytes, list[int]]) -> None:
    cols, rows, secret, data, _ = case
    emulator = Emulator(cols, rows, reply=lambda answer: None, scrollback=100)
    try:
        emulator.feed(data)
        screen = Screen("s", emulator)
        screen.refresh()
        frame = screen.frame(0)
        redacted = Twin(Redactor([secret])).take(frame)
        assert [y for y, _ in redacted.rows] == list(range(rows))
        for (_, before), (_, after) in zip(frame.rows, redacted.rows, strict=True):
            assert [style for _, style in after.runs] == [style for _, style in before.runs]
            assert sum(map(width.of, before.text)) == sum(map(width.of, after.text))
    finally:
        emulator.close()
