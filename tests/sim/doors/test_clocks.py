"""`time`: the clocks of a host, and sleeping by them."""

import time
from typing import Any

import pytest

from sim.world import EPOCH_NS


def test_clocks_read_the_host_and_sleeping_moves_them(arena: Any) -> None:
    def body() -> list[int]:
        before = (time.time_ns(), time.monotonic_ns(), time.perf_counter_ns())
        time.sleep(1.5)
        after = (time.time_ns(), time.monotonic_ns(), time.perf_counter_ns())
        assert time.time() == time.time_ns() / 1e9
        assert time.clock_gettime(time.CLOCK_REALTIME) == time.time()
        assert time.clock_gettime_ns(time.CLOCK_MONOTONIC) == time.monotonic_ns()
        assert time.process_time() == time.thread_time_ns() == 0
        with pytest.raises(ValueError, match="non-negative"):
            time.sleep(-1)
        with pytest.raises(OSError, match="Invalid argument"):
            time.clock_gettime(99)
        return [b - a for a, b in zip(before, after, strict=True)] + [before[0]]

    assert arena.run(body) == [1_500_000_000] * 3 + [EPOCH_NS]


def test_calendars_are_those_of_the_world_and_in_utc(arena: Any) -> None:
    def body() -> tuple[Any, ...]:
        assert time.localtime() == time.gmtime() == time.gmtime(time.time())
        assert time.mktime(time.gmtime()) == int(time.time())
        return time.strftime("%Y-%m-%d %H:%M %Z"), time.ctime(), time.asctime(), time.ctime(0)

    text = "Mon Mar  2 09:00:00 2026"
    assert arena.run(body) == ("2026-03-02 09:00 UTC", text, text, "Thu Jan  1 00:00:00 1970")


def test_timeouts_follow_a_clock_that_runs_fast(arena: Any) -> None:
    arena.world.hosts["a"].clock.drift_by(250_000_000)

    def body() -> float:
        start = time.monotonic()
        time.sleep(10)
        return time.monotonic() - start

    assert arena.run(body) == pytest.approx(10.0)
    assert arena.kernel.now == 8 * 10**9


def test_a_wall_clock_that_steps_back_leaves_the_monotonic_one(arena: Any) -> None:
    def body() -> tuple[bool, bool]:
        wall, monotonic = time.time_ns(), time.monotonic_ns()
        arena.world.hosts["a"].clock.step(-(10**9))
        time.sleep(0.5)
        return time.time_ns() < wall, time.monotonic_ns() > monotonic

    assert arena.run(body) == (True, True)


def test_a_loop_that_polls_without_sleeping_long_still_ends(arena: Any) -> None:
    def body() -> int:
        rounds, deadline = 0, time.monotonic() + 0.001
        while time.monotonic() < deadline:
            time.sleep(0)
            rounds += 1
        return rounds

    assert arena.run(body) == 1000


def test_outside_time_is_real() -> None:
    assert abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 1
    start = time.perf_counter()
    time.sleep(0.01)
    assert time.perf_counter() - start >= 0.01
