"""Process samples joined with calls, and memory that grows."""

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.live.burn import SLOPE_SAMPLES, SLOPE_SPAN, Burn, Memory
from tests.live.calls import Story

MEGABYTE = 1024 * 1024


def test_the_busiest_process_while_a_command_runs_is_the_calls() -> None:
    story, burn = Story(), Burn()
    call = story.use("Bash", "command", command="pytest")
    for cpu in (40.0, 92.0, 60.0):
        burn.sample(story.session.pending.values(), "pytest", cpu, cpu, 1.0)
    story.answer(call)
    burn.sample(story.session.pending.values(), "node", 99.0, 99.0, 1.0)
    assert burn.of(call) == "pytest 92 %"
    assert burn.of("other") == ""


def test_reading_a_file_burns_nothing_and_little_is_not_told() -> None:
    story, burn = Story(), Burn()
    read = story.use("Read", "file_read", file_path="a")
    burn.sample(story.session.pending.values(), "node", 80.0, 80.0, 1.0)
    story.answer(read)
    run = story.use("Bash", "command", command="sleep 9")
    burn.sample(story.session.pending.values(), "sleep", 1.0, 1.0, 1.0)
    assert (burn.of(read), burn.of(run)) == ("", "")


def test_memory_that_grows_steadily_leaks_and_memory_that_jumps_once_does_not() -> None:
    grows, rests = Memory("a"), Memory("b")
    step = SLOPE_SPAN / SLOPE_SAMPLES
    for number in range(SLOPE_SAMPLES):
        grows.add(number * step, (100 + 8 * number) * MEGABYTE)
        rests.add(number * step, (100 if number % 2 else 104) * MEGABYTE)
    assert grows.leaks
    assert not rests.leaks


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 2**40)), max_size=200))
def test_any_samples_are_taken_and_few_are_kept(samples: list[tuple[float, int]]) -> None:
    memory = Memory("x")
    for at, rss in sorted(samples):
        memory.add(at, rss)
    assert memory.slope == memory.slope
    assert len(memory._samples) <= 2 * SLOPE_SAMPLES + 1
