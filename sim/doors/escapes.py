"""The net beneath the doors: what no door takes must not reach the real world unseen.

An audit hook (PEP 578) sees files, sockets, processes, mappings and foreign code whoever calls,
C code too. It does not see select, pipes, signals' timers and masks, nor what changes or reveals
the real process and its machine: those names are refused here.
Reading source files and installed packages is allowed: that is how Python formats tracebacks.

**Simplified**: real clocks and entropy read from inside C extensions are invisible here; the
twins (same seed, other surroundings) find them.
"""

import os
import sys
import sysconfig
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from sim.doors import names
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
        "_thread.start_joinable_thread",
        "_thread.start_new_thread",
    }
)

_REFUSED = (
    "multiprocessing.process.BaseProcess.start",
    "_thread.interrupt_main",
    "grp.getgrall",
    "grp.getgrgid",
    "grp.getgrnam",
    "os.eventfd",
    "os.getgrouplist",
    "os.getpriority",
    "os.initgroups",
    "os.login_tty",
    "os.memfd_create",
    "os.nice",
    "os.openpty",
    "os.pidfd_open",
    "os.pipe",
    "os.pipe2",
    "os.popen",
    "os.posix_openpt",
    "os.sched_getparam",
    "os.sched_getscheduler",
    "os.sched_rr_get_interval",
    "os.sched_setaffinity",
    "os.sched_setparam",
    "os.sched_setscheduler",
    "os.setegid",
    "os.seteuid",
    "os.setgid",
    "os.setgroups",
    "os.setns",
    "os.setpgid",
    "os.setpgrp",
    "os.setpriority",
    "os.setregid",
    "os.setresgid",
    "os.setresuid",
    "os.setreuid",
    "os.setsid",
    "os.setuid",
    "os.splice",
    "os.tcgetpgrp",
    "os.tcsetpgrp",
    "os.timerfd_create",
    "os.unshare",
    "os.wait",
    "os.wait3",
    "os.wait4",
    "os.waitid",
    "os.waitpid",
    "pwd.getpwall",
    "pwd.getpwnam",
    "pwd.getpwuid",
    "resource.getrlimit",
    "resource.getrusage",
    "resource.prlimit",
    "resource.setrlimit",
    "select.epoll",
    "select.poll",
    "select.select",
    "signal.alarm",
    "signal.getitimer",
    "signal.pause",
    "signal.pidfd_send_signal",
    "signal.pthread_kill",
    "signal.pthread_sigmask",
    "signal.setitimer",
    "signal.sigpending",
    "signal.sigtimedwait",
    "signal.sigwait",
    "signal.sigwaitinfo",
    "socket.getprotobyname",
    "socket.if_indextoname",
    "socket.if_nameindex",
    "socket.if_nametoindex",
    "socket.socketpair",
    "time.clock_settime",
    "time.clock_settime_ns",
    "time.pthread_getcpuclockid",
)

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_SIMULATOR = os.path.dirname(os.path.dirname(_HERE)) + os.sep
_INSTALLED = tuple(
    path + os.sep
    for name in ("stdlib", "purelib", "platlib")
    for path in {sysconfig.get_path(name), os.path.realpath(sysconfig.get_path(name))}
)
_LIBRARIES = (*_INSTALLED, "<frozen ")
_READABLE = (*_INSTALLED, os.path.dirname(os.path.dirname(_SIMULATOR)) + os.sep)


def escape(process: Process, what: str) -> NoReturn:
    """End the run: `process` did `what` past the doors."""
    error = SimulationEscape(
        f"{process.label} called {what} at {_call_site()}, which nobody simulates; "
        "give it a door or keep it out of simulated programs"
    )
    process.kernel.trouble = error  # also if the program swallows what we raise
    raise error


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces: those of `_REFUSED` that this Python has."""
    found: dict[str, object] = {}
    for path in _REFUSED:
        holder, attribute = names.holder_of(path)
        real = getattr(holder, attribute, None)
        if real is not None:
            found[path] = _refusing(path, real)
    return found


def install() -> None:
    """Add the audit hook, which cannot be removed."""
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
    if path.startswith("<") and path.endswith(">"):
        return True  # no file: a parser looks for the source of what it cannot parse
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


def _call_site() -> str:
    """Return the line of the program that is to blame, and the library's line if one lies between.

    Libraries do not know that they run here; the program chose to call them.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    assert frame is not None, "the kernel itself is no door"
    direct = _place(frame)
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame = frame.f_back
    if frame is None or frame.f_code.co_filename.startswith(_SIMULATOR):
        return direct
    program = _place(frame)
    return program if program == direct else f"{program}, through {direct}"


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
