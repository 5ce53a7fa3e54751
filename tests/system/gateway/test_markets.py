"""Orders and trades as clients read them: from the engine's outputs, page by page."""

import random

from system import trades
from system.engine.matching import Market
from system.records import EngineOutput, decode_output
from system.settlement.ledger import INSERT_REQUEST
from system.settlement.outputs import INSERT_BUCKET, INSERT_TRADE, Outputs
from tests.system.engine.flow import source, stream
from tests.system.gateway.asking import USER, Front, new_key


def traded(count: int = 60) -> tuple[Front, list[EngineOutput]]:
    """Return a gateway over the tables that a stream of orders leads to."""
    front, market = Front(), Market(1)
    inputs = stream(random.Random(7), count)
    outputs = [decode_output(market.apply(one, source(n)).value) for n, one in enumerate(inputs)]
    settling = Outputs(front.tables, 4)
    for lane in (*settling.log_lanes(outputs), *settling.detail_lanes(outputs)):
        statement = next(lane, None)
        while statement is not None:
            rows = front.tables.send(*statement).result()
            try:
                statement = lane.send(rows)
            except StopIteration:
                break
    return front, outputs


def pages(front: Front, path: str, of: str, key: str, limit: int) -> list[dict[str, object]]:
    """Return all rows, read a page at a time."""
    found, before = [], ""
    while before is not None:
        page = front.get(f"{path}?limit={limit}&before={before}", key).json
        found += page[of]
        before = page["next_before"]
    return found


def test_trades_are_read_page_by_page_newest_first_without_users() -> None:
    front, outputs = traded()
    made = [trade.trade_id for output in outputs for trade in output.trades]

    shown = pages(front, "/trades/BTC_USDT", "trades", USER, limit=3)

    assert [row["trade_id"] for row in shown] == made[::-1]
    assert set(shown[0]) == {"trade_id", "price", "quantity", "cost", "taker_side", "created_at"}
    assert pages(front, "/trades/ETH_USDT", "trades", USER, limit=3) == []


def test_trades_go_on_in_older_buckets_even_beyond_many_empty_ones() -> None:
    front = Front()
    for bucket in range(40):
        front.tables.send(INSERT_BUCKET, (1, bucket, 1))
    for seq in (1, 39 * trades.BUCKET):
        number = trades.number(seq, 1)
        row = (number, f"1-{seq}-1", 5 * 10**9, 10**5, 5 * 10**9, "buy", "a", "b", 1)
        front.tables.send(INSERT_TRADE, (1, trades.bucket(seq), *row, seq))

    shown = pages(front, "/trades/BTC_USDT", "trades", USER, limit=5)

    assert [row["trade_id"] for row in shown] == ["1-39000000-1", "1-1-1"]
    assert (shown[0]["price"], shown[0]["quantity"], shown[0]["cost"]) == (
        "50000.00",
        "0.00100000",
        "50.00000000",
    )


def test_a_users_orders_are_read_page_by_page_newest_first_as_they_ended() -> None:
    front, outputs = traded()
    newest = {o.order_id: o for output in outputs for o in output.orders if o.user_id == 1001}

    shown = pages(front, "/orders/1001", "orders", USER, limit=2)

    expected = sorted(newest.values(), key=lambda o: (o.created_at, o.order_id), reverse=True)
    assert len(expected) > 4
    assert [(row["order_id"], row["status"], row["ending"]) for row in shown] == [
        (o.order_id, o.status, o.ending) for o in expected
    ]


def test_pages_that_begin_nowhere_are_refused() -> None:
    front = Front()

    answers = [
        front.get(path, USER)
        for path in (
            "/trades/BTC_USDT?before=2-1-1",
            "/trades/BTC_USDT?before=1-99999999999999999-1",
            "/trades/BTC_USDT?before=x",
            "/orders/1001?before=5",
            f"/orders/1001?before={2**63}-{'a' * 32}",
        )
    ]
    unknown = front.get("/trades/DOGE_USDT", USER)
    nobody = front.ask("GET", "/trades/BTC_USDT")

    assert {(one.status, one.json["reason"]) for one in answers} == {(400, "bad_before")}
    assert (unknown.status, unknown.json["reason"]) == (400, "unknown_symbol")
    assert nobody.status == 401


def test_a_cancel_is_pending_until_the_engine_has_answered_it() -> None:
    front = Front()
    keys = [new_key() for _ in range(3)]
    for key, outcome in zip(keys, (None, "done", "order_closed"), strict=True):
        front.tables.send(
            INSERT_REQUEST, (1001, key, "a" * 64, "accepted", None, None, outcome, None)
        )

    shown = [front.get(f"/requests/{key}", USER).json for key in keys]

    assert [(one["status"], one["reason"]) for one in shown] == [
        ("pending", None),
        ("done", None),
        ("rejected", "order_closed"),
    ]
