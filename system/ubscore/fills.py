"""Fills: what an engine output does to the accounts of one shard. Pure; nothing is computed anew.

The engine worked out all amounts once; here they are copied, and held against the locks that this
shard made: an output that pays more than an order has locked, or gives back another rest, is none
of ours to apply.
"""

from collections.abc import Mapping

from system.chain import Link
from system.errors import Halt
from system.records import FEE_USER, CancelEnded, EngineOutput, OrderState, Party
from system.ubscore.arrivals import OutputArrival
from system.ubscore.draft import Draft
from system.ubscore.standing import Order
from system.ubscore.state import State
from system.ubscore.terms import Terms
from system.wal import frames
from system.wal.frames import Change, EngineFrame


def fill(
    state: State, terms: Terms, arrival: OutputArrival, links: Mapping[int, Link]
) -> EngineFrame | None:
    """Return the frame of an engine output; None if it does nothing on this shard."""
    output = arrival.output
    draft = Draft(state, terms, output, arrival.now_ms)
    paid: dict[tuple[str, int], int] = {}
    for trade in output.trades:
        for party in (trade.maker, trade.taker):
            if terms.home(party.user_id).mine:
                _settle(draft, party, trade.trade_id)
                lock = party.order_id, party.paid_asset_id
                paid[lock] = paid.get(lock, 0) + party.paid
            if terms.fees:
                account = FEE_USER, party.received_asset_id
                draft.move("fee", account, party.fee, 0, trade.trade_id)
    changes = [
        change
        for order in output.orders
        if terms.home(order.user_id).mine
        and (change := _change(draft, state, order, paid.pop(_lock(order), 0))) is not None
    ]
    if paid:
        raise _inconsistent(output, f"it trades orders {sorted(paid)} and does not say their state")
    ended = _end(draft, state, terms, output)
    if not draft.legs and not changes and ended is None:
        return None
    return EngineFrame(
        arrival.source,
        draft.created_at,
        arrival.value,
        tuple(draft.legs),
        tuple(draft.outputs),
        tuple(changes),
        ended,
        tuple(frames.Link(symbol, link.output_seq, link.hash) for symbol, link in links.items()),
    )


def _lock(order: OrderState) -> tuple[str, int]:
    return order.order_id, order.locked_asset_id


def _settle(draft: Draft, party: Party, trade_id: str) -> None:
    """Take what a party gave out of its lock, and credit what it received."""
    draft.move("trade_debit", (party.user_id, party.paid_asset_id), 0, -party.paid, trade_id)
    draft.move(
        "trade_credit", (party.user_id, party.received_asset_id), party.received, 0, trade_id
    )


def _change(draft: Draft, state: State, now: OrderState, paid: int) -> Change | None:
    """Release the rest of an order that ended; None if it stands as before."""
    order = state.standing.orders.get(now.order_id)
    _check(now, order, paid)
    assert order is not None, "checked"
    is_open = now.status == "open"
    if is_open and not paid:
        return None
    if now.unlocked:
        account = order.user_id, order.asset_id
        draft.move("unlock", account, now.unlocked, -now.unlocked, now.order_id)
    return Change(now.order_id, now.paid, now.unlocked, is_open)


def _check(now: OrderState, order: Order | None, paid: int) -> None:
    """Halt unless an order's new state follows from the lock and all it has paid."""
    if order is None or not order.open:
        raise _inconsistent(now, f"order {now.order_id} is not open here")
    owner = now.user_id, now.locked_asset_id
    if owner != (order.user_id, order.asset_id):
        raise _inconsistent(now, f"order {now.order_id} locks {order.asset_id} of {order.user_id}")
    rest = order.rest - paid
    if now.paid != order.paid + paid or rest < 0:
        raise _inconsistent(now, f"it had {order.rest} left and pays {paid}")
    if now.unlocked != (0 if now.status == "open" else rest):
        raise _inconsistent(now, f"its rest is {rest}")


def _end(draft: Draft, state: State, terms: Terms, output: EngineOutput) -> tuple[int, str] | None:
    """Say how a cancel ended; None if the output is not that of a cancel of ours."""
    if output.outcome == "placed" or not terms.home(output.user_id).mine:
        return None
    key = output.user_id, output.request_id
    cancelling = state.standing.cancels.get(key)
    if cancelling is None or cancelling.order_id != output.order_id:
        raise _inconsistent(output, "it answers a cancel that is not under way here")
    outcome = "done" if output.outcome == "cancelled" else "order_closed"
    draft.tell(output.user_id, CancelEnded, order_id=output.order_id, outcome=outcome)
    return key


def _inconsistent(what: EngineOutput | OrderState, why: str) -> Halt:
    return Halt("fill_inconsistent", f"the engine says {what}, but {why}")
