"""What a program is told about its process, and how it ends it.

Arguments, environment, standard streams, process id and number of processors are the simulated
process's own; `sys.exit`, `os._exit`, `os.abort` and `atexit` end it as in reality.

**Faithful**: the main thread's uncaught error is written to standard error and the exit code is
1; then pools and threads are waited for, and `atexit` callbacks run, the last first.
**Simplified**: every host has the same number of processors.
"""

import atexit
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from types import ModuleType
from typing import Any, NoReturn

from sim.doors import signals, standard
from sim.doors.threads import state, threads
from sim.process import Process, current, outside, running
from sim.thread import Killed, Thread

_real = {
    name: getattr(os, name)
    for name in (
        "_exit",
        "abort",
        "cpu_count",
        "getpid",
        "getppid",
        "putenv",
        "sched_getaffinity",
        "uname",
        "unsetenv",
    )
}
_real_gethostname = socket.gethostname
_real_register, _real_unregister = atexit.register, atexit.unregister
_real_unraisable: list[Callable[[Any], Any]] = [sys.unraisablehook]
_PROCESSORS = 4


class _Surroundings:
    """What `sys` and `os` hold for one incarnation."""

    def __init__(self, process: Process) -> None:
        self.sys: dict[str, Any] = {
            "argv": [process.name],
            "excepthook": sys.__excepthook__,
            **standard.streams_of(process),
        }
        self.stdout_text = standard.lines_of(process, 1)
        self.environ: dict[str, str] = {"PATH": "/usr/bin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def of(process: Process) -> _Surroundings:
    """Return the surroundings of `process`; scenarios may set argv and environ before it runs."""
    found: _Surroundings | None = process.doors.get("processes")
    if found is None:
        found = process.doors["processes"] = _Surroundings(process)
    return found


class Sys(ModuleType):
    """The module `sys`: some of its names belong to the process that asks."""


def _own(name: str) -> property:
    def get(module: ModuleType) -> Any:
        thread = current()
        if thread is not None:
            mine = of(thread.process).sys
            if name in mine:
                return mine[name]
        return module.__dict__[name]

    def put(module: ModuleType, value: Any) -> None:
        thread = current()
        space = module.__dict__ if thread is None else of(thread.process).sys
        space[name] = value

    def delete(module: ModuleType) -> None:
        del module.__dict__[name]

    return property(get, put, delete)


for _name in ("argv", "stdin", "stdout", "stderr", "excepthook"):
    setattr(Sys, _name, _own(_name))


class Environ(MutableMapping[str, str]):
    """Stands in for `os.environ`: each process has variables of its own."""

    def __init__(self, real: MutableMapping[str, str]) -> None:
        self.real = real

    def _mine(self) -> MutableMapping[str, str]:
        process = running()
        return self.real if process is None else of(process).environ

    def __getitem__(self, key: str) -> str:
        return self._mine()[key]

    def __setitem__(self, key: str, value: str) -> None:
        for text in (key, value):
            if type(text) is not str:
                raise TypeError(f"str expected, not {type(text).__name__}")
        self._mine()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._mine()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._mine()))

    def __len__(self) -> int:
        return len(self._mine())

    def __repr__(self) -> str:
        return f"environ({dict(self._mine())!r})"

    def copy(self) -> dict[str, str]:
        """Return the variables as a dict."""
        return dict(self._mine())

    def __or__(self, other: Any) -> dict[str, str]:
        return {**self._mine(), **other}

    def __ror__(self, other: Any) -> dict[str, str]:
        return {**other, **self._mine()}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)  # encodekey and its like, which os itself uses


def register(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Stand in for `atexit.register`."""
    process = running()
    if process is None:
        return _real_register(func, *args, **kwargs)
    state.of(process).at_exit.append((func, lambda: func(*args, **kwargs)))
    return func


def unregister(func: Callable[..., Any], /) -> None:
    """Stand in for `atexit.unregister`."""
    process = running()
    if process is None:
        _real_unregister(func)
        return
    mine = state.of(process)
    mine.at_exit = [entry for entry in mine.at_exit if entry[0] != func]


def _exit(status: int) -> NoReturn:
    """Stand in for `os._exit`."""
    process = running()
    if process is None:
        _real["_exit"](status)
        raise AssertionError
    process.exit(status)


def abort() -> NoReturn:
    """Stand in for `os.abort`."""
    process = running()
    if process is None:
        _real["abort"]()
        raise AssertionError
    process.exit(-signal.SIGABRT)


def getpid() -> int:
    """Stand in for `os.getpid`."""
    process = running()
    return _real["getpid"]() if process is None else process.pid


def getppid() -> int:
    """Stand in for `os.getppid`: programs are started by init."""
    return 1 if running() is not None else _real["getppid"]()


def cpu_count() -> int | None:
    """Stand in for `os.cpu_count`: every host has the same."""
    return _real["cpu_count"]() if running() is None else _PROCESSORS


def uname() -> os.uname_result:
    """Stand in for `os.uname`: the same kernel everywhere, and the host's own name."""
    process = running()
    if process is None:
        return _real["uname"]()  # type: ignore[no-any-return]
    return os.uname_result(("Linux", process.host.name, "6.1.0", "#1 SMP", "x86_64"))


def gethostname() -> str:
    """Stand in for `socket.gethostname`."""
    process = running()
    return _real_gethostname() if process is None else process.host.name


def sched_getaffinity(pid: int, /) -> set[int]:
    """Stand in for `os.sched_getaffinity`."""
    if running() is None:
        return _real["sched_getaffinity"](pid)  # type: ignore[no-any-return]
    return set(range(_PROCESSORS))


def putenv(name: Any, value: Any, /) -> None:
    """Stand in for `os.putenv`, which `os.environ` does not show; no child ever sees it."""
    if running() is None:
        _real["putenv"](name, value)


def unsetenv(name: Any, /) -> None:
    """Stand in for `os.unsetenv`."""
    if running() is None:
        _real["unsetenv"](name)


def uncaught(thread: Thread, error: BaseException) -> None:
    """Deal with what ended a thread: for `Process.on_uncaught`."""
    process = thread.process
    if thread is not process.main:
        threads.report(f"Exception in thread {thread.name}:", error)
        return
    if isinstance(error, KeyboardInterrupt):
        process.kernel.after(0, process.kernel.kill, process, -signal.SIGINT)
    with outside():
        text = "".join(traceback.format_exception(error))
    hook = of(process).sys["excepthook"]
    if hook is sys.__excepthook__:
        process.stderr.extend(text.splitlines())
    else:
        hook(type(error), error, error.__traceback__)


def unraisable(args: Any, /) -> None:
    """Stand in for `sys.unraisablehook`: a dead process's finalisers were refused, that is all."""
    if args.exc_type is Killed:
        return
    process = None if current() is None else running()
    if process is None:
        _real_unraisable[-1](args)
        return
    with outside():
        text = "".join(traceback.format_exception(args.exc_value))
        where = repr(args.object)
    process.stderr.append(f"{args.err_msg or 'Exception ignored in'}: {where}")
    process.stderr.extend(text.splitlines())


def born(process: Process) -> None:
    """Prepare a new incarnation."""
    process.on_uncaught = uncaught
    signals.born(process)
    state.of(process)
    if sys.unraisablehook is not unraisable:  # test runners set their own, again and again
        _real_unraisable[:] = [sys.unraisablehook]
        sys.unraisablehook = unraisable


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    return {
        **signals.stand_ins(),
        **standard.stand_ins(),
        "atexit.register": register,
        "atexit.unregister": unregister,
        "os._exit": _exit,
        "os.abort": abort,
        "os.cpu_count": cpu_count,
        "os.environ": Environ(os.environ),
        "os.getpid": getpid,
        "os.getppid": getppid,
        "os.putenv": putenv,
        "os.sched_getaffinity": sched_getaffinity,
        "os.uname": uname,
        "os.unsetenv": unsetenv,
        "socket.gethostname": gethostname,
        "sys.unraisablehook": unraisable,
    }


def install() -> None:
    """Let `sys` show each process its own."""
    sys.__class__ = Sys
