"""Worlds and models for the end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.clis import ALL, RealCli
from tests.e2e.conversation import rules
from tests.e2e.world import World
from tests.fakes.mock_api import MockApi


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture(params=ALL, ids=lambda cli: cli.key)
def cli(request: pytest.FixtureRequest) -> RealCli:
    chosen: RealCli = request.param
    if chosen.path is None:
        pytest.skip(f"{chosen.key} is not in AGENTDECK_TEST_CLIS")
    return chosen


@pytest.fixture
def api(cli: RealCli) -> Iterator[MockApi]:
    with MockApi(rules(cli)) as api:
        yield api
