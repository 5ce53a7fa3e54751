"""The reasons of rejections, judged by what the log held when each was made."""

from collections.abc import Iterator

from reports.breaks import Break
from reports.case import Case
from reports.journal import EMPTY, Account, Applied, Decision
from reports.traffic import RequestKey
from system import orders, symbols
from system.records import (
    MAX_AMOUNT,
    Cancel,
    Deposit,
    PlaceOrder,
    Withdraw,
    decode_operation,
)


def dishonest(key: RequestKey, code: str, expected: str, found: str) -> Break:
    return Break(
        invariant="I13",
        code=code,
        where=f"request {key[1]} of user {key[0]}",
        expected=expected,
        found=found,
        user_id=key[0],
        request_id=key[1],
        cause="what was said is not what was done",
    )


def untrue_reasons(case: Case) -> Iterator[Break]:
    """Yield the rejections whose reason was not true when they were made."""
    for journal in case.journals:
        past = _Past(MAX_AMOUNT // max(case.about.shards, 1))
        for step in journal.steps:
            if isinstance(step, Decision) and step.rejected and not past.bears_out(step):
                what = f"rejected ({step.frame.reason})"
                yield dishonest(step.key, "REASON_UNTRUE", "a true reason", what)
            past.take(step)


class _Past:
    """What a shard knew before a frame."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.avail: dict[Account, int] = {}
        self.net: dict[int, int] = {}
        self.bodies: dict[tuple[int, str], set[str]] = {}
        self.users: set[int] = set()
        self.orders: dict[str, tuple[int, bool]] = {}  # whose, and whether it is open
        self.made_ms: dict[str, int] = {}  # when the client made an order's key

    def take(self, step: Decision | Applied) -> None:
        """Take in a frame."""
        for leg in step.frame.legs:
            self.users.add(leg.user_id)
            self.avail[leg.user_id, leg.asset_id] = leg.avail
            if leg.event_type in ("deposit", "withdraw"):
                self.net[leg.asset_id] = self.net.get(leg.asset_id, 0) + leg.delta_avail
        if isinstance(step, Applied):
            for state in step.output.orders if step.output is not None else ():
                if state.order_id in self.orders:
                    self.orders[state.order_id] = (state.user_id, state.status == "open")
            return
        if step.frame.reason != "expired":
            self.bodies.setdefault(step.key[:2], set()).add(step.frame.body_hash)
        if step.accepted:
            command = decode_operation(step.frame.command)
            if isinstance(command, PlaceOrder):
                self.orders[command.order_id] = (command.user_id, True)
                self.made_ms[command.order_id] = _made_ms(command.request_id)

    def bears_out(self, decision: Decision) -> bool:
        """Say whether a rejection's reason was true."""
        frame = decision.frame
        command = decode_operation(frame.command)
        match frame.reason:
            case "request_id_reused":
                return bool(self.bodies.get(decision.key[:2], set()) - {frame.body_hash})
            case "expired":
                return _made_ms(frame.request_id) < frame.forget_ms <= frame.time_ms
            case "unknown_account":
                return command.user_id not in self.users
        if isinstance(command, Deposit | Withdraw):
            return self._of_transfer(command, frame.reason)
        if isinstance(command, PlaceOrder):
            return self._of_order(command, frame.reason)
        return self._of_cancel(command, frame.reason, frame.forget_ms)

    def _of_transfer(self, command: Deposit | Withdraw, reason: str | None) -> bool:
        if reason == "insufficient_balance":
            account = command.user_id, command.asset_id
            short = self.avail.get(account, EMPTY[0]) < command.amount
            return isinstance(command, Withdraw) and short
        room = self.room - self.net.get(command.asset_id, 0)
        return reason == "overflow" and isinstance(command, Deposit) and command.amount > room

    def _of_order(self, command: PlaceOrder, reason: str | None) -> bool:
        symbol = symbols.BY_ID.get(command.symbol_id)
        if symbol is None or reason == "unknown_symbol":
            return symbol is None and reason == "unknown_symbol"
        side, kind, lasting = command.side, command.kind, command.time_in_force
        terms = orders.Terms(symbol, side, kind, lasting, command.price, command.quantity)
        try:
            orders.check(terms)
        except orders.OrderRefused as refused:
            return reason == ("overflow" if refused.reason == "cost_overflow" else "bad_terms")
        account = command.user_id, terms.locked_asset_id
        short = self.avail.get(account, EMPTY[0]) < terms.lock
        return reason == "insufficient_balance" and short

    def _of_cancel(self, command: Cancel, reason: str | None, forget_ms: int) -> bool:
        """Judge the end of a cancel; a closed order is known for as long as its key is."""
        owner, is_open = self.orders.get(command.order_id, (0, False))
        if owner != command.user_id:
            return reason == "unknown_order"
        forgotten = self.made_ms[command.order_id] < forget_ms
        return not is_open and (
            reason == "order_closed" or (reason == "unknown_order" and forgotten)
        )


def _made_ms(request_id: str) -> int:
    """Return when a client made a request key: its first 48 bits."""
    return int(request_id.replace("-", "")[:12], 16)
