"""Windows of five hours, laid over responses."""

import pytest

from agentdeck.usage.limits import Block, blocks


@pytest.mark.parametrize(
    ("times", "laid"),
    [
        ([], []),
        ([36_100, 40_000, 53_999], [Block(36_000, 54_000, 3)]),
        ([36_100, 54_000], [Block(36_000, 54_000, 1), Block(54_000, 72_000, 1)]),
        ([36_100, 100_000], [Block(36_000, 54_000, 1), Block(97_200, 115_200, 1)]),
    ],
)
def test_a_window_begins_at_the_hour_and_its_end_belongs_to_the_next(times: list[float], laid: list[Block]) -> None:
    assert blocks(times) == laid
