"""What the doors know of the real world: where names live, and what real locks are called."""

import _thread
import importlib
from collections.abc import Callable
from typing import Any

# Real lock type -> its stand-in; the threads door fills it before anything is scanned.
LOCKS: dict[type, Callable[[], Any]] = {}

# The real low-level functions, whatever has been put in their place since.
allocate_lock = _thread.allocate_lock
real_rlock = _thread.RLock


def holder_of(path: str) -> tuple[Any, str]:
    """Return the module or class that holds the last name of `path`, and that name."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            holder: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:-1]:
            holder = getattr(holder, part)
        return holder, parts[-1]
    raise ImportError(path)
