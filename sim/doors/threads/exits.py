"""How a process ends in good order: pools, threads that are no daemons, then ``atexit``."""

import concurrent.futures.thread as pools
from typing import Any

from sim.doors.threads import state
from sim.doors.threads.threads import report
from sim.process import Process, running
from sim.thread import Killed


class Flag:
    """Stands in for ``concurrent.futures.thread._shutdown``: true while the process ends."""

    def __init__(self, real: object) -> None:
        self.real = real

    def __bool__(self) -> bool:
        process = running()
        return bool(self.real) if process is None else state.of(process).shutting_down


def finish(process: Process) -> None:
    """Do what the interpreter does after the main thread has returned."""
    mine = state.of(process)
    mine.shutting_down = True
    _end_pools(process)
    while mine.at_thread_exit:
        mine.at_thread_exit.pop()()
    _wait_for_threads(process)
    while mine.at_exit:
        callback = mine.at_exit.pop()[1]
        try:
            callback()
        except Killed:
            raise
        except Exception:  # noqa: BLE001 - as the interpreter: reported, and on to the next
            report(f"Exception ignored in atexit callback: {callback!r}")


def _end_pools(process: Process) -> None:
    workers = [
        (thread, queue)
        for thread, queue in list(pools._threads_queues.items())
        if getattr(getattr(thread, "_simulated", None), "process", None) is process
    ]
    for _, queue in workers:
        queue.put(None)
    for thread, _ in workers:
        thread.join()


def forget(process: Process) -> None:
    """Drop a dead process's workers from what the real interpreter joins at its own end."""
    queues: Any = pools._threads_queues
    for thread in list(queues):
        simulated = getattr(thread, "_simulated", None)
        if simulated is not None and simulated.process is process:
            del queues[thread]


def _wait_for_threads(process: Process) -> None:
    known = state.of(process).threads
    while waited := [
        thread
        for thread, this in known.items()
        if thread is not process.main and not this.daemon and not thread.finished.triggered
    ]:
        process.kernel.wait(waited[0].finished)


def executor_number() -> int:
    """Stand in for ``ThreadPoolExecutor._counter``."""
    process = running()
    if process is None:
        return int(_real_number())
    return next(state.of(process).executors)


_real_number = pools.ThreadPoolExecutor._counter  # type: ignore[attr-defined]
state.finish.append(finish)
state.forget.append(forget)
