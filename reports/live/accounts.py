"""What is kept of each account: a fold of its events, and how many rows are newer than the cut.

Packed into 66 bytes each; beyond a number of accounts all go to a temporary database on disk.
"""

import sqlite3
import struct
from collections.abc import Iterator

from reports.live.sources import Account

_KEY = struct.Struct(">qi")
_STATE = struct.Struct("<qqqQqqQqB")
_LOW, _HIGH = -(2**63), 2**63 - 1


class State:
    """One account. `base` is the seq before its first retained event, `top` its newest row's.

    `seq, avail, frozen, fold` are as of its last event before the cut; `newer` counts the rows
    above it that no event has explained yet, `newer_fold` is their fold.
    """

    __slots__ = ("avail", "base", "fold", "frozen", "listed", "newer", "newer_fold", "seq", "top")

    def __init__(self, seq: int = 0, avail: int = 0, frozen: int = 0) -> None:
        self.seq = self.base = seq
        self.avail = avail
        self.frozen = frozen
        self.fold = 0
        self.top = 0
        self.newer_fold = 0
        self.newer = 0
        self.listed = False

    def pack(self) -> bytes:
        """Return it as bytes; a balance no column can hold is cut, its chain broke before."""
        fields = (self.seq, self.avail, self.frozen, self.fold, self.base)
        rest = (self.top, self.newer_fold, self.newer, self.listed)
        try:
            return _STATE.pack(*fields, *rest)
        except struct.error:
            seq, avail, frozen, fold, base = fields
            return _STATE.pack(_fit(seq), _fit(avail), _fit(frozen), fold, _fit(base), *rest)


def _fit(number: int) -> int:
    return min(max(number, _LOW), _HIGH)


def unpack(packed: bytes) -> State:
    """Return the state in some bytes."""
    state = State.__new__(State)
    (
        state.seq,
        state.avail,
        state.frozen,
        state.fold,
        state.base,
        state.top,
        state.newer_fold,
        state.newer,
        listed,
    ) = _STATE.unpack(packed)
    state.listed = bool(listed)
    return state


class Accounts:
    """All accounts, in memory up to `most`, then in a temporary file that vanishes with us."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.kept: dict[bytes, bytes] = {}
        self.disk: sqlite3.Connection | None = None

    def get(self, account: Account) -> State | None:
        """Return what is known of an account."""
        key = _KEY.pack(*account)
        packed = self.kept.get(key)
        if packed is None and self.disk is not None:
            found = self.disk.execute("SELECT state FROM accounts WHERE key = ?", (key,)).fetchone()
            packed = None if found is None else found[0]
        return None if packed is None else unpack(packed)

    def put(self, account: Account, state: State) -> None:
        """Keep what is known of an account."""
        self.kept[_KEY.pack(*account)] = state.pack()
        if len(self.kept) > self.most:
            self._spill()

    def __iter__(self) -> Iterator[tuple[Account, State]]:
        """Yield all accounts in order."""
        if self.disk is None:
            for key in sorted(self.kept):
                yield _KEY.unpack(key), unpack(self.kept[key])
            return
        self._spill()
        for key, packed in self.disk.execute("SELECT key, state FROM accounts ORDER BY key"):
            yield _KEY.unpack(key), unpack(packed)

    def close(self) -> None:
        """Give memory and disk back."""
        self.kept.clear()
        if self.disk is not None:
            self.disk.close()
            self.disk = None

    def _spill(self) -> None:
        if self.disk is None:
            self.disk = sqlite3.connect("", isolation_level=None)  # "": a file without a name
            self.disk.execute("PRAGMA journal_mode = OFF")
            self.disk.execute("PRAGMA synchronous = OFF")
            self.disk.execute("PRAGMA cache_size = -65536")
            self.disk.execute(
                "CREATE TABLE accounts (key BLOB PRIMARY KEY, state BLOB) WITHOUT ROWID"
            )
        self.disk.execute("BEGIN")
        self.disk.executemany(
            "INSERT OR REPLACE INTO accounts VALUES (?, ?)", sorted(self.kept.items())
        )
        self.disk.execute("COMMIT")
        self.kept.clear()
