"""Timers: calls that the loop makes when their time has come."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from sim.process import Process

NORMAL = simpy.events.EventPriority(1)


class Timer(simpy.Event):
    """Calls ``function(*args)`` from the loop when its time has come, unless cancelled."""

    __slots__ = ("args", "function", "process")

    _ok = True
    _value = None

    def __init__(
        self,
        env: simpy.Environment,
        delay_ns: int,
        process: "Process | None",
        function: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> None:
        self.callbacks = [_fire]
        self.process = process  # on whose behalf; None for a device
        self.function = function
        self.args = args
        env.schedule(self, NORMAL, max(delay_ns, 0))

    def cancel(self) -> None:
        """Make sure the call never happens; harmless afterwards."""
        if self.callbacks is not None:
            self.callbacks.clear()

    @property
    def pending(self) -> bool:
        """Whether the call is still to come."""
        return bool(self.callbacks)


def _fire(timer: Any) -> None:
    process = timer.process
    if process is None or (process.alive and not process.paused):
        timer.function(*timer.args)
    else:
        process.call(timer.function, *timer.args)
