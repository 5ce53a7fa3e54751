"""The event loop of simulated processes: the real one, asleep in the kernel.

**Faithful**: scheduling, tasks, futures, executors and servers are asyncio's own code; a callback
that blocks, blocks the loop.
**Simplified**: TLS, datagrams, Unix sockets, subprocesses and raw sockets are refused.
"""

import asyncio
import sys
import weakref
from asyncio import events
from collections.abc import Callable, Iterator
from typing import Any

from greenlet import getcurrent

from sim.doors.asynchrony.burial import bury
from sim.doors.asynchrony.connections import Connections
from sim.doors.asynchrony.selector import KernelSelector
from sim.doors.threads import state
from sim.errors import SimulationError
from sim.process import Process, running

_RealLoop = asyncio.SelectorEventLoop
_set_running_loop, _get_running_loop = events._set_running_loop, events._get_running_loop
_ANYWHERE = {None, "", "0.0.0.0", "::"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Task(asyncio.Task[Any]):
    """A task that sets keep in the order of creation rather than of addresses."""

    __hash__ = state.ordinal


class Future(asyncio.Future[Any]):
    """A future that sets keep in the order of creation rather than of addresses."""

    __hash__ = state.ordinal


class SelectorEventLoop(_RealLoop):
    """Stands in for `asyncio.SelectorEventLoop`: inside a process it makes a simulated loop."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        """Make the loop that suits the caller."""
        kind = SimulatedLoop if cls is SelectorEventLoop and running() is not None else cls
        return object.__new__(kind)


class SimulatedLoop(Connections, SelectorEventLoop):
    """An event loop in virtual time."""

    _ready: Any
    _selector: KernelSelector

    def __init__(self, selector: Any = None) -> None:
        process = running()
        assert process is not None
        self.process: Process = process
        self._clock = process.host.clock
        self._hooks: Any = (None, None)
        super().__init__(KernelSelector(process))
        self._asyncgens = _InOrder()
        process.on_death.append(self._died)

    def time(self) -> float:
        """Return the host's monotonic clock."""
        return self._clock.monotonic_ns() / 1e9

    def run_forever(self) -> None:
        """Run until stopped; other threads see no running loop while this one sleeps."""
        running()  # the dead run nothing
        thread: Any = getcurrent()
        before, thread.leave = thread.leave, self._leave
        try:
            super().run_forever()
        finally:
            thread.leave = before

    def _leave(self) -> Callable[[], None]:
        first, last = sys.get_asyncgen_hooks()
        self._hooks = first, last  # not the result itself, which the collector cannot see
        _set_running_loop(None)
        sys.set_asyncgen_hooks(None, None)
        return self._come_back

    def _come_back(self) -> None:
        _set_running_loop(self)
        sys.set_asyncgen_hooks(*self._hooks)

    def inject(self, callback: Callable[..., Any], *args: Any) -> None:
        """Let the loop call ``callback(*args)``; from the kernel's loop or another thread."""
        self._ready.append(asyncio.Handle(callback, args, self))
        self._selector.wake()

    def _write_to_self(self) -> None:
        self._selector.wake()

    def _make_self_pipe(self) -> None:
        self._csock = self

    def _close_self_pipe(self) -> None:
        self._csock = None  # type: ignore[assignment]

    def fileno(self) -> int:
        """Return what identifies this loop to `signal.set_wakeup_fd`."""
        receivers: list[Any] = self.process.doors.setdefault("signal receivers", [])
        if self not in receivers:
            receivers.append(self)
        return _FIRST_WAKEUP + receivers.index(self)

    def signalled(self, signum: int) -> None:
        """Take a signal, from the kernel's loop, as the self-pipe would."""
        self.inject(self._process_self_data, bytes([signum]))  # type: ignore[attr-defined]

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future on this loop."""
        return Future(loop=self)

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None, **more: Any) -> Any:
        """Run a coroutine as a task; its number is the process's own."""
        if name is None:
            name = f"Task-{next(state.of(self.process).tasks)}"
        if self.get_task_factory() is not None:
            return super().create_task(coro, name=name, context=context, **more)
        self._check_closed()  # type: ignore[attr-defined]
        return Task(coro, loop=self, name=str(name), context=context, **more)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Report as asyncio does; the simulation's own errors end the run, the dead say nothing."""
        error = context.get("exception")
        if isinstance(error, SimulationError):
            self.process.kernel.trouble = error
        elif self.process.alive:
            super().call_exception_handler(context)

    def __del__(self, *_: Any) -> None:
        """Say nothing of loops that were left open: their process is gone."""

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        if self.process.alive:
            super()._asyncgen_finalizer_hook(agen)  # type: ignore[misc]

    def _died(self) -> None:
        bury(self.process, self)


_FIRST_WAKEUP = 1 << 20


class _InOrder:
    """A set of weak references that is iterated in the order of insertion."""

    def __init__(self) -> None:
        self._things: weakref.WeakKeyDictionary[Any, None] = weakref.WeakKeyDictionary()

    def add(self, thing: Any) -> None:
        self._things[thing] = None

    def discard(self, thing: Any) -> None:
        self._things.pop(thing, None)

    def clear(self) -> None:
        self._things.clear()

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._things))

    def __len__(self) -> int:
        return len(self._things)
