"""Signals, exits, arguments, environment and streams of a simulated process."""

import atexit
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest

from sim.doors.signals import deliver_signal
from sim.doors.standard import lines_of
from sim.kernel import SECOND


def later(arena: Any, seconds: float, process: Any, signum: int) -> None:
    arena.kernel.after(int(seconds * SECOND), deliver_signal, process, signum)


def test_a_handler_runs_in_the_main_thread_and_the_wait_goes_on(arena: Any) -> None:
    handled: list[Any] = []

    def body() -> float:
        def handler(signum: int, frame: Any) -> None:
            handled.append((signum, time.monotonic(), threading.current_thread().name))
            time.sleep(1)  # within the wait below

        assert signal.signal(signal.SIGUSR1, handler) == signal.SIG_DFL
        assert signal.getsignal(signal.SIGUSR1) is handler
        time.sleep(5)
        return time.monotonic()

    process = arena.launch("body", body)
    later(arena, 2, process, signal.SIGUSR1)
    arena.kernel.run(20 * SECOND)
    assert handled == [(signal.SIGUSR1, 12.0, "MainThread")]
    assert arena.results["body"] == 15.0


def test_a_wait_that_ends_while_the_handler_runs_is_not_lost(arena: Any) -> None:
    def body() -> list[float]:
        signal.signal(signal.SIGUSR1, lambda *_: time.sleep(10))
        seen = []
        event = threading.Event()
        threading.Timer(3, event.set).start()
        assert event.wait()
        seen.append(time.monotonic())
        time.sleep(2)
        seen.append(time.monotonic())
        return seen

    process = arena.launch("body", body)
    later(arena, 1, process, signal.SIGUSR1)
    arena.kernel.run(60 * SECOND)
    assert arena.results["body"] == [21.0, 23.0]


def test_a_handler_that_raises_ends_the_wait(arena: Any) -> None:
    class Stop(Exception):
        pass

    def body() -> list[Any]:
        def handler(signum: int, frame: Any) -> NoReturn:
            raise Stop

        signal.signal(signal.SIGTERM, handler)
        lock = threading.Lock()
        lock.acquire()
        with pytest.raises(Stop):
            lock.acquire()
        lock.release()
        return [lock.locked(), time.monotonic()]

    process = arena.launch("body", body)
    later(arena, 2, process, signal.SIGTERM)
    arena.kernel.run(60 * SECOND)
    assert arena.results["body"] == [False, 12.0]


def test_what_an_interrupted_wait_waited_for_wakes_no_later_one(arena: Any) -> None:
    def body() -> float:
        with pytest.raises(KeyboardInterrupt):
            time.sleep(5)
        event = threading.Event()
        with pytest.raises(KeyboardInterrupt):
            event.wait()
        event.set()
        time.sleep(10)
        return time.monotonic()

    process = arena.launch("body", body)
    later(arena, 2, process, signal.SIGINT)
    later(arena, 3, process, signal.SIGINT)
    arena.kernel.run(60 * SECOND)
    assert arena.results["body"] == 23.0


@pytest.mark.parametrize(
    ("signum", "code"),
    [
        (signal.SIGTERM, -15),
        (signal.SIGKILL, -9),
        (signal.SIGUSR1, -10),
        (signal.SIGINT, -2),
        (signal.SIGCHLD, 0),
        (signal.SIGPIPE, 0),
    ],
)
def test_signals_without_a_handler_have_their_default_effect(
    arena: Any, signum: int, code: int
) -> None:
    process = arena.launch("body", lambda: time.sleep(5))
    later(arena, 2, process, signum)
    arena.kernel.run(20 * SECOND)
    assert process.exit_code == code


def test_a_paused_process_handles_its_signals_when_it_goes_on(arena: Any) -> None:
    seen: list[float] = []

    def body() -> None:
        signal.signal(signal.SIGTERM, lambda *_: seen.append(time.monotonic()))
        time.sleep(30)

    process = arena.launch("body", body)
    later(arena, 1, process, signal.SIGSTOP)
    later(arena, 2, process, signal.SIGTERM)
    later(arena, 9, process, signal.SIGCONT)
    arena.kernel.run(20 * SECOND)
    assert seen == [19.0]


def test_a_signal_is_handled_though_what_was_waited_for_came_in_the_same_pause(arena: Any) -> None:
    seen: list[float] = []

    def body() -> None:
        signal.signal(signal.SIGTERM, lambda *_: seen.append(time.monotonic()))
        time.sleep(4)
        time.sleep(30)

    process = arena.launch("body", body)
    later(arena, 1, process, signal.SIGSTOP)
    later(arena, 2, process, signal.SIGTERM)
    later(arena, 9, process, signal.SIGCONT)
    arena.kernel.run(20 * SECOND)
    assert seen == [19.0]


def test_a_program_can_signal_itself_and_its_neighbours(arena: Any) -> None:
    seen: list[Any] = []

    def neighbour() -> None:
        signal.signal(signal.SIGUSR2, lambda *_: seen.append("neighbour"))
        time.sleep(10)

    other = arena.launch("neighbour", neighbour)

    def body() -> None:
        time.sleep(1)
        signal.signal(signal.SIGUSR1, lambda *_: seen.append("self"))
        os.kill(os.getpid(), signal.SIGUSR1)
        seen.append("after")
        signal.raise_signal(signal.SIGUSR1)
        threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGUSR1)).start()
        os.kill(other.pid, signal.SIGUSR2)
        with pytest.raises(ProcessLookupError):
            os.kill(999, 0)
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)
        seen.append("never")

    process = arena.launch("body", body)
    arena.kernel.run(5 * SECOND)
    assert seen[:3] == ["self", "after", "self"]
    assert sorted(seen[3:]) == ["neighbour", "self"]
    assert process.exit_code == -9


def test_only_the_main_thread_sets_handlers(arena: Any) -> None:
    def body() -> None:
        with ThreadPoolExecutor(1) as pool:
            error = pool.submit(signal.signal, signal.SIGTERM, signal.SIG_IGN).exception()
        assert "main thread" in str(error)
        with pytest.raises(OSError, match="Invalid"):
            signal.signal(signal.SIGKILL, signal.SIG_IGN)

    arena.run(body)


def _fail() -> NoReturn:
    raise LookupError("no such thing")


@pytest.mark.parametrize(
    ("end", "code", "last"),
    [
        (lambda: sys.exit(3), 3, None),
        (lambda: sys.exit("reason"), 1, "reason"),
        (lambda: os._exit(4), 4, None),
        (os.abort, -6, None),
        (_fail, 1, "LookupError: no such thing"),
    ],
)
def test_a_process_ends_as_it_says(
    arena: Any, end: Callable[[], Any], code: int, last: str | None
) -> None:
    process = arena.launch("body", end)
    arena.kernel.run(SECOND)
    assert process.exit_code == code
    assert (process.stderr or [None])[-1] == last


def test_exit_callbacks_run_last_first_after_all_threads(arena: Any) -> None:
    seen: list[Any] = []

    def body() -> None:
        atexit.register(seen.append, "first registered")
        atexit.register(lambda: seen.append(time.monotonic()))

        def removed() -> None:
            seen.append("removed")

        atexit.unregister(atexit.register(removed))
        threading.Thread(target=time.sleep, args=(3,)).start()

    arena.run(body)
    assert seen == [13.0, "first registered"]


def test_os_exit_and_kill_run_no_callbacks(arena: Any) -> None:
    seen: list[Any] = []

    def body() -> None:
        atexit.register(seen.append, "callback")
        try:
            os._exit(0)
        finally:
            time.sleep(0)
            seen.append("finally")

    process = arena.launch("body", body)
    arena.kernel.run(SECOND)
    assert process.exit_code == 0
    assert seen == []


def test_surroundings_are_of_the_process(make_arena: Any) -> None:
    def body() -> list[Any]:
        os.environ["WAVETANK_TEST"] = "inside"
        sys.argv.append("--option")
        seen = [os.getenv("WAVETANK_TEST"), sys.argv, os.getpid(), os.getppid(), os.cpu_count()]
        del os.environ["PATH"]
        assert os.uname().nodename == socket.gethostname() == "a"
        assert len(os.sched_getaffinity(0)) == 4
        return [*seen, sorted(os.environ)]

    arena = make_arena()
    path = os.environ["PATH"]
    first = arena.run(body)
    assert first[:5] == ["inside", ["body", "--option"], 1000, 1, 4]
    assert first[5] == ["HOME", "LANG", "WAVETANK_TEST"]
    assert "WAVETANK_TEST" not in os.environ
    assert os.environ["PATH"] == path
    assert "--option" not in sys.argv
    assert make_arena().run(body) == first


def test_standard_streams_are_kept_line_by_line(arena: Any) -> None:
    def body() -> None:
        print("one", 2, flush=True)
        print("no newline yet", end="")
        print("!", file=sys.stderr)
        sys.stdout.write(" now\n")
        sys.stdout.buffer.write(b"bytes\n")

    process = arena.launch("body", body)
    arena.kernel.run(SECOND)
    assert lines_of(process, 1) == ["one 2", "no newline yet now", "bytes"]
    assert process.stderr == ["!"]
