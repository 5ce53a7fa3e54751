"""Clocks: offsets, drift, steps, and sleeps that end when they should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.clock import Clock
from sim.errors import Unmodelled

BILLION = 10**9


class _Truth:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@given(st.integers(-100_000_000, 100_000_000), st.integers(1, 10**12), st.integers(0, 10**12))
def test_a_sleep_is_never_too_short(drift: int, local: int, began: int) -> None:
    truth = _Truth()
    clock = Clock(truth, 0)
    clock.drift_by(drift)
    truth.now = began
    before = clock.monotonic_ns()

    truth.now += clock.true_delay(local)

    assert clock.monotonic_ns() - before >= local
    assert clock.true_delay(local) > 0


def test_a_clock_that_would_stand_still_is_refused() -> None:
    clock = Clock(_Truth(), 0)
    clock.drift_by(-BILLION // 2)

    with pytest.raises(Unmodelled, match="does not go on"):
        clock.drift_by(-BILLION // 2)


@given(st.lists(st.tuples(st.integers(-(10**7), 10**7), st.integers(0, 10**10)), max_size=8))
def test_the_monotonic_clock_never_goes_back(changes: list[tuple[int, int]]) -> None:
    truth = _Truth()
    clock = Clock(truth, 10**18)
    seen = [clock.monotonic_ns()]

    for drift, passes in changes:
        clock.drift_by(drift)
        clock.step(-passes)
        truth.now += passes
        seen.append(clock.monotonic_ns())

    assert seen == sorted(seen)


def test_a_step_moves_the_wall_clock_only() -> None:
    truth = _Truth()
    clock = Clock(truth, 10**18, offset_ns=5)
    wall, monotonic = clock.wall_ns(), clock.monotonic_ns()

    clock.step(-BILLION)

    assert clock.wall_ns() == wall - BILLION
    assert clock.monotonic_ns() == monotonic
