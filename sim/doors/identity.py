"""Who a process is to its kernel: user, groups, session, and what it is told of its machine.

**Faithful**: a program that init starts is the leader of its own session and process group.
**Simplified**: every program runs as root, on a machine without load; computing takes no time.
**Refused**: changing user, session, priority, limits or masks of signals, and looking up
accounts: none of it changes anything in the world, and for real it would change the harness.
"""

import os
from collections.abc import Callable
from typing import Any

from sim.process import Process, running


def _answering(name: str, answer: Callable[[Process], Any]) -> Callable[..., Any]:
    """Return a stand-in for ``os.<name>``, which takes no arguments."""
    real = getattr(os, name)

    def stand_in() -> Any:
        process = running()
        return real() if process is None else answer(process)

    stand_in.__name__ = stand_in.__qualname__ = name
    stand_in.__doc__ = real.__doc__
    return stand_in


def _times(process: Process) -> os.times_result:
    elapsed = process.host.clock.monotonic_ns() / 10**9
    return os.times_result((0.0, 0.0, 0.0, 0.0, elapsed))


_ANSWERS: dict[str, Callable[[Process], Any]] = {
    **dict.fromkeys(("getuid", "geteuid", "getgid", "getegid"), lambda _: 0),
    **dict.fromkeys(("getresuid", "getresgid"), lambda _: (0, 0, 0)),
    "getgroups": lambda _: [0],
    "getloadavg": lambda _: (0.0, 0.0, 0.0),
    "getlogin": lambda _: "root",
    "getpgrp": lambda process: process.pid,
    "times": _times,
}

_real_getpgid, _real_getsid = os.getpgid, os.getsid


def getpgid(pid: int) -> int:
    """Stand in for `os.getpgid`: every program leads its own group."""
    process = running()
    return _real_getpgid(pid) if process is None else _leader(process, pid)


def getsid(pid: int, /) -> int:
    """Stand in for `os.getsid`: every program leads its own session."""
    process = running()
    return _real_getsid(pid) if process is None else _leader(process, pid)


def _leader(process: Process, pid: int) -> int:
    if pid in (0, process.pid):
        return process.pid
    if any(other.pid == pid and other.alive for other in process.host.processes):
        return pid
    raise ProcessLookupError(3, "No such process")


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    found: dict[str, object] = {"os.getpgid": getpgid, "os.getsid": getsid}
    for name, answer in _ANSWERS.items():
        found[f"os.{name}"] = _answering(name, answer)
    return found
