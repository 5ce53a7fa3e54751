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


# What is done -> the call that the error must name, and how it is done.
ESCAPES: dict[str, tuple[str, Callable[[], Any]]] = {
    "a socket": ("socket.__new__", socket.socket),
    "a socket by an early alias": ("socket.__new__", _early_socket),
    "a socket in C": ("socket.__new__", _socket.socket),
    "a connection": ("socket.getaddrinfo", lambda: socket.create_connection(("127.0.0.1", 9))),
    "a socket pair": ("socket.socketpair", socket.socketpair),
    "name resolution": ("socket.getaddrinfo", lambda: socket.getaddrinfo("localhost", 80)),
    "the host's name": ("socket.gethostbyname", lambda: socket.gethostbyname("localhost")),
    "a subprocess": ("subprocess.Popen", lambda: subprocess.run(["true"], check=True)),
    "a subprocess with a pipe": ("os.pipe", lambda: subprocess.check_output("true", shell=True)),
    "a command": ("os.system", lambda: os.system("true")),
    "a pipe to a command": ("os.popen", lambda: os.popen("true")),
    "a fork": ("os.fork", os.fork),
    "a fork with a terminal": ("os.forkpty", pty.fork),
    "another program": ("os.exec", lambda: os.execv("/bin/true", ["true"])),
    "a spawned program": ("os.posix_spawn", lambda: os.posix_spawn("/bin/true", ["true"], {})),
    "a process of multiprocessing": (
        "multiprocessing.process.BaseProcess.start",
        lambda: multiprocessing.Process(target=print).start(),
    ),
    "a signal to another process": ("os.kill", lambda: os.kill(1, 0)),
    "a signal to a group": ("os.killpg", lambda: os.killpg(0, 0)),
    "an alarm": ("signal.setitimer", lambda: signal.setitimer(signal.ITIMER_REAL, 1000)),
    "waiting for a signal": ("signal.sigwait", lambda: signal.sigwait({signal.SIGUSR1})),
    "a mapping": ("mmap.__new__", lambda: mmap.mmap(-1, 4096)),
    "a shared library": ("ctypes.dlopen", lambda: ctypes.CDLL(None)),
    "a shared library by an alias": ("ctypes.dlopen", lambda: _Library.opener(None)),
    "a database file": ("sqlite3.connect", lambda: sqlite3.connect(":memory:")),
    "a file opened in C": ("open", lambda: _real_open("/etc/hostname")),
    "a file opened through a default argument": ("open", _through_a_default),
    "a terminal": ("os.openpty", os.openpty),
    "a pipe": ("os.pipe", os.pipe),
    "select": ("select.select", lambda: select.select([], [], [], 0)),
    "poll": ("select.poll", select.poll),
    "epoll": ("select.epoll", select.epoll),
    "an asyncio subprocess": ("asyncio's subprocess", lambda: asyncio.run(_subprocess())),
    "an alarm in seconds": ("signal.alarm", lambda: signal.alarm(1000)),
    "an event descriptor": ("os.eventfd", lambda: os.eventfd(0)),
    "anonymous memory as a file": ("os.memfd_create", lambda: os.memfd_create("x")),
}


@pytest.mark.parametrize("name", ESCAPES)
def test_an_escape_is_caught_and_named(name: str) -> None:
    bench = Bench()
    call, escape = ESCAPES[name]

    def program() -> None:
        try:
            escape()
        except Exception:  # noqa: BLE001 - a program that swallows everything changes nothing
            return

    bench.host("a").launch("p", program)

    with pytest.raises(SimulationEscape, match=rf"p#1 called {call}.* at {__file__}:\d+"):
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
