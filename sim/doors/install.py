"""Hangs the doors: puts every stand-in in place, once per interpreter, before any library.

A stand-in is the real function outside a simulated process. What modules that came earlier took
at import (``from time import monotonic``) is mended by `scan`, which finds the real objects by
identity; locks that they made at import are replaced by stand-ins, which are valid everywhere.
Modules that come later are scanned one by one, as soon as they were executed: they may take the
real objects from where those live on, in C modules or in what is spared.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any

from sim.doors import aliases, names
from sim.process import Process

# In this order; a later door may import libraries, which find the stand-ins of the earlier ones.
_DOORS = (
    "clocks",
    "entropy",
    "threads",
    "asynchrony",
    "processes",
    "identity",
    "files",
    "dates",
    "logs",
    "bodies",
    "kafka",
    "cassandra",
    "escapes",  # the last: it refuses what none before it has taken
)

_SPARED = (
    "sim.",
    "importlib.",
    "_pytest.",
    "execnet.",
    "hypothesis.",
    "pluggy.",
    "xdist.",
)  # they keep the real ones, on purpose

_installed = False


def install() -> None:
    """Put all stand-ins in place and mend what was taken before; later calls do nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    before = set(sys.modules)
    _spare_importlib()
    for name in _DOORS:
        door = _load(name)
        if door is None:
            continue
        early = before.intersection(getattr(door, "MUST_COME_FIRST", ()))
        if early:
            raise RuntimeError(
                f"{door.__name__} cannot mend {', '.join(sorted(early))}, imported already; "
                "call sim.doors.install.install() before importing libraries"
            )
        for path, stand_in in getattr(door, "stand_ins", dict)().items():
            _put(path, stand_in)
        if hasattr(door, "install"):
            door.install()
    scan()
    _watch_imports()


def attend(process: Process) -> None:
    """Prepare the doors of a new incarnation; meant for ``Kernel.births``."""
    for name in _DOORS:
        door = sys.modules.get(f"sim.doors.{name}")
        if door is not None and hasattr(door, "born"):
            door.born(process)


def scan(modules: Iterable[str] | None = None) -> list[str]:
    """Replace real objects that `modules` (all) hold under names of their own; return where."""
    mended: list[str] = []
    for name in list(sys.modules) if modules is None else modules:
        module = sys.modules.get(name)
        if isinstance(module, ModuleType) and not name.startswith(_SPARED):
            mended += aliases.mend(module)
    return mended


def _watch_imports() -> None:
    """Scan every module that is imported from now on, once it was executed.

    The name is the import system's own, and looked up there at each use; ``import`` statements,
    `importlib.import_module` and imports made by C code all end in it.
    """
    load: Callable[[Any], ModuleType] = importlib._bootstrap._load_unlocked  # type: ignore[attr-defined]

    def load_and_scan(spec: Any) -> ModuleType:
        module = load(spec)
        scan((spec.name,))
        return module

    importlib._bootstrap._load_unlocked = load_and_scan  # type: ignore[attr-defined]


def _spare_importlib() -> None:
    """Leave the import system the real locks and files: it serves the interpreter, not a program.

    It looks names up in modules at each use, so it gets copies of those modules.
    """
    for module, held in (
        (importlib._bootstrap, ("_thread",)),
        (importlib._bootstrap_external, ("_os", "_io", "_thread")),
    ):
        for alias in held:
            real = getattr(module, alias, None)
            if real is not None:
                copy = ModuleType(real.__name__)
                copy.__dict__.update(vars(real))
                setattr(module, alias, copy)


def _load(name: str) -> ModuleType | None:
    path = f"sim.doors.{name}"
    return importlib.import_module(path) if importlib.util.find_spec(path) else None


def _put(path: str, stand_in: Any) -> None:
    holder, attribute = names.holder_of(path)
    real = vars(holder).get(attribute) if isinstance(holder, type) else getattr(holder, attribute)
    if real is stand_in:
        return
    if isinstance(real, FunctionType | type) or callable(real):
        aliases.remember(real, stand_in)
    setattr(holder, attribute, stand_in)
