"""Records of the two topics of orders as they are read: decoded, each with its place."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

import msgspec

from reports.live.listed import Listed
from reports.live.replay import undecodable
from reports.live.sources import Entry

R = TypeVar("R")


class Arrival(NamedTuple, Generic[R]):
    """A record, where it lies, and the hash of its bytes."""

    record: R
    offset: int
    timestamp_ms: int
    hashed: int
    place: str


def arrivals(
    entries: Iterable[Entry], where: str, decode: Callable[[bytes], R], breaks: Listed
) -> Iterator[Arrival[R]]:
    """Yield what can be decoded; what cannot is added to `breaks`."""
    for entry in entries:
        place, value = f"{where}@{entry.offset}", entry.value or b""
        try:
            record = decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            breaks.add(undecodable(place, error))
        else:
            yield Arrival(record, entry.offset, entry.timestamp_ms, hash(value), place)
