"""From bodies to commands in integers: every mistake is refused with a reason, nothing is kept."""

from typing import Literal

from system import orders
from system.gateway import inputs
from system.gateway.inputs import CancelBody, OrderBody, TransferBody
from system.gateway.refusals import bad_input
from system.orders import OrderRefused
from system.records import Cancel, Deposit, PlaceOrder, Withdraw, body_hash, order_id

TransferRoute = Literal["transfer_in", "transfer_out"]


def transfer(route: TransferRoute, body: TransferBody, request_id: str) -> Deposit | Withdraw:
    """Return a transfer; the ways out take all decimals, so that what fees leave can leave."""
    asset = inputs.asset(body.asset)
    deposit = route == "transfer_in"
    digits = asset.lot_digits if deposit else asset.decimals
    amount = inputs.amount(body.amount, asset, digits)
    return (Deposit if deposit else Withdraw)(
        user_id=body.user_id,
        request_id=request_id,
        body_hash=body_hash(route, body.user_id, request_id, asset.id, amount),
        asset_id=asset.id,
        amount=amount,
    )


def place(body: OrderBody, request_id: str) -> PlaceOrder:
    """Return an order, whose id follows from the request: every gateway gives it the same."""
    try:
        terms = orders.read(
            body.symbol, body.side, body.type, body.time_in_force, body.price, body.quantity
        )
    except OrderRefused as refused:
        raise bad_input(refused.reason, str(refused)) from None
    symbol, side, kind, lasting, price, quantity = terms
    digest = body_hash(
        "orders", body.user_id, request_id, symbol.id, side, kind, lasting, price, quantity
    )
    return PlaceOrder(
        user_id=body.user_id,
        request_id=request_id,
        body_hash=digest,
        order_id=order_id(body.user_id, request_id, digest),
        symbol_id=symbol.id,
        side=side,
        kind=kind,
        time_in_force=lasting,
        price=price,
        quantity=quantity,
    )


def cancel(order: str, body: CancelBody, request_id: str) -> Cancel:
    """Return a cancel; whether the order exists, and whose it is, UBSCore decides."""
    canonical = inputs.order_id(order)
    return Cancel(
        user_id=body.user_id,
        request_id=request_id,
        body_hash=body_hash("cancel", body.user_id, request_id, canonical),
        order_id=canonical,
    )
