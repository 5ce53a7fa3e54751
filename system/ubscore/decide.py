"""Decisions: what a command does, given the state. Pure; every time and number is an argument."""

from system.records import Cancel, Deposit, Operation, PlaceOrder, Reason, Rejected, version_of
from system.ubscore import orders
from system.ubscore.arrivals import Arrival
from system.ubscore.draft import Draft
from system.ubscore.keys import made_at_ms
from system.ubscore.state import ACCEPTED, DUPLICATE, REJECTED, State
from system.ubscore.terms import Terms
from system.wal.frames import CommandFrame, OrderFrame

CLOCK_LEAD_MS = 5 * 60 * 1000  # how far a broker's clock may pull the time ahead of ours


def decide(state: State, terms: Terms, arrival: Arrival) -> CommandFrame:
    """Return the command's frame: its decision and all its effects, finished."""
    operation = arrival.operation
    time_ms, forget_ms = times(state, terms, arrival)
    decision, reason = verdict(state, terms, operation, forget_ms)
    draft = Draft(state, terms, operation, arrival.now_ms)
    if reason is not None:
        draft.tell(operation.user_id, Rejected, v=version_of(reason), reason=reason)
    elif decision == ACCEPTED:
        effect(draft, state, terms, operation)
    fields = (
        arrival.source,
        time_ms,
        forget_ms,
        draft.created_at,
        operation.user_id,
        operation.request_id,
        operation.body_hash,
        arrival.value,
        decision,
        reason,
        tuple(draft.legs),
        tuple(draft.outputs),
    )
    if isinstance(operation, PlaceOrder):
        return OrderFrame(*fields, operation.order_id, operation.symbol_id)
    if isinstance(operation, Cancel):
        return OrderFrame(*fields, operation.order_id)
    return CommandFrame(*fields)


def times(state: State, terms: Terms, arrival: Arrival) -> tuple[int, int]:
    """Return the partition's time with this record in it, and before when keys are expired."""
    before = state.position(arrival.source.topic, arrival.source.partition)
    time_ms = max(before.time_ms, min(arrival.appended_ms, arrival.now_ms + CLOCK_LEAD_MS))
    return time_ms, max(before.forget_ms, time_ms - terms.horizon_ms)


def verdict(
    state: State, terms: Terms, operation: Operation, forget_ms: int
) -> tuple[str, Reason | None]:
    """Say whether a command is accepted, a duplicate, or rejected and why."""
    user_id, request_id = operation.user_id, operation.request_id
    if made_at_ms(request_id) < forget_ms and not state.pending(user_id, request_id):
        return REJECTED, "expired"
    hashes = state.hashes(user_id, request_id)
    if operation.body_hash in hashes:
        return DUPLICATE, None
    reason = "request_id_reused" if hashes else refusal(state, terms, operation)
    return (REJECTED, reason) if reason else (ACCEPTED, None)


def refusal(state: State, terms: Terms, operation: Operation) -> Reason | None:
    """Return why balances and orders do not allow the command; None if they do."""
    if isinstance(operation, PlaceOrder):
        return orders.refusal(state, operation)
    if isinstance(operation, Deposit):
        net = state.net.get(operation.asset_id, 0)
        return "overflow" if net + operation.amount > terms.net_max else None
    if isinstance(operation, Cancel):
        return orders.refusal(state, operation)
    if operation.user_id not in state.users:
        return "unknown_account"
    avail = state.balance(operation.user_id, operation.asset_id).avail
    return "insufficient_balance" if avail < operation.amount else None


def effect(draft: Draft, state: State, terms: Terms, operation: Operation) -> None:
    """Draft what an accepted command does."""
    if isinstance(operation, PlaceOrder):
        orders.place(draft, terms, operation)
    elif isinstance(operation, Cancel):
        orders.cancel(draft, state, operation)
    else:
        account, key = (operation.user_id, operation.asset_id), operation.request_id
        if isinstance(operation, Deposit):
            draft.move("deposit", account, operation.amount, 0, key)
        else:
            draft.move("withdraw", account, -operation.amount, 0, key)
