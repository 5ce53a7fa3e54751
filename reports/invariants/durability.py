"""When what a record stands for was durable: every row that it calls for, in all tables."""

from collections.abc import Iterable, Iterator

from reports.case import Case
from reports.evidence import OrderRow
from system import trades
from system.records import CancelEnded, EngineOutput, Event, LedgerRow, Rejected, decides

NEVER = 2**63  # later than any time

Time = int | None  # nanoseconds; None: it is there, and nobody saw since when


def rank(at_ns: Time) -> int:
    """Order times: what nobody saw lies behind all others but `NEVER`."""
    return NEVER - 1 if at_ns is None else at_ns


class Durability:
    """Looks up rows of the tables by what wrote them.

    In a simulated world all replicas are seen: a row without a time is not on a majority of them.
    """

    def __init__(self, case: Case) -> None:
        evidence = case.evidence
        self._case = case
        self._unseen = None if case.about.stage == "real" else NEVER
        self._rows = {(r.user_id, r.asset_id, r.seq): r.durable_ns for r in evidence.rows}
        self._accounts = {(r.user_id, r.asset_id): r.durable_ns for r in evidence.accounts}
        self._outputs = {(r.symbol_id, r.output_seq): r.durable_ns for r in evidence.outputs}
        self._trades = {(r.symbol_id, r.trade_number): r.durable_ns for r in evidence.trades}
        self._sides = {
            (r.user_id, r.symbol_id, r.trade_number): r.durable_ns for r in evidence.sides
        }
        self._orders = {r.order_id: r for r in evidence.orders}

    def of_event(self, event: Event) -> Time:
        """Return since when all that an event calls for was durable."""
        return self._last(self._event(event))

    def of_output(self, output: EngineOutput) -> Time:
        """Return since when all that an output calls for was durable."""
        return self._last(self._output(output))

    def _event(self, event: Event) -> Iterator[Time]:
        if isinstance(event, LedgerRow):
            account = event.user_id, event.asset_id
            yield self._rows.get((*account, event.seq), NEVER)
            if event.seq == 1:
                yield self._accounts.get(account, NEVER)
        if decides(event):
            yield self._entry(event)

    def _entry(self, event: Event) -> Time:
        """Return since when the columns of `requests` that an event writes were durable."""
        entry = self._case.requests.get((event.user_id, event.request_id, event.body_hash))
        if entry is None:
            return NEVER
        if isinstance(event, CancelEnded):
            return entry.outcome_ns if entry.outcome else NEVER
        if isinstance(event, Rejected) and event.reason == "expired":
            return entry.expired_ns if entry.expired else NEVER
        return entry.durable_ns if entry.decision else NEVER

    def _output(self, output: EngineOutput) -> Iterator[Time]:
        symbol = output.symbol_id
        yield self._outputs.get((symbol, output.output_seq), NEVER)
        for place, trade in enumerate(output.trades, 1):
            number = trades.number(output.output_seq, place)
            yield self._trades.get((symbol, number), NEVER)
            for party in (trade.maker, trade.taker):
                yield self._sides.get((party.user_id, symbol, number), NEVER)
        for order in output.orders:
            yield _version(self._orders.get(order.order_id), output.output_seq)

    def _last(self, times: Iterable[Time]) -> Time:
        return max((self._unseen if at is None else at for at in times), key=rank)


def _version(row: OrderRow | None, output_seq: int) -> Time:
    """Return since when an order's row was as an output leaves it; 0 if a later one came over it.

    The earlier state of a row that was written again is not in evidence.
    """
    if row is None or row.output_seq < output_seq:
        return NEVER
    return row.durable_ns if row.output_seq == output_seq else 0
