"""What every server's process has in common: configuration, readiness, signals, exit codes.

A server says on standard output, in one line of JSON, that it is ready and where, and everything
else on standard error. SIGTERM and SIGINT end it in good order; anything harsher it must survive.
"""

import asyncio
import ctypes
import json
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec

OK, USAGE, INFRASTRUCTURE = 0, 2, 75

_PR_SET_PDEATHSIG = 1
_PARENT_CHECK_S = 0.25

LOG = logging.getLogger("sim.tcp")
_Config = TypeVar("_Config", bound=msgspec.Struct)


class Stop(Exception):
    """The process cannot go on; the message is for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.exit_code = INFRASTRUCTURE


def misused(message: str) -> Stop:
    """Return the exception for a mistake in a command line or a configuration."""
    stop = Stop(message)
    stop.exit_code = USAGE
    return stop


def load(kind: type[_Config], path: str) -> _Config:
    """Read a configuration, TOML or (by its name) JSON; `Stop` names what is wrong."""
    try:
        text = Path(path).read_bytes()
        if path.endswith(".json"):
            return msgspec.json.decode(text, type=kind)
        return msgspec.toml.decode(text, type=kind)
    except OSError as error:
        raise misused(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # msgspec's, json's and tomllib's errors
        raise misused(f"{path}: {error}") from error


def run(name: str, main: Coroutine[Any, Any, None]) -> int:
    """Run a server until it ends; return the exit code."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format=f"{name} %(levelname)s %(message)s"
    )
    try:
        asyncio.run(main)
    except Stop as stop:
        LOG.error("%s", stop)  # noqa: TRY400  (one line for a person, no traceback)
        return stop.exit_code
    return OK


def ready(port: int, **more: Any) -> None:
    """Tell whoever started this process that it serves on `port`."""
    print(json.dumps({"ready": True, "port": port, "pid": os.getpid()} | more), flush=True)  # noqa: T201


def stopped_by_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    event = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event


def die_with_parent(event: asyncio.Event) -> None:
    """Set `event` within half a second after the process that started this one is gone.

    On Linux the kernel also continues this process then if it was stopped, so that it notices. It
    is not told to kill it, because it would do so when only the starting thread has ended. That the
    parent is process 1 means nothing: in a container it may well be.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGCONT)

    def look() -> None:
        if os.getppid() != parent:
            event.set()
        else:
            asyncio.get_running_loop().call_later(_PARENT_CHECK_S, look)

    look()
