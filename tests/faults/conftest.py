"""A machine of one's own for every fault, and many screens' worth of numbered lines."""

from collections.abc import Iterator

import pytest

from tests.e2e.world import World


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world
