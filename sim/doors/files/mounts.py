"""Mounts: which paths are the simulated disk, which are sources, and which are nobody's.

Source files and installed packages are a read-only mount of the real ones, so that tracebacks
and late imports work; they are outside the trace.
"""

import os
import posixpath
import sysconfig
from typing import Any

from sim.doors.files.hanging import refuse
from sim.errors import SimulationEscape
from sim.process import Process

SOURCES = tuple(
    sorted(
        {
            posixpath.realpath(path) + "/"
            for path in (
                sysconfig.get_path("stdlib"),
                sysconfig.get_path("platstdlib"),
                sysconfig.get_path("purelib"),
                sysconfig.get_path("platlib"),
                posixpath.join(posixpath.dirname(__file__), "..", "..", ".."),
            )
        }
    )
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")

_REAL = ("/proc", "/sys")


def is_source(path: str) -> bool:
    """Whether `path` lies in the read-only mount of sources."""
    return path.startswith(SOURCES)


def text(path: Any) -> str:
    """Return `path` as a string; it may be bytes or have a ``__fspath__``."""
    if type(path) is not str:
        path = os.fsdecode(path)
    assert isinstance(path, str)
    if "\0" in path:
        raise ValueError("embedded null byte")
    return path


def normal(path: str, base: str) -> str:
    """Return the absolute form of `path` without dots."""
    if path[:1] != "/":
        path = f"{base}/{path}"
    if "//" in path or "/." in path or path[-1] == "/":
        path = "/" + posixpath.normpath(path).lstrip("/")
    return path


def refuse_kernel_files(process: Process, path: str) -> None:
    """End the run if `path` shows the real machine."""
    if path.startswith(_REAL) and path.split("/")[1] in {"proc", "sys"}:
        text = f"opened {path}, which shows the real machine; keep it out of simulated programs"
        refuse(process, text, SimulationEscape)
