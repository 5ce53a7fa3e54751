"""``datetime``: stand-ins for the classes in the modules of programs.

The classes are immutable and C code compares them by identity, so they are not replaced in the
``datetime`` module itself. A program's modules get proxies after they were executed: annotations
and record types already hold the real classes, and every value made is a real one.

**Simplified**: local time is UTC. Library modules that ask ``datetime`` for the present are not
covered unless handed to `cover`; `time` is.
"""

import datetime  # noqa: ICN001 - the module itself is what this is about
from types import ModuleType
from typing import Any

from sim.process import running

_real_datetime, _real_date = datetime.datetime, datetime.date
_EPOCH = _real_datetime(1970, 1, 1, tzinfo=datetime.UTC)


class _Alike(type):
    """Lets ``isinstance`` and ``issubclass`` treat the proxy as the class it stands for."""

    real: type

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.real)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.real(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        return getattr(type.__getattribute__(cls, "real"), name)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.real

    def __hash__(cls) -> int:
        return hash(cls.real)


class _DateTime(metaclass=_Alike):
    real = _real_datetime

    @staticmethod
    def now(tz: datetime.tzinfo | None = None) -> datetime.datetime:
        process = running()
        if process is None:
            return _real_datetime.now(tz)
        microseconds = process.host.clock.wall_ns() // 1000
        moment = _EPOCH + datetime.timedelta(microseconds=microseconds)
        return moment.replace(tzinfo=None) if tz is None else moment.astimezone(tz)

    @classmethod
    def today(cls) -> datetime.datetime:
        return cls.now()

    @classmethod
    def utcnow(cls) -> datetime.datetime:
        return cls.now(datetime.UTC).replace(tzinfo=None)


class _Date(metaclass=_Alike):
    real = _real_date

    @staticmethod
    def today() -> datetime.date:
        return _DateTime.now().date()


class _Module(ModuleType):
    """The ``datetime`` module with the two proxies in it."""

    datetime = _DateTime
    date = _Date

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)


_MODULE = _Module("datetime")
_STAND_INS: tuple[tuple[object, object], ...] = (
    (_real_datetime, _DateTime),
    (_real_date, _Date),
    (datetime, _MODULE),
)


def cover(module: ModuleType) -> None:
    """Put the proxies where `module` holds the real classes or the module."""
    for name, value in list(vars(module).items()):
        for real, stand_in in _STAND_INS:
            if value is real:
                setattr(module, name, stand_in)
