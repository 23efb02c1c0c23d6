"""What transcripts do to a counter besides the hand-checked cases: each has one right answer, worked out by hand."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import zstandard

from agentdeck.usage.birth import made
from agentdeck.usage.models import canonical
from agentdeck.usage.report import Period
from tests.usage.history import (
    CHILD,
    FORK,
    SESSION,
    THREAD,
    History,
    answered,
    chat,
    compacted,
    counted,
    meta,
    recorded,
    rollout,
    said,
    spent,
    subagent,
    tokens,
    total,
    transcript,
    turn,
)

OPUS = 4e-6, 20e-6, 0.2e-6
"""USD of claude-opus-5-5 for a token in, out and read from the cache."""


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


# ── Claude Code: what counts once ──────────────────────────────────────────────────────────────


def test_partial_records_of_one_answer_in_two_files_count_once_with_the_largest_sum(history: History) -> None:
    history.write(transcript(FORK), said("m", session=FORK, output=1, clock="10:00:00"))
    history.write(transcript(), said("m", output=3), said("m", output=427), said("m", output=1))
    found = history.usage()
    assert (found.messages, total(found)) == ({"claude": 1}, 427)


def test_a_growing_answer_adds_its_growth_whenever_it_is_looked_at(history: History) -> None:
    for output in (1, 200, 200, 427, 90):
        history.append(transcript(), said("m", input=5, output=output))
        found = history.usage()
    assert total(found) == 432
    assert found.cost_usd == pytest.approx(5 * OPUS[0] + 427 * OPUS[1], abs=1e-9)


def test_the_same_message_under_two_requests_of_the_main_chain_is_two_answers(history: History) -> None:
    history.write(transcript(), said("m", request="r1", output=10), said("m", request="r2", output=10))
    assert history.usage().messages == {"claude": 2}


def test_equal_numbers_with_different_ids_are_different_answers(history: History) -> None:
    history.write(transcript(), *(said(f"m{n}", input=7, output=9) for n in range(5)))
    assert total(history.usage()) == 80


def test_a_fork_of_a_fork_owns_only_what_it_added(history: History) -> None:
    third = "cccccccc-0000-4000-8000-000000000003"
    first, second, last = (said(f"m{n}", output=n, clock=f"10:00:0{n}") for n in (1, 2, 3))
    history.write(transcript(), first)
    history.write(transcript(FORK), first | {"sessionId": FORK}, second | {"sessionId": FORK})
    history.write(transcript(third), *(record | {"sessionId": third} for record in (first, second, last)))
    sessions = {name: session.tokens for name, session in history.usage().sessions.items()}
    assert sessions == {f"claude:{SESSION}": 1, f"claude:{FORK}": 2, f"claude:{third}": 3}


def test_a_fork_that_is_found_before_its_parent_gives_the_answer_back(history: History) -> None:
    copy = said("m", session=FORK, output=10, clock="11:00:00", forkedFrom={"sessionId": SESSION, "messageUuid": "u"})
    history.write(transcript(FORK), copy)
    assert list(history.usage().sessions) == [f"claude:{FORK}"]
    history.write(transcript(), said("m", output=10, clock="10:00:00"))
    found = history.usage()
    assert {name: session.tokens for name, session in found.sessions.items()} == {f"claude:{SESSION}": 10}


def test_of_exact_copies_with_one_time_the_file_that_was_made_first_is_the_original(history: History) -> None:
    parents = [f"{number:08x}-0000-4000-8000-000000000001" for number in range(16)]
    forks = {parent: f"{number:08x}-0000-4000-8000-000000000002" for number, parent in enumerate(parents)}
    for parent in parents:
        history.write(transcript(parent), said(f"m-{parent}", session=parent, output=10))
    later_than(history.home / transcript(parents[-1]))
    for parent, fork in forks.items():
        history.write(transcript(fork), said(f"m-{parent}", session=fork, output=10))
    for number, session in enumerate([*parents, *forks.values()]):
        when = 1_790_000_000 + number % len(parents)
        os.utime(history.home / transcript(session), (when, when))  # as an archive does it when it is unpacked
    assert sorted(history.usage().sessions) == [f"claude:{parent}" for parent in parents]


def later_than(path: Path) -> None:
    """Wait until a new file is younger than this one; clocks of file systems are coarse."""
    probe = path.with_suffix(".probe")
    until = time.monotonic() + 5
    while time.monotonic() < until:
        probe.touch()
        is_later = made(os.fsencode(probe)) > made(os.fsencode(path))
        probe.unlink()
        if is_later:
            return
    pytest.skip("this file system does not tell when a file was made")


def test_a_forks_copies_whose_usage_was_zeroed_change_neither_sums_nor_the_gauge(history: History) -> None:
    history.write(transcript(), said("m1", input=9, read=50_000, output=10))
    fork = [said("m1", session=FORK), said("m2", session=FORK, read=60_000, clock="11:00:00"), said("m1", session=FORK)]
    history.write(transcript(FORK), *fork)
    found = history.usage()
    assert total(found) == 50_019 + 60_000
    assert found.context[f"claude:{FORK}"].used_tokens == 60_000


def test_a_session_that_moves_to_another_project_counts_once(history: History) -> None:
    records = [said(f"m{n}", output=10, clock=f"10:00:0{n}") for n in range(3)]
    history.write(transcript(), *records)
    history.usage()
    history.remove(transcript())
    history.write(transcript(project="-w-q"), *records, said("m9", output=10))
    assert history.usage().messages == {"claude": 4}


def test_the_same_history_below_two_configuration_directories_counts_once(history: History) -> None:
    for base in (".claude", ".config/claude", "elsewhere"):
        history.write(f"{base}/projects/-w-p/{SESSION}.jsonl", said("m", output=10))
    assert history.usage(CLAUDE_CONFIG_DIR=str(history.home / "elsewhere")).messages == {"claude": 1}


# ── Claude Code: sidechains ────────────────────────────────────────────────────────────────────


def test_a_replay_is_dropped_whichever_of_the_two_is_read_first(history: History) -> None:
    replay = said("m", request="other", sidechain=True, read=50_000, output=10)
    history.write(subagent("aside"), replay, said("own", sidechain=True, output=30))
    assert total(history.usage()) == 50_040
    history.write(transcript(), said("m", read=20, output=10))
    assert total(history.usage()) == 60


def test_asides_inside_the_main_transcript_count_but_do_not_move_its_gauge(history: History) -> None:
    history.write(transcript(), said("m", read=900, output=1), said("s", sidechain=True, read=70_000, output=1))
    found = history.usage()
    assert total(found) == 70_902
    assert found.context[f"claude:{SESSION}"].used_tokens == 900


def test_sub_agents_of_sub_agents_count_for_the_session(history: History) -> None:
    history.write(transcript(), said("m", output=1))
    deep = f".claude/projects/-w-p/{SESSION}/subagents/workflows/w1/agent-deep.jsonl"
    history.write(deep, said("d", sidechain=True, output=5))
    assert history.usage().sessions[f"claude:{SESSION}"].tokens == 6


def test_progress_and_tool_results_that_quote_usage_are_none(history: History) -> None:
    quoted = said("sub", output=5000)
    progress = {"type": "progress", "data": {"message": quoted}, "sessionId": SESSION}
    result = {"type": "user", "toolUseResult": {"usage": quoted["message"]["usage"], "totalTokens": 5000}}
    history.write(transcript(), progress, result, said("m", output=1))
    assert total(history.usage()) == 1


# ── Claude Code: what a token costs ────────────────────────────────────────────────────────────


def cost(history: History, *records: dict[str, object]) -> float:
    history.write(transcript(), *records)
    return history.usage().cost_usd


def test_hour_long_cache_writes_cost_twice_the_input_and_others_a_quarter_more(history: History) -> None:
    assert cost(history, said("m", written=1000, hour=400)) == pytest.approx((400 * 8 + 600 * 5) / 1e6, abs=1e-9)


def test_a_breakdown_without_a_total_is_not_charged(history: History) -> None:
    assert cost(history, said("m", written=None, hour=400, output=1)) == pytest.approx(OPUS[1], abs=1e-9)


def test_searches_are_charged_beside_tokens_and_not_more_in_the_us(history: History) -> None:
    record = said("m", output=100, web=3, usage={"inference_geo": "us"})
    assert cost(history, record) == pytest.approx(100 * OPUS[1] * 1.1 + 0.03, abs=1e-9)


def test_an_advisor_is_charged_once_however_often_its_message_is_repeated(history: History) -> None:
    advice = {"type": "advisor_message", "model": "claude-sonnet-5-5", "input_tokens": 1000, "output_tokens": 100}
    own = {"type": "message", "input_tokens": 4, "output_tokens": 10}
    streamed = said("m", input=4, output=1)
    whole = said("m", input=4, output=10, usage={"iterations": [own, advice]})
    fork = whole | {"sessionId": FORK}
    history.write(transcript(FORK), fork)
    price = 4 * OPUS[0] + 10 * OPUS[1] + (1000 * 2 + 100 * 10) / 1e6
    assert cost(history, streamed, whole, whole) == pytest.approx(price, abs=1e-9)
    assert history.usage().messages == {"claude": 1}


def test_the_long_rate_begins_above_its_limit_with_all_kinds_of_prompt_tokens(history: History) -> None:
    at_limit = said("a", model="claude-sonnet-4-5", input=1, written=99_999, read=100_000, output=10)
    assert cost(history, at_limit) == pytest.approx((1 * 3 + 99_999 * 3.75 + 100_000 * 0.3 + 10 * 15) / 1e6, abs=1e-9)
    above = said("a", model="claude-sonnet-4-5", input=2, written=99_999, read=100_000, output=10)
    assert cost(history, above) == pytest.approx((2 * 6 + 99_999 * 7.5 + 100_000 * 0.6 + 10 * 22.5) / 1e6, abs=1e-9)


def test_a_model_without_a_price_is_named_and_never_free(history: History) -> None:
    history.write(transcript(), said("a", model="claude-next-9", output=5), said("b", output=10))
    found = history.usage()
    assert found.unpriced == ["claude-next-9"]
    assert found.cost_usd == pytest.approx(10 * OPUS[1], abs=1e-9)
    session = found.sessions[f"claude:{SESSION}"]
    assert (session.tokens, session.unpriced) == (15, 5)


@pytest.mark.parametrize("usage", [{"input_tokens": -5}, {"input_tokens": 1e300}, {"cache_read_input_tokens": None}])
def test_numbers_that_cannot_be_are_nothing(history: History, usage: dict[str, object]) -> None:
    history.write(transcript(), said("m", output=7, usage=usage))
    assert total(history.usage()) == 7


@pytest.mark.parametrize(
    "name",
    [
        "claude-haiku-4-5-20251001",
        "claude-haiku-4-5[1m]",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "global.anthropic.claude-haiku-4-5-20251001-v1:0[1m]",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "claude-haiku-4-5@20251001",
        "anthropic/claude-haiku-4.5",
        "openrouter/anthropic/claude-haiku-4.5:beta",
        "vertex_ai/claude-haiku-4-5@20251001",
    ],
)
def test_one_model_has_one_name(name: str) -> None:
    assert canonical(name) == "claude-haiku-4-5"


# ── Claude Code: hidden cost ───────────────────────────────────────────────────────────────────


def hidden(history: History) -> float:
    return history.usage().hidden_cost_usd.get(SESSION, 0.0)


def test_hidden_cost_is_that_of_the_last_count_of_a_session_that_was_resumed(history: History) -> None:
    answer = 100 * OPUS[1]
    history.append(transcript(), said("m1", output=100), spent(answer + 0.01))
    assert hidden(history) == pytest.approx(0.01, abs=1e-9)
    history.append(transcript(), said("m2", output=100, clock="11:00:00"), spent(2 * answer + 0.015))
    assert hidden(history) == pytest.approx(0.015, abs=1e-9)


def test_answers_after_the_last_count_are_not_taken_from_it(history: History) -> None:
    answer = 100 * OPUS[1]
    history.write(transcript(), said("m1", output=100), spent(answer + 0.01), said("m2", output=100, clock="11:00:00"))
    assert hidden(history) == pytest.approx(0.01, abs=1e-9)


def test_what_sub_agents_cost_is_not_hidden_wherever_they_are_written(history: History) -> None:
    own = spent(30 * OPUS[1] + 0.01)
    history.write(transcript(), said("m", output=10), said("s", sidechain=True, output=10), own)
    history.write(subagent("one"), said("t", sidechain=True, output=10))
    assert hidden(history) == pytest.approx(0.01, abs=1e-9)


def test_hidden_cost_stays_when_the_transcript_is_shortened(history: History) -> None:
    answer = 100 * OPUS[1]
    rows = [said("m1", output=100), said("m2", output=100, clock="10:10:00"), spent(2 * answer + 0.01)]
    history.write(transcript(), *rows)
    history.usage()
    history.replace(transcript(), *rows[1:])
    assert hidden(history) == pytest.approx(0.01, abs=1e-9)


# ── Claude Code: context ───────────────────────────────────────────────────────────────────────


def test_a_long_prompt_proves_the_large_window_also_after_a_compaction(history: History) -> None:
    long = said("m1", model="claude-haiku-4-5", read=250_000, output=1)
    short = said("m2", model="claude-haiku-4-5", read=20_000, output=1, clock="10:05:00")
    history.write(transcript(), long, compacted(15_000, "10:04:00"), short)
    gauge = history.usage().context[f"claude:{SESSION}"]
    assert (gauge.used_tokens, gauge.window, gauge.assumed) == (20_000, 1_000_000, True)


def test_another_model_begins_with_its_own_window(history: History) -> None:
    history.write(
        transcript(),
        said("m1", model="claude-sonnet-4-5", read=250_000),
        said("m2", model="claude-haiku-4-5", read=20_000, clock="10:05:00"),
    )
    assert history.usage().context[f"claude:{SESSION}"].window == 200_000


def test_a_gauge_stands_at_what_a_compaction_left_until_the_next_answer(history: History) -> None:
    history.write(transcript(), said("m1", model="claude-haiku-4-5", read=160_000))
    history.usage()
    history.append(transcript(), compacted(12_000, "10:04:00"))
    assert history.usage().context[f"claude:{SESSION}"].used_tokens == 12_000
    history.append(transcript(), said("m2", model="claude-haiku-4-5", read=13_000, clock="10:05:00"))
    assert history.usage().context[f"claude:{SESSION}"].used_tokens == 13_000


def test_errors_and_made_up_answers_do_not_move_the_gauge(history: History) -> None:
    history.write(
        transcript(),
        said("m", read=9000),
        said("x", model="<synthetic>", read=5),
        said("y", read=7, isApiErrorMessage=True),
    )
    found = history.usage()
    assert (total(found), found.context[f"claude:{SESSION}"].used_tokens) == (9000, 9000)


# ── Claude Code: damaged lines ─────────────────────────────────────────────────────────────────


def test_damage_in_the_text_of_an_answer_does_not_lose_its_usage(history: History) -> None:
    plain = json.dumps(said("m", output=10)).encode()
    history.write(transcript(), plain.replace(b'"ok"', b'"half \\ud83d of a pair"'))
    assert total(history.usage()) == 10


@pytest.mark.parametrize("usage", [{"speed": {"new": 1}}, {"server_tool_use": []}, {"iterations": [{"type": 7}]}])
def test_a_field_of_another_kind_than_today_loses_only_itself(history: History, usage: dict[str, object]) -> None:
    history.write(transcript(), said("m", output=10, usage=usage))
    found = history.usage()
    assert (total(found), found.bad_lines) == (10, 0)


@pytest.mark.parametrize("rubbish", [b"\0" * 4096, b"\xff\xfe\xfd", b"{", b'{"a":' * 5000, b'{"output_tokens":1}', b""])
def test_rubbish_between_records_costs_nothing_but_itself(history: History, rubbish: bytes) -> None:
    history.write(transcript(), said("m1", output=1), rubbish, said("m2", output=2, clock="10:00:09"))
    assert total(history.usage()) == 3


def test_a_record_is_counted_when_its_line_is_whole(history: History) -> None:
    line = json.dumps(said("m", output=10)).encode()
    history.write(transcript(), line[:200], end=b"")
    assert total(history.usage()) == 0
    history.append(transcript(), line[200:])
    assert total(history.usage()) == 10


def test_a_file_that_was_replaced_by_a_longer_one_is_read_from_its_beginning(history: History) -> None:
    history.write(transcript(), said("m1", output=1))
    history.usage()
    history.replace(transcript(), said("m0", output=5, clock="09:00:00"), *(said(f"n{n}", output=1) for n in range(9)))
    assert total(history.usage()) == 15


def test_a_file_that_was_rewritten_in_place_is_read_from_its_beginning(history: History) -> None:
    history.write(transcript(), said("m1", output=1), said("m2", output=2))
    history.usage()
    history.write(transcript(), said("m3", output=4), said("m2", output=2), said("m4", output=8))
    assert total(history.usage()) == 15


# ── days ───────────────────────────────────────────────────────────────────────────────────────


def test_days_are_those_of_the_zone_also_where_it_is_off_by_quarters_of_an_hour(history: History) -> None:
    history.write(transcript(), said("a", output=1, clock="18:10:00"), said("b", output=2, clock="18:20:00"))
    assert history.usage(ZoneInfo("Asia/Kathmandu")).days == {"2026-11-20": 1, "2026-11-21": 2}


@pytest.mark.parametrize(
    ("day", "clock", "local"),
    [
        ("2026-03-29", "00:59:59", "2026-03-29"),
        ("2026-10-24", "21:59:59", "2026-10-24"),  # still summer: +2
        ("2026-10-24", "22:00:00", "2026-10-25"),
        ("2026-10-25", "22:59:59", "2026-10-25"),  # winter since the night: +1
        ("2026-10-25", "23:00:00", "2026-10-26"),
    ],
)
def test_a_day_on_which_the_clock_changes_has_23_or_25_hours(
    history: History, day: str, clock: str, local: str
) -> None:
    history.write(transcript(), said("m", output=1, clock=clock, day=day))
    assert history.usage(ZoneInfo("Europe/Berlin")).days == {local: 1}


def test_a_period_has_its_beginning_and_not_its_end(history: History) -> None:
    history.write(transcript(), *(said(f"m{n}", output=1, clock=f"10:00:0{n}") for n in range(4)))
    first = round(datetime(2026, 11, 20, 10, 0, 1, tzinfo=UTC).timestamp() * 1000)
    assert total(history.usage(period=Period(first, first + 2000))) == 2


# ── Codex ──────────────────────────────────────────────────────────────────────────────────────


def test_totals_that_fall_twice_begin_three_epochs(history: History) -> None:
    steps = [
        tokens(1000, output=100),
        tokens(3000, output=200),
        tokens(500, output=10),
        tokens(800, output=20),
        tokens(9),
    ]
    rows = [counted(each, f"10:00:{n:02}") for n, each in enumerate(steps, 2)]
    history.write(rollout(), meta(), turn(), *rows)
    assert total(history.usage()) == 3200 + 820 + 9


def test_totals_that_come_back_after_a_reset_are_new_usage(history: History) -> None:
    steps = [tokens(1000), tokens(10), tokens(1000)]
    history.write(rollout(), meta(), turn(), *(counted(each, f"10:00:{n:02}") for n, each in enumerate(steps, 2)))
    assert total(history.usage()) == 2000


def test_many_events_in_one_second_are_no_proof_of_a_fork(history: History) -> None:
    steps = [counted(tokens(1000 * n), "10:00:00") for n in range(1, 6)]
    history.write(rollout(), meta(), turn(), *steps)
    found = history.usage()
    assert (found.messages, total(found)) == ({"codex": 5}, 5000)


def test_an_old_fork_whose_parent_is_gone_leaves_the_copied_usage_to_the_parent(history: History) -> None:
    fork = [meta(CHILD, "11:00:00", forked_from_id=THREAD), meta(THREAD, "11:00:00"), turn(clock="11:00:00")]
    copied = [counted(tokens(1000), "11:00:00"), counted(tokens(3000), "11:00:02")]
    history.write(rollout(CHILD, "11-00-00"), *fork, *copied, counted(tokens(3500), "11:05:00"))
    sessions = {name: session.tokens for name, session in history.usage().sessions.items()}
    assert sessions == {f"codex:{THREAD}": 3000, f"codex:{CHILD}": 500}
    history.write(rollout(), meta(), turn(), counted(tokens(1000), "10:00:02"), counted(tokens(3000), "10:00:20"))
    assert total(history.usage()) == 3500


def test_a_forks_own_answer_in_the_second_of_its_birth_counts(history: History) -> None:
    history.write(rollout(), meta(), turn(), counted(tokens(1000), "10:00:02"))
    history.write(
        rollout(CHILD, "11-00-00"),
        meta(CHILD, "11:00:00", forked_from_id=THREAD),
        turn(clock="11:00:00"),
        counted(tokens(1000), "11:00:00"),
        counted(tokens(1700), "11:00:00"),
    )
    assert history.usage().sessions[f"codex:{CHILD}"].tokens == 700


def test_a_new_fork_that_is_read_before_its_first_answer_owes_nothing(history: History) -> None:
    history.write(rollout(), meta(history_mode="paginated"), turn(), recorded("r1", tokens(65_000), "10:00:02"))
    name = rollout(CHILD, "11-00-00")
    history.write(
        name,
        meta(CHILD, "11:00:00", forked_from_id=THREAD, history_mode="paginated"),
        turn(clock="11:00:00"),
        counted(tokens(65_000), "11:00:00"),
    )
    assert total(history.usage()) == 65_000
    history.append(name, recorded("r2", tokens(16_000), "11:00:02", thread=CHILD), counted(tokens(81_000), "11:00:03"))
    assert total(history.usage()) == 81_000


def test_records_of_one_response_in_several_rollouts_count_once(history: History) -> None:
    record = recorded("r1", tokens(1000, output=10), "10:00:02")
    history.write(rollout(), meta(), turn(), record, record)
    child = meta(CHILD, "11:00:00", forked_from_id=THREAD, subagent_history_start_ordinal=20)
    own = recorded("r2", tokens(50), "11:00:02", ordinal=21, thread=CHILD)
    history.write(rollout(CHILD, "11-00-00"), child, turn(), record, own)
    sessions = {name: session.tokens for name, session in history.usage().sessions.items()}
    assert sessions == {f"codex:{THREAD}": 1010, f"codex:{CHILD}": 50}


def test_an_old_thread_that_a_new_version_goes_on_with_keeps_its_past(history: History) -> None:
    name = rollout()
    history.write(name, meta(), turn(), counted(tokens(1000), "10:00:02"))
    parts = [recorded("r1", tokens(500), "12:00:00"), counted(tokens(1500), "12:00:01")]
    history.append(name, *parts)
    assert total(history.usage()) == 1500
    again = History(history.home.parent / "again")
    again.write(name, meta(), turn(), counted(tokens(1000), "10:00:02"))
    assert total(again.usage()) == 1000
    again.append(name, *parts)
    assert total(again.usage()) == 1500


@pytest.mark.parametrize("frames", [1, 3])
def test_an_archived_and_compressed_rollout_counts_once_with_its_original(history: History, frames: int) -> None:
    rows = [meta(), turn(), *(counted(tokens(1000 * n), f"10:00:0{n}") for n in range(1, 5))]
    original = history.write(rollout(), *rows)
    assert total(history.usage()) == 4000
    plain = original.read_bytes()
    size = len(plain) // frames + 1
    packed = b"".join(zstandard.compress(plain[n : n + size]) for n in range(0, len(plain), size))
    history.write(f"{rollout(folder='archived_sessions')}.zst", packed, end=b"")
    assert total(history.usage()) == 4000
    history.remove(rollout())
    assert total(history.usage()) == 4000
    alone = History(history.home.parent / "alone")
    alone.write(f"{rollout(folder='archived_sessions')}.zst", packed, end=b"")
    assert total(alone.usage()) == 4000


def test_cached_and_reasoning_tokens_are_parts_of_the_others(history: History) -> None:
    history.write(rollout(), meta(), turn(), recorded("r", tokens(1000, 1200, 50, 30, 70), "10:00:02"))
    spent_on = history.usage().tokens["codex:gpt-6.1-sol"]
    assert (spent_on.input, spent_on.cache_read, spent_on.cache_write_5m) == (0, 1000, 0)
    assert (spent_on.output, spent_on.reasoning) == (50, 50)


def test_the_priority_tier_doubles_the_cost(history: History) -> None:
    used = tokens(1000, output=100)
    history.write(rollout(), meta(), turn(service_tier="priority"), recorded("r", used, "10:00:02"))
    assert history.usage().cost_usd == pytest.approx(2 * (1000 * 2 + 100 * 10) / 1e6, abs=1e-9)


def test_a_refresh_of_the_screen_is_no_usage(history: History) -> None:
    rows = [counted(tokens(1000), "10:00:02")] * 4 + [counted(None, "10:00:03")]
    history.write(rollout(), meta(), turn(), *rows)
    assert history.usage().messages == {"codex": 1}


# ── Gemini CLI ─────────────────────────────────────────────────────────────────────────────────


def test_thoughts_are_output_cached_is_input_and_tools_are_on_top(history: History) -> None:
    row = answered("m", input=1000, cached=400, output=10, thoughts=30, tool=50)
    history.write(chat(), {"sessionId": "g"}, row)
    found = history.usage().tokens["gemini:gemini-2.5-pro"]
    assert (found.input, found.cache_read, found.output, found.reasoning) == (650, 400, 40, 30)


def test_the_last_writing_of_a_message_counts_also_when_it_is_smaller(history: History) -> None:
    history.write(chat(), {"sessionId": "g"}, answered("m", input=1000, output=10))
    history.usage()
    history.append(chat(), answered("m", input=900, output=5))
    assert total(history.usage()) == 905


def test_a_resumed_chat_that_repeats_its_past_in_a_new_file_counts_it_once(history: History) -> None:
    rows = [answered("m1", input=100), answered("m2", input=200, clock="10:00:05")]
    history.write(chat("a"), {"sessionId": "g"}, *rows)
    history.write(chat("b"), {"sessionId": "g"}, *rows, answered("m3", input=400, clock="11:00:00"))
    assert total(history.usage()) == 700


def test_messages_of_the_same_name_in_two_chats_are_two(history: History) -> None:
    history.write(chat("a"), {"sessionId": "g1"}, answered("1", input=100))
    history.write(chat("b"), {"sessionId": "g2"}, answered("1", input=100))
    assert history.usage().messages == {"gemini": 2}


# ── all together ───────────────────────────────────────────────────────────────────────────────


def test_what_was_billed_stays_when_every_transcript_is_deleted(history: History) -> None:
    history.write(transcript(), said("m", read=10, output=10), spent(1.0))
    history.write(rollout(), meta(), turn(), recorded("r", tokens(1000), "10:00:02"))
    history.write(chat(), {"sessionId": "g"}, answered("m", input=100))
    before = history.usage()
    for name in (transcript(), rollout(), chat()):
        history.remove(name)
    after = history.usage()
    assert (after.tokens, after.cost_usd, after.sessions) == (before.tokens, before.cost_usd, before.sessions)
    assert after.hidden_cost_usd == before.hidden_cost_usd
