"""UBSCore with a real engine: whatever is ordered, and whoever dies, money stays what it was."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from system.errors import Halt
from system.records import (
    EVENTS,
    FEE_USER,
    OPERATIONS,
    ORDERS,
    OUTPUTS,
    CancelAccepted,
    CancelEnded,
    Event,
    LedgerRow,
    Operation,
    Rejected,
    ValidatedOrder,
    decode_event,
    decode_output,
    decode_validated,
    seal,
)
from system.ubscore import image
from system.ubscore.state import State
from tests.system.small_kafka import PARTITIONS, Record
from tests.system.ubscore.market import (
    BTC,
    SYMBOL,
    USDT,
    Exchange,
    accepted,
    cancel,
    check_copies,
    check_locks,
    deposit,
    order,
    wealth,
)

USERS = (1001, 1002, 1003, 1004)
KINDS = (("limit", "gtc"), ("limit", "gtc"), ("limit", "ioc"), ("market", "ioc"))

ORDERED = st.tuples(
    st.just("order"),
    st.sampled_from(USERS),
    st.sampled_from(["buy", "sell"]),
    st.integers(100, 104),
    st.integers(1, 9),
    st.sampled_from(KINDS),
)
CANCELLED = st.tuples(st.just("cancel"), st.sampled_from(USERS), st.integers(0, 30))
HAPPENED = st.tuples(
    st.sampled_from(
        ["core", "core", "engine", "engine", "kill", "kill engine", "away", "back", "lose"]
    ),
    st.integers(1, 2),
)
PLANS = st.lists(st.one_of(ORDERED, ORDERED, CANCELLED, HAPPENED), max_size=40)


class Play:
    """Carries out a plan, step by step."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.number = 100
        self.placed: list[str] = []
        for place, user in enumerate(USERS):
            exchange.broker.order(
                deposit(user, BTC, 20 * SYMBOL.lot, 2 * place),
                deposit(user, USDT, 3000 * SYMBOL.tick, 2 * place + 1),
            )

    def happen(self, what: tuple[Any, ...]) -> None:
        exchange, self.number = self.exchange, self.number + 1
        shard = 1 + what[1] % len(exchange.shards)
        match what[0]:
            case "order":
                made = order(self.number, *what[1:])
                self.placed.append(made.order_id)
                exchange.broker.order(made)
            case "cancel" if self.placed:
                of = self.placed[what[2] % len(self.placed)]
                exchange.broker.order(cancel(self.number, what[1], of))
            case "core":
                exchange.shards[shard].step()
            case "engine":
                exchange.engine.step()
            case "kill":
                before = exchange.shards[shard].state
                exchange.restart(shard)
                after = exchange.shards[shard].state
                assert after.balances == before.balances
                assert after.standing.contents == before.standing.contents
                assert after.keys.contents(()) == before.keys.contents(())
            case "kill engine":
                exchange.restart_engine()
            case "away" | "back" | "lose":
                exchange.broker.away = what[0] == "away"
                exchange.broker.lose_answers = what[0] == "lose"

    def end(self) -> None:
        self.exchange.broker.away = self.exchange.broker.lose_answers = False
        self.exchange.settle()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=PLANS, shards=st.sampled_from([1, 2]), every=st.sampled_from([7, 100_000]))
def test_whatever_is_ordered_and_whoever_dies_no_money_appears_or_vanishes(
    tmp_path_factory: pytest.TempPathFactory, plan: list[Any], shards: int, every: int
) -> None:
    exchange = Exchange(tmp_path_factory.mktemp("x"), shards, snapshot_every=every)
    play = Play(exchange)
    try:
        for what in plan:
            play.happen(what)
        play.end()

        live = [core.state for core in exchange.shards.values()]
        assert wealth(*live) == accepted(*live)
        for state in live:
            check_locks(state)
            assert not state.standing.cancels
        check_copies(exchange.broker)
        if every > 1000:
            for shard, core in exchange.shards.items():
                for state in exchange.states(shard):
                    check_locks(state)
                    assert shards > 1 or wealth(state) == accepted(state)
                assert image.encode(state) == image.encode(core.state)
    finally:
        exchange.close()


def told(exchange: Exchange, user: int) -> list[Event]:
    events = [
        decode_event(record.value())
        for partition in range(PARTITIONS)
        for record in exchange.broker.logs[EVENTS, partition]
    ]
    return [event for event in events if event.user_id == user]


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    made = Exchange(tmp_path)
    made.broker.order(deposit(1001, USDT, 10**9, 1), deposit(1002, BTC, 100 * SYMBOL.lot, 2))
    return made


def test_an_order_locks_fills_and_gives_back_what_it_did_not_need(exchange: Exchange) -> None:
    sell, buy = order(11, 1002, "sell", 100, 3), order(12, 1001, "buy", 102, 5)
    exchange.broker.order(sell)
    exchange.settle()
    exchange.broker.order(buy)
    exchange.settle()
    exchange.broker.order(cancel(13, 1001, buy.order_id))
    exchange.settle()

    cost, lot = 100 * SYMBOL.tick, SYMBOL.lot
    buyer = [
        (e.event_type, e.asset_id, e.delta_avail, e.delta_frozen)
        for e in told(exchange, 1001)
        if isinstance(e, LedgerRow)
    ]
    assert buyer == [
        ("deposit", USDT, 10**9, 0),
        ("lock", USDT, -5 * 102 * SYMBOL.tick, 5 * 102 * SYMBOL.tick),
        ("trade_debit", USDT, 0, -3 * cost),
        ("trade_credit", BTC, 3 * lot - 3 * lot * 1500 // 10**6, 0),
        ("unlock", USDT, (510 - 300) * SYMBOL.tick, -(510 - 300) * SYMBOL.tick),
    ]
    fees = [(e.asset_id, e.delta_avail) for e in told(exchange, FEE_USER)]  # type: ignore[union-attr]
    assert sorted(fees) == [(BTC, 3 * lot * 1500 // 10**6), (USDT, 3 * cost * 1000 // 10**6)]
    ends = [e for e in told(exchange, 1001) if isinstance(e, CancelAccepted | CancelEnded)]
    assert [type(e) for e in ends] == [CancelAccepted, CancelEnded]
    assert ends[1].outcome == "done"  # type: ignore[union-attr]
    exchange.close()


def test_a_cancel_that_comes_too_late_is_told_so(exchange: Exchange) -> None:
    sell, buy = order(11, 1002, "sell", 100, 3), order(12, 1001, "buy", 100, 3)
    exchange.broker.order(sell)
    for core in exchange.shards.values():
        core.step()
    exchange.broker.order(buy, cancel(13, 1002, sell.order_id))
    exchange.settle()
    exchange.broker.order(cancel(14, 1002, sell.order_id))
    exchange.settle()

    ended = [e.outcome for e in told(exchange, 1002) if isinstance(e, CancelEnded)]
    rejected = [e.reason for e in told(exchange, 1002) if isinstance(e, Rejected)]
    assert ended in (["order_closed"], ["done"])  # by whether the engine met the buyer first
    assert rejected == ["order_closed"]
    exchange.close()


def test_every_refusal_has_its_reason_and_changes_nothing(exchange: Exchange) -> None:
    exchange.settle()
    mine = order(20, 1001, "buy", 100, 1)
    exchange.broker.order(mine)
    exchange.settle()
    before = dict(exchange.shards[1].state.balances)
    refused: dict[str, Operation] = {
        "insufficient_balance": order(21, 1001, "buy", 10**8, 1),
        "unknown_account": order(22, 1999, "buy", 100, 1),
        "unknown_symbol": order(23, 1001, "buy", 100, 1, symbol_id=9),
        "overflow": order(25, 1001, "buy", 10**9, 10**8),
        "bad_terms": order(26, 1001, "buy", 10**10, 1),
        "unknown_order": cancel(27, 1002, mine.order_id),
        "request_id_reused": order(20, 1001, "buy", 101, 1),
    }

    exchange.broker.order(*refused.values())
    exchange.settle()

    found = {
        e.reason: e.request_id
        for user in (1001, 1002, 1999)
        for e in told(exchange, user)
        if isinstance(e, Rejected)
    }
    assert found == {reason: one.request_id for reason, one in refused.items()}
    assert exchange.shards[1].state.balances == before
    assert len(exchange.broker.published(ORDERS)) == 1
    exchange.close()


def test_an_order_carries_the_fees_it_was_validated_with(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, maker_ppm=7, taker_ppm=9)
    exchange.broker.order(deposit(1001, USDT, 10**9, 1), order(2, 1001, "buy", 100, 1))
    exchange.settle()

    (value,) = exchange.broker.published(ORDERS)
    record = decode_validated(value)
    assert isinstance(record, ValidatedOrder)
    assert (record.maker_ppm, record.taker_ppm, record.lot) == (7, 9, SYMBOL.lot)
    exchange.close()
    assert exchange.broker.published(OUTPUTS)


def traded(exchange: Exchange) -> tuple[int, list[Record]]:
    """Let two orders trade; return where the engine's outputs lie."""
    exchange.broker.order(order(11, 1002, "sell", 100, 3), order(12, 1001, "buy", 100, 3))
    for _ in range(3):
        exchange.shards[1].step()
        exchange.engine.step()
    (partition,) = (p for p in range(PARTITIONS) if exchange.broker.logs[OUTPUTS, p])
    return partition, exchange.broker.logs[OUTPUTS, partition]


def forged(record: Record, **fields: Any) -> bytes:
    """The record with other content and a hash that fits it."""
    output = decode_output(record.value())
    return seal(msgspec.structs.replace(output, hash="", **fields))[0]


def test_outputs_that_come_twice_or_too_early_change_nothing(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.broker.order(deposit(1001, USDT, 10**9, 1), deposit(1002, BTC, 10**8, 2))
    exchange.shards[1].step()
    partition, log = traded(exchange)
    first, second = log
    states: list[State] = []

    for values in ([first, second], [first, first, second, first, second], [second, first, second]):
        log.clear()
        other = Exchange(tmp_path / str(len(states)))
        other.broker.logs.update(
            {(OPERATIONS, p): exchange.broker.logs[OPERATIONS, p] for p in range(PARTITIONS)}
        )
        other.shards[1].step()
        for one in values:
            other.broker.append(OUTPUTS, partition, one.key(), one.value())
        for _ in range(3):
            other.shards[1].step()
        states.append(other.shards[1].state)
        check_copies(other.broker)
        other.close()

    assert states[0].balance(1001, BTC).avail > 0
    assert [s.balances for s in states] == [states[0].balances] * 3
    exchange.close()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"previous_hash": "1" * 64}, "chain_broken"),
        ({"trades": ()}, "fill_inconsistent"),
        ({"orders": ()}, "fill_inconsistent"),
        ({"outcome": "cancelled"}, "fill_inconsistent"),
    ],
)
def test_an_output_that_does_not_follow_halts_and_moves_nothing(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    exchange = Exchange(tmp_path)
    exchange.broker.order(deposit(1001, USDT, 10**9, 1), deposit(1002, BTC, 10**8, 2))
    exchange.shards[1].step()
    exchange.broker.order(order(11, 1002, "sell", 100, 3), order(12, 1001, "buy", 100, 3))
    exchange.shards[1].step()
    exchange.shards[1].step()
    exchange.engine.step()
    (partition,) = (p for p in range(PARTITIONS) if exchange.broker.logs[OUTPUTS, p])
    second = exchange.broker.logs[OUTPUTS, partition].pop()
    exchange.broker.append(OUTPUTS, partition, second.key(), forged(second, **fields))
    before = dict(exchange.shards[1].state.balances)

    with pytest.raises(Halt, match=reason):
        exchange.shards[1].step()
    assert exchange.shards[1].state.balances == before
    exchange.close()
