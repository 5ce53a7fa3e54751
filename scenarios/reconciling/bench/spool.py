"""Spools: records in a file one after the other, written once, read from any of them on."""

import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

_HEAD = struct.Struct("<QI")  # a stamp, and how many bytes follow
_EVERY = 256  # records between two places that are remembered
_BUFFER = 1 << 20


class Record(NamedTuple):
    """A record, its number from 0, and the stamp it was given."""

    number: int
    stamp: int
    value: bytes


class Spool:
    """A file that is being written; a context, which leaves the places beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._places = array("Q")
        self._at = 0
        self._file = path.open("wb", _BUFFER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        with _index(self.path).open("wb") as file:
            self._places.tofile(file)

    def add(self, value: bytes, stamp: int = 0) -> int:
        """Write a record; return its number."""
        if self.count % _EVERY == 0:
            self._places.append(self._at)
        self._file.write(_HEAD.pack(stamp, len(value)))
        self._file.write(value)
        self._at += _HEAD.size + len(value)
        self.count += 1
        return self.count - 1


def read(path: Path, low: int = 0, high: int | None = None) -> Iterator[Record]:
    """Yield the records of a file from number `low` up to `high` (None: all)."""
    places = array("Q", _index(path).read_bytes())
    if low // _EVERY >= len(places):
        return
    number = low // _EVERY * _EVERY
    with path.open("rb", _BUFFER) as file:
        file.seek(places[number // _EVERY])
        while (high is None or number < high) and (head := file.read(_HEAD.size)):
            stamp, size = _HEAD.unpack(head)
            value = file.read(size)
            if number >= low:
                yield Record(number, stamp, value)
            number += 1


def _index(path: Path) -> Path:
    return path.with_name(f"{path.name}.places")
