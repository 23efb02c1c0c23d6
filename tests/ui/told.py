"""Transcripts that a fake hub tells of: six sessions of ours, and one that was started elsewhere."""

import json
from datetime import date, timedelta

import msgspec

from agentdeck.protocol import facts as f
from tests.fakes.fake_hub import NOW, FakeHub, session

WATCHED = "codex:abc"


def tell_of(hub: FakeHub) -> None:
    """Transcripts of the first five, and of one that was started elsewhere."""
    limits = (f.Limit("5h", 78.0, NOW + 7200), f.Limit("week", 31.0, NOW + 4 * 86400))
    contexts = [(182, 256, 38), (44, 200, None), (80, 200, 12), (18, 200, None), (61, 1000, None)]
    for n, (used, window, turns) in enumerate(contexts, 1):
        id = session(n).id
        hub.facts[id] = f.Facts(
            key=id, provider="claude", provider_session=f"conversation-{n}", model="claude-opus-4-1-20250805",
            gauge=f.Gauge(used * 1000, window * 1000, used * 100 // window, turns_left=turns, assumed=n == 2),
            tokens=used * 9000,
            cost_usd=None if n == 5 else n * 1.31, unpriced=n == 5, burn_usd_hour=1.31 if n == 1 else None,
            cache_hit_pct=91, files=2 if n == 1 else 0, added=18, removed=6, limits=limits,
        )  # fmt: skip
    web = session(2).id
    hub.facts[web] = msgspec.structs.replace(hub.facts[web], doing="Bash npm test", doing_since=NOW - 51)
    hub.facts[WATCHED] = f.Facts(
        key=WATCHED, provider="codex", provider_session="abc", cwd="/home/ana/old", watched=True, state="working",
        started=NOW - 900, last_at=NOW - 130, gauge=f.Gauge(30_000, 272_000, 11), tokens=90_000, cost_usd=0.4,
    )  # fmt: skip
    api = session(1).id
    hub.feeds[api] = feed()
    hub.feeds[WATCHED] = [line(1, "message", "user", "look into the old repository")]
    hub.calls["c4"] = f.CallDetail(
        key=api, call="c4", tool="Edit", input='{\n  "file_path": "src/auth/refresh.py"\n}', output="It is updated.",
        status="ok", seconds=0.3,
        diff="--- a/refresh.py\n+++ b/refresh.py\n@@ -1 +1 @@\n-if exp < now:\n+if exp <= now + SKEW:",
    )  # fmt: skip
    hub.conversations[WATCHED] = conversation(60)
    hub.conversations[api] = conversation(40)
    hub.report = report()


def feed() -> list[f.FeedLine]:
    return [
        line(1, "message", "user", "fix the flaky refresh test"),
        line(2, "tool_use", "Read", "src/auth/refresh.py", status="ok", seconds=0.1, tokens=2100, call="c2"),
        line(3, "tool_use", "Bash", "pytest -q tests/test_auth.py", status="error", seconds=6.2, tokens=900, call="c3"),
        line(4, "tool_use", "Edit", "src/auth/refresh.py", status="ok", seconds=0.3, added=1, removed=1, call="c4"),
        line(5, "message", "assistant", "I'll fix the token refresh first. 漢字", tokens=310),
        line(6, "tool_use", "Task", "look at the other tests", status="pending", call="c6"),
        line(7, "tool_use", "Grep", "TODO", agent="a1", status="ok", seconds=0.2, call="c7"),
    ]


def line(n: int, kind: str, title: str, text: str, **facts: object) -> f.FeedLine:
    """A line of a feed, `n` seconds into the conversation."""
    plain = f.FeedLine(n=n, at=NOW - 60 + n, kind=kind, title=title, text=text)
    return msgspec.structs.replace(plain, **facts)


def conversation(turns: int) -> list[f.ConversationLine]:
    """Five lines for each turn; message 2n is prompt n, and message 2n+1 its answer."""
    lines: list[f.ConversationLine] = []
    for n in range(turns):
        lines += [
            f.ConversationLine("user", f"> prompt {n}: what about the trees"),
            f.ConversationLine("mark", ""),
            f.ConversationLine("assistant", f"answer {n}: they grow"),
            f.ConversationLine("result", f"  {n} trees"),
            f.ConversationLine("mark", ""),
        ]
    return lines


def report(days: int = 20) -> bytes:
    """What `agentdeck usage --json` prints after some days with a dollar more each, today the dearest."""
    today = date.fromtimestamp(NOW)
    spent = {(today - timedelta(days=n)).isoformat(): float(days - n) for n in range(days)}
    return json.dumps(
        {
            "days": {day: int(usd * 1_000_000) for day, usd in spent.items()},
            "day_costs": spent,
            "cost_usd": sum(spent.values()),
            "models": {"claude:claude-opus-4-1-20250805": 150.0, "codex:gpt-5-codex": 60.0},
            "tokens": {
                "claude:claude-opus-4-1-20250805": {"input": 100_000, "cache_read": 9_000_000, "output": 50_000},
                "codex:gpt-5-codex": {"input": 20_000},
                "gemini:gemini-9-ultra": {"input": 5000},
            },
            "projects": {
                "/home/ana/shop": {"tokens": 9_000_000, "cost_usd": 150.0},
                "/home/ana/ops/a/very/long/path/of/a/project/with/a/name": {"tokens": 175_000, "cost_usd": 60.0},
            },
            "unpriced": ["gemini-9-ultra"],
            "hidden_cost_usd": {"claude:x": 0.2},
        }
    ).encode()
