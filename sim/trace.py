"""The trace: what happened in a world, in order, and one digest over all of it.

The digest covers the schedule (time and tie of every event), payloads and state changes. It is
on for every run; entries are kept only when somebody wants to read them.
"""

import marshal
from array import array
from collections.abc import Callable
from hashlib import blake2b

Field = str | int | bytes | None
Entry = tuple[int, str, tuple[Field, ...]]  # time in ns, kind, fields

_FLUSH_AT = 512


class Trace:
    """Records entries and rolls them into a digest, a few hundred at a time."""

    __slots__ = (
        "_hash",
        "_pending",
        "clock",
        "count",
        "kept",
        "rolled",
        "schedule",
        "stop_at",
        "stopped",
    )

    def __init__(self, *, keep: bool = False) -> None:
        self.clock: Callable[[], int] = lambda: 0
        self.count = 0
        self.kept: list[Entry] | None = [] if keep else None
        self.stop_at = -1  # the number of the entry at which `stopped` is called
        self.stopped: Callable[[], None] | None = None
        self._hash = blake2b(digest_size=16)
        self._pending: list[Entry] = []
        self.schedule: list[int] = []  # time and tie of every step, from the kernel's loop
        self.rolled = 0  # steps that are in the digest already

    def record(self, kind: str, *fields: Field) -> None:
        """Add one entry at the present time; `fields` are ints, strings or bytes."""
        pending = self._pending
        pending.append((self.clock(), kind, fields))
        if len(pending) >= _FLUSH_AT:
            self._flush()
        if self.stop_at >= 0 and self.stopped is not None and self.entries > self.stop_at:
            self.stop_at = -1
            self.stopped()

    @property
    def entries(self) -> int:
        """How many entries there are so far."""
        return self.count + len(self._pending)

    @property
    def steps(self) -> int:
        """How many steps the schedule has had so far."""
        return self.rolled + len(self.schedule) // 2

    def roll(self) -> None:
        """Roll the steps of the schedule since the last time into the digest."""
        self.rolled = self.steps
        self._hash.update(array("q", self.schedule))
        self.schedule.clear()

    def digest(self) -> str:
        """Return the digest of everything so far, as 32 hexadecimal digits."""
        self._flush()
        self.roll()
        return self._hash.hexdigest()

    def _flush(self) -> None:
        if not self._pending:
            return  # asking for the digest twice must not change it
        pending, self._pending = self._pending, []
        # Version 2 of the marshal format has no references and no interning marks, so its bytes
        # depend on the values alone.
        self._hash.update(marshal.dumps(pending, 2))
        self.count += len(pending)
        if self.kept is not None:
            self.kept += pending
