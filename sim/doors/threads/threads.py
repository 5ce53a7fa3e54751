"""``threading.Thread`` and who is who: real objects, run by threads of the simulated process.

**Faithful**: a new thread and the one that started it race; an uncaught exception goes to
``threading.excepthook``, whose text goes to the process's standard error; names, identifiers and
the main thread are the process's own.
**Simplified**: tracing and profiling hooks are not called for simulated threads.
"""

import _thread
import sys
import threading
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from sim.doors.clocks import true_ns
from sim.doors.threads import state
from sim.process import current, outside, running
from sim.thread import Killed, Thread

_real_start_new = _thread.start_new_thread
_real_get_ident = threading.get_ident
_real_get_native_id = threading.get_native_id
_real_current_thread = threading.current_thread
_real_enumerate = threading.enumerate
_real_main_thread = threading.main_thread
_real_excepthook = threading.excepthook
_real_register_atexit = threading._register_atexit  # type: ignore[attr-defined]
_real_newname = threading._newname  # type: ignore[attr-defined]
_start, _join, _is_alive = (
    threading.Thread.start,
    threading.Thread.join,
    threading.Thread.is_alive,
)


class _Main(threading._MainThread):  # type: ignore[name-defined,misc]
    """The object for the main thread of a simulated process."""

    def __init__(self) -> None:
        threading.Thread.__init__(self, name="MainThread", daemon=False)


class _Foreign(threading._DummyThread):
    """The object for a thread that `threading` did not start."""

    def __init__(self, thread: Thread) -> None:
        threading.Thread.__init__(self, name=f"Dummy-{thread.ident}", daemon=True)

    def is_alive(self) -> bool:
        return is_alive(self)


def ident_of(thread: Thread) -> int:
    """Return the identifier of a thread: unlike `Thread.ident`, unique in its world."""
    return thread.process.pid << 20 | thread.ident


def get_ident() -> int:
    """Stand in for `threading.get_ident`."""
    thread = current()
    return _real_get_ident() if thread is None else ident_of(thread)


def get_native_id() -> int:
    """Stand in for `threading.get_native_id`: the main thread's is the process id, as on Linux."""
    thread = current()
    if thread is None:
        return _real_get_native_id()
    return thread.process.pid if thread is thread.process.main else ident_of(thread)


def object_of(thread: Thread) -> Any:
    """Return the `threading.Thread` object of a simulated thread."""
    known = state.of(thread.process).threads
    found = known.get(thread)
    if found is None:
        found = _Main() if thread is thread.process.main else _Foreign(thread)
        _attach(found, thread)
    return found


def _attach(this: Any, thread: Thread) -> None:
    state.of(thread.process).threads[thread] = this
    this._simulated = thread
    this._ident = this._native_id = ident_of(thread)
    this._started.set()


def current_thread() -> threading.Thread:
    """Stand in for `threading.current_thread`."""
    thread = current()
    if thread is None:
        return _real_current_thread()
    found = state.of(thread.process).threads.get(thread)
    return found or object_of(thread)  # type: ignore[no-any-return]


def main_thread() -> threading.Thread:
    """Stand in for `threading.main_thread`."""
    process = running()
    if process is None:
        return _real_main_thread()
    assert process.main is not None
    return object_of(process.main)  # type: ignore[no-any-return]


def enumerate() -> list[threading.Thread]:  # noqa: A001 - the real name
    """Stand in for `threading.enumerate`."""
    process = running()
    if process is None:
        return _real_enumerate()
    main_thread()
    known = state.of(process).threads
    return [known[thread] for thread in process.threads.values() if thread in known]


def active_count() -> int:
    """Stand in for `threading.active_count`."""
    return len(enumerate())


def start_new_thread(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, /
) -> int:
    """Stand in for `_thread.start_new_thread`."""
    process = running()
    if process is None:
        return _real_start_new(function, args, kwargs or {})
    return ident_of(process.spawn(_run_bare, function, args, kwargs or {}, daemon=True))


def _run_bare(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    try:
        function(*args, **kwargs)
    except (Killed, SystemExit):
        return
    except Exception:  # noqa: BLE001 - as the real one: reported, nothing else
        report(f"Exception ignored in thread started by: {function!r}")


def start(self: Any) -> None:
    """Stand in for `Thread.start`."""
    process = running()
    if process is None:
        _start(self)
        return
    if not self._initialized:
        raise RuntimeError("thread.__init__() not called")
    if self._started.is_set():
        raise RuntimeError("threads can only be started once")
    # Daemons all, to the kernel: what the process waits for at its end is decided in `exits`.
    _attach(self, process.spawn(_run, self, name=self._name, daemon=True))
    process.kernel.sleep(0)  # who comes first, the new thread or this one, is a tie


def _run(this: Any) -> None:
    process = this._simulated.process
    try:
        this.run()
    except Killed:
        raise
    except BaseException:  # noqa: BLE001 - whatever it is, the hook has the say
        if process.alive:
            _invoke_excepthook(this)
    finally:
        if process.alive:
            state.of(process).threads.pop(this._simulated, None)


def _invoke_excepthook(this: Any) -> None:
    try:
        excepthook(threading.ExceptHookArgs([*sys.exc_info(), this]))
    except Killed:
        raise
    except Exception as error:  # noqa: BLE001 - as the real one: reported, nothing else
        report("Exception in threading.excepthook:", error)


def is_alive(self: Any) -> bool:
    """Stand in for `Thread.is_alive`."""
    thread = self.__dict__.get("_simulated")
    if thread is None:
        return _is_alive(self)
    if thread.finished.triggered:
        self._is_stopped = True
    return not thread.finished.triggered


def join(self: Any, timeout: float | None = None) -> None:
    """Stand in for `Thread.join`."""
    process = running()
    thread = self.__dict__.get("_simulated")
    if process is None or thread is None:
        _join(self, timeout)
        return
    if self is current_thread():
        raise RuntimeError("cannot join current thread")
    kernel = process.kernel
    if timeout is None:
        kernel.wait(thread.finished)
    elif timeout > 0:
        kernel.wait(thread.finished, true_ns(process, timeout))


def excepthook(args: Any) -> None:
    """Stand in for `threading.excepthook`: the text goes to the process's standard error."""
    thread = current()
    if thread is None:
        if args.exc_type is not Killed:
            _real_excepthook(args)
        return
    hook = state.of(thread.process).excepthook
    if hook is not None:
        hook(args)
    elif args.exc_type is not SystemExit:
        name = args.thread.name if args.thread is not None else get_ident()
        report(f"Exception in thread {name}:", args.exc_value)


def report(headline: str, error: BaseException | None = None) -> None:
    """Write a traceback to the standard error of the running process."""
    process = running()
    assert process is not None
    with outside():
        lines = traceback.format_exception(error) if error else [traceback.format_exc()]
    process.stderr.extend([headline, *"".join(lines).splitlines()])


def newname(*template: str) -> str:
    """Stand in for `threading._newname`, whose counter is the process's own here."""
    process = running()
    if process is None:
        return _real_newname(*template)  # type: ignore[no-any-return]
    return (template or ("Thread-%d",))[0] % next(state.of(process).names)


def register_atexit(func: Callable[..., Any], *arg: Any, **kwargs: Any) -> None:
    """Stand in for `threading._register_atexit`."""
    process = running()
    if process is None:
        _real_register_atexit(func, *arg, **kwargs)
    else:
        state.of(process).at_thread_exit.append(lambda: func(*arg, **kwargs))


class Threading(ModuleType):
    """The module `threading` itself: a program that sets ``excepthook`` sets only its own."""

    def __getattribute__(self, name: str) -> Any:
        if name == "excepthook":
            process = running()
            if process is not None:
                return state.of(process).excepthook or excepthook
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        process = running() if name == "excepthook" else None
        if process is None:
            super().__setattr__(name, value)
        else:
            state.of(process).excepthook = value
