"""The watchdog: says where a world stands when real time passes and no event does."""

import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from sim.errors import CapReached, Stalled
from sim.kernel import SECOND, Kernel
from sim.process import outside

_LOOK_EVERY_S = 1.0


@contextmanager
def watching(kernel: Kernel, *, stall_s: float = 20.0, cap_s: float = 300.0) -> Generator[None]:
    """Raise `Stalled` after `stall_s` without an event, `CapReached` after `cap_s` altogether.

    Ctrl-C ends the run, too, whatever the program that ran then makes of the exception. Works in
    a main thread only, since it rests on signals; elsewhere it watches nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen = (-1, 0.0)
    began = time.monotonic()

    def look(_: int, __: FrameType | None) -> None:
        nonlocal seen
        with outside():
            now = time.monotonic()
            if seen[0] != kernel.events:
                seen = (kernel.events, now)
            elif now - seen[1] >= stall_s:
                kernel.trouble = Stalled(
                    f"no event for {stall_s:.0f} s, at {kernel.now / SECOND:.3f} s\n"
                    f"{stacks(kernel)}"
                )
                raise kernel.trouble
            if now - began >= cap_s:
                kernel.trouble = CapReached(f"{cap_s:.0f} s of real time")
                raise kernel.trouble

    def interrupt(_: int, __: FrameType | None) -> None:
        kernel.trouble = KeyboardInterrupt()  # a program may catch what is raised here
        raise kernel.trouble

    before = signal.signal(signal.SIGALRM, look)
    at_interrupt = signal.getsignal(signal.SIGINT)
    if at_interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_EVERY_S, _LOOK_EVERY_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.signal(signal.SIGINT, at_interrupt)


def stacks(kernel: Kernel) -> str:
    """Return the stacks of all threads of all living processes, and of whoever runs."""
    parts = ["running:", "".join(traceback.format_stack(sys._getframe(2), 12))]  # noqa: SLF001
    for process in kernel.processes:
        for thread in process.threads.values():
            if thread.gr_frame is not None:
                parts.append(f"{process.label} {thread.name}:")
                parts.append("".join(traceback.format_stack(thread.gr_frame, 6)))
    return "\n".join(parts)
