"""``asyncio``: a loop in virtual time, with connections over the world's network.

Only the loop and what is global have stand-ins; tasks, streams, locks, timeouts, task groups,
runners and servers are asyncio's own.
"""

import asyncio
import asyncio.unix_events
from asyncio import events, tasks
from collections.abc import Iterable
from typing import Any

from sim.doors.asynchrony.loop import SelectorEventLoop, SimulatedLoop
from sim.doors.escapes import escape
from sim.doors.threads import state
from sim.doors.threads.local import local
from sim.process import running

real_all_tasks = tasks.all_tasks
_real_as_completed = tasks.as_completed
_real_set_policy = events.set_event_loop_policy


def all_tasks(loop: Any = None) -> set[Any]:
    """Stand in for `asyncio.all_tasks`; the set's order depends on its members alone."""
    found = real_all_tasks(loop)
    return found if running() is None else _set_of(sorted(found, key=hash))


def _set_of(tasks_in_order: list[Any]) -> set[Any]:
    return set(tasks_in_order)  # filled in this order, it is iterated in the same order each time


def as_completed(fs: Iterable[Any], *, timeout: float | None = None) -> Any:
    """Stand in for `asyncio.as_completed`, which starts coroutines in the order of a set."""
    if running() is not None:
        fs = [asyncio.ensure_future(each) for each in dict.fromkeys(fs)]
    return _real_as_completed(fs, timeout=timeout)


def set_event_loop_policy(policy: Any) -> None:
    """Stand in for `asyncio.set_event_loop_policy`: processes have the default policy."""
    process = running()
    if process is None:
        _real_set_policy(policy)
    elif policy is not None and type(policy) is not asyncio.DefaultEventLoopPolicy:
        escape(process, f"asyncio.set_event_loop_policy({policy!r})")


class _Local(local):
    _loop: Any = None
    _set_called = False


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    return {
        "asyncio.SelectorEventLoop": SelectorEventLoop,
        "asyncio.events.BaseDefaultEventLoopPolicy._Local": _Local,
        "asyncio.events.set_event_loop_policy": set_event_loop_policy,
        "asyncio.protocols.BaseProtocol.__hash__": state.ordinal,
        "asyncio.tasks.all_tasks": all_tasks,
        "asyncio.tasks.as_completed": as_completed,
        "asyncio.unix_events._UnixDefaultEventLoopPolicy._loop_factory": SelectorEventLoop,
    }


def install() -> None:
    """Let a policy that exists already keep its loops per simulated thread too."""
    policy: Any = events._event_loop_policy  # type: ignore[attr-defined]
    if policy is not None and hasattr(policy, "_local"):
        policy._local = _Local()


__all__ = ["SelectorEventLoop", "SimulatedLoop", "install", "real_all_tasks", "stand_ins"]
