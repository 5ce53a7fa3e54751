"""The database side of an event: which statements it takes, in which order per partition.

A lane is one database partition's statements in order, as a generator: it yields a statement,
is sent the rows of its answer and yields the next one. Nothing later of a lane is sent before
the earlier statement was acknowledged.
"""

from collections.abc import Generator, Iterable
from typing import Any

from system import effects
from system.database import QUORUM, UNSET, Database, Pending, Row
from system.records import CancelAccepted, CancelEnded, Event, LedgerRow, Rejected, decides
from system.settlement.accounts import COLUMNS, Account, Cells, cells

_CELLS = ", ".join(COLUMNS)
_MARKS = ", ".join("?" * (len(COLUMNS) + 2))

NEWEST = f"SELECT {_CELLS} FROM {{ks}}.balance_ledger WHERE user_id = ? AND asset_id = ? LIMIT 1"
STORED = (
    f"SELECT {_CELLS} FROM {{ks}}.balance_ledger WHERE user_id = ? AND asset_id = ? AND seq = ?"
)
INSERT_ROW = f"INSERT INTO {{ks}}.balance_ledger (user_id, asset_id, {_CELLS}) VALUES ({_MARKS})"
INSERT_ASSET = "INSERT INTO {ks}.users_assets (user_id, asset_id) VALUES (?, ?)"
INSERT_REQUEST = (
    "INSERT INTO {ks}.requests "
    "(user_id, request_id, body_hash, decision, reason, effects, outcome, expired) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)

Statement = tuple[Any, tuple[object, ...]]
Lane = Generator[Statement, list[Row], None]
AccountKey = tuple[int, int]


class Ledger:
    """Turns events into lanes of statements; remembers each account's chain while assigned."""

    def __init__(self, database: Database, accounts_max: int) -> None:
        self.database = database
        self.accounts_max = accounts_max
        self.accounts: dict[AccountKey, Account] = {}
        consistency = self.consistency()
        self.newest = database.prepare(NEWEST, consistency)
        self.stored = database.prepare(STORED, consistency)
        self.insert_row = database.prepare(INSERT_ROW, consistency)
        self.insert_asset = database.prepare(INSERT_ASSET, consistency)
        self.insert_request = database.prepare(INSERT_REQUEST, consistency)

    def consistency(self) -> int:
        """Return the level of every read and write; two quorums always share a replica."""
        return QUORUM

    def send(self, statement: Statement) -> Pending:
        """Start a statement."""
        return self.database.send(*statement)

    def forget(self) -> None:
        """Drop all chains: after an assignment every account is read again at its first touch."""
        self.accounts.clear()

    def shrink(self) -> None:
        """Keep memory bounded; an account dropped here is read again at its next touch."""
        while len(self.accounts) > self.accounts_max:
            del self.accounts[next(iter(self.accounts))]

    def account_lanes(self, events: Iterable[Event]) -> list[Lane]:
        """Return the lanes that write these events' ledger rows."""
        rows: dict[AccountKey, list[LedgerRow]] = {}
        for event in events:
            if isinstance(event, LedgerRow):
                rows.setdefault((event.user_id, event.asset_id), []).append(event)
        return [self.account_lane(key, of_account) for key, of_account in rows.items()]

    def request_lanes(self, events: Iterable[Event]) -> list[Lane]:
        """Return the lanes that write what these events decided."""
        requests: dict[tuple[int, str], list[Event]] = {}
        for event in filter(decides, events):
            requests.setdefault((event.user_id, event.request_id), []).append(event)
        return [self.request_lane(of_request) for of_request in requests.values()]

    def account_lane(self, key: AccountKey, events: list[LedgerRow]) -> Lane:
        """Write one account's rows in order, each checked against the chain before."""
        account = self.accounts.pop(key, None)
        if account is None:
            found = yield self.newest, key
            account = Account(f"user {key[0]}, asset {key[1]}", _first(found))
        self.accounts[key] = account
        for event in events:
            row = self.row(event)
            if account.written(row[0]):
                found = yield self.stored, (*key, row[0])
                account.agree(row, _first(found))
            else:
                account.advance(row)
            if row[0] == 1:
                yield self.insert_asset, key
            yield self.insert_row, (*key, *row)

    def row(self, event: LedgerRow) -> Cells:
        """Return the row of an event: copied, never computed."""
        return cells(event)

    def request_lane(self, events: list[Event]) -> Lane:
        """Write what was decided about one request key, one row per body."""
        for event in events:
            key = (event.user_id, event.request_id, event.body_hash)
            yield self.insert_request, (*key, *decision(event))


def decision(event: Event) -> tuple[object, ...]:
    """Return decision, reason, effects, outcome, expired: only the columns this event has to write.

    A late retry of a key that was decided long ago is `expired`, and must not touch the decision;
    nor must the end of a cancel.
    """
    if isinstance(event, Rejected):
        if event.reason == "expired":
            return UNSET, UNSET, UNSET, UNSET, True
        return "rejected", event.reason, UNSET, UNSET, UNSET
    if isinstance(event, CancelAccepted):
        return "accepted", UNSET, UNSET, UNSET, UNSET
    if isinstance(event, CancelEnded):
        return UNSET, UNSET, UNSET, event.outcome, UNSET
    return "done", UNSET, effects.encode((effects.of(event),)), UNSET, UNSET


def _first(rows: list[Row]) -> Cells | None:
    return rows[0] if rows else None
