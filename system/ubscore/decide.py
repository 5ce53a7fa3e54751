"""Decisions: what a command does, given the state. Pure; every time and number is an argument."""

from typing import NamedTuple

from system.records import (
    EVENTS,
    MAX_AMOUNT,
    Deposit,
    Event,
    LedgerRow,
    Reason,
    Rejected,
    Transfer,
    encode,
)
from system.ubscore.arrivals import Arrival
from system.ubscore.state import ACCEPTED, DUPLICATE, REJECTED, State, made_at_ms
from system.wal.frames import CommandFrame, Leg, Output

CLOCK_LEAD_MS = 5 * 60 * 1000  # how far a broker's clock may pull the time ahead of ours


class Terms(NamedTuple):
    """What holds for every command of a shard."""

    shard: int
    shards: int
    horizon_ms: int

    @property
    def net_max(self) -> int:
        """The most of an asset a shard may hold: then no sum over all shards can overflow."""
        return MAX_AMOUNT // self.shards


def decide(state: State, terms: Terms, arrival: Arrival) -> CommandFrame:
    """Return the command's frame: its decision and all its effects, finished."""
    operation = arrival.operation
    time_ms, forget_ms = times(state, terms, arrival)
    created_at = max(state.created_at, arrival.now_ms)
    decision, reason = verdict(state, terms, operation, forget_ms)
    legs: tuple[Leg, ...] = ()
    outputs: tuple[Output, ...] = ()
    if decision != DUPLICATE:
        if reason is None:
            legs = (leg(state, operation),)
        outputs = (_output(state, terms, arrival, created_at, reason, legs),)
    return CommandFrame(
        arrival.source,
        time_ms,
        forget_ms,
        created_at,
        operation.user_id,
        operation.request_id,
        operation.body_hash,
        arrival.value,
        decision,
        reason,
        legs,
        outputs,
    )


def times(state: State, terms: Terms, arrival: Arrival) -> tuple[int, int]:
    """Return the partition's time with this record in it, and before when keys are expired."""
    before = state.position(arrival.source.topic, arrival.source.partition)
    time_ms = max(before.time_ms, min(arrival.appended_ms, arrival.now_ms + CLOCK_LEAD_MS))
    return time_ms, max(before.forget_ms, time_ms - terms.horizon_ms)


def verdict(
    state: State, terms: Terms, operation: Transfer, forget_ms: int
) -> tuple[str, Reason | None]:
    """Say whether a command is accepted, a duplicate, or rejected and why."""
    if made_at_ms(operation.request_id) < forget_ms:
        return REJECTED, "expired"
    hashes = state.hashes(operation.user_id, operation.request_id)
    if operation.body_hash in hashes:
        return DUPLICATE, None
    reason = "request_id_reused" if hashes else refusal(state, terms, operation)
    return (REJECTED, reason) if reason else (ACCEPTED, None)


def refusal(state: State, terms: Terms, operation: Transfer) -> Reason | None:
    """Return why the balances do not allow the command; None if they do."""
    if isinstance(operation, Deposit):
        net = state.net.get(operation.asset_id, 0)
        return "overflow" if net + operation.amount > terms.net_max else None
    if operation.user_id not in state.users:
        return "unknown_account"
    avail = state.balance(operation.user_id, operation.asset_id).avail
    return "insufficient_balance" if avail < operation.amount else None


def leg(state: State, operation: Transfer) -> Leg:
    """Return the balance change of an accepted transfer."""
    before = state.balance(operation.user_id, operation.asset_id)
    deposit = isinstance(operation, Deposit)
    delta = operation.amount if deposit else -operation.amount
    return Leg(
        "deposit" if deposit else "withdraw",
        operation.user_id,
        operation.asset_id,
        before.seq + 1,
        delta,
        0,
        before.avail + delta,
        before.frozen,
    )


def _output(
    state: State,
    terms: Terms,
    arrival: Arrival,
    created_at: int,
    reason: Reason | None,
    legs: tuple[Leg, ...],
) -> Output:
    """Finish the command's event; it is never stamped or numbered again."""
    partition = arrival.source.partition  # balance.events has the same partitions
    n = state.number(partition) + 1
    event: Event
    if reason is None:
        event = _row(state, terms, arrival.operation, created_at, n, legs[0])
    else:
        event = _rejected(state, terms, arrival.operation, created_at, n, reason)
    return Output(EVENTS, partition, n, arrival.key, encode(event))


def _row(
    state: State, terms: Terms, operation: Transfer, created_at: int, n: int, change: Leg
) -> LedgerRow:
    return LedgerRow(
        shard=terms.shard,
        epoch=state.epoch.counter,
        epoch_bits=state.epoch.bits,
        n=n,
        user_id=change.user_id,
        asset_id=change.asset_id,
        seq=change.seq,
        delta_avail=change.delta_avail,
        delta_frozen=change.delta_frozen,
        avail=change.avail,
        frozen=change.frozen,
        event_type="deposit" if isinstance(operation, Deposit) else "withdraw",
        ref_id=operation.request_id,
        request_id=operation.request_id,
        body_hash=operation.body_hash,
        created_at=created_at,
    )


def _rejected(
    state: State, terms: Terms, operation: Transfer, created_at: int, n: int, reason: Reason
) -> Rejected:
    return Rejected(
        shard=terms.shard,
        epoch=state.epoch.counter,
        epoch_bits=state.epoch.bits,
        n=n,
        user_id=operation.user_id,
        request_id=operation.request_id,
        body_hash=operation.body_hash,
        reason=reason,
        created_at=created_at,
    )
