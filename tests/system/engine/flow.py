"""Streams of orders and cancels to test with."""

import random
from collections import Counter

from msgspec.structs import replace

from system.records import (
    ORDERS,
    Kind,
    Side,
    Source,
    TimeInForce,
    Validated,
    ValidatedCancel,
    ValidatedOrder,
    body_hash,
    order_id,
)
from system.topics import key_of, partition_of

NOW_MS = 1_700_000_000_000
LOT = 1_000
BITS = "00" * 8


def request_id(number: int) -> str:
    return f"{NOW_MS >> 16:08x}-{NOW_MS & 0xFFFF:04x}-7000-8000-{number:012x}"


def order(
    number: int,
    side: Side,
    price: int,
    lots: int,
    *,
    user_id: int = 1001,
    kind: Kind = "limit",
    lasting: TimeInForce = "gtc",
    symbol_id: int = 1,
    shard: int = 1,
    n: int | None = None,
    ppm: tuple[int, int] = (1000, 1500),
) -> ValidatedOrder:
    request = request_id(number)
    digest = body_hash("orders", user_id, request, symbol_id, side, kind, lasting, price, lots)
    return ValidatedOrder(
        shard=shard,
        epoch=1,
        epoch_bits=BITS,
        n=number if n is None else n,
        user_id=user_id,
        request_id=request,
        body_hash=digest,
        order_id=order_id(user_id, request, digest),
        symbol_id=symbol_id,
        base_asset_id=1,
        quote_asset_id=2,
        lot=LOT,
        side=side,
        kind=kind,
        time_in_force=lasting,
        price=price,
        quantity=lots * LOT,
        maker_ppm=ppm[0],
        taker_ppm=ppm[1],
        created_at=NOW_MS + number,
    )


def cancel(
    number: int,
    of: ValidatedOrder,
    *,
    user_id: int | None = None,
    n: int | None = None,
) -> ValidatedCancel:
    return ValidatedCancel(
        shard=of.shard,
        epoch=1,
        epoch_bits=BITS,
        n=number if n is None else n,
        user_id=user_id or of.user_id,
        request_id=request_id(number),
        body_hash=body_hash("cancel", of.user_id, request_id(number), of.order_id),
        order_id=of.order_id,
        symbol_id=of.symbol_id,
        created_at=NOW_MS + number,
    )


def source(offset: int, partition: int = 0) -> Source:
    return Source(topic=ORDERS, partition=partition, offset=offset)


def crossing(chance: random.Random, count: int) -> list[Validated]:
    """Streams of several symbols, fed by two shards and mixed; some share a partition."""
    parts = [stream(chance, count, symbol_id=symbol) for symbol in (1, 2, 3, 4, 5)]
    numbers: Counter[tuple[int, int]] = Counter()
    mixed: list[Validated] = []
    while len(mixed) < count:
        record = chance.choice(parts).pop(0)
        shard = 1 + record.user_id % 2
        place = shard, partition_of(key_of(record.symbol_id), 4)
        numbers[place] += 1
        mixed.append(replace(record, shard=shard, n=numbers[place]))
    return mixed


def stream(
    chance: random.Random, count: int, users: int = 5, prices: int = 6, symbol_id: int = 1
) -> list[Validated]:
    """A market in which everything happens: crossings, own orders, cancels early, late, foreign."""
    made: list[Validated] = []
    orders: list[ValidatedOrder] = []
    for number in range(1, count + 1):
        if orders and chance.random() < 0.25:
            stranger = 9_999 if chance.random() < 0.1 else None
            made.append(cancel(number, chance.choice(orders), user_id=stranger))
            continue
        kinds: list[tuple[Kind, TimeInForce]] = [("limit", "gtc")] * 4
        kind, lasting = chance.choice([*kinds, ("limit", "ioc"), ("market", "ioc")])
        one = order(
            number,
            chance.choice(("buy", "sell")),
            100 + chance.randrange(prices),
            chance.randint(1, 9),
            user_id=1001 + chance.randrange(users),
            kind=kind,
            lasting=lasting,
            symbol_id=symbol_id,
            ppm=(chance.choice((0, 1000, 999_999)), chance.choice((0, 1500, 1_000_000))),
        )
        orders.append(one)
        made.append(one)
    return made
