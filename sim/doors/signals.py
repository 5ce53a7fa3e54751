"""``signal``: dispositions of a process, and how a signal reaches its main thread.

**Faithful** (signal(7), PEP 475): handlers run in the main thread, between two of its steps; one
that waits is interrupted, the handler runs, and the wait goes on to its old deadline unless the
handler raised; what has no handler has the kernel's default effect; SIGKILL and SIGSTOP cannot
be handled; a paused process gets its signals when it goes on.
**Simplified**: a main thread that has returned runs no more handlers; no masks, no alarms, no
waiting for signals.
"""

import asyncio.unix_events
import os
import signal
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any

import simpy

from sim.doors.escapes import escape
from sim.errors import Unmodelled
from sim.kernel import URGENT
from sim.process import Process, current, running
from sim.thread import Thread

_real_signal, _real_getsignal = signal.signal, signal.getsignal
_real_raise, _real_interrupt = signal.raise_signal, signal.siginterrupt
_real_set_wakeup_fd = signal.set_wakeup_fd

_noop = asyncio.unix_events._sighandler_noop  # type: ignore[attr-defined]
_FIRST_WAKEUP = 1 << 20
_IGNORED = frozenset({signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT})
_STOPS = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
_UNCATCHABLE = frozenset({signal.SIGKILL, signal.SIGSTOP})

Handler = Callable[[int, FrameType | None], Any]


class Signals:
    """The dispositions of one incarnation, and what it has not handled yet."""

    __slots__ = ("handlers", "pending", "wakeup")

    def __init__(self) -> None:
        self.handlers: dict[int, Any] = {
            signal.SIGINT: signal.default_int_handler,
            signal.SIGPIPE: signal.SIG_IGN,
        }
        self.pending: deque[int] = deque()
        self.wakeup = -1


def of(process: Process) -> Signals:
    """Return the dispositions of `process`."""
    found: Signals | None = process.doors.get("signals")
    if found is None:
        found = process.doors["signals"] = Signals()
    return found


def deliver_signal(process: Process, signum: int) -> None:
    """Send a signal to `process`; for the harness, and for `os.kill`."""
    if not process.alive:
        return
    process.kernel.trace.record("signal", process.label, int(signum))
    if signum == signal.SIGKILL:
        process.kernel.kill(process, -signal.SIGKILL)
    elif signum == signal.SIGCONT:
        process.kernel.resume(process)
    if signum == signal.SIGSTOP:
        process.kernel.pause(process)
    elif current() is None:
        process.call(_arrive, process, int(signum))
    else:
        process.after(0, _arrive, process, int(signum))


def _arrive(process: Process, signum: int) -> None:
    """Act on a signal, in the kernel's loop."""
    mine = of(process)
    handler = mine.handlers.get(signum, signal.SIG_DFL)
    if handler == signal.SIG_IGN:
        return
    if handler == signal.SIG_DFL:
        if signum in _STOPS:
            process.kernel.pause(process)
        elif signum not in _IGNORED:
            process.kernel.kill(process, -signum)
        return
    _tell_wakeup(process, mine, signum)
    if handler is _noop:  # asyncio's: the wake-up was all it wanted
        return
    mine.pending.append(signum)
    main = process.main
    assert main is not None
    if main.parked:
        main.wake(_INTERRUPTED)


def _tell_wakeup(process: Process, mine: Signals, signum: int) -> None:
    if mine.wakeup >= _FIRST_WAKEUP:
        process.doors["signal receivers"][mine.wakeup - _FIRST_WAKEUP].signalled(signum)


class _Wait:
    """One wait of the main thread; while a handler runs above it, it only notes what came."""

    __slots__ = ("came", "thread")

    def __init__(self, thread: "Interruptible") -> None:
        self.thread = thread
        self.came: list[Any] = []

    def __call__(self, event: Any) -> None:
        if self.thread.depth[-1] is self:
            Thread.wake(self.thread, event)
        elif not self.came:
            self.came.append(event)


class Interruptible(Thread):
    """What `born` adds to a main thread."""

    depth: list[_Wait]


_INTERRUPTED: Any = simpy.Event.__new__(simpy.Event)  # wakes a main thread for its handlers


def born(process: Process) -> None:
    """See to it that the main thread's waits can be interrupted, before it starts."""
    first = simpy.Event(process.kernel.env)
    first._ok, first._value = True, None
    first.callbacks = [lambda _: _prepare(process.main)]
    process.kernel.env.schedule(first, URGENT)


def _prepare(thread: Any) -> None:
    thread.depth = [_Wait(thread)]
    thread.wake = thread.depth[0]
    # Not a partial: the collector stops watching a tuple that holds nothing but a live greenlet.
    thread.park = lambda: _park(thread)


def _park(thread: Any) -> Any:
    """Wait as `Thread.park` does, and run handlers when interrupted."""
    while True:
        wait = thread.depth[-1]
        woken = Thread.park(thread)
        if woken is not _INTERRUPTED:
            run_pending(thread.process)  # what came when this thread was woken, but not yet on
            return woken
        upper = _Wait(thread)
        thread.depth.append(upper)
        thread.wake = upper
        try:
            run_pending(thread.process)
        except BaseException:
            # The wait is over; whatever it waited for must not wake a later one.
            thread.depth[-2:] = [_Wait(thread)]
            thread.wake = thread.depth[-1]
            raise
        thread.depth.pop()
        thread.wake = wait
        if wait.came:
            return wait.came.pop()


def run_pending(process: Process) -> None:
    """Run the handlers of what has arrived, in the main thread."""
    mine = of(process)
    while mine.pending:
        signum = mine.pending.popleft()
        handler = mine.handlers.get(signum)
        if callable(handler):
            handler(signum, None)


# The stand-ins:


def set_handler(signalnum: int, handler: Any) -> Any:
    """Stand in for `signal.signal`."""
    process = running()
    if process is None:
        return _real_signal(signalnum, handler)
    _check_main(process, "signal only works in main thread of the main interpreter")
    _check_number(signalnum)
    if signalnum in _UNCATCHABLE:
        raise OSError(22, "Invalid argument")
    if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
        raise TypeError(
            "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
        )
    mine = of(process)
    before = mine.handlers.get(int(signalnum), signal.SIG_DFL)
    mine.handlers[int(signalnum)] = handler
    return before


def getsignal(signalnum: int) -> Any:
    """Stand in for `signal.getsignal`."""
    process = running()
    if process is None:
        return _real_getsignal(signalnum)
    _check_number(signalnum)
    return of(process).handlers.get(int(signalnum), signal.SIG_DFL)


def raise_signal(signalnum: int, /) -> None:
    """Stand in for `signal.raise_signal`."""
    process = running()
    if process is None:
        _real_raise(signalnum)
    else:
        send_to_self(process, signalnum)


def send_to_self(process: Process, signum: int) -> None:
    """Send a signal from inside; the main thread handles its own before it goes on."""
    _check_number(signum)
    mine = of(process)
    handler = mine.handlers.get(int(signum), signal.SIG_DFL)
    if not callable(handler) or current() is not process.main:
        if handler == signal.SIG_DFL and signum not in _IGNORED | _STOPS:
            process.exit(-signum)
        deliver_signal(process, signum)
        if signum in _STOPS:
            process.kernel.sleep(0)
        return
    process.kernel.trace.record("signal", process.label, int(signum))
    _tell_wakeup(process, mine, int(signum))
    handler(int(signum), None)


def siginterrupt(signalnum: int, flag: bool, /) -> None:
    """Stand in for `signal.siginterrupt`: Python retries interrupted calls anyway."""
    if running() is None:
        _real_interrupt(signalnum, flag)


def set_wakeup_fd(fd: int, /, *, warn_on_full_buffer: bool = True) -> int:
    """Stand in for `signal.set_wakeup_fd`; only event loops of the world have such a number."""
    process = running()
    if process is None:
        return _real_set_wakeup_fd(fd, warn_on_full_buffer=warn_on_full_buffer)
    _check_main(process, "set_wakeup_fd only works in main thread of the main interpreter")
    if fd != -1 and not 0 <= fd - _FIRST_WAKEUP < len(process.doors.get("signal receivers", ())):
        raise Unmodelled("signal.set_wakeup_fd for anything but an event loop")
    mine = of(process)
    before, mine.wakeup = mine.wakeup, fd
    return before


def kill(pid: int, signum: int, /) -> None:
    """Stand in for `os.kill`: to any living process of the same host."""
    process = running()
    if process is None:
        _real_kill(pid, signum)
        return
    if pid == process.pid:
        if signum:
            send_to_self(process, signum)
        return
    if pid <= 1:  # a group, everybody, or init
        escape(process, f"os.kill({pid}, {signum})")
    for other in process.host.processes:
        if other.pid == pid and other.alive:
            if signum:
                deliver_signal(other, signum)
            return
    raise ProcessLookupError(3, "No such process")


_real_kill = os.kill


def _check_main(process: Process, message: str) -> None:
    if current() is not process.main:
        raise ValueError(message)


def _check_number(signum: int) -> None:
    if not 1 <= signum < signal.NSIG:
        raise ValueError("signal number out of range")


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    return {
        "os.kill": kill,
        "signal.getsignal": getsignal,
        "signal.raise_signal": raise_signal,
        "signal.set_wakeup_fd": set_wakeup_fd,
        "signal.siginterrupt": siginterrupt,
        "signal.signal": set_handler,
    }
