"""Happenings: what befell the processes of a run, what was done to them, and what they logged."""

from typing import Literal

import msgspec

ProcessEventKind = Literal[
    "started", "ready", "crashed", "power_lost", "halted", "exited", "paused", "resumed"
]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The shape all evidence has: immutable, slotted, checked when it is read back."""


class ProcessEvent(Record, frozen=True, kw_only=True):
    """Something that happened to one incarnation of a program, a broker or a node.

    ``halted`` is an exit of the program's own choice because going on would be wrong; ``reason``
    is its documented reason code, and ``detail`` what it said.
    """

    at_ns: int
    process: str
    incarnation: int
    kind: ProcessEventKind
    code: int | None = None
    reason: str = ""
    detail: str = ""


class Damage(Record, frozen=True, kw_only=True):
    """Bytes of a log, or of a record in a topic, that a fault really destroyed or left torn.

    ``decidable`` damage (a torn tail that was never synced) must be mended at open; the other
    kind must end in a halt. ``first_lsn`` is the first frame hit, where that can be said.
    ``before`` are bytes that stand right before ``offset`` (of the same write, if it was torn),
    ``found`` what stands there now (less than ``length`` if the file ends), ``expected`` what
    should; of long stretches the beginning.

    Of a record `file` is ``topic[partition]`` and `key` its key; its kind is ``emptied`` (gone, its
    offset with it), ``closed_up`` (gone, the next one took its offset) or ``altered``.
    """

    shard: int
    at_ns: int
    file: str
    offset: int
    length: int
    kind: str
    decidable: bool
    found: bytes = b""
    before: bytes = b""
    expected: bytes = b""
    key: bytes = b""
    first_lsn: int | None = None

    @property
    def of_record(self) -> bool:
        """Whether it befell a record in a topic."""
        return self.kind in ("emptied", "closed_up", "altered")


class FaultReceipt(Record, frozen=True, kw_only=True):
    """A fault as it was entered and left, and what it bit; ``bites`` 0 says: nothing.

    ``untested`` says why this stage could not do it at all.
    """

    fault: str
    kind: str
    targets: tuple[str, ...] = ()
    entered_ns: int | None = None
    left_ns: int | None = None
    bites: int = 0
    effects: dict[str, int | str] = {}
    damage: tuple[Damage, ...] = ()
    untested: str = ""


class OwedHalt(Record, frozen=True, kw_only=True):
    """A halt that the fault budget owes: the process may stop for this reason and stay down.

    All but `because` are globs.
    """

    process: str
    reason: str
    because: str
    detail: str = "*"


class LogLine(Record, frozen=True, kw_only=True):
    """A line a program logged, kept for the reader of a report."""

    at_ns: int
    process: str
    incarnation: int
    level: str
    text: str
