"""Closes the worlds of each test, so that none of their threads acts in a later one."""

import gc
from collections.abc import Generator

import pytest

from tests.sim.doors.files import computer


@pytest.fixture(autouse=True)
def closed_worlds() -> Generator[None]:
    """Close what the test opened; collect garbage only outside of worlds."""
    gc.disable()
    yield
    while computer.opened:
        computer.opened.pop().close()
    gc.enable()
