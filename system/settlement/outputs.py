"""The database side of an engine output: its log row first, then trades and orders.

A symbol's log is a chain like an account's ledger: what stands in the database at the first touch
must be what the topic says, and what is above it must follow without a gap. Everything is written
with the output's number as its timestamp.
"""

from collections.abc import Iterable

from system import trades
from system.database import UNSET, Database, Row
from system.errors import Halt
from system.records import EngineOutput, Party, Trade, encode
from system.settlement.ledger import Lane, Statement

LOG = ("output_seq", "previous_hash", "hash", "created_at", "record")
TRADE = (
    "trade_number",
    "trade_id",
    "price",
    "quantity",
    "cost",
    "taker_side",
    "maker_order_id",
    "taker_order_id",
    "created_at",
)
SIDE = (
    "symbol_id",
    "trade_number",
    "trade_id",
    "order_id",
    "side",
    "liquidity",
    "price",
    "quantity",
    "paid_asset_id",
    "paid",
    "received_asset_id",
    "received",
    "fee",
    "created_at",
)
ORDER = (
    "created_at",
    "order_id",
    "symbol_id",
    "side",
    "kind",
    "time_in_force",
    "price",
    "quantity",
    "status",
    "ending",
    "filled",
    "remaining",
    "locked_asset_id",
    "paid",
    "unlocked",
    "output_seq",
)


def _insert(table: str, *columns: str) -> str:
    marks = ", ".join("?" * len(columns))
    names = ", ".join(columns)
    return f"INSERT INTO {{ks}}.{table} ({names}) VALUES ({marks}) USING TIMESTAMP ?"


NEWEST = "SELECT output_seq FROM {ks}.engine_output_log WHERE symbol_id = ? AND bucket = ? LIMIT 1"
STORED = (
    f"SELECT {', '.join(LOG)} FROM {{ks}}.engine_output_log "
    "WHERE symbol_id = ? AND bucket = ? AND output_seq = ?"
)
INSERT_LOG = _insert("engine_output_log", "symbol_id", "bucket", *LOG)
INSERT_BUCKET = _insert("symbols_buckets", "symbol_id", "bucket")
INSERT_TRADE = _insert("trades_by_symbol", "symbol_id", "bucket", *TRADE)
INSERT_SIDE = _insert("trades_by_user", "user_id", *SIDE)
INSERT_ORDER = _insert("orders_by_user", "user_id", *ORDER)

BucketKey = tuple[int, int]


class Outputs:
    """Turns outputs into lanes of statements; remembers how far each bucket's log goes."""

    def __init__(self, database: Database, consistency: int) -> None:
        self.newest_seq: dict[BucketKey, int] = {}
        self.newest = database.prepare(NEWEST, consistency)
        self.stored = database.prepare(STORED, consistency)
        self.insert_log = database.prepare(INSERT_LOG, consistency)
        self.insert_bucket = database.prepare(INSERT_BUCKET, consistency)
        self.insert_trade = database.prepare(INSERT_TRADE, consistency)
        self.insert_side = database.prepare(INSERT_SIDE, consistency)
        self.insert_order = database.prepare(INSERT_ORDER, consistency)

    def forget(self) -> None:
        """Drop what is known: after an assignment every log is read again at its first touch."""
        self.newest_seq.clear()

    def log_lanes(self, outputs: Iterable[EngineOutput]) -> list[Lane]:
        """Return the lanes that write these outputs' log rows, each checked against the rows."""
        buckets: dict[BucketKey, list[EngineOutput]] = {}
        for output in outputs:
            buckets.setdefault(_bucket_key(output), []).append(output)
        return [self._log_lane(key, of_bucket) for key, of_bucket in buckets.items()]

    def detail_lanes(self, outputs: Iterable[EngineOutput]) -> list[Lane]:
        """Return the lanes that write trades and orders, in order per database partition."""
        lanes: dict[tuple[object, ...], list[Statement]] = {}
        for output in outputs:
            for where, statement in self._details(output):
                lanes.setdefault(where, []).append(statement)
        return [_in_order(statements) for statements in lanes.values()]

    def _log_lane(self, key: BucketKey, outputs: list[EngineOutput]) -> Lane:
        newest = self.newest_seq.get(key)
        if newest is None:
            found = yield self.newest, key
            newest = found[0][0] if found else 0
        for output in outputs:
            row = _log_row(output)
            if output.output_seq <= newest:
                found = yield self.stored, (*key, output.output_seq)
                _agree(output, row, found)
            elif output.output_seq != newest + 1 and not trades.begins_bucket(output.output_seq):
                raise Halt(
                    "sequence_conflict",
                    f"symbol {key[0]}: output {output.output_seq} follows {newest or 'nothing'} "
                    f"in bucket {key[1]} of engine_output_log; outputs in between are lost",
                )
            if trades.begins_bucket(output.output_seq):
                yield self.insert_bucket, (*key, output.output_seq)
            yield self.insert_log, (*key, *row, output.output_seq)
            newest = max(newest, output.output_seq)
            self.newest_seq[key] = newest

    def _details(self, output: EngineOutput) -> Iterable[tuple[tuple[object, ...], Statement]]:
        """Return each statement with the database partition that it writes to."""
        key, seq = _bucket_key(output), output.output_seq
        for place, trade in enumerate(output.trades, 1):
            number = trades.number(seq, place)
            row = _trade_row(trade, number, output.created_at)
            yield ("trades", *key), (self.insert_trade, (*key, *row, seq))
            for party in (trade.maker, trade.taker):
                side = _side_row(output, trade, party, number)
                statement = (self.insert_side, (party.user_id, *side, seq))
                yield ("sides", party.user_id), statement
        for order in output.orders:
            values = tuple(_value(output, order, column) for column in ORDER)
            statement = (self.insert_order, (order.user_id, *values, seq))
            yield ("orders", order.user_id), statement


def _bucket_key(output: EngineOutput) -> BucketKey:
    return output.symbol_id, trades.bucket(output.output_seq)


def _log_row(output: EngineOutput) -> tuple[object, ...]:
    record = encode(output).decode()
    return output.output_seq, output.previous_hash, output.hash, output.created_at, record


def _trade_row(trade: Trade, number: int, created_at: int) -> tuple[object, ...]:
    return (
        number,
        trade.trade_id,
        trade.price,
        trade.quantity,
        trade.cost,
        trade.taker.side,
        trade.maker.order_id,
        trade.taker.order_id,
        created_at,
    )


def _side_row(output: EngineOutput, trade: Trade, party: Party, number: int) -> tuple[object, ...]:
    return (
        output.symbol_id,
        number,
        trade.trade_id,
        party.order_id,
        party.side,
        "maker" if party is trade.maker else "taker",
        trade.price,
        trade.quantity,
        party.paid_asset_id,
        party.paid,
        party.received_asset_id,
        party.received,
        party.fee,
        output.created_at,
    )


def _value(output: EngineOutput, order: object, column: str) -> object:
    """Return a column of an order's row; one that does not apply stays unset, never null."""
    if column in ("symbol_id", "output_seq"):
        return getattr(output, column)
    value = getattr(order, column)
    return UNSET if value is None else value


def _in_order(statements: list[Statement]) -> Lane:
    for statement in statements:  # noqa: UP028 - a list's iterator takes no answers
        yield statement


def _agree(output: EngineOutput, row: tuple[object, ...], found: list[Row]) -> None:
    """Halt unless the stored row is this output's."""
    stored = tuple(found[0]) if found else None
    if stored != row:
        told = "missing" if stored is None else f"there with hash {stored[2]}"
        raise Halt(
            "output_conflict",
            f"symbol {output.symbol_id}: output {output.output_seq} has hash {output.hash}, in "
            f"engine_output_log it is {told}",
        )
