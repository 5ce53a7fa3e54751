import random
from collections import Counter
from typing import Any

from scenarios.load.orders import Orders
from scenarios.load.requests import Request, Requests
from system.gateway.inputs import CancelBody, OrderBody, TransferBody, read_body
from system.records import Cancel, PlaceOrder, decode_operation

USERS, COUNT = 20, 2_000
NOW_MS = 1_790_000_000_000


def drawn(kind: type[Requests] = Orders) -> list[Request]:
    requests = kind(USERS, random.Random(7), lambda: NOW_MS)
    return [requests.draw() for _ in range(COUNT)]


def test_a_seed_draws_the_same_requests_and_no_key_twice() -> None:
    for kind in (Requests, Orders):
        assert drawn(kind) == drawn(kind)
        assert len({request.request_id for request in drawn(kind)}) == COUNT


def test_the_gateway_takes_every_body() -> None:
    forms: dict[str, Any] = {"orders": OrderBody, "cancel": CancelBody}

    for request in drawn():
        form = forms.get(request.route, TransferBody)
        assert read_body(form, request.body()).user_id == request.user_id


def test_a_record_is_the_operation_that_the_gateway_publishes() -> None:
    for request in drawn():
        key, value = request.record()
        assert key == str(request.user_id).encode()
        assert decode_operation(value) == request.operation()


def test_nobody_trades_before_depositing_all_assets() -> None:
    deposited: Counter[int] = Counter()

    for request in drawn():
        if request.route == "transfer_in":
            deposited[request.user_id] += 1
        else:
            assert deposited[request.user_id] >= 3


def test_cancels_are_of_the_owners_own_orders() -> None:
    owners: dict[str, int] = {}
    cancels = 0

    for request in drawn():
        operation = request.operation()
        if isinstance(operation, PlaceOrder):
            owners[operation.order_id] = request.user_id
        if isinstance(operation, Cancel):
            assert owners[operation.order_id] == request.user_id
            cancels += 1

    assert cancels > COUNT // 20
