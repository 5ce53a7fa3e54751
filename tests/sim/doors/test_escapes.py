"""Thirty deliberate escapes: each must end the run and name the call and its line."""

import _socket
import asyncio
import ctypes
import ctypes.util
import io
import mmap
import multiprocessing
import os
import pty
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sim.errors import SimulationEscape
from sim.kernel import SECOND
from tests.sim.conftest import Bench

_real_open = io.FileIO  # an alias in C that no stand-in replaces
_early_socket = socket.socket


def _through_a_default(path: str = "/etc/hostname", reader: Any = io.FileIO) -> Any:
    return reader(path)


async def _subprocess() -> None:
    await asyncio.create_subprocess_exec("true")


class _Library:
    """Opens a shared object as an extension module would."""

    opener = staticmethod(ctypes.CDLL)


ESCAPES: dict[str, Callable[[], Any]] = {
    "a socket": socket.socket,
    "a socket by an early alias": _early_socket,
    "a socket in C": _socket.socket,
    "a connection": lambda: socket.create_connection(("127.0.0.1", 9)),
    "a socket pair": socket.socketpair,
    "name resolution": lambda: socket.getaddrinfo("localhost", 80),
    "the host's name": lambda: socket.gethostbyname("localhost"),
    "a subprocess": lambda: subprocess.run(["true"], check=True),
    "a subprocess with a pipe": lambda: subprocess.check_output("true", shell=True),
    "a command": lambda: os.system("true"),
    "a pipe to a command": lambda: os.popen("true"),
    "a fork": os.fork,
    "a fork with a terminal": pty.fork,
    "another program": lambda: os.execv("/bin/true", ["true"]),
    "a spawned program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "a process of multiprocessing": lambda: multiprocessing.Process(target=print).start(),
    "a signal to another process": lambda: os.kill(1, 0),
    "a signal to a group": lambda: os.killpg(0, 0),
    "an alarm": lambda: signal.setitimer(signal.ITIMER_REAL, 1000),
    "waiting for a signal": lambda: signal.sigwait({signal.SIGUSR1}),
    "a mapping": lambda: mmap.mmap(-1, 4096),
    "a shared library": lambda: ctypes.CDLL(None),
    "a shared library by an alias": lambda: _Library.opener(None),
    "a database file": lambda: sqlite3.connect(":memory:"),
    "a file opened in C": lambda: _real_open("/etc/hostname"),
    "a file opened through a default argument": _through_a_default,
    "a terminal": os.openpty,
    "a pipe": os.pipe,
    "select": lambda: select.select([], [], [], 0),
    "poll": select.poll,
    "epoll": select.epoll,
    "an asyncio subprocess": lambda: asyncio.run(_subprocess()),
    "an alarm in seconds": lambda: signal.alarm(1000),
    "an event descriptor": lambda: os.eventfd(0),
    "anonymous memory as a file": lambda: os.memfd_create("x"),
}


@pytest.mark.parametrize("name", ESCAPES)
def test_an_escape_is_caught_and_named(name: str) -> None:
    bench = Bench()

    def program() -> None:
        try:
            ESCAPES[name]()
        except Exception:  # noqa: BLE001 - a program that swallows everything changes nothing
            return

    bench.host("a").launch("p", program)

    with pytest.raises(SimulationEscape, match=r"p#1 called .* at .*:\d+"):
        bench.kernel.run(SECOND)


def test_there_are_at_least_thirty() -> None:
    assert len(ESCAPES) >= 30


def test_outside_a_simulated_process_everything_is_real() -> None:
    one, other = socket.socketpair()
    one.send(b"x")
    received = other.recv(1)
    one.close()
    other.close()
    thread = threading.Thread(target=sys.getsizeof, args=(1,))
    thread.start()
    thread.join()

    assert received == b"x"
    assert subprocess.check_output([sys.executable, "-c", "print(1)"]) == b"1\n"
