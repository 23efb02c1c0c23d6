"""The hand-checked accounting cases: histories of every CLI with the totals that are right."""

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agentdeck.transcripts.roots import roots
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.prices import Prices
from agentdeck.usage.report import usage
from agentdeck.usage.scan import scan

CASES = sorted((Path(__file__).parent.parent / "data" / "tokens").glob("*.json"))
USD = 1e-9


def write(home: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        path = home / name
        if content is None:
            path.unlink()
            continue
        lines, end = (content, "\n") if isinstance(content, list) else (content["lines"], content["end"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(("\n".join(lines) + end).encode())


def matches(found: Any, expected: Any) -> bool:
    """Whether everything expected is there; more may be."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(matches(found.get(key), value) for key, value in expected.items())
    if isinstance(expected, float):
        return bool(abs(found - expected) <= USD)
    return bool(found == expected)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_totals_are_those_of_the_case(path: Path, tmp_path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    home = tmp_path / "home"
    env = {"HOME": str(home)}
    prices = Prices.load()
    with Ledger(tmp_path / "ledger.db") as ledger:
        for step in case.get("steps", [case]):
            write(home, step["files"])
            scan(ledger, prices, roots(env))
        found = msgspec.to_builtins(usage(ledger, prices, env, zone=UTC))
        for key, expected in case["expected"].items():
            assert matches(found[key], expected), (key, found[key], expected)
            if key in ("messages", "tokens", "unpriced"):
                assert found[key].keys() == expected.keys() if isinstance(expected, dict) else found[key] == expected
        with Ledger(tmp_path / "again.db") as again:  # and once more, all at once
            if "steps" not in case:
                scan(again, prices, roots(env))
                scan(again, prices, roots(env))
                assert msgspec.to_builtins(usage(again, prices, env, zone=UTC)) == found
