"""Records to test with: whatever their types allow."""

from hypothesis import strategies as st

from system.records import (
    MAX_AMOUNT,
    Cancel,
    EngineOutput,
    Kind,
    Operation,
    OrderState,
    Party,
    PlaceOrder,
    Side,
    Source,
    TimeInForce,
    Trade,
    Validated,
    ValidatedCancel,
    ValidatedOrder,
    body_hash,
    order_id,
)

NOW_MS = 1_700_000_000_000
LOT = 100_000

amounts = st.integers(1, MAX_AMOUNT)
rests = st.integers(0, MAX_AMOUNT)
users = st.integers(1, 2**40)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
order_ids = st.text("0123456789abcdef", min_size=32, max_size=32)
sides: st.SearchStrategy[Side] = st.sampled_from(["buy", "sell"])
kinds: st.SearchStrategy[tuple[Kind, TimeInForce]] = st.sampled_from(
    [("limit", "gtc"), ("limit", "ioc"), ("market", "ioc")]
)


def request_id(number: int, made_at_ms: int = NOW_MS) -> str:
    return f"{made_at_ms >> 16:08x}-{made_at_ms & 0xFFFF:04x}-7000-8000-{number:012x}"


request_ids = st.integers(0, 2**47).map(request_id)


@st.composite
def placed(draw: st.DrawFn) -> PlaceOrder:
    user, request = draw(users), draw(request_ids)
    symbol, side, (kind, lasting) = draw(st.integers(1, 9)), draw(sides), draw(kinds)
    price, quantity = draw(amounts), draw(amounts)
    digest = body_hash("orders", user, request, symbol, side, kind, lasting, price, quantity)
    return PlaceOrder(
        user_id=user,
        request_id=request,
        body_hash=digest,
        order_id=order_id(user, request, digest),
        symbol_id=symbol,
        side=side,
        kind=kind,
        time_in_force=lasting,
        price=price,
        quantity=quantity,
    )


cancels = st.builds(
    Cancel,
    v=st.just(2),
    user_id=users,
    request_id=request_ids,
    body_hash=hashes,
    order_id=order_ids,
)


@st.composite
def validated_orders(draw: st.DrawFn) -> ValidatedOrder:
    kind, lasting = draw(kinds)
    lots = draw(st.integers(1, 10**9))
    return ValidatedOrder(
        shard=draw(st.integers(1, 8)),
        epoch=draw(amounts),
        epoch_bits=draw(order_ids)[:16],
        n=draw(amounts),
        user_id=draw(users),
        request_id=draw(request_ids),
        body_hash=draw(hashes),
        order_id=draw(order_ids),
        symbol_id=draw(st.integers(1, 9)),
        base_asset_id=1,
        quote_asset_id=2,
        lot=LOT,
        side=draw(sides),
        kind=kind,
        time_in_force=lasting,
        price=draw(st.integers(1, MAX_AMOUNT // lots)),
        quantity=lots * LOT,
        maker_ppm=draw(st.integers(0, 10**6)),
        taker_ppm=draw(st.integers(0, 10**6)),
        created_at=draw(rests),
    )


validated_cancels = st.builds(
    ValidatedCancel,
    v=st.just(2),
    shard=st.integers(1, 8),
    epoch=amounts,
    epoch_bits=order_ids,
    n=amounts,
    user_id=users,
    request_id=request_ids,
    body_hash=hashes,
    order_id=order_ids,
    symbol_id=amounts,
    created_at=rests,
)

parties = st.builds(
    Party,
    order_id=order_ids,
    user_id=users,
    side=sides,
    paid_asset_id=st.integers(1, 3),
    paid=amounts,
    received_asset_id=st.integers(1, 3),
    received=rests,
    fee=rests,
)
trades = st.builds(
    Trade,
    trade_id=st.just("1-42-1"),
    price=amounts,
    quantity=amounts,
    cost=amounts,
    maker=parties,
    taker=parties,
)
states = st.builds(
    OrderState,
    order_id=order_ids,
    user_id=users,
    side=sides,
    kind=st.just("limit"),
    time_in_force=st.just("gtc"),
    price=amounts,
    quantity=amounts,
    created_at=rests,
    status=st.sampled_from(["open", "filled", "cancelled"]),
    ending=st.sampled_from([None, "requested", "ioc", "self_trade", "fills_max"]),
    filled=rests,
    remaining=rests,
    locked_asset_id=st.integers(1, 3),
    paid=rests,
    unlocked=rests,
)
outputs = st.builds(
    EngineOutput,
    v=st.just(2),
    symbol_id=st.integers(1, 9),
    output_seq=amounts,
    previous_hash=hashes,
    source=st.builds(Source, topic=st.just("orders.validated"), partition=rests, offset=rests),
    user_id=users,
    request_id=request_ids,
    body_hash=hashes,
    order_id=order_ids,
    outcome=st.sampled_from(["placed", "cancelled", "order_closed"]),
    created_at=rests,
    trades=st.lists(trades, max_size=2).map(tuple),
    orders=st.lists(states, max_size=2).map(tuple),
    hash=st.just(""),
)
operations: st.SearchStrategy[Operation] = st.one_of(placed(), cancels)
validated: st.SearchStrategy[Validated] = st.one_of(validated_orders(), validated_cancels)
