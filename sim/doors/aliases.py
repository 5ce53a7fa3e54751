"""Aliases: real objects that modules hold under names of their own, found by identity and mended.

Found are names and containers of a module, attributes of its classes, defaults of its functions,
and calls bound with `functools.partial`, which C code carries out. **Simplified**: what a library
hides inside an instance, a closure or a C structure is not found; the net beneath sees its effect.
"""

from collections.abc import Iterator
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from sim.doors import names

_by_id: dict[int, tuple[Any, Any]] = {}  # id of the real object -> itself, its stand-in


def known() -> list[tuple[Any, Any]]:
    """Return each real object that is replaced, with its stand-in."""
    return list(_by_id.values())


def remember(real: Any, stand_in: Any) -> None:
    """Let `mend` put `stand_in` wherever it finds `real`."""
    _by_id[id(real)] = (real, stand_in)


def mend(module: ModuleType) -> list[str]:
    """Replace the real objects that `module` holds; return under which names."""
    mended: list[str] = []
    _mend_names(module.__name__, vars(module), module, mended)
    return mended


def _mend_names(name: str, space: dict[str, Any], owner: Any, mended: list[str]) -> None:
    for key, value in list(space.items()):
        if id(value) in _by_id or type(value) in names.LOCKS or type(value) is partial:
            found = _instead(value)
            if found is not value:
                setattr(owner, key, found)
                mended.append(f"{name}.{key}")
        elif type(value) is FunctionType:
            if value.__module__ == name:
                _mend_defaults(f"{name}.{key}", value, mended)
        elif isinstance(value, type):
            if value.__module__ == name:
                _mend_class(f"{name}.{key}", value, mended)
        elif type(value) in (dict, list, tuple) and not key.startswith("__"):
            _mend_container(name, key, value, owner, mended)


def _instead(value: Any) -> Any:
    """Return what belongs in the place of `value`: it, its stand-in, or a lock of ours."""
    found = _by_id.get(id(value))
    if found is not None:
        return found[1]
    if type(value) in names.LOCKS:
        return names.LOCKS[type(value)]()
    if type(value) is partial and id(value.func) in _by_id:
        return partial(_by_id[id(value.func)][1], *value.args, **value.keywords)
    return value


def _mend_container(name: str, key: str, value: Any, owner: Any, mended: list[str]) -> None:
    if isinstance(value, dict):
        for inner, item in _affected(list(value.items())):
            value[inner] = _instead(item)
            mended.append(f"{name}.{key}[{inner!r}]")
        return
    places = list(_affected(list(enumerate(value))))
    mended += [f"{name}.{key}[{index}]" for index, _ in places]
    if places and isinstance(value, tuple):
        setattr(owner, key, tuple(map(_instead, value)))
    for index, item in places if isinstance(value, list) else ():
        value[index] = _instead(item)


def _affected(items: list[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    for key, item in items:
        if id(item) in _by_id or (type(item) is partial and id(item.func) in _by_id):
            yield key, item


def _mend_class(name: str, cls: type, mended: list[str]) -> None:
    for key, value in list(vars(cls).items()):
        inner = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        found = _by_id.get(id(inner))
        if found is not None:
            stand_in = found[1]
            wrap = isinstance(stand_in, FunctionType) and not isinstance(inner, FunctionType)
            setattr(cls, key, staticmethod(stand_in) if wrap else stand_in)
            mended.append(f"{name}.{key}")
        elif type(inner) is FunctionType:
            _mend_defaults(f"{name}.{key}", inner, mended)


def _mend_defaults(name: str, function: FunctionType, mended: list[str]) -> None:
    defaults, by_keyword = function.__defaults__ or (), function.__kwdefaults__ or {}
    if any(_affected(list(enumerate(defaults)))):
        function.__defaults__ = tuple(map(_instead, defaults))
        mended.append(f"{name}()")
    for key, item in _affected(list(by_keyword.items())):
        by_keyword[key] = _instead(item)
        mended.append(f"{name}({key}=)")
