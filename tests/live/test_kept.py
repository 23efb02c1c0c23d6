"""What stays in memory is bounded, and is the newest."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.live.kept import CUT, LONGEST_INPUT, Kept, Waiting, characters, cut, short_use
from tests.realtime.happening import used

sizes = st.lists(st.integers(0, 100), max_size=60)


@given(sizes, st.integers(1, 20), st.integers(1, 300))
def test_the_newest_are_kept_within_both_bounds(items: list[int], most: int, room: int) -> None:
    kept: Kept[tuple[int, int]] = Kept(most, room)
    for number, size in enumerate(items):
        kept.append((number, size), size)
        assert list(kept)[-1] == (number, size), "the newest always fits"
        assert len(kept) <= most
        assert kept.size <= room or len(kept) == 1
    left = list(kept)
    assert left == list(enumerate(items))[len(items) - len(left) :]
    assert kept.size == sum(size for _, size in left)
    assert list(reversed(kept)) == left[::-1]
    assert kept.last(3) == left[-3:]
    kept.shrink(2, 1000)
    assert list(kept) == left[-2:]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 100), st.booleans())), st.integers(1, 6))
def test_whoever_waits_is_there_or_was_given_back(steps: list[tuple[int, int, bool]], most: int) -> None:
    waiting: Waiting[int] = Waiting(most, 150)
    put, back = 0, list[int]()
    for number, (name, size, is_pop) in enumerate(steps):
        if is_pop:
            found = waiting.pop(str(name))
            back += [] if found is None else [found]
            assert waiting.get(str(name)) is None
        else:
            put += 1
            back += waiting.put(str(name), number, size)
            assert waiting.get(str(name)) == number
        assert len(waiting) <= most
        assert waiting.size <= 150 or len(waiting) == 1
    rest = waiting.clear()
    assert sorted(back + rest) == [number for number, (_, _, is_pop) in enumerate(steps) if not is_pop]
    assert len(back + rest) == put
    assert (len(waiting), waiting.size) == (0, 0)


texts = st.builds(lambda text, times: text * times, st.text(max_size=10), st.sampled_from([1, 100, 9000]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda value: st.lists(value, max_size=5) | st.dictionaries(texts, value, max_size=5),
    max_leaves=30,
)


@given(st.dictionaries(texts, values, max_size=5))
def test_an_input_is_kept_as_it_is_or_cut_to_about_its_bound(arguments: dict[str, Any]) -> None:
    event = used(0, "c1", input=arguments)
    short = short_use(event)
    if characters(arguments) <= LONGEST_INPUT:
        assert short is event
    else:
        assert characters(short.input) <= 2 * LONGEST_INPUT
        assert set(short.input) <= {cut(name, 1000) for name in arguments}


def test_a_very_deep_and_a_very_wide_input_are_cut() -> None:
    deep: Any = "x" * LONGEST_INPUT
    for _ in range(5000):
        deep = [deep]
    assert short_use(used(0, "c", input={"a": deep})).input == {"a": [[[[CUT]]]]}
    wide = {str(number): number for number in range(100_000)}
    assert len(short_use(used(0, "c", input=wide)).input) < LONGEST_INPUT


@pytest.mark.parametrize(
    ("text", "longest", "expected"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("", 0, ""), ("a", -5, "…")]
)
def test_a_text_is_cut_with_a_mark(text: str, longest: int, expected: str) -> None:
    assert cut(text, longest) == expected
