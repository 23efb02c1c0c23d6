"""What a second worker tells again is known; what it tells anew is not."""

from agentdeck.events import Source
from agentdeck.hub.repeats import Repeats


def told(repeats: Repeats, text: str, offset: int, *, history: bool = False, path: str = "a") -> bool:
    """Whether it is new."""
    return not repeats.knows(f"{path}{offset}{text}".encode(), Source(path=path, offset=offset), history=history)


def test_the_first_worker_tells_only_news() -> None:
    repeats = Repeats()
    repeats.began()
    assert told(repeats, "x", 0, history=True)
    assert told(repeats, "y", 0, history=True)
    assert told(repeats, "z", 10)
    assert told(repeats, "z", 10), "one worker does not repeat itself, so this is another"


def test_history_comes_again_up_to_where_it_was_told() -> None:
    repeats = Repeats()
    repeats.began()
    told(repeats, "x", 0, history=True)
    told(repeats, "first of a line", 10)
    repeats.began()
    assert not told(repeats, "x", 0, history=True)
    assert not told(repeats, "first of a line", 10, history=True)
    assert told(repeats, "second of the line", 10, history=True), "the first worker died in mid-line"
    assert told(repeats, "next", 20, history=True)
    assert told(repeats, "x", 0, history=True, path="b")


def test_news_of_the_last_second_come_again_and_new_ones_may_stand_anywhere() -> None:
    repeats = Repeats()
    repeats.began()
    told(repeats, "x", 100)
    repeats.began()
    assert not told(repeats, "x", 100)
    assert told(repeats, "rewritten", 5)
    assert told(repeats, "y", 110)


def test_a_forgotten_transcript_is_told_from_its_beginning() -> None:
    repeats = Repeats()
    repeats.began()
    told(repeats, "x", 0, history=True)
    repeats.forget("a")
    repeats.began()
    assert told(repeats, "x", 0, history=True)
