"""Wishes: an intent as the HTTP request that asks for it, and as the operation it stands for."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from reports.evidence import Operation
from scenarios.workloads import Intent
from system import assets, orders
from system.records import body_hash, order_id

NEVER_PLACED = "0" * 32  # the id of an order that nobody has placed


class Wish(NamedTuple):
    """What is sent at every attempt, and what it is in the history."""

    method: str
    path: str
    body: bytes
    operation: Operation


def of(intent: Intent, key: str, placed: Mapping[str, str]) -> Wish:
    """Return the wish behind an intent; `placed` has the order id behind each label."""
    if intent.route == "place_order":
        return _place(intent, key)
    if intent.route == "cancel":
        return _cancel(intent, key, placed.get(intent.label, NEVER_PLACED))
    return _transfer(intent, key)


def _transfer(intent: Intent, key: str) -> Wish:
    asset = assets.BY_NAME[intent.asset]
    amount = assets.parse(intent.amount, asset)
    operation = Operation(
        client=intent.client,
        kind=intent.route,
        user_id=intent.user_id,
        asset_id=asset.id,
        amount=amount,
        request_id=key,
        body_hash=body_hash(intent.route, intent.user_id, key, asset.id, amount),
        outcome="info",
    )
    body = _body(intent, key, asset=intent.asset, amount=intent.amount)
    return Wish("POST", f"/{intent.route}", body, operation)


def _place(intent: Intent, key: str) -> Wish:
    order = intent.order
    assert order is not None, "an intent to place an order has one"
    terms = orders.read(
        order.symbol, order.side, order.kind, order.time_in_force, order.price, order.quantity
    )
    symbol, side, kind, lasting, price, quantity = terms
    said = (symbol.id, side, kind, lasting, price, quantity)
    hashed = body_hash("orders", intent.user_id, key, *said)
    operation = Operation(
        client=intent.client,
        kind="place_order",
        user_id=intent.user_id,
        asset_id=terms.locked_asset_id,
        amount=terms.lock,
        request_id=key,
        body_hash=hashed,
        order_id=order_id(intent.user_id, key, hashed),
        outcome="info",
    )
    body = _body(
        intent,
        key,
        symbol=order.symbol,
        side=order.side,
        type=order.kind,
        time_in_force=order.time_in_force,
        price=order.price,
        quantity=order.quantity,
    )
    return Wish("POST", "/orders", body, operation)


def _cancel(intent: Intent, key: str, order: str) -> Wish:
    operation = Operation(
        client=intent.client,
        kind="cancel",
        user_id=intent.user_id,
        request_id=key,
        body_hash=body_hash("cancel", intent.user_id, key, order),
        order_id=order,
        outcome="info",
    )
    return Wish("DELETE", f"/orders/{order}", _body(intent, key), operation)


def _body(intent: Intent, key: str, **more: str) -> bytes:
    return json.dumps({"request_id": key, "user_id": intent.user_id, **more}).encode()
