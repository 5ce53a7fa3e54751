"""The chain of one account's ledger rows: where the database stands and what may follow.

The newest row in the database at the first touch is the mark. Rows up to it must be there already,
column for column; rows above it must continue the chain. Anything else is a conflict, and a
conflict halts.
"""

from system.errors import Halt
from system.records import LedgerRow

# The columns of a row besides its key, in the order in which they are read and written.
COLUMNS = (
    "seq",
    "delta_avail",
    "delta_frozen",
    "avail",
    "frozen",
    "event_type",
    "ref_id",
    "created_at",
)

Cells = tuple[int, int, int, int, int, str, str, int]


def cells(event: LedgerRow) -> Cells:
    """Return what the row of an event holds, in the order of COLUMNS."""
    return (
        event.seq,
        event.delta_avail,
        event.delta_frozen,
        event.avail,
        event.frozen,
        event.event_type,
        event.ref_id,
        event.created_at,
    )


class Account:
    """What is known of one (user, asset): the mark, and the newest row's balances."""

    __slots__ = ("avail", "frozen", "mark", "name", "seq")

    def __init__(self, name: str, newest: Cells | None) -> None:
        self.name = name
        self.mark = self.seq = newest[0] if newest else 0
        self.avail = newest[3] if newest else 0
        self.frozen = newest[4] if newest else 0

    def written(self, seq: int) -> bool:
        """Whether the row must be in the database already."""
        return seq <= self.mark

    def agree(self, row: Cells, stored: Cells | None) -> None:
        """Halt unless the stored row is this one, column for column."""
        if stored != row:
            raise Halt(
                "row_conflict",
                f"{self.name}: row {row[0]} of the ledger is {_shown(stored)}, "
                f"but the event says {_shown(row)}",
            )

    def advance(self, row: Cells) -> None:
        """Take a row above the mark into the chain, or halt."""
        seq, delta_avail, delta_frozen, avail, frozen = row[:5]
        if seq != self.seq + 1:
            raise Halt(
                "sequence_conflict",
                f"{self.name}: row {seq} follows row {self.seq} of the ledger",
            )
        expected = (self.avail + delta_avail, self.frozen + delta_frozen)
        if (avail, frozen) != expected:
            raise Halt(
                "balance_conflict",
                f"{self.name}: row {seq} says avail {avail}, frozen {frozen}; row {self.seq} and "
                f"its deltas give avail {expected[0]}, frozen {expected[1]}",
            )
        self.seq, self.avail, self.frozen = seq, avail, frozen


def _shown(row: Cells | None) -> str:
    if row is None:
        return "missing"
    return ", ".join(f"{name}={value}" for name, value in zip(COLUMNS, row, strict=True))
