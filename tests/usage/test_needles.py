"""What is found in large buffers is what Python's own search finds there, and odd numbers are read as before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.usage import needles
from agentdeck.usage.needles import finder
from agentdeck.usage.tables import identity
from tests.usage.history import History, said, total, transcript

NEEDLE = b'"ab":'


@given(
    st.lists(st.sampled_from([b'"', b"a", b"b", b":", b"\n", NEEDLE, b"\0" * 2000]), max_size=40).map(b"".join),
    st.integers(-10, 20_000),
    st.integers(-10, 20_000),
)
def test_a_search_finds_what_pythons_own_does(text: bytes, start: int, end: int) -> None:
    buffer = bytearray(text.ljust(needles.WORTH, b"x"))
    find = finder(buffer)
    assert find(NEEDLE, start, end) == buffer.find(NEEDLE, start, end)
    whole = len(buffer)
    assert find(NEEDLE, 0, whole) == buffer.find(NEEDLE)
    del find
    buffer.extend(b"may grow again")


def test_without_the_c_library_everything_is_found_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needles, "_memmem", None)
    buffer = bytearray(needles.WORTH) + NEEDLE
    assert finder(buffer)(NEEDLE, 0, len(buffer)) == needles.WORTH


@pytest.mark.parametrize(("written", "read"), [(1e3, 1000), (12.0, 12), (1.5, 1), (-3, 0), ("7", 0), (None, 0)])
def test_a_count_that_is_written_oddly_costs_nothing_but_itself(history: History, written: object, read: int) -> None:
    history.write(transcript(), said("m", input=5, usage={"output_tokens": written}))
    assert total(history.usage()) == 5 + read


def test_keys_that_differ_have_numbers_that_differ() -> None:
    keys = {f"msg_{a:03}{b}:req_{c:02}{a}" for a in range(200) for b in range(20) for c in range(20)}
    numbers = {identity("claude", key) for key in keys}
    assert len(numbers) == len(keys)
    assert all(-(2**63) <= number < 2**63 for number in numbers)


@pytest.fixture
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("needles"))
