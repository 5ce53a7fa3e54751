"""Hangs the doors before any test imports a library or a program."""

import gc
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from sim.doors import install
from sim.process import burying

install.install()
gc.disable()  # what dead worlds leave behind may be cleared away behind the fence only

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # begun in the background: children would ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, so that a failure is somebody's change. To look for new ones:
# pytest --hypothesis-profile=explore
settings.register_profile(
    "repeat",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # how busy the machine is is nobody's change
)
settings.register_profile("explore", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("repeat")

_COLLECT_AFTER = 40
_tests = 0


@pytest.fixture(autouse=True)
def _collect_by_hand() -> Generator[None]:
    global _tests
    yield
    gc.disable()
    _tests += 1
    if _tests % _COLLECT_AFTER == 0:
        with burying():
            gc.collect()
