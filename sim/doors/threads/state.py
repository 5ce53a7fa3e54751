"""What the threading door remembers of one incarnation; nothing of it survives the process."""

import functools
import itertools
from collections.abc import Callable
from typing import Any

from sim import process as processes
from sim.process import Process
from sim.thread import Killed, Thread


class State:
    """Counters and hooks that the real `threading` keeps in its module."""

    __slots__ = (
        "at_exit",
        "at_thread_exit",
        "draw",
        "excepthook",
        "executors",
        "hashes",
        "names",
        "shutting_down",
        "tasks",
        "threads",
    )

    def __init__(self, process: Process) -> None:
        self.draw = process.stream("threads").getrandbits
        self.names = itertools.count(1)  # Thread-N
        self.executors = itertools.count()  # ThreadPoolExecutor-N
        self.tasks = itertools.count(1)  # Task-N of asyncio
        self.hashes = itertools.count(1)  # hash values, where the real ones are addresses
        self.threads: dict[Thread, Any] = {}  # every thread that `threading` knows, oldest first
        self.at_thread_exit: list[Callable[[], Any]] = []  # threading._register_atexit
        self.at_exit: list[tuple[Any, Callable[[], Any]]] = []  # atexit.register
        self.excepthook: Callable[[Any], Any] | None = None
        self.shutting_down = False


# What is done at an orderly end of a process, and at any; `exits` fills them in.
finish: list[Callable[[Process], None]] = []
forget: list[Callable[[Process], None]] = []


def of(process: Process) -> State:
    """Return the state of `process`, made at the first use."""
    found: State | None = process.doors.get("threads")
    if found is None:
        found = process.doors["threads"] = State(process)
        process.at_exit.insert(0, functools.partial(finish[0], process))
        process.on_death.append(functools.partial(forget[0], process))
    return found


def refuse(process: Process) -> None:
    """Turn away a thread of a dead process."""
    process.refusals += 1
    raise Killed


def ordinal(thing: Any) -> int:
    """Hash an object by when it was first hashed in its process, not by its address."""
    try:
        return thing._ordinal  # type: ignore[no-any-return]
    except AttributeError:
        thread = processes.current()
        number = object.__hash__(thing) if thread is None else next(of(thread.process).hashes)
    try:
        thing._ordinal = number
    except AttributeError:  # it has slots: what it may be in a set for, nobody can tell
        return object.__hash__(thing)
    return number
