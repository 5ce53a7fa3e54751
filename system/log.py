"""Structured logs: one JSON object per line on standard error."""

import logging
import sys
import time
from typing import TextIO

import msgspec

_encode = msgspec.json.Encoder(enc_hook=str).encode


def timestamp(now_ns: int) -> str:
    """Return nanoseconds since the epoch as UTC with microseconds."""
    seconds, rest = divmod(now_ns, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest // 1000:06d}Z"


class Libraries(logging.Handler):
    """Turns what libraries log into lines like our own."""

    def __init__(self, log: "Log") -> None:
        super().__init__(logging.WARNING)
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a library's error is a warning to us, who know what it means."""
        self.log.warning("library", logger=record.name, detail=record.getMessage())


class Log:
    """The log of one program; every line has time, level, program, event and its own fields."""

    def __init__(self, program: str, stream: TextIO | None = None) -> None:
        self.program = program
        self.stream = stream or sys.stderr

    def info(self, event: str, **fields: object) -> None:
        """Say what happens in normal service."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Say what was masked, and would interest an operator."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Say what ends the program, or a request."""
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        line = {
            "time": timestamp(time.time_ns()),
            "level": level,
            "program": self.program,
            "event": event,
            **fields,
        }
        self.stream.write(_encode(line).decode() + "\n")
        self.stream.flush()
