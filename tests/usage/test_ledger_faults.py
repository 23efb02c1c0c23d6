"""What happens to the ledger when everything around it goes wrong: the totals are right afterwards, and it is said."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from agentdeck.transcripts.roots import roots
from agentdeck.usage import ledger as ledgers
from agentdeck.usage import tables
from agentdeck.usage.counted import counted
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.report import Usage, usage
from tests.usage.history import (
    PRICES,
    History,
    answered,
    chat,
    meta,
    recorded,
    rollout,
    said,
    tokens,
    total,
    transcript,
    turn,
)


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History(tmp_path)
    for number in range(8):
        session = f"aaaaaaaa-0000-4000-8000-{number:012}"
        answers = [said(f"m{number}-{n}", session=session, read=1000, output=10 + n) for n in range(50)]
        history.write(transcript(session), *answers)
    history.write(rollout(), meta(), turn(), *(recorded(f"r{n}", tokens(1000 + n), "10:00:02") for n in range(50)))
    history.write(chat(), {"sessionId": "g"}, *(answered(f"m{n}", input=100 + n) for n in range(50)))
    return history


RIGHT = 8 * (50 * 1000 + sum(range(10, 60))) + 50 * 1000 + sum(range(50)) + 50 * 100 + sum(range(50))


def ask(history: History, said: list[str] | None = None) -> Usage:
    problems = said if said is not None else []
    with counted(history.ledger_path, PRICES, roots(history.env), problem=problems.append) as ledger:
        return usage(ledger, PRICES, history.env)


def asides(history: History, why: str) -> list[Path]:
    return [
        path
        for path in history.ledger_path.parent.glob(f"usage.db.{why}-*")
        if not path.name.endswith(("-wal", "-shm"))
    ]


def checkpointed(path: Path) -> bytes:
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path.read_bytes()


# ── damaged ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("damage", ["header", "middle", "half", "rubbish", "foreign"])
def test_a_damaged_ledger_is_moved_aside_with_a_sentence_and_made_anew(history: History, damage: str) -> None:
    assert total(ask(history)) == RIGHT
    path = history.ledger_path
    whole = checkpointed(path)
    match damage:
        case "header":
            path.write_bytes(b"\0" * 100 + whole[100:])
        case "middle":
            path.write_bytes(whole[:4096] + os.urandom(len(whole) - 8192) + whole[-4096:])
        case "half":
            path.write_bytes(whole[: len(whole) // 2])
        case "rubbish":
            path.write_bytes(b"no ledger at all\n" * 1000)
        case "foreign":
            path.unlink()
            db = sqlite3.connect(path)
            db.execute("CREATE TABLE recipes(name)")
            db.execute(f"PRAGMA user_version = {tables.VERSION}")
            db.close()
    problems: list[str] = []
    assert total(ask(history, problems)) == RIGHT
    assert len(problems) == 1
    assert problems[0].startswith("the usage ledger was damaged")
    (kept,) = asides(history, "broken")
    assert kept.name in problems[0]
    assert total(ask(history, problems)) == RIGHT
    assert len(problems) == 1


def test_an_empty_file_in_its_place_is_a_new_ledger(history: History) -> None:
    history.ledger_path.parent.mkdir()
    history.ledger_path.touch()
    problems: list[str] = []
    assert total(ask(history, problems)) == RIGHT
    assert problems == []


# ── locked ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_locked_ledger_is_moved_aside_and_taken_in_again_when_it_is_free(
    history: History, begin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "WAIT", 0.1)
    history.write(transcript("dddddddd-0000-4000-8000-000000000000"), said("gone", output=7))
    assert total(ask(history)) == RIGHT + 7
    history.remove(transcript("dddddddd-0000-4000-8000-000000000000"))
    holder = sqlite3.connect(history.ledger_path, isolation_level=None)
    holder.execute(begin)
    history.append(chat(), answered("new", input=1))
    problems: list[str] = []
    assert total(ask(history, problems)) == RIGHT + 1
    assert len(problems) == 1
    assert "is locked by another process" in problems[0]
    assert len(asides(history, "locked")) == 1
    holder.execute("ROLLBACK")
    holder.close()
    assert total(ask(history, problems)) == RIGHT + 8
    assert asides(history, "locked") == []
    assert len(problems) == 1


def test_who_writes_for_a_moment_is_waited_for(history: History) -> None:
    ask(history)
    script = f"""
        import sqlite3, sys, time
        db = sqlite3.connect({str(history.ledger_path)!r}, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        print("locked", flush=True)
        time.sleep(0.5)
    """
    history.append(chat(), answered("new", input=1))
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        problems: list[str] = []
        assert total(ask(history, problems)) == RIGHT + 1
        assert problems == []


def test_two_that_count_at_the_same_time_count_once(history: History) -> None:
    script = f"""
        from pathlib import Path
        from agentdeck.transcripts.roots import roots
        from agentdeck.usage.counted import counted
        from agentdeck.usage.prices import Prices
        problems, path = [], Path({str(history.ledger_path)!r})
        with counted(path, Prices.load(), roots({history.env!r}), problem=problems.append):
            print(problems)
    """
    both = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[0] for process in both] == ["[]\n"] * 4
    assert total(ask(history)) == RIGHT


# ── no room, no right ──────────────────────────────────────────────────────────────────────────


def test_without_a_place_for_the_ledger_the_answer_is_the_same(history: History) -> None:
    history.ledger_path.parent.write_text("a file where the directory should be")
    problems: list[str] = []
    assert total(ask(history, problems)) == RIGHT
    assert len(problems) == 1
    assert "this was counted without it" in problems[0]


def test_a_full_disk_loses_nothing_that_was_billed(history: History) -> None:
    history.write(transcript("dddddddd-0000-4000-8000-000000000000"), said("gone", output=7))
    ask(history)
    history.remove(transcript("dddddddd-0000-4000-8000-000000000000"))
    limit = history.ledger_path.stat().st_size
    history.append(chat(), *(answered(f"more{n}", input=1) for n in range(3000)))
    script = f"""
        import resource, signal
        from pathlib import Path
        from agentdeck.transcripts.roots import roots
        from agentdeck.usage.counted import counted
        from agentdeck.usage.prices import Prices
        from agentdeck.usage.report import usage
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        problems, prices, path = [], Prices.load(), Path({str(history.ledger_path)!r})
        with counted(path, prices, roots({history.env!r}), problem=problems.append) as ledger:
            print(sum(session.tokens for session in usage(ledger, prices, {{}}).sessions.values()))
        print(problems)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=True
    )
    found, problems = done.stdout.splitlines()
    assert int(found) == RIGHT + 7 + 3000
    assert "this was counted without it" in problems
    assert total(ask(history)) == RIGHT + 7 + 3000
    assert asides(history, "broken") == []


# ── killed ─────────────────────────────────────────────────────────────────────────────────────


def test_a_scan_that_is_killed_at_any_point_goes_on_exactly(tmp_path: Path) -> None:
    history = History(tmp_path)
    answers = 0
    for number in range(150):
        session = f"aaaaaaaa-0000-4000-8000-{number:012}"
        rows = [said(f"m{number}-{n // 2}", session=session, read=100, output=n, pad="x" * 500) for n in range(200)]
        history.write(transcript(session), *rows)
        answers += sum(100 + n for n in range(1, 200, 2))
    script = f"""
        from pathlib import Path
        from agentdeck.usage import scan
        scan.COMMIT_EVERY = 0.01
        from agentdeck.transcripts.roots import roots
        from agentdeck.usage.counted import counted
        from agentdeck.usage.prices import Prices
        prices = Prices.load()
        print("begins", flush=True)
        with counted(Path({str(history.ledger_path)!r}), prices, roots({history.env!r}), problem=print):
            pass
    """
    chance = random.Random(7)
    survived = 0
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begins\n"
            time.sleep(chance.uniform(0.0, 0.25))  # a moment in the middle of its work, whichever
            process.send_signal(signal.SIGKILL)
            survived += process.wait() == 0
        with Ledger(history.ledger_path) as ledger:
            found = usage(ledger, PRICES, history.env)
            assert total(found) <= answers
    assert survived < 8
    problems: list[str] = []
    found = ask(history, problems)
    assert (total(found), found.messages, problems) == (answers, {"claude": 150 * 100}, [])


# ── clocks ─────────────────────────────────────────────────────────────────────────────────────


def test_a_clock_that_goes_back_or_leaps_changes_no_total(history: History) -> None:
    assert total(ask(history)) == RIGHT
    for path in history.home.rglob("*.jsonl"):
        os.utime(path, (0, 0))
    assert total(ask(history)) == RIGHT
    history.append(chat(), answered("past", clock="01:00:00", input=1))
    os.utime(history.home / chat(), (2**33, 2**33))
    assert total(ask(history)) == RIGHT + 1
    history.append(chat(), answered("future", input=1) | {"timestamp": "2199-01-01T00:00:00.000Z"})
    found = ask(history)
    assert total(found) == RIGHT + 2
    assert found.days["2199-01-01"] == 1


def test_a_price_that_changes_changes_costs_and_no_tokens(history: History, tmp_path: Path) -> None:
    before = ask(history)
    own = tmp_path / "prices.toml"
    own.write_text('[models."claude-opus-5-5"]\nin = 1\nout = 100\ncr = 0\n')
    from agentdeck.usage.prices import Prices

    prices = Prices.load(own)
    with counted(history.ledger_path, prices, roots(history.env), problem=print) as ledger:
        after = usage(ledger, prices, history.env)
    assert after.tokens == before.tokens
    assert after.models["claude:claude-opus-5-5"] == pytest.approx(8 * sum(range(10, 60)) * 100 / 1e6)
