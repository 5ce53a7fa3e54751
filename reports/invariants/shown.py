"""What users are shown of orders and trades, against the engine's outputs: a part of I9."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import asdict

from reports.breaks import Break
from reports.case import Case
from reports.evidence import OrderRow, Record, SideRow, TradeRow
from reports.traffic import Emitted
from system import trades
from system.records import EngineOutput, OrderState, Party, Trade

Outputs = Mapping[int, Mapping[int, Emitted]]  # by symbol and output_seq: the first record
Key = tuple[object, ...]
_OF_ORDER = ("user_id", "order_id", "status", "filled", "remaining", "paid", "unlocked")


class _Expected:
    """Every row that the outputs call for, by key, with the output that it is from.

    An order has one row, which each of its outputs writes anew: any of them may be the last that
    was settled, and the last of all is what is due.
    """

    def __init__(self, outputs: Outputs) -> None:
        self.rows: dict[Key, list[tuple[Record, Emitted]]] = {}
        for _, there in sorted(outputs.items()):
            for _, emitted in sorted(there.items()):
                self._take(emitted)

    def _take(self, emitted: Emitted) -> None:
        output = emitted.output
        for place, trade in enumerate(output.trades, 1):
            number = trades.number(output.output_seq, place)
            self._add(_trade(output, trade, number), emitted)
            for party in (trade.maker, trade.taker):
                self._add(_side(output, trade, party, number), emitted)
        for order in output.orders:
            self._add(_order(output, order), emitted)

    def _add(self, row: Record, emitted: Emitted) -> None:
        self.rows.setdefault(key_of(row), []).append((row, emitted))


def shown(case: Case, outputs: Outputs) -> Iterator[Break]:
    """Yield rows of orders and trades that no output calls for, and those that are missing."""
    expected = _Expected(outputs).rows
    evidence = case.evidence
    found: dict[Key, Record] = {}
    for row in (*evidence.trades, *evidence.sides, *evidence.orders):
        key = key_of(row)
        found[key] = row
        wanted = expected.get(key, [])
        if all(row != each for each, _ in wanted):
            yield _broken("ROW_NOT_THE_ENGINES", key, wanted[-1][0] if wanted else None, row)
    if case.settled and not case.forgive("settlement", "engine"):
        for key, wanted in expected.items():
            last, emitted = wanted[-1]
            row_found = found.get(key)
            stale = row_found != last and any(row_found == each for each, _ in wanted)
            if row_found is None or stale:
                yield _broken("NOT_SETTLED", key, last, row_found, emitted)


def key_of(row: Any) -> Key:
    """Return where a row stands: its table and its primary key."""
    if isinstance(row, TradeRow):
        return "trades_by_symbol", row.symbol_id, row.trade_number
    if isinstance(row, SideRow):
        return "trades_by_user", row.user_id, row.symbol_id, row.trade_number
    assert isinstance(row, OrderRow)
    return "orders_by_user", row.user_id, row.order_id


def _trade(output: EngineOutput, trade: Trade, number: int) -> TradeRow:
    return TradeRow(
        symbol_id=output.symbol_id,
        trade_number=number,
        trade_id=trade.trade_id,
        price=trade.price,
        quantity=trade.quantity,
        cost=trade.cost,
        taker_side=trade.taker.side,
        maker_order_id=trade.maker.order_id,
        taker_order_id=trade.taker.order_id,
    )


def _side(output: EngineOutput, trade: Trade, party: Party, number: int) -> SideRow:
    return SideRow(
        symbol_id=output.symbol_id,
        trade_number=number,
        trade_id=trade.trade_id,
        liquidity="maker" if party is trade.maker else "taker",
        price=trade.price,
        quantity=trade.quantity,
        **asdict(party),
    )


def _order(output: EngineOutput, order: OrderState) -> OrderRow:
    return OrderRow(
        symbol_id=output.symbol_id,
        output_seq=output.output_seq,
        **{name: getattr(order, name) for name in _OF_ORDER},
    )


def _broken(
    code: str, key: Key, expected: Record | None, found: Record | None, of: Emitted | None = None
) -> Break:
    table, *at = key
    output = of.output if of is not None else None
    return Break(
        invariant="I9",
        code=code,
        where=f"{table}, {', '.join(map(str, at))}" + (f" ({of.place})" if of else ""),
        expected="no row" if expected is None else str(expected),
        found="no row" if found is None else str(found),
        user_id=output.user_id if output is not None else 0,
        request_id=output.request_id if output is not None else "",
        at_ns=of.at_ns if of is not None else None,
        cause="what users are shown of orders and trades is not what the engine did",
    )
