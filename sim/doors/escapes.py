"""The net beneath the doors: what no door takes must not reach the real world unseen.

An audit hook (PEP 578) sees files, sockets, processes, mappings and foreign code whoever calls,
C code too. It does not see select, pipes and signals' timers: those names are refused here.
Reading source files and installed packages is allowed: that is how Python formats tracebacks.

**Simplified**: real clocks and entropy read from inside C extensions are invisible here; the
twins (same seed, other surroundings) find them.
"""

import importlib
import os
import sys
import sysconfig
from collections.abc import Callable
from typing import Any, NoReturn

from sim.errors import SimulationEscape
from sim.process import Process, current

_WATCHED = frozenset(
    {
        "ctypes.dlopen",
        "ctypes.dlsym",
        "fcntl.fcntl",
        "fcntl.flock",
        "fcntl.ioctl",
        "fcntl.lockf",
        "mmap.__new__",
        "open",
        "os.chdir",
        "os.chmod",
        "os.chown",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.kill",
        "os.killpg",
        "os.link",
        "os.listdir",
        "os.lockf",
        "os.mkdir",
        "os.posix_spawn",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.scandir",
        "os.spawn",
        "os.symlink",
        "os.system",
        "os.truncate",
        "os.utime",
        "sqlite3.connect",
        "subprocess.Popen",
        "_thread.start_new_thread",
    }
)

_REFUSED = (
    "multiprocessing.process.BaseProcess.start",
    "os.eventfd",
    "os.memfd_create",
    "os.openpty",
    "os.pipe",
    "os.pipe2",
    "os.popen",
    "os.splice",
    "os.wait",
    "os.waitpid",
    "select.epoll",
    "select.poll",
    "select.select",
    "signal.alarm",
    "signal.pause",
    "signal.pthread_kill",
    "signal.setitimer",
    "signal.sigtimedwait",
    "signal.sigwait",
    "signal.sigwaitinfo",
    "socket.socketpair",
)

_READABLE = tuple(
    os.path.realpath(path) + os.sep
    for path in {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
        os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
    }
)


def escape(process: Process, what: str) -> NoReturn:
    """End the run: `process` did `what` past the doors."""
    error = SimulationEscape(
        f"{process.label} called {what} at {_call_site()}, which nobody simulates; "
        "give it a door or keep it out of simulated programs"
    )
    process.kernel.trouble = error  # also if the program swallows what we raise
    raise error


def install() -> None:
    """Add the audit hook, which cannot be removed, and refuse what it does not see."""
    for name in _REFUSED:
        owner, _, attribute = name.rpartition(".")
        holder = _resolve(owner)
        real = getattr(holder, attribute, None)
        if real is not None:
            setattr(holder, attribute, _refusing(name, real))
    sys.addaudithook(_hook)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event not in _WATCHED and not event.startswith("socket."):
        return
    thread = current()
    if thread is None or (event == "open" and _is_reading_sources(args)):
        return
    what = f"{event}({', '.join(repr(argument)[:80] for argument in args[:2])})"
    escape(thread.process, what)


def _is_reading_sources(args: tuple[Any, ...]) -> bool:
    path, mode = args[0], args[1]
    if not isinstance(path, str) or (mode is not None and mode.strip("rbt")):
        return False
    return os.path.abspath(path).startswith(_READABLE)


def _refusing(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def refused(*args: Any, **kwargs: Any) -> Any:
        thread = current()
        if thread is not None:
            escape(thread.process, name)
        return real(*args, **kwargs)

    refused.__name__ = name.rpartition(".")[2]
    refused.__wrapped__ = real  # type: ignore[attr-defined]
    return refused


def _resolve(path: str) -> Any:
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise ImportError(path)


def _call_site() -> str:
    frame = sys._getframe(2)
    here = os.path.dirname(os.path.abspath(__file__))
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
