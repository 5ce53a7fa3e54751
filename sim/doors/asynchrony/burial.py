"""What becomes of a dead process's coroutines: they are closed behind the fence.

A suspended coroutine that is merely dropped runs its ``finally`` blocks wherever the last
reference goes, which may be outside every process, where doors are real. So the dead process
gets one last thread, in which all doors refuse it, and its coroutines end there.
"""

from collections.abc import Callable
from typing import Any

from sim.process import Process
from sim.thread import Thread


def fenced(process: Process, function: Callable[[], Any]) -> None:
    """Call `function` in a thread of a dead process, at once; for the kernel's loop only."""
    assert not process.alive, "only the dead need no blocking"
    undertaker = Thread(process, function, (), "undertaker", daemon=True)
    undertaker.run = function  # type: ignore[method-assign]
    undertaker.switch()


def bury(process: Process, loop: Any) -> None:
    """Close all coroutines that wait on `loop`, in the order in which they were made."""
    from sim.doors.asynchrony import real_all_tasks  # noqa: PLC0415 - which needs the loop

    tasks: list[Any] = sorted(real_all_tasks(loop), key=hash)

    def close() -> None:
        loop._ready.clear()
        loop._scheduled.clear()
        for task in tasks:
            task._log_destroy_pending = False
            try:
                task.get_coro().close()
            except BaseException:  # noqa: BLE001 - whatever it says, it is dead
                continue

    fenced(process, close)
