"""``logging``: every process has its own levels and handlers on the same logger objects.

Library modules take their loggers at import, so the objects are shared by all processes and the
harness; what is configured on them is not. Time stamps come from the ``time`` door.

**Faithful**: a new incarnation starts with unconfigured logging; what it logs goes to its own
handlers and its own standard error.
**Simplified**: the tree of logger names is shared, and so are ``setLoggerClass`` and
``addLevelName``.
"""

import logging
from collections.abc import Callable
from typing import Any

from sim.process import current


class _PerProcess:
    """An attribute of loggers with one value for each process and one for everybody outside."""

    def __init__(self, name: str, start: Callable[[Any], Any]) -> None:
        self.name = name
        self.start = start

    def __get__(self, logger: Any, owner: type | None = None) -> Any:
        if logger is None:
            return self
        values = self._values(logger)
        if self.name not in values:  # made inside a process, now used outside
            values[self.name] = self.start(logger)
        return values[self.name]

    def __set__(self, logger: Any, value: Any) -> None:
        self._values(logger)[self.name] = value

    def _values(self, logger: Any) -> dict[str, Any]:
        thread = current()
        if thread is None or "name" not in logger.__dict__:  # without a name: not made yet
            outside: dict[str, Any] = logger.__dict__
            return outside
        loggers = thread.process.doors.setdefault("logging", {})
        values: dict[str, Any] | None = loggers.get(logger.name)
        if values is None:
            values = loggers[logger.name] = {name: start(logger) for name, start in _START.items()}
        return values


_START: dict[str, Callable[[Any], Any]] = {
    "level": lambda logger: logging.WARNING if isinstance(logger, logging.RootLogger) else 0,
    "handlers": lambda _: [],
    "filters": lambda _: [],
    "propagate": lambda _: True,
    "disabled": lambda _: False,
    "_cache": lambda _: {},
}


def install() -> None:
    """Give every logger, present and future, its per-process attributes."""
    for name, start in _START.items():
        setattr(logging.Logger, name, _PerProcess(name, start))
