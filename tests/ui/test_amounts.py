"""Figures of tokens and money in a few characters; what is not known is never nothing."""

import pytest

from agentdeck.ui.amounts import cost_of, dollars, minutes, model_name, spent, tokens, took, when


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "?"), (0, "0"), (999, "999"), (1000, "1.0k"), (2149, "2.1k"), (9949, "9.9k"), (9951, "10k"),
     (182_400, "182k"), (999_499, "999k"), (999_500, "1.0M"), (12_345_678, "12M"), (3 * 10**9, "3.0G")],
)  # fmt: skip
def test_tokens(number: int | None, text: str) -> None:
    assert tokens(number) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "?"), (0.0, "$0.00"), (0.001, "<$0.01"), (1.314, "$1.31"), (99.99, "$99.99"), (99.996, "$100"),
     (1234.5, "$1,234")],
)  # fmt: skip
def test_dollars(amount: float | None, text: str) -> None:
    assert dollars(amount) == text


def test_tokens_without_a_price_are_unpriced_and_never_free() -> None:
    assert spent(None, unpriced=True) == "unpriced"
    assert spent(0.0, unpriced=True) == "unpriced"
    assert spent(1.0, unpriced=True) == "$1.00 + unpriced"
    assert spent(None, unpriced=False) == "?"
    assert cost_of(10, 0.0, unpriced=True) == "unpriced"
    assert cost_of(10, 0.0, unpriced=False) == "$0.00"
    assert cost_of(10, 2.0, unpriced=True) == "$2.00"


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [("claude-opus-4-1-20250805", "claude", "opus-4.1"), ("claude-3-5-haiku-20241022", "claude", "3.5-haiku"),
     ("gpt-5.1-codex-max", "codex", "gpt-5.1-codex-max"), ("models/gemini-2.5-pro", "gemini", "2.5-pro"),
     ("", "claude", "")],
)  # fmt: skip
def test_a_model_is_named_beside_its_provider(model: str, provider: str, name: str) -> None:
    assert model_name(model, provider) == name


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.04, "0.0s"), (6.23, "6.2s"), (42.4, "42s"), (180.0, "3m"), (7200.0, "2h")]
)
def test_how_long_a_call_took(seconds: float | None, text: str) -> None:
    assert took(seconds) == text


def test_an_age_in_minutes_changes_at_most_once_a_minute() -> None:
    assert [minutes(seconds) for seconds in (0, 59, 60, 130, 3600, 172_800)] == ["<1m", "<1m", "1m", "2m", "1h", "2d"]


@pytest.mark.usefixtures("utc")
def test_a_moment_is_a_time_a_day_or_a_date() -> None:
    now = 1_700_000_000.0  # Tuesday 14 November 2023, 22:13 in UTC
    assert when(now + 7200, now) == "00:13"
    assert when(now + 3 * 86400, now) == "Fri 22:13"
    assert when(now + 3 * 86400, now, short=True) == "Fri"
    assert when(now + 20 * 86400, now) == "04 Dec"
