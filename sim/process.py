"""Processes of a simulated world: incarnations of programs, and the fence around dead ones."""

import random
import sys
from _thread import get_ident
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from greenlet import getcurrent

from sim.errors import SimulationError
from sim.thread import Killed, Thread
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.host import Host
    from sim.kernel import Kernel


_burying = 0  # > 0 while what dead programs left behind is cleared away
_undertaker = 0  # the operating system's thread that does it: others are none of our business
_outside = 0  # > 0 while the harness formats or inspects from inside a simulated thread


class Strike(Protocol):
    """A moment that has come: `part` of the call is done first, then `hit`."""

    part: float

    def hit(self) -> None:
        """Do the harm: may not return, may raise what the program shall see, or may return."""


class Moments(Protocol):
    """Watches the calls of one process for the moments at which faults wait."""

    def strike(self, door: str, subject: str) -> Strike | None:
        """Count one call at `door` on `subject`; return the strike if its moment has come."""


def current() -> "Thread | None":
    """Return the simulated thread of the caller; None outside. Never raises."""
    try:
        thread = getcurrent()
    except RuntimeError:  # the interpreter is going down, and finalisers ask
        return None
    return thread if type(thread) is Thread and not _outside else None


def running() -> "Process | None":
    """Return the simulated process of the caller; None outside a world.

    Raises `Killed` if that process is dead: this is the fence that every door stands behind.
    """
    try:
        thread = getcurrent()
    except RuntimeError:  # as in `current`
        return None
    if type(thread) is not Thread or _outside:
        if _burying and not _outside and get_ident() == _undertaker:
            raise Killed
        return None
    process = thread.process
    if not process.alive:
        process.refusals += 1
        raise Killed
    return process


@contextmanager
def burying() -> Generator[None]:
    """Within the block every door refuses: finalisers of dead programs may run in it.

    What they raise is of no interest to anybody.
    """
    global _burying, _undertaker
    _burying += 1
    _undertaker = get_ident()
    hook, sys.unraisablehook = sys.unraisablehook, _say_nothing
    try:
        yield
    finally:
        sys.unraisablehook = hook
        _burying -= 1


def _say_nothing(_: object) -> None:
    """Stand in for `sys.unraisablehook`."""


@contextmanager
def outside() -> Generator[None]:
    """Within the block `running` is None: doors are the real functions."""
    global _outside
    _outside += 1
    try:
        yield
    finally:
        _outside -= 1


class Process:
    """One incarnation of a program: alive until it exits or crashes, then fenced for ever."""

    def __init__(self, kernel: "Kernel", host: "Host", name: str, incarnation: int) -> None:
        self.kernel = kernel
        self.host = host
        self.name = name
        self.incarnation = incarnation
        self.label = f"{name}#{incarnation}"
        self.pid = 1000 + len(kernel.processes)
        self.alive = True
        self.paused = False
        self.exit_code: int | None = None
        self.started_at = kernel.now
        self.died_at: int | None = None
        self.threads: dict[int, Thread] = {}
        self.threads_started = 0
        self.main: Thread | None = None
        self.backlog: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.doors: dict[str, Any] = {}  # what each door remembers of this incarnation
        self.on_death: list[Callable[[], None]] = []  # run in order, from the loop
        self.at_exit: list[Callable[[], None]] = []  # run by the main thread at an orderly end
        self.on_uncaught: Callable[[Thread, BaseException], None] | None = None
        self.stderr: list[str] = []
        self.moments: Moments | None = None
        self.refusals = 0  # doors that turned away this incarnation after its death
        kernel.processes.append(self)

    def start(self, main: Callable[[], Any]) -> None:
        """Run ``main()`` in the main thread; its result or SystemExit is the exit code."""
        self.kernel.trace.record("birth", self.label)
        for told in self.kernel.births:
            told(self)
        self.main = self.spawn(self._run_main, main, name="MainThread")

    def spawn(
        self, target: Callable[..., Any], *args: Any, name: str = "", daemon: bool = False
    ) -> Thread:
        """Start ``target(*args)`` as a thread, once the loop is free."""
        thread = Thread(self, target, args, name, daemon=daemon)
        self.threads[thread.ident] = thread
        self.after(0, thread.switch)
        return thread

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Call from the loop on behalf of this process: now, when it goes on, or never."""
        if self.alive:
            if self.paused:
                self.backlog.append((function, args))
            else:
                function(*args)

    def after(self, delay_ns: int, function: Callable[..., Any], *args: Any) -> Timer:
        """`call` the function `delay_ns` from now."""
        return Timer(self.kernel.env, delay_ns, self, function, args)

    def stream(self, name: str) -> random.Random:
        """Return a random stream of this incarnation's own."""
        return self.kernel.stream(f"{self.label}/{name}")

    def strike(self, door: str, subject: str) -> Strike | None:
        """Count a call for the moments that wait for it; call only if `moments` is set."""
        assert self.moments is not None
        return self.moments.strike(door, subject)

    def exit(self, code: int) -> NoReturn:
        """Die at once, from inside (``os._exit``)."""
        self.kernel.kill(self, code)
        raise Killed

    def uncaught(self, thread: Thread, error: BaseException) -> None:
        """Deal with what a thread did not catch: a program's error ends or is reported as real."""
        if isinstance(error, SimulationError):
            self.kernel.trouble = error
        elif self.on_uncaught is not None and self.alive:
            self.on_uncaught(thread, error)
        elif self.alive:
            self.stderr.append(f"{thread.name}: {type(error).__name__}: {error}")

    def unwind(self) -> None:
        """Run from the loop, once dead: throw every thread out, then release what it held."""
        for thread in list(self.threads.values()):
            if thread:  # started and not finished: throwing into others raises here
                # The class, not an instance: one that we hold would keep the dead frames until it
                # is dropped here, outside the process, and finalisers would find real doors.
                thread.throw(Killed)
        self.threads.clear()
        self.backlog.clear()
        for release in self.on_death:
            release()
        self.on_death.clear()

    def _run_main(self, main: Callable[[], Any]) -> None:
        code = self._result(main)
        for thread in list(self.threads.values()):
            if thread is not self.main and not thread.daemon:
                self.kernel.wait(thread.finished)
        while self.at_exit:
            self.at_exit.pop()()
        self.exit(code)

    def _result(self, main: Callable[[], Any]) -> int:
        try:
            code = main()
        except SystemExit as stop:
            code = stop.code
            if isinstance(code, str):
                self.stderr.append(code)
                return 1
        except Exception as error:  # noqa: BLE001 - a program that dies of an error exits with 1
            assert self.main is not None
            self.uncaught(self.main, error)
            return 1
        return code if isinstance(code, int) else 0
