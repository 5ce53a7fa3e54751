"""The checker of locks: what is frozen is what open orders still need, at every LSN."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from reports.amounts import money
from reports.breaks import Break
from reports.case import Case
from reports.journal import Account, Applied, Decision, Journal
from reports.naming import account_name
from system.records import EngineOutput, PlaceOrder, decode_operation
from system.symbols import BY_ID


@dataclass(slots=True)
class _Lock:
    """What an open order holds."""

    account: Account
    rest: int


def frozen_is_locked(case: Case) -> Generator[Break, None, int]:
    """I10: frozen = lock - paid - unlocked over the user's open orders, after each frame."""
    checked = 0
    for journal in case.journals:
        checked += yield from _one_shard(journal)
    return checked


def _one_shard(journal: Journal) -> Generator[Break, None, int]:
    open_orders: dict[str, _Lock] = {}
    due: dict[Account, int] = {}
    frozen: dict[Account, int] = {}
    wrong: set[Account] = set()
    checked = 0
    for step in journal.steps:
        touched = set(_expect(step, open_orders, due))
        for leg in step.frame.legs:
            account = leg.user_id, leg.asset_id
            frozen[account] = frozen.get(account, 0) + leg.delta_frozen
            touched.add(account)
        for account in sorted(touched):
            checked += 1
            expected, found = due.get(account, 0), frozen.get(account, 0)
            if expected != found and account not in wrong:
                wrong.add(account)  # from here on it stays wrong: the first place tells
                yield _differs(step, account, expected, found)
    return checked


def _expect(
    step: Decision | Applied, open_orders: dict[str, _Lock], due: dict[Account, int]
) -> Iterator[Account]:
    """Bring `due` up to a frame, from what was commanded and what the engine said."""
    if isinstance(step, Applied):
        if step.output is not None:
            yield from _filled(step.output, open_orders, due)
        return
    if not step.accepted:
        return
    command = decode_operation(step.frame.command)
    if isinstance(command, PlaceOrder) and command.symbol_id in BY_ID:
        symbol = BY_ID[command.symbol_id]
        buys = command.side == "buy"
        lock = symbol.cost(command.price, command.quantity) if buys else command.quantity
        account = command.user_id, symbol.quote.id if buys else symbol.base.id
        open_orders[command.order_id] = _Lock(account, lock)
        due[account] = due.get(account, 0) + lock
        yield account


def _filled(
    output: EngineOutput, open_orders: dict[str, _Lock], due: dict[Account, int]
) -> Iterator[Account]:
    for trade in output.trades:
        for party in (trade.maker, trade.taker):
            lock = open_orders.get(party.order_id)
            if lock is not None:
                lock.rest -= party.paid
                due[lock.account] -= party.paid
                yield lock.account
    for order in output.orders:
        if order.status != "open" and order.order_id in open_orders:
            lock = open_orders.pop(order.order_id)
            due[lock.account] -= lock.rest
            yield lock.account


def _differs(step: Decision | Applied, account: Account, expected: int, found: int) -> Break:
    asset = account[1]
    return Break(
        invariant="I10",
        code="FROZEN_DIFFERS",
        where=f"{account_name(account)} after {step.place}",
        expected=f"{money(expected, asset)} frozen for open orders",
        found=money(found, asset),
        amount=found - expected,
        asset_id=asset,
        user_id=account[0],
        request_id=step.frame.request_id if isinstance(step, Decision) else "",
        cause="more or less is frozen than the open orders still need",
    )
