"""Bodies: program code in module namespaces of its own, fresh for every incarnation.

A body is one copy of a program's modules. At the start of an incarnation it is put back to the
snapshot taken when it was loaded: module globals, containers in them, class attributes,
attributes of module-level instances, mutable defaults and caches of functions. Resetting costs
microseconds, loading milliseconds, so bodies are pooled.

**Faithful**: nothing in a module's globals survives a crash, and two programs that run at the
same time do not see each other's.
**Simplified**: state that a *library's* object keeps for a program (inside an instance of a class
that is not the program's own) is not put back; running a seed with new bodies and comparing
digests finds it. Modules that are not loaded from source are shared.
"""

import builtins
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

from sim.doors import dates
from sim.process import Process, current, outside

_MUTABLE: tuple[Any, ...] = (list, dict, set, bytearray, deque)
_CODE: dict[str, CodeType] = {}  # compiled once per interpreter; code objects are immutable


class Body:
    """One copy of the modules that `roots` import from the owned packages."""

    def __init__(self, roots: tuple[str, ...], owned: tuple[str, ...]) -> None:
        self.roots = roots
        self.owned = owned
        self.modules: dict[str, ModuleType] = {}
        with self.in_place():
            for root in roots:
                importlib.import_module(root)
        self._saved = _Snapshot(self.modules)

    def get(self, path: str) -> Any:
        """Return the object at ``module:name``."""
        module, _, name = path.partition(":")
        return getattr(self.modules[module], name)

    def reset(self) -> None:
        """Put everything back to how it was when loaded."""
        self._saved.restore()

    def changed(self) -> list[str]:
        """Return the names of what differs from the snapshot."""
        return self._saved.differences()

    @contextmanager
    def in_place(self) -> Generator[None]:
        """Let ``sys.modules`` hold this body's modules instead of the harness's own."""
        aside = {name: sys.modules.pop(name) for name in list(sys.modules) if self.owns(name)}
        sys.modules.update(self.modules)
        finder = _CodeFinder(self.owned)
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)
            mine = {name: sys.modules.pop(name) for name in list(sys.modules) if self.owns(name)}
            for name in mine.keys() - self.modules.keys():
                dates.cover(mine[name])
            self.modules.update(mine)
            sys.modules.update(aside)

    def owns(self, name: str) -> bool:
        """Whether the module called `name` belongs to a program rather than to a library."""
        return any(name == package or name.startswith(package + ".") for package in self.owned)


class Pool:
    """Keeps bodies between incarnations and worlds."""

    def __init__(self, owned: Sequence[str]) -> None:
        self.owned = tuple(owned)
        self._free: dict[tuple[str, ...], list[Body]] = {}

    def take(self, *roots: str) -> Body:
        """Return a body of the modules `roots` in its original state."""
        free = self._free.get(roots)
        if free:
            body = free.pop()
            body.reset()
            return body
        return Body(roots, self.owned)

    def give_back(self, body: Body) -> None:
        """Take a body that no incarnation uses any more."""
        self._free.setdefault(body.roots, []).append(body)

    def forget(self) -> None:
        """Drop all bodies: the next ones are loaded anew."""
        self._free.clear()


def inhabit(process: Process, body: Body) -> None:
    """Let `process` live in `body`: its late imports find the body's modules."""
    process.doors["body"] = body


class _Snapshot:
    """What the modules of a body looked like, and how to make them so again."""

    def __init__(self, modules: dict[str, ModuleType]) -> None:
        self._names = set(modules)
        self._namespaces: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self._classes: list[tuple[type, dict[str, Any], dict[str, Any]]] = []
        self._containers: list[tuple[str, Any, Any]] = []
        self._caches: list[Callable[[], None]] = []
        self._seen: dict[int, Any] = {}  # id -> object: holds it, so that the id stays its own
        for name, module in sorted(modules.items()):
            self._namespaces.append((name, vars(module), dict(vars(module))))
            for key, value in list(vars(module).items()):
                if not key.startswith("__"):
                    self._visit(f"{name}.{key}", value)

    def restore(self) -> None:
        for _, space, saved in self._namespaces:
            if space != saved or len(space) != len(saved):
                space.clear()
                space.update(saved)
        for cls, whole, saved in self._classes:
            if vars(cls) != whole:
                _put_back(cls, saved)
        for _, live, saved in self._containers:
            _refill(live, saved)
        for clear in self._caches:
            clear()

    def differences(self) -> list[str]:
        found = [name for name, space, saved in self._namespaces if space != saved]
        found += [cls.__qualname__ for cls, _, saved in self._classes if _own(cls) != saved]
        found += [name for name, live, saved in self._containers if live != saved]
        return found

    def _visit(self, path: str, value: Any) -> None:
        if id(value) in self._seen:
            return
        if isinstance(value, _MUTABLE):
            self._seen[id(value)] = value
            self._containers.append((path, value, value.copy()))
            for item in _items(value):
                self._visit(path, item)
        elif isinstance(value, type):
            if value.__module__ in self._names:
                self._seen[id(value)] = value
                self._visit_class(path, value)
        elif isinstance(value, FunctionType):
            if value.__module__ in self._names:
                self._seen[id(value)] = value
                self._visit_function(path, value)
        elif isinstance(value, functools._lru_cache_wrapper):
            self._seen[id(value)] = value
            self._caches.append(value.cache_clear)
        elif type(value).__module__ in self._names and hasattr(value, "__dict__"):
            self._seen[id(value)] = value
            self._visit(path, vars(value))

    def _visit_class(self, path: str, cls: type) -> None:
        own = _own(cls)
        self._classes.append((cls, dict(vars(cls)), own))
        for key, value in own.items():
            self._visit(f"{path}.{key}", getattr(value, "__func__", value))

    def _visit_function(self, path: str, function: FunctionType) -> None:
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._visit(f"{path}()", default)
        if function.__dict__:
            self._visit(f"{path}.__dict__", function.__dict__)
        for cell in function.__closure__ or ():
            try:
                self._visit(f"{path}<closure>", cell.cell_contents)
            except ValueError:  # an empty cell
                continue


def _own(cls: type) -> dict[str, Any]:
    """Return the attributes that a program may have set on its class."""
    return {
        key: value
        for key, value in vars(cls).items()
        if not (key.startswith(("__", "_abc_")) or key == "_is_protocol")
    }


def _put_back(cls: type, saved: dict[str, Any]) -> None:
    now = _own(cls)
    for key in now.keys() - saved.keys():
        delattr(cls, key)
    for key, value in saved.items():
        if now.get(key, saved) is not value:
            setattr(cls, key, value)


def _items(container: Any) -> list[Any]:
    return list(container.values()) if isinstance(container, dict) else list(container)


def _refill(live: Any, saved: Any) -> None:
    if live == saved and (not isinstance(live, dict) or list(live) == list(saved)):
        return
    live.clear()
    live.extend(saved) if isinstance(live, list | deque | bytearray) else live.update(saved)


class _CodeFinder(importlib.abc.MetaPathFinder):
    """Finds the sources of owned modules, and compiles each only once."""

    def __init__(self, owned: tuple[str, ...]) -> None:
        self.owned = owned

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in {name.partition(".")[0] for name in self.owned}:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _CachingLoader(fullname, spec.loader.path)
        return spec


class _CachingLoader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType | None:
        code = _CODE.get(self.path)
        if code is None:
            code = super().get_code(fullname)
            assert code is not None
            _CODE[self.path] = code
        return code


_real_import = builtins.__import__
_real_import_module = importlib.import_module


def _import(name: str, *args: Any, **kwargs: Any) -> Any:
    """Import for a simulated process: its own modules in its body, libraries as outside.

    What a library does while it is imported belongs to no process and to no world, since only the
    first that needs it would see it.
    """
    thread = current()
    if thread is None:
        return _real_import(name, *args, **kwargs)
    body: Body | None = thread.process.doors.get("body")
    if body is not None and body.owns(name):
        with body.in_place(), outside():
            return _real_import(name, *args, **kwargs)
    with outside():
        return _real_import(name, *args, **kwargs)


def _import_module(name: str, package: str | None = None) -> ModuleType:
    """Do the same for imports by name."""
    thread = current()
    if thread is None:
        return _real_import_module(name, package)
    body: Body | None = thread.process.doors.get("body")
    if body is not None and body.owns(name):
        with body.in_place(), outside():
            return _real_import_module(name, package)
    with outside():
        return _real_import_module(name, package)


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    return {"builtins.__import__": _import, "importlib.import_module": _import_module}
