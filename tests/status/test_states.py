"""The states that recorded sessions of the real CLIs get, against the states that a person read off their screens."""

from functools import cache

import pytest

from tests.status.recording import kept, names
from tests.status.replay import Score, label_file, labels, score

NAMES = names()


@cache
def played(name: str, without: tuple[str, ...] = ()) -> Score:
    return score(kept(name).without(*without), labels(label_file(name)))


def share(scores: list[Score]) -> float:
    return 1 - sum(len(each.wrong) for each in scores) / sum(each.samples for each in scores)


def test_every_recording_is_labelled() -> None:
    assert len(NAMES) == 42
    for name in NAMES:
        assert label_file(name).exists()


def test_of_all_samples_of_all_recordings_98_in_100_are_right() -> None:
    assert share([played(name) for name in NAMES]) >= 0.98


@pytest.mark.parametrize("cli", ["claude-2.1.197", "claude-2.1.329", "codex", "gemini"])
def test_they_are_right_for_each_cli_alone(cli: str) -> None:
    assert share([played(name) for name in NAMES if name.startswith(cli)]) >= 0.98


@pytest.mark.parametrize("name", NAMES)
def test_no_state_flickers(name: str) -> None:
    assert played(name).flickers == ()


@pytest.mark.parametrize("name", NAMES)
def test_who_is_needed_is_told_within_a_second(name: str) -> None:
    for at, late in played(name).late:
        assert late <= 1.0, f"the dialog of {at} s was seen {late} s later"


@pytest.mark.parametrize("missing", [("event",), ("hook", "held"), ("file", "hook", "held", "event")], ids="+".join)
def test_with_a_source_missing_the_others_carry_it(missing: tuple[str, ...]) -> None:
    scores = [played(name, missing) for name in NAMES]
    assert share(scores) >= 0.97
    assert [each.flickers for each in scores if each.flickers] == []
