"""What users are shown of an engine output: the rows of trades and orders that it calls for.

Written anew, beside the program that writes them.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import asdict

from reports.evidence import OrderRow, OutputRow, Record, SideRow, TradeRow
from system import trades
from system.records import EngineOutput, OrderState, Party, Trade

OBSERVED = ("durable_ns", "outcome_ns", "expired_ns", "overwrites")  # perhaps seen; no columns

Shown = OutputRow | TradeRow | SideRow | OrderRow
Key = tuple[object, ...]
_OF_ORDER = ("user_id", "order_id", "status", "filled", "remaining", "paid", "unlocked")


def columns(record: type[Record]) -> tuple[str, ...]:
    """Return the columns of a table of which `record` is a row."""
    return tuple(name for name in record.__struct_fields__ if name not in OBSERVED)


def told(expected: Record | None, found: Record | None) -> tuple[str, str]:
    """Say what a row should be and what it is: of two, only the columns in which they differ."""
    names = [name for row in (expected, found) if row is not None for name in columns(type(row))]
    if expected is not None and found is not None:
        names = [name for name in names if getattr(expected, name) != getattr(found, name)]
    unique = tuple(dict.fromkeys(names))
    return _say(expected, unique), _say(found, unique)


def _say(row: Record | None, names: Sequence[str]) -> str:
    return "no row" if row is None else ", ".join(f"{name} {getattr(row, name)}" for name in names)


def rows_of(output: EngineOutput) -> Iterator[Shown]:
    """Yield the rows; that of an order takes the place of the one before."""
    for place, trade in enumerate(output.trades, 1):
        number = trades.number(output.output_seq, place)
        yield _trade(output, trade, number)
        for party in (trade.maker, trade.taker):
            yield _side(output, trade, party, number)
    for order in output.orders:
        yield _order(output, order)


def key_of(row: Any) -> Key:
    """Return where a row stands: its table and its primary key."""
    if isinstance(row, OutputRow):
        return "engine_output_log", row.symbol_id, row.output_seq
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
