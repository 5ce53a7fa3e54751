"""Orders and cancels: what lets them through to the matching engine, and what they lock."""

from system import orders, symbols
from system.orders import OrderRefused
from system.records import (
    Cancel,
    CancelAccepted,
    PlaceOrder,
    Reason,
    ValidatedCancel,
    ValidatedOrder,
)
from system.ubscore.draft import Draft
from system.ubscore.state import State
from system.ubscore.terms import Terms


def refusal(state: State, operation: PlaceOrder | Cancel) -> Reason | None:
    """Return why an order or cancel cannot go on; None if it can."""
    if not isinstance(operation, PlaceOrder):
        return _of_cancel(state, operation)
    terms = terms_of(operation)
    if terms is None:
        return "unknown_symbol"
    try:
        orders.check(terms)
    except OrderRefused as refused:
        return "overflow" if refused.reason == "cost_overflow" else "bad_terms"
    if operation.user_id not in state.users:
        return "unknown_account"
    avail = state.balance(operation.user_id, terms.locked_asset_id).avail
    return "insufficient_balance" if avail < terms.lock else None


def _of_cancel(state: State, operation: Cancel) -> Reason | None:
    order = state.standing.orders.get(operation.order_id)
    if order is None or order.user_id != operation.user_id:
        return "unknown_order"
    return None if order.open else "order_closed"


def terms_of(operation: PlaceOrder) -> orders.Terms | None:
    """Return an order's terms by the symbol as it is now; None if there is no such symbol."""
    symbol = symbols.BY_ID.get(operation.symbol_id)
    if symbol is None:
        return None
    return orders.Terms(
        symbol,
        operation.side,
        operation.kind,
        operation.time_in_force,
        operation.price,
        operation.quantity,
    )


def place(draft: Draft, terms: Terms, operation: PlaceOrder) -> None:
    """Lock what an accepted order may cost, and let it through with all that matching needs."""
    found = terms_of(operation)
    assert found is not None, "an accepted order has a symbol"
    symbol, lock = found.symbol, found.lock
    account = operation.user_id, found.locked_asset_id
    draft.move("lock", account, -lock, lock, operation.order_id)
    draft.order(
        operation.symbol_id,
        ValidatedOrder,
        user_id=operation.user_id,
        order_id=operation.order_id,
        base_asset_id=symbol.base.id,
        quote_asset_id=symbol.quote.id,
        lot=symbol.lot,
        side=operation.side,
        kind=operation.kind,
        time_in_force=operation.time_in_force,
        price=operation.price,
        quantity=operation.quantity,
        maker_ppm=terms.maker_ppm,
        taker_ppm=terms.taker_ppm,
    )


def cancel(draft: Draft, state: State, operation: Cancel) -> None:
    """Let an accepted cancel through; its outcome is the engine's."""
    order = state.standing.orders[operation.order_id]
    user_id, order_id = operation.user_id, operation.order_id
    draft.tell(user_id, CancelAccepted, order_id=order_id)
    draft.order(order.symbol_id, ValidatedCancel, user_id=user_id, order_id=order_id)
