"""Orders and cancels: what is published, what is refused, and the ids that retries get."""

import json

import pytest
from confluent_kafka import KafkaError

from system.records import OPERATIONS, Cancel, PlaceOrder, decode_operation
from system.symbols import SYMBOLS
from tests.system.gateway.asking import OPERATOR, USER, Front, cancel, new_key, order, transfer

BIGGEST = 2**63 - 1
SOME_ORDER = "0123456789abcdef" * 2


def test_an_order_is_published_in_integers_and_answered_with_its_id() -> None:
    front, key = Front(), new_key()

    answer = front.post("/orders", order(request_id=key.upper()), USER)

    (sent,) = front.records.sent
    operation = decode_operation(sent.value)
    assert isinstance(operation, PlaceOrder)
    assert (sent.topic, sent.key) == (OPERATIONS, b"1001")
    assert (operation.symbol_id, operation.side, operation.kind) == (1, "buy", "limit")
    assert operation.time_in_force == "gtc"
    assert (operation.price, operation.quantity) == (5_000_000_000, 50_000_000)
    assert (answer.status, answer.json) == (
        202,
        {"request_id": key, "status": "accepted", "order_id": operation.order_id},
    )


def test_a_retry_at_another_gateway_gets_the_same_order_id_and_another_body_another_one() -> None:
    key = new_key()
    first, again, other = (
        Front().post("/orders", order(request_id=key, quantity=quantity), USER).json["order_id"]
        for quantity in ("0.5", "0.500", "0.501")
    )

    assert first == again != other


def test_a_market_order_is_ioc_with_a_bound() -> None:
    front = Front()

    accepted = front.post("/orders", order(type="market"), USER)
    resting = front.post("/orders", order(type="market", time_in_force="gtc"), USER)

    assert (accepted.status, json.loads(front.records.sent[0].value)["time_in_force"]) == (
        202,
        "ioc",
    )
    assert (resting.status, resting.json["reason"]) == (400, "market_not_ioc")


def test_a_cancel_is_published_under_its_user() -> None:
    front, key = Front(), new_key()

    answer = front.delete(f"/orders/{SOME_ORDER.upper()}", cancel(request_id=key))

    operation = decode_operation(front.records.sent[0].value)
    assert isinstance(operation, Cancel)
    assert (operation.user_id, operation.order_id) == (1001, SOME_ORDER)
    assert answer.json == {"request_id": key, "status": "accepted", "order_id": SOME_ORDER}


@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda symbol: symbol.name)
def test_every_border_of_price_and_quantity_is_exact(symbol: object) -> None:
    front = Front()
    name = symbol.name  # type: ignore[attr-defined]
    tick, lot = ("0.01", {"BTC_USDT": "0.001", "ETH_USDT": "0.0001"}[name])

    least = front.post("/orders", order(symbol=name, price=tick, quantity=lot), USER)

    placed = decode_operation(front.records.sent[0].value)
    assert least.status == 202
    assert isinstance(placed, PlaceOrder)
    assert (placed.price, placed.quantity) == (symbol.tick, symbol.lot)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"symbol": "DOGE_USDT"}, "unknown_symbol", "'DOGE_USDT' is none of BTC_USDT, ETH_USDT"),
        ({"symbol": "btc_usdt"}, "unknown_symbol", "is none of"),
        ({"side": "hold"}, "bad_side", "'hold' is not buy or sell"),
        ({"type": "stop"}, "bad_type", "'stop' is not limit or market"),
        ({"time_in_force": "fok"}, "bad_time_in_force", "'fok' is not gtc or ioc"),
        ({"price": "50000.001"}, "price_off_tick", "at most 2 digits"),
        ({"price": "0"}, "price_not_positive", "above zero"),
        ({"price": "-1"}, "bad_price", "'-1' is not a decimal"),
        ({"price": "1e5"}, "bad_price", "'1e5' is not a decimal"),
        ({"price": ""}, "bad_price", "'' is not a decimal"),
        ({"price": "10000000.01"}, "price_too_high", "priced at most 10000000.00"),
        ({"price": "9" * 65}, "bad_price", "is not a decimal"),
        ({"price": 50_000}, "wrong_type", "price: Expected `str`, got `int`; amounts, prices"),
        ({"quantity": "0.0001"}, "quantity_off_lot", "at most 3 digits"),
        ({"quantity": "0.000"}, "quantity_not_positive", "above zero"),
        ({"quantity": "100000.001"}, "quantity_too_large", "takes at most 100000.00000000 BTC"),
        ({"quantity": "NaN"}, "bad_quantity", "'NaN' is not a decimal"),
        ({"quantity": 0.5}, "wrong_type", "quantity: Expected `str`, got `float`"),
        ({"price": "10000000", "quantity": "100000"}, "cost_overflow", "would cost 1000000000000."),
        ({"user_id": 0}, "out_of_range", "user_id: Expected `int` >= 1"),
        ({"user_id": BIGGEST + 1}, "out_of_range", "user_id: Expected `int` <="),
        ({"request_id": "1"}, "bad_request_id", "is not a UUID of version 7"),
        ({"request_id": new_key(-24 * 3_600_000)}, "clock_skew", "ahead of our clock"),
        ({"note": "hi"}, "unknown_field", "unknown field `note`"),
    ],
)
def test_a_bad_order_is_refused_with_a_reason(
    changes: dict[str, object], reason: str, detail: str
) -> None:
    front = Front()

    answer = front.post("/orders", order(**changes), OPERATOR)

    assert (answer.status, answer.json["reason"]) == (400, reason)
    assert detail in answer.json["detail"]
    assert front.records.sent == []


@pytest.mark.parametrize(
    "missing", ["request_id", "user_id", "symbol", "side", "price", "quantity"]
)
def test_a_missing_field_of_an_order_is_named(missing: str) -> None:
    body = {name: value for name, value in json.loads(order()).items() if name != missing}

    answer = Front().post("/orders", json.dumps(body).encode(), USER)

    assert (answer.status, answer.json["reason"]) == (400, "missing_field")
    assert missing in answer.json["detail"]


@pytest.mark.parametrize("order_id", ["1", "g" * 32, "a" * 31, "a" * 33, "0x" + "a" * 30])
def test_a_cancel_of_what_is_no_order_id_is_refused(order_id: str) -> None:
    answer = Front().delete(f"/orders/{order_id}", cancel())

    assert (answer.status, answer.json["reason"]) == (400, "bad_order_id")


@pytest.mark.parametrize("user_id", [1, 1002])
def test_orders_of_another_user_are_refused(user_id: int) -> None:
    front = Front()

    answers = [
        front.post("/orders", order(user_id=user_id), USER),
        front.delete(f"/orders/{SOME_ORDER}", cancel(user_id=user_id)),
        front.get(f"/orders/{user_id}", USER),
    ]

    assert {(answer.status, answer.json["reason"]) for answer in answers} == {
        (403, "foreign_account")
    }
    assert front.records.sent == []


def test_orders_wait_until_all_programs_have_agreed_to_read_them() -> None:
    front = Front(formats=1)

    refused = [
        front.post("/orders", order(), USER),
        front.delete(f"/orders/{SOME_ORDER}", cancel(), USER),
    ]
    taken = front.post("/transfer_in", transfer(), OPERATOR)

    for answer in refused:
        said = (answer.status, answer.json["reason"], answer.json["outcome"])
        assert said == (503, "format_version", "nothing_happened")
        assert answer.headers["retry-after"] == "1"
    assert (taken.status, len(front.records.sent)) == (202, 1)


def test_too_many_commands_at_once_are_answered_429_and_nothing_piles_up() -> None:
    front = Front(in_flight_max=3)
    front.records.fate = lambda: KafkaError(KafkaError._MSG_TIMED_OUT)
    head = {"authorization": f"Bearer {USER}"}

    answers = front.together(*[("POST", "/orders", order(), head) for _ in range(3)])
    front.gateway.commands.inside = 3
    full = front.post("/orders", order(), USER)

    assert {(a.status, a.json["outcome"]) for a in answers} == {(503, "unknown")}
    assert (full.status, full.headers["retry-after"]) == (429, "1")
    assert len(front.records.sent) == 3
