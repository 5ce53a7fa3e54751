"""Closes the worlds of each test, so that none of their threads acts in a later one."""

from collections.abc import Generator

import pytest

from tests.sim.doors.files import computer


@pytest.fixture(autouse=True)
def closed_worlds() -> Generator[None]:
    """Close what the test opened."""
    yield
    while computer.opened:
        computer.opened.pop().close()
