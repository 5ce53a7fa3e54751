"""``threading.local``: attributes of one thread, where a thread is a greenlet or a real one."""

import _thread
from typing import Any, Self

from greenlet import getcurrent

from sim import process as processes
from sim.doors.threads.state import refuse
from sim.thread import Thread

_real_local = _thread._local


class local:
    """Stands in for `threading.local`."""

    __slots__ = ("__weakref__", "_local__arguments", "_local__real")

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make the object; ``__init__`` follows here as usual, elsewhere at the first use."""
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        object.__setattr__(self, "_local__arguments", (args, kwargs))
        object.__setattr__(self, "_local__real", _real_local())
        _attributes(self, begin=False)
        return self

    def __getattribute__(self, name: str) -> Any:
        attributes = _attributes(self)
        if name in attributes:
            return attributes[name]
        if name == "__dict__":
            return attributes
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__dict__":
            raise AttributeError(
                f"{type(self).__name__!r} object attribute '__dict__' is read-only"
            )
        if hasattr(getattr(type(self), name, None), "__set__"):
            object.__setattr__(self, name, value)
        else:
            _attributes(self)[name] = value

    def __delattr__(self, name: str) -> None:
        if hasattr(getattr(type(self), name, None), "__delete__"):
            object.__delattr__(self, name)
        elif _attributes(self).pop(name, self) is self:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


_arguments_of = local.__dict__["_local__arguments"].__get__
_real_of = local.__dict__["_local__real"].__get__


def _attributes(self: local, *, begin: bool = True) -> dict[str, Any]:
    thread = getcurrent()
    if type(thread) is Thread and not processes._outside:
        if not thread.process.alive:
            refuse(thread.process)
        mine: dict[str, Any] | None = thread.locals.get(self)
        if mine is not None:
            return mine
        mine = thread.locals[self] = {}
    else:
        real = _real_of(self)
        try:
            return real.attributes  # type: ignore[no-any-return]
        except AttributeError:
            mine = real.attributes = {}
    cls = type(self)
    if begin and cls.__init__ is not object.__init__:
        args, kwargs = _arguments_of(self)
        cls.__init__(self, *args, **kwargs)
    return mine
