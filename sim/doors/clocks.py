"""``time``: clocks read the process's host, sleeping takes virtual time.

**Faithful**: every clock of a host drifts and steps as that host's does; timeouts are measured by
the host's monotonic clock; `sleep` with a signal handler resumes afterwards (PEP 475).
**Simplified**: computing takes no time, so CPU clocks stand still; the local time zone is UTC;
``sleep(0)`` lasts a microsecond, so that polling loops end.
"""

import calendar
import time
from collections.abc import Callable
from typing import Any

from sim.clock import Clock
from sim.kernel import MICROSECOND
from sim.process import Process, running

_BILLION = 10**9

# How a program's timeouts become waits of the kernel: by its host's clock, never early.
_MONOTONIC_IDS = frozenset({time.CLOCK_MONOTONIC, time.CLOCK_MONOTONIC_RAW, time.CLOCK_BOOTTIME})
_CPU_IDS = frozenset({time.CLOCK_PROCESS_CPUTIME_ID, time.CLOCK_THREAD_CPUTIME_ID})

_clock_gettime_ns = time.clock_gettime_ns
_sleep = time.sleep
_strftime = time.strftime
_asctime = time.asctime
_mktime = time.mktime
_gmtime = time.gmtime


def true_ns(process: Process, seconds: float) -> int:
    """Return how long `seconds` of the process's host last in true time; never negative."""
    nanoseconds = int(-(-seconds * _BILLION // 1))
    return process.host.clock.true_delay(nanoseconds) if nanoseconds > 0 else 0


def _clock(
    real: Callable[[], Any], read: Callable[[Clock], int], *, seconds: bool
) -> Callable[[], Any]:
    if seconds:

        def stand_in() -> float:
            process = running()
            return real() if process is None else read(process.host.clock) / _BILLION

    else:

        def stand_in() -> float:
            process = running()
            return real() if process is None else read(process.host.clock)

    stand_in.__name__ = stand_in.__qualname__ = real.__name__
    stand_in.__doc__ = real.__doc__
    return stand_in


def _cpu(_: Clock) -> int:
    return 0


def sleep(seconds: float, /) -> None:
    """Stand in for `time.sleep`."""
    process = running()
    if process is None:
        _sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    process.kernel.sleep(true_ns(process, seconds) or MICROSECOND)


def clock_gettime_ns(clk_id: int, /) -> int:
    """Stand in for `time.clock_gettime_ns`."""
    process = running()
    if process is None:
        return _clock_gettime_ns(clk_id)
    if clk_id in _MONOTONIC_IDS:
        return process.host.clock.monotonic_ns()
    if clk_id in _CPU_IDS:
        return 0
    if clk_id in (time.CLOCK_REALTIME, time.CLOCK_TAI):
        return process.host.clock.wall_ns()
    raise OSError(22, "Invalid argument")


def clock_gettime(clk_id: int, /) -> float:
    """Stand in for `time.clock_gettime`."""
    return clock_gettime_ns(clk_id) / _BILLION


def gmtime(seconds: float | None = None, /) -> time.struct_time:
    """Stand in for `time.gmtime`."""
    process = running()
    if seconds is None and process is not None:
        seconds = process.host.clock.wall_ns() / _BILLION
    return _gmtime(seconds)


_localtime = time.localtime


def localtime(seconds: float | None = None, /) -> time.struct_time:
    """Stand in for `time.localtime`: hosts of a world keep UTC."""
    if running() is None:
        return _localtime(seconds)
    utc = gmtime(seconds)
    return time.struct_time((*utc,), {"tm_zone": "UTC", "tm_gmtoff": 0})


def ctime(seconds: float | None = None, /) -> str:
    """Stand in for `time.ctime`."""
    return _asctime(localtime(seconds))


def asctime(time_tuple: Any = None, /) -> str:
    """Stand in for `time.asctime`."""
    return _asctime(localtime() if time_tuple is None else time_tuple)


def strftime(format: str, time_tuple: Any = None, /) -> str:
    """Stand in for `time.strftime`."""
    return _strftime(format, localtime() if time_tuple is None else time_tuple)


def mktime(time_tuple: Any, /) -> float:
    """Stand in for `time.mktime`."""
    if running() is None:
        return _mktime(time_tuple)
    return float(calendar.timegm(time_tuple))


def tzset() -> None:
    """Stand in for `time.tzset`: the hosts of a world stay in UTC."""
    if running() is None:
        _tzset()


_tzset = time.tzset


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    found: dict[str, object] = {
        "time.clock_gettime_ns": clock_gettime_ns,
        "time.clock_gettime": clock_gettime,
        "time.sleep": sleep,
        "time.gmtime": gmtime,
        "time.localtime": localtime,
        "time.ctime": ctime,
        "time.asctime": asctime,
        "time.strftime": strftime,
        "time.mktime": mktime,
        "time.tzset": tzset,
    }
    for name, read in (
        ("time", Clock.wall_ns),
        ("monotonic", Clock.monotonic_ns),
        ("perf_counter", Clock.monotonic_ns),
        ("process_time", _cpu),
        ("thread_time", _cpu),
    ):
        found[f"time.{name}"] = _clock(getattr(time, name), read, seconds=True)
        found[f"time.{name}_ns"] = _clock(getattr(time, f"{name}_ns"), read, seconds=False)
    return found
