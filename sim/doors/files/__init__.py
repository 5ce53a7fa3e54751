"""Files: ``open``, ``os``'s file calls, and ``fcntl``, on the host's disk.

**Faithful**: modes, flags, positions, appending, sharing by ``dup``, errors with errno and path
as Linux gives them; buffered data that was not flushed dies with its process; a sync takes the
disk's time and covers what was written before it began; ``flock`` and ``lockf`` block, convert
and are released at death; an unlinked file lives while it is open; names are listed in no useful
order. A dead incarnation's finalisers touch nothing. ``pathlib``, ``shutil``, ``tempfile`` and
``os.walk`` are the real ones on top.
**Simplified**: reads, writes and directory operations take no time, syncing does. One user owns
everything, so permission bits never refuse. Access times equal modification times; those of
directories stay. Text without an encoding is UTF-8 whatever the locale. File objects are not
instances of ``io.BufferedReader`` and its siblings; a file read and written without a seek
between does what ``_pyio`` does, which is not always what C does. A deadlock of ``lockf`` is not
found out.
**Refused**: symbolic links, fifos, ``O_DIRECT``, ``/proc``, ``/sys``, mapping files into memory.
"""

import os
from collections.abc import Callable
from typing import Any

from sim.doors.files import (
    descriptors,
    listing,
    locking,
    paths,
    streams,
    temporary,
    vectors,
)
from sim.doors.files.hanging import STAND_INS
from sim.doors.files.table import Files, files_of

__all__ = ["Files", "files_of", "install", "stand_ins"]

_MODULES = (
    descriptors,
    listing,
    locking,
    paths,
    streams,
    temporary,
    vectors,
)  # each hung its doors


def stand_ins() -> dict[str, Callable[..., Any]]:
    """Return what stands where, by the real name."""
    return dict(STAND_INS)


def install() -> None:
    """Tell ``os`` that its stand-ins can what the real functions can."""
    for name in ("supports_dir_fd", "supports_fd", "supports_follow_symlinks"):
        supported: set[Callable[..., Any]] = getattr(os, name)
        real = {function.__name__ for function in supported}
        supported |= {
            stand_in
            for path, stand_in in STAND_INS.items()
            if path.startswith("os.") and path[3:] in real
        }
