"""How the functions of this door are made: the simulated one inside a process, the real one out.

`REAL` holds the real functions, taken before any stand-in is in place.
"""

import builtins
import fcntl
import functools
import io
import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any, NoReturn

from sim.errors import SimulationError, Unmodelled
from sim.process import Process, running

_MODULES = {
    "builtins": builtins,
    "fcntl": fcntl,
    "io": io,
    "os": os,
    "sys": sys,
    "tempfile": tempfile,
}

REAL: dict[str, Callable[..., Any]] = {}
STAND_INS: dict[str, Callable[..., Any]] = {}

Simulated = Callable[..., Any]


def door(*names: str) -> Callable[[Simulated], Simulated]:
    """Hang the decorated function, which takes the process first, where `names` say."""

    def hang(simulated: Simulated) -> Simulated:
        for name in names:
            module, _, attribute = name.partition(".")
            real = getattr(_MODULES[module], attribute, None)
            if real is not None:  # this platform and version has it
                REAL[name] = real
                STAND_INS[name] = _stand_in(real, simulated)
        return simulated

    return hang


def _stand_in(real: Callable[..., Any], simulated: Simulated) -> Callable[..., Any]:
    @functools.wraps(real)
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        process = running()
        if process is None:
            return real(*args, **kwargs)
        return simulated(process, *args, **kwargs)

    return stand_in


def refuse(process: Process, text: str, kind: type[SimulationError] = Unmodelled) -> NoReturn:
    """End the run, even if the program swallows what is raised: `process` did what `text` says."""
    error = kind(f"{process.label} {text}")
    process.kernel.trouble = error
    raise error
