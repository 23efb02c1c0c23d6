"""`agentdeck usage`: one object for programs, a table and the figures of now for people."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli_home import CliHome, a_home
from tests.usage.history import (
    SESSION,
    History,
    counted,
    meta,
    recorded,
    rollout,
    said,
    spent,
    tokens,
    transcript,
    turn,
)

NOW = 1795176000.0
"""2026-11-20 12:00 UTC."""


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History(tmp_path)
    history.write(transcript(), said("m1", output=100), said("m2", output=50, day="2026-11-10"), spent(0.5))
    history.write(
        transcript("bbbbbbbb-0000-4000-8000-000000000002", "-w-q"),
        said("n", session="bbbbbbbb-0000-4000-8000-000000000002", model="claude-next-9", output=7, cwd="/w/q"),
    )
    return history


@pytest.fixture
def home(history: History, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CliHome:
    monkeypatch.setattr(time, "time", lambda: NOW)
    return a_home(history.home, monkeypatch, capsys)


def test_programs_get_one_object_with_every_key(home: CliHome) -> None:
    found = home.json("usage", "--tz", "UTC")
    assert {
        "messages", "tokens", "cost_usd", "sessions", "days", "unpriced", "hidden_cost_usd", "context",
        "today", "week", "burn", "limits",
    } <= set(found)  # fmt: skip
    assert found["messages"] == {"claude": 3}
    assert found["days"] == {"2026-11-10": 50, "2026-11-20": 107}
    assert found["unpriced"] == ["claude-next-9"]
    assert found["sessions"][f"claude:{SESSION}"] == {"tokens": 150, "cost_usd": pytest.approx(150 * 20e-6)}
    assert found["today"] == {"tokens": 107, "cost_usd": pytest.approx(100 * 20e-6)}
    assert found["week"]["tokens"] == 107


@pytest.mark.parametrize(
    ("by", "row"),
    [
        ("model", "claude:claude-next-9 7 unpriced"),
        ("day", "2026-11-20 107 $0.00 + unpriced"),
        ("session", "claude:bbbbbbbb-0000-4000-8000-000000000002 7 unpriced"),
        ("project", "/w/q 7 unpriced"),
    ],
)
def test_what_has_no_price_is_never_shown_as_free(home: CliHome, by: str, row: str) -> None:
    lines = home.ok("usage", "--by", by, "--tz", "UTC").splitlines()
    assert row in [" ".join(line.split()) for line in lines]
    assert any(line.startswith("total") and line.endswith("$0.00 + unpriced") for line in lines)
    assert "unpriced: claude-next-9" in lines


def test_hidden_cost_is_told_apart(home: CliHome) -> None:
    assert "and $0.50 that Claude Code counted for calls it does not record" in home.ok("usage")


def test_a_period_is_whole_days_of_the_zone(home: CliHome) -> None:
    assert home.json("usage", "--since", "2026-11-20", "--tz", "UTC")["messages"] == {"claude": 2}
    assert home.json("usage", "--until", "2026-11-19", "--tz", "UTC")["messages"] == {"claude": 1}
    assert home.json("usage", "--since", "2026-11-20", "--tz", "Pacific/Kiritimati")["messages"] == {"claude": 2}
    assert home.json("usage", "--since", "2026-11-21", "--tz", "Pacific/Kiritimati")["messages"] == {"claude": 2}
    assert home.json("usage", "--since", "2026-11-21", "--tz", "UTC")["messages"] == {}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--tz", "Mars/Olympus"), "there is no time zone called 'Mars/Olympus'"),
        (("--tz", "../../etc/passwd"), "there is no time zone called '../../etc/passwd'"),
        (("--tz", ""), "there is no time zone called ''"),
        (("--since", "2026-13-01"), "'2026-13-01' is no day"),
        (("--since", "tomorrow"), "'tomorrow' is no day"),
        (("--since", "2026-11-20", "--until", "2026-11-19"), "the period ends before it begins"),
        (("--by", "mood"), "--by: invalid choice: 'mood'"),
    ],
)
def test_a_wrong_question_is_one_sentence_and_a_hint(home: CliHome, words: tuple[str, ...], sentence: str) -> None:
    assert home.refused("usage", *words)[0].startswith(f"agentdeck: {sentence}")
    assert not home.state.exists()


def test_the_burn_rate_is_that_of_the_last_quarter_of_an_hour(home: CliHome, history: History) -> None:
    history.append(transcript(), said("b", output=1000, clock="11:50:00"), said("c", output=1000, clock="11:40:00"))
    burn = home.json("usage", "--tz", "UTC")["burn"]
    assert burn == {"tokens_hour": 4000.0, "usd_hour": pytest.approx(4 * 1000 * 20e-6)}


def test_limits_are_the_providers_own_first_and_estimates_say_so(home: CliHome, history: History) -> None:
    limits = {
        "primary": {"used_percent": 42.0, "window_minutes": 300, "resets_at": NOW + 600},
        "secondary": {"used_percent": 9.0, "window_minutes": 10080, "resets_at": NOW - 600},
    }
    told = counted(tokens(10), "11:59:00")
    told["payload"]["rate_limits"] = limits
    history.write(rollout(), meta(), turn(), recorded("r", tokens(10), "11:58:00"), told)
    history.append(transcript(), said("b", output=1000, clock="11:50:00"))
    found: list[dict[str, Any]] = home.json("usage", "--tz", "UTC")["limits"]
    assert [(limit["provider"], limit["name"], limit["used_pct"], limit["estimated"]) for limit in found] == [
        ("codex", "5 hours", 42.0, False),
        ("codex", "week", 0.0, False),
        ("claude", "5 hours", None, True),
    ]
    assert datetime.fromtimestamp(found[2]["resets_at"], UTC).hour == 15
    assert found[2]["tokens"] == 1107
    text = home.ok("usage", "--tz", "UTC")
    assert "limit: codex 5 hours, 42% used, resets Fri 12:10" in text
    assert "limit: claude 5 hours, est. 1,107 tokens, $0.02 so far, resets Fri 15:00" in text
    own = {"utilization": {"five_hour": {"utilization": 17, "resets_at": "2026-11-20T13:00:00Z"}}}
    cached = {"cachedUsageUtilization": own | {"fetchedAtMs": NOW * 1000}}
    (history.home / ".claude.json").write_text(json.dumps(cached))
    found = home.json("usage", "--tz", "UTC")["limits"]
    assert ("claude", 17.0, False) in [(limit["provider"], limit["used_pct"], limit["estimated"]) for limit in found]
    assert not [limit for limit in found if limit["estimated"]]


def test_an_own_price_list_counts(home: CliHome) -> None:
    prices = home.path / ".config" / "agentdeck" / "prices.toml"
    prices.parent.mkdir(parents=True)
    prices.write_text('[models."claude-next-9"]\nin = 1\nout = 1000\n')
    found = home.json("usage")
    assert (found["unpriced"], found["models"]["claude:claude-next-9"]) == ([], pytest.approx(0.007))


def test_the_ledger_is_private_and_remembers_what_is_gone(home: CliHome, history: History) -> None:
    before = home.json("usage")["tokens"]
    history.remove(transcript())
    assert home.json("usage")["tokens"] == before
    assert (home.state / "usage.db").stat().st_mode & 0o077 == 0


def test_a_damaged_ledger_is_one_sentence_beside_the_right_answer(home: CliHome) -> None:
    before = home.json("usage")
    (home.state / "usage.db").write_bytes(b"rubbish" * 1000)
    for part in ("-wal", "-shm"):
        (home.state / f"usage.db{part}").unlink(missing_ok=True)
    said = home.run("usage", "--json")
    assert said.code == 0
    assert json.loads(said.out) == before
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("agentdeck: the usage ledger was damaged")


def test_a_home_without_any_history_uses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    home = a_home(empty, monkeypatch, capsys)
    assert home.json("usage")["tokens"] == {}
    assert home.ok("usage").splitlines()[1].split() == ["total", "0", "$0.00"]
