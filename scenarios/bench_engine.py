"""Speed of the matching engine, in CPU time of one process; never a test.

The flow is that of a deep market: a thousand prices on each side, most orders rest near the best
one, a third is cancelled, a quarter takes what stands there. Each figure is the median of several
rounds. The same book over SortedDict of sortedcontainers, a well-kept sorted container, gives the
measure for the ladder.
"""

import gc
import os
import random
import statistics
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import msgspec
from sortedcontainers import SortedDict

from system.engine.book import Book, Fill, Ladder, Order
from system.engine.matching import Market, MarketState, resume, untouched
from system.records import (
    Side,
    Source,
    TimeInForce,
    Validated,
    ValidatedCancel,
    ValidatedOrder,
    decode_validated,
    encode,
)

LEVELS = 1_000
_PER_LEVEL = 5
_ORDERS = 60_000
_ROUNDS = 5
_LOT, _MIDDLE = 100, 1_000_000
_NOW_MS = 1_700_000_000_000
_Step = Order | tuple[str, int]


class _SortedLadder(Ladder):
    """The ladder over a SortedDict from key to level."""

    __slots__ = ()

    def __init__(self, sign: int) -> None:
        super().__init__(sign)
        self.levels: Any = SortedDict()
        self.keys: Any = self.levels.keys()

    def add(self, order: Order) -> None:
        key = order.price * self.sign
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = OrderedDict()
        level[order.order_id] = order

    def remove(self, order: Order) -> None:
        key = order.price * self.sign
        level = self.levels[key]
        del level[order.order_id]
        if not level:
            del self.levels[key]


def main() -> int:
    """Measure and print the table."""
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, CPU time of one process\n")
    _row("figure", "aim", "reached")
    records = _flow(_ORDERS)
    standing, coming = records[:-_ORDERS], records[-_ORDERS:]
    depth, fills = _look(standing, coming)
    _row("prices in the book, fewest on a side at the end", f">= {LEVELS:,}", f"{depth:,}")
    _row("fills per thousand orders", "-", f"{1000 * fills // _ORDERS}")
    for name, aim, ladder in (
        ("book: orders/s", ">= 200,000", Ladder),
        ("book over SortedDict: orders/s", "-", _SortedLadder),
    ):
        _rate(name, aim, lambda ladder=ladder: _matching(standing, coming, ladder))  # type: ignore[misc]
    _rate("engine, record to sealed record: orders/s", "-", lambda: _whole(standing, coming))
    _snapshot(standing)
    return 0


def _row(figure: str, aim: str, reached: str) -> None:
    print(f"{figure:<52}{aim:<18}{reached}", flush=True)


def _rate(name: str, aim: str, prepare: Callable[[], Callable[[], object]]) -> None:
    rates = [_ORDERS / _timed(prepare()) for _ in range(_ROUNDS)]
    _row(name, aim, f"{statistics.median(rates):,.0f}")


def _timed(function: Callable[[], object]) -> float:
    gc.collect()
    began = time.process_time()
    function()
    return time.process_time() - began


def _look(standing: Sequence[Validated], coming: Sequence[Validated]) -> tuple[int, int]:
    book = _book(standing, Ladder)
    fills = sum(len(found) for found in _go(book, _steps(coming)))
    return min(len(book.bids.keys), len(book.asks.keys)), fills


def _matching(
    standing: Sequence[Validated], coming: Sequence[Validated], ladder: type[Ladder]
) -> Callable[[], object]:
    book, steps = _book(standing, ladder), _steps(coming)

    def run() -> None:
        place, cancel = book.place, book.cancel
        for step in steps:
            if type(step) is tuple:
                cancel(*step)
            else:
                place(step)  # type: ignore[arg-type]

    return run


def _whole(standing: Sequence[Validated], coming: Sequence[Validated]) -> Callable[[], object]:
    market = Market(1)
    for offset, record in enumerate(standing):
        market.apply(record, _source(offset))
    values = [encode(record) for record in coming]

    def run() -> None:
        for offset, value in enumerate(values, len(standing)):
            market.apply(decode_validated(value), _source(offset))

    return run


def _snapshot(standing: Sequence[Validated]) -> None:
    market = Market(1)
    for offset, record in enumerate(standing):
        market.apply(record, _source(offset))
    content = msgspec.msgpack.encode(market.state)
    write = [_timed(lambda: msgspec.msgpack.encode(market.state)) for _ in range(_ROUNDS)]
    read = [_timed(lambda: resume([_decode(content)])) for _ in range(_ROUNDS)]
    count = len(market.book.orders)
    _row(f"state of {count:,} orders to bytes, ms", "-", f"{1000 * statistics.median(write):.0f}")
    _row(f"state of {count:,} orders from bytes, ms", "-", f"{1000 * statistics.median(read):.0f}")


_decode = msgspec.msgpack.Decoder(MarketState).decode


def _source(offset: int) -> Source:
    return Source(topic="orders.validated", partition=0, offset=offset)


def _book(standing: Iterable[Validated], ladder: type[Ladder]) -> Book:
    book = Book(_LOT)
    book.bids, book.asks = ladder(1), ladder(-1)
    for found in _go(book, _steps(standing)):
        assert not found, "what stands there does not cross"
    return book


def _go(book: Book, steps: Iterable[_Step]) -> Iterable[list[Fill]]:
    for step in steps:
        if isinstance(step, tuple):
            book.cancel(*step)
        else:
            yield book.place(step)[0]


def _steps(records: Iterable[Validated]) -> list[_Step]:
    return [
        (record.order_id, record.user_id)
        if isinstance(record, ValidatedCancel)
        else untouched(record)
        for record in records
    ]


def _flow(count: int) -> list[Validated]:
    """Return the orders that stand in the book, then `count` orders and cancels."""
    chance = random.Random(1)
    made: list[Validated] = []
    sides: tuple[Side, Side] = ("buy", "sell")
    for away, side in product(range(1, LEVELS + LEVELS // 5), sides):
        for _ in range(_PER_LEVEL):
            made.append(_order(chance, len(made), side, away, "gtc"))
    resting: list[ValidatedOrder] = []
    for number in range(len(made), len(made) + count):
        side = chance.choice(sides)
        lot = chance.random()
        if lot < 0.30 and resting:
            place = chance.randrange(len(resting))
            resting[place], resting[-1] = resting[-1], resting[place]
            made.append(_cancel(number, resting.pop()))
        elif lot < 0.55:
            made.append(_order(chance, number, side, -LEVELS, "ioc"))
        else:
            away = int(chance.random() ** 3 * LEVELS) + 1
            resting.append(_order(chance, number, side, away, "gtc"))
            made.append(resting[-1])
    return made


def _order(
    chance: random.Random,
    number: int,
    side: Side,
    away: int,
    lasting: TimeInForce,
) -> ValidatedOrder:
    return ValidatedOrder(
        shard=1,
        epoch=1,
        epoch_bits="00" * 8,
        n=number + 1,
        user_id=1001 + chance.randrange(10_000),
        request_id=f"018bcfe5-6800-7000-8000-{number:012x}",
        body_hash=f"{number:064x}",
        order_id=f"{number:032x}",
        symbol_id=1,
        base_asset_id=1,
        quote_asset_id=2,
        lot=_LOT,
        side=side,
        kind="limit",
        time_in_force=lasting,
        price=_MIDDLE + (-away if side == "buy" else away) * 10,
        quantity=_LOT * chance.randint(1, 20),
        maker_ppm=1000,
        taker_ppm=1500,
        created_at=_NOW_MS + number,
    )


def _cancel(number: int, of: ValidatedOrder) -> ValidatedCancel:
    return ValidatedCancel(
        shard=1,
        epoch=1,
        epoch_bits="00" * 8,
        n=number + 1,
        user_id=of.user_id,
        request_id=f"018bcfe5-6800-7000-8000-{number:012x}",
        body_hash=f"{number:064x}",
        order_id=of.order_id,
        symbol_id=1,
        created_at=_NOW_MS + number,
    )


if __name__ == "__main__":
    sys.exit(main())
