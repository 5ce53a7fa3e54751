"""Lanes and writer: rows are complete, in order and checked, whatever the database does."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cassandra import InvalidRequest
from hypothesis import given
from hypothesis import strategies as st

from system.database import Row
from system.errors import Halt
from system.log import Log
from system.records import CancelAccepted, CancelEnded, Event, LedgerRow, Rejected
from system.settlement import ledger as statements
from system.settlement.accounts import cells
from system.settlement.ledger import Ledger
from system.settlement.writer import Writer
from tests.system.tables import Answer, Tables


def row(
    n: int, user_id: int, asset_id: int, seq: int, delta: int, avail: int, key: str = ""
) -> LedgerRow:
    return LedgerRow(
        shard=1,
        epoch=1,
        epoch_bits="0" * 16,
        n=n,
        user_id=user_id,
        asset_id=asset_id,
        seq=seq,
        delta_avail=delta,
        delta_frozen=0,
        avail=avail,
        frozen=0,
        event_type="deposit" if delta > 0 else "withdraw",
        ref_id=key or f"request-{n}",
        request_id=key or f"request-{n}",
        body_hash=f"hash-{n}",
        created_at=1_700_000_000_000 + n,
    )


def rejected(key: str, body_hash: str, reason: str) -> Rejected:
    return Rejected(
        shard=1,
        epoch=1,
        epoch_bits="0" * 16,
        n=1,
        user_id=1001,
        request_id=key,
        body_hash=body_hash,
        reason=reason,  # type: ignore[arg-type]
        created_at=1,
    )


def settle(tables: Tables, events: list[Event], pause: Callable[[int], None] | None = None) -> None:
    settling = Ledger(tables, accounts_max=100)
    writer = Writer(settling, Log("settlement"), 4, pause or (lambda _: None))
    writer.drive(settling.account_lanes(events))
    writer.drive(settling.request_lanes(events))


@st.composite
def histories(draw: st.DrawFn) -> list[LedgerRow]:
    """Draw the rows of a few accounts as UBSCore writes them."""
    balances: dict[tuple[int, int], tuple[int, int]] = {}
    rows = []
    for n in range(1, draw(st.integers(1, 25)) + 1):
        key = (draw(st.integers(1001, 1003)), draw(st.integers(1, 3)))
        seq, avail = balances.get(key, (0, 0))
        delta = draw(st.integers(-avail, 10**12).filter(bool))
        balances[key] = (seq + 1, avail + delta)
        rows.append(row(n, *key, seq + 1, delta, avail + delta))
    return rows


@given(histories(), st.integers(0, 2**32), st.data())
def test_rows_survive_failures_and_replays_from_any_commit(
    history: list[LedgerRow], seed: int, data: st.DataObject
) -> None:
    chance = random.Random(seed)
    tables = Tables()
    tables.fails = lambda _: chance.choice((True, False)) if chance.random() < 0.3 else None

    settle(tables, list(history))
    for _ in range(3):
        settle(tables, list(history[data.draw(st.integers(0, len(history))) :]))

    written = {
        (*key, seq): stored for key, rows in tables.ledger.items() for seq, stored in rows.items()
    }
    assert written == {(e.user_id, e.asset_id, e.seq): cells(e) for e in history}
    assert tables.assets == {
        user: {e.asset_id for e in history if e.user_id == user}
        for user in {e.user_id for e in history}
    }
    assert all(
        answer["decision"] == "done" for r in tables.requests.values() for answer in r.values()
    )


@given(histories(), st.integers(0, 2**32))
def test_nothing_later_of_a_partition_is_sent_before_the_earlier_is_acknowledged(
    history: list[LedgerRow], seed: int
) -> None:
    chance = random.Random(seed)
    tables = Tables()
    tables.fails = lambda _: False if chance.random() < 0.4 else None  # lost, never applied

    settle(tables, list(history))

    for key in tables.ledger:
        inserts: list[Any] = [
            v[2] for s, v in tables.sent if s == statements.INSERT_ROW and v[:2] == key
        ]
        assert inserts == sorted(inserts)  # repeats, but never backwards


def test_a_stored_row_with_another_column_halts() -> None:
    tables = Tables()
    settle(tables, [row(1, 1001, 1, 1, 500, 500)])

    with pytest.raises(Halt, match=r"row 1 of the ledger is .*avail=500.* says .*avail=501"):
        settle(tables, [row(1, 1001, 1, 1, 501, 501)])
    assert tables.ledger[1001, 1][1][3] == 500
    assert len(tables.requests) == 1


def test_a_missing_row_below_the_newest_halts() -> None:
    tables = Tables()
    settle(tables, [row(1, 1001, 1, 1, 5, 5), row(2, 1001, 1, 2, 5, 10)])
    del tables.ledger[1001, 1][1]

    with pytest.raises(Halt, match=r"row 1 of the ledger is missing"):
        settle(tables, [row(1, 1001, 1, 1, 5, 5)])


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (row(2, 1001, 1, 3, 5, 10), "row 3 follows row 1"),
        (row(2, 1001, 1, 2, 5, 11), "row 2 says avail 11.*give avail 10"),
    ],
)
def test_a_row_that_does_not_continue_the_chain_halts(event: LedgerRow, why: str) -> None:
    tables = Tables()
    settle(tables, [row(1, 1001, 1, 1, 5, 5)])

    with pytest.raises(Halt, match=why):
        settle(tables, [event])
    assert list(tables.ledger[1001, 1]) == [1]


def test_a_late_retry_marks_a_request_expired_and_keeps_its_decision() -> None:
    tables = Tables()
    settle(tables, [row(1, 1001, 1, 1, 5, 5, key="k")])

    settle(
        tables, [rejected("k", "hash-1", "expired"), rejected("k", "hash-9", "request_id_reused")]
    )

    first, second = (tables.requests[1001, "k"][h] for h in ("hash-1", "hash-9"))
    assert (first["decision"], first["expired"]) == ("done", True)
    assert second == {"decision": "rejected", "reason": "request_id_reused"}


@pytest.mark.parametrize("outcome", ["done", "order_closed"])
def test_a_cancel_is_accepted_first_and_ended_later(outcome: Any) -> None:
    common: dict[str, Any] = {
        "shard": 1,
        "epoch": 1,
        "epoch_bits": "0" * 16,
        "user_id": 1001,
        "request_id": "k",
        "body_hash": "hash",
        "order_id": "o",
        "created_at": 1,
    }
    tables = Tables()

    settle(tables, [CancelAccepted(n=1, **common)])
    pending = dict(tables.requests[1001, "k"]["hash"])
    settle(tables, [CancelEnded(n=2, outcome=outcome, **common)])

    assert pending == {"decision": "accepted"}
    assert tables.requests[1001, "k"]["hash"] == {"decision": "accepted", "outcome": outcome}


def test_rows_that_an_engine_output_caused_decide_no_request() -> None:
    tables = Tables()
    deposit = row(1, 1001, 1, 1, 5, 5)
    credit = msgspec.structs.replace(
        row(2, 1001, 1, 2, 7, 12), v=2, event_type="trade_credit", ref_id="1-1-1"
    )

    settle(tables, [deposit, credit])

    assert list(tables.ledger[1001, 1]) == [1, 2]
    assert list(tables.requests) == [(1001, "request-1")]


def test_a_statement_that_the_server_refuses_halts() -> None:
    class Refusing(Tables):
        def send(self, statement: str, values: object) -> Answer:
            return Answer(InvalidRequest("unknown column"))

    with pytest.raises(Halt, match=r"refuses a statement.*unknown column"):
        settle(Refusing(), [row(1, 1001, 1, 1, 5, 5)])


def test_accounts_beyond_the_limit_are_read_again() -> None:
    tables = Tables()
    settling = Ledger(tables, accounts_max=1)
    writer = Writer(settling, Log("settlement"), 4, lambda _: None)

    for n, (user, seq) in enumerate(((1001, 1), (1002, 1), (1001, 2), (1002, 2)), 1):
        writer.drive(settling.account_lanes([row(n, user, 1, seq, 5, 5 * seq)]))
        settling.shrink()

    assert len(settling.accounts) == 1
    newest: list[Row] = [v for s, v in tables.sent if s == statements.NEWEST]
    assert len(newest) == 4
