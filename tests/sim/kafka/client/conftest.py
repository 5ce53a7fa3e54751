"""Tanks for tests, closed afterwards."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from tests.sim.kafka.client.tank import Tank


@pytest.fixture
def make_tank() -> Generator[Callable[..., Tank]]:
    """Make clusters; programs of a closed world do nothing any more."""
    tanks: list[Tank] = []

    def make(topics: dict[str, int] | None = None, **more: Any) -> Tank:
        tanks.append(Tank({"t": 1} if topics is None else topics, **more))
        return tanks[-1]

    yield make
    for tank in tanks:
        tank.world.close()


@pytest.fixture
def tank(make_tank: Callable[..., Tank]) -> Tank:
    """Return one broker with one topic, "t", of one partition."""
    return make_tank()
