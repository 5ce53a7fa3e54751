"""Hangs the doors: puts every stand-in in place, once per interpreter, before any library.

A stand-in is the real function outside a simulated process. What modules that came earlier took
at import (``from time import monotonic``) is mended by `scan`, which finds the real objects by
identity; locks that they made at import are replaced by stand-ins, which are valid everywhere.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from types import FunctionType, ModuleType
from typing import Any

from sim.doors import names
from sim.process import Process

# In this order; a later door may import libraries, which find the stand-ins of the earlier ones.
_DOORS = (
    "clocks",
    "entropy",
    "threads",
    "asynchrony",
    "processes",
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
_stand_ins: dict[int, tuple[Any, Any]] = {}  # id of the real object -> itself, its stand-in


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


def attend(process: Process) -> None:
    """Prepare the doors of a new incarnation; meant for ``Kernel.births``."""
    for name in _DOORS:
        door = sys.modules.get(f"sim.doors.{name}")
        if door is not None and hasattr(door, "born"):
            door.born(process)


def scan(modules: Iterable[str] | None = None) -> list[str]:
    """Replace real objects that `modules` (all) hold under names of their own; return where.

    Worth a call after libraries were imported; modules imported after `install` mostly take the
    stand-ins by themselves.
    """
    mended: list[str] = []
    for name in list(sys.modules) if modules is None else modules:
        module = sys.modules.get(name)
        if isinstance(module, ModuleType) and not name.startswith(_SPARED):
            _mend_names(name, vars(module), module, mended)
    return mended


def _spare_importlib() -> None:
    """Leave the import system the real locks and files: it serves the interpreter, not a program.

    It looks names up in modules at each use, so it gets copies of those modules.
    """
    for module, aliases in (
        (importlib._bootstrap, ("_thread",)),
        (importlib._bootstrap_external, ("_os", "_io", "_thread")),
    ):
        for alias in aliases:
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
        _stand_ins[id(real)] = (real, stand_in)
    setattr(holder, attribute, stand_in)


def _mend_names(name: str, space: dict[str, Any], owner: Any, mended: list[str]) -> None:
    for key, value in list(space.items()):
        found = _stand_ins.get(id(value))
        if found is not None:
            setattr(owner, key, found[1])
            mended.append(f"{name}.{key}")
        elif type(value) in names.LOCKS:
            setattr(owner, key, names.LOCKS[type(value)]())
            mended.append(f"{name}.{key}")
        elif type(value) is FunctionType:
            if value.__module__ == name and value.__defaults__:
                _mend_defaults(f"{name}.{key}", value, mended)
        elif isinstance(value, type) and value.__module__ == name:
            _mend_class(f"{name}.{key}", value, mended)


def _mend_class(name: str, cls: type, mended: list[str]) -> None:
    for key, value in list(vars(cls).items()):
        inner = value.__func__ if isinstance(value, staticmethod) else value
        found = _stand_ins.get(id(inner))
        if found is not None:
            stand_in = found[1]
            wrap = isinstance(stand_in, FunctionType) and not isinstance(inner, FunctionType)
            setattr(cls, key, staticmethod(stand_in) if wrap else stand_in)
            mended.append(f"{name}.{key}")
        elif type(inner) is FunctionType and inner.__defaults__:
            _mend_defaults(f"{name}.{key}", inner, mended)


def _mend_defaults(name: str, function: FunctionType, mended: list[str]) -> None:
    defaults = function.__defaults__ or ()
    if any(id(value) in _stand_ins for value in defaults):
        function.__defaults__ = tuple(
            _stand_ins[id(value)][1] if id(value) in _stand_ins else value for value in defaults
        )
        mended.append(f"{name}()")
