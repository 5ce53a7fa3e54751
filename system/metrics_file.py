"""The reason of a stop, left in a file for the textfile collector of Prometheus' node exporter.

Nobody can scrape a program that has halted. Where `metrics.textfile` names a file, the reason
stands there until the program is started again, so that an alert can tell a broken chain from a
dead disk.
"""

import os
from typing import Any

from prometheus_client import write_to_textfile

from system.errors import ConfigError
from system.instruments import Instruments
from system.log import Log


class Stopped(Instruments):
    """What is said of a program that stopped on its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = self.gauge(
            "program_stopped",
            "1 since the program stopped on its own, until it is started again.",
            "program",
            "reason",
        )


def begin(settings: Any) -> str:
    """Take back what was said of the last stop; return the file's path, "" if there is none."""
    section = getattr(settings, "metrics", None)
    path: str = "" if section is None else section.textfile
    if path:
        try:
            _remove(path)
        except OSError as error:
            raise ConfigError(
                f"metrics.textfile = {path!r}: {error.strerror}; name a file in a directory that"
                " can be written"
            ) from None
    return path


def tell(path: str, program: str, reason: str, log: Log) -> None:
    """Leave the reason of a stop; that it cannot be left changes nothing about the stop."""
    if not path:
        return
    said = Stopped()
    said.stopped.labels(program, reason).set(1)
    try:
        write_to_textfile(path, said.registry)
    except OSError as error:
        log.warning("textfile", path=path, detail=str(error))


def _remove(path: str) -> None:
    if not os.access(os.path.dirname(path) or ".", os.W_OK):
        raise PermissionError(13, "cannot write there")
    if os.path.exists(path):
        os.unlink(path)
