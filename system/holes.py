"""Holes: records that are missing because a later one came first, and how long they may be.

Two kinds of sequence have them: a shard's numbers (`system.numbering`) and a symbol's chain of
outputs (`system.chain`). The sender closes a hole by sending again; until then what comes beyond
it is discarded, and nothing is remembered of it.
"""

from abc import ABC, abstractmethod
from enum import Enum
from typing import ClassVar, Generic, TypeVar

import msgspec

from system.errors import Halt
from system.log import Log

R = TypeVar("R")


class Verdict(Enum):
    """What to do with a record."""

    APPLY = "apply"
    DUPLICATE = "duplicate"  # was applied before: drop it
    BEYOND = "beyond"  # an earlier one is missing: discard it, the sender sends it again


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """A missing record, found by one that came too early."""

    expected: int
    offset: int  # of the first discarded record
    append_time_ms: int  # when the broker appended that one


class Sequences(ABC, Generic[R]):
    """The numbered sequences in one partition, each with at most one hole at a time."""

    record: ClassVar[str]  # what is numbered
    of: ClassVar[str]  # whose sequence it is
    sender: ClassVar[str]

    def __init__(self, where: str, hole_ms_max: int) -> None:
        self.where = where
        self.hole_ms_max = hole_ms_max
        self.holes: dict[int, Hole] = {}

    @abstractmethod
    def judge(self, record: R, offset: int, append_time_ms: int) -> Verdict:
        """Return what to do with a record, or halt where it cannot belong to its sequence."""

    def take(self, record: R, offset: int, append_time_ms: int, log: Log) -> Verdict:
        """Judge a record; say when a hole opens, and when it closes."""
        before = set(self.holes)
        verdict = self.judge(record, offset, append_time_ms)
        for key in self.holes.keys() - before:
            missing, whose = self.holes[key].expected, {self.of: key}
            log.warning("hole", where=self.where, offset=offset, missing=missing, **whose)
        for key in before - self.holes.keys():
            log.info("hole_closed", where=self.where, offset=offset, **{self.of: key})
        return verdict

    def discard(self, key: int, n: int, hole: Hole) -> Verdict:
        """Note a hole, unless it is known; halt if the sender goes on long after it opened.

        `n` is the number of the record that came too early. Only such a record proves that the
        sender went on: after a long absence it begins with what it had not seen acknowledged,
        duplicates first.
        """
        known = self.holes.setdefault(key, hole)
        if hole.append_time_ms - known.append_time_ms > self.hole_ms_max:
            raise Halt(
                "record_missing",
                f"{self.where}: {self.record} {known.expected} of {self.of} {key} is missing since"
                f" offset {known.offset}; the {self.sender} had {self.hole_ms_max} ms to send it"
                f" again, but went on with {self.record} {n} at offset {hole.offset}",
            )
        return Verdict.BEYOND
