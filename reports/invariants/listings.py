"""What clients were shown of orders and trades, page by page: a part of I15.

A listing shows states that the engine's outputs gave to orders, and trades that it made, newest
first. Settlement writes a symbol's trades in order, so below a trade that is shown none is missing.
"""

from collections.abc import Generator, Iterator, Mapping

from msgspec.structs import asdict

from reports.breaks import Break
from reports.case import Case
from reports.evidence import Listing, ShownOrder, ShownTrade
from reports.invariants.shown import Outputs
from system import trades
from system.records import OrderState, Trade
from system.symbols import BY_NAME

Shown = ShownOrder | ShownTrade
Rank = tuple[int, str]  # where it stands in a listing
Known = Mapping[str, list[Shown]]  # by id: all that an order has been, or the one trade

_OF_ORDER = tuple(name for name in ShownOrder.__struct_fields__ if name != "symbol_id")


def listings_true(case: Case, outputs: Outputs) -> Generator[Break, None, int]:
    """Yield what was shown and never was, what went back, and what was missing."""
    by_reader: dict[tuple[str, str], list[Listing]] = {}
    for listing in case.evidence.listings:
        by_reader.setdefault((listing.client, listing.path), []).append(listing)
    if not by_reader:
        return 0
    known = _known(outputs)
    checked = 0
    for (_, path), listings in by_reader.items():
        listings.sort(key=lambda listing: listing.invoked_ns)
        checked += len(listings)
        yield from _one_reader(case, known.get(path, {}), listings)
    return checked


def _known(outputs: Outputs) -> dict[str, dict[str, list[Shown]]]:
    """Return by path what there was to be shown, in the order of the outputs."""
    known: dict[str, dict[str, list[Shown]]] = {}
    names = {symbol.id: name for name, symbol in BY_NAME.items()}
    for symbol_id, there in sorted(outputs.items()):
        for _, emitted in sorted(there.items()):
            output = emitted.output
            for trade in output.trades:
                of_symbol = known.setdefault(f"/trades/{names[symbol_id]}", {})
                of_symbol[trade.trade_id] = [_trade(trade, output.created_at)]
            for order in output.orders:
                of_user = known.setdefault(f"/orders/{order.user_id}", {})
                of_user.setdefault(order.order_id, []).append(_order(order, symbol_id))
    return known


def _one_reader(case: Case, known: Known, listings: list[Listing]) -> Iterator[Break]:
    seen: dict[str, tuple[Rank, int]] = {}  # by id: the newest state this client was shown
    for listing in listings:
        shown: tuple[Shown, ...] = (*listing.orders, *listing.trades)
        stages: dict[str, int] = {}
        for one in shown:
            states, key = known.get(_id(one), []), _id(one)
            if one not in states:
                yield _untrue("NEVER_TRUE", listing, key, _last(states), str(one))
            if key in stages:
                yield _untrue("SHOWN_TWICE", listing, key, "once", "twice")
            stages[key] = states.index(one) if one in states else len(states)
        ranks = [_rank(one) for one in shown]
        if ranks != sorted(ranks, reverse=True):
            yield _untrue("NOT_IN_ORDER", listing, "", "newest first", str(ranks))
        lowest = ranks[-1] if ranks and not listing.whole else (-1, "")
        for key, (rank, stage) in seen.items():
            if rank >= lowest and stages.get(key, -1) < stage:
                expected = f"what this client has seen: {known[key][stage]}"
                yield _untrue("WENT_BACK", listing, key, expected, _found(shown, key))
        yield from _missing(case, known, listing, stages)
        for one in shown:
            if one in known.get(_id(one), []):
                seen[_id(one)] = _rank(one), stages[_id(one)]


def _missing(
    case: Case, known: Known, listing: Listing, stages: Mapping[str, int]
) -> Iterator[Break]:
    """Yield trades that are hidden below others; at rest, whatever is not the last of it."""
    shown: tuple[Shown, ...] = (*listing.orders, *listing.trades)
    if listing.trades:
        ranks = [_rank(one) for one in listing.trades]
        lowest = (-1, "") if listing.whole else min(ranks)
        for key, states in known.items():
            if lowest <= _rank(states[0]) <= max(ranks) and key not in stages:
                yield _untrue("HIDDEN", listing, key, str(states[0]), "newer trades, not this one")
    if listing.quiescent and not case.forgive("settlement", "engine", "ubscore"):
        for key, states in known.items():
            if stages.get(key) != len(states) - 1:
                found = _found(shown, key)
                yield _untrue("STALE_AT_REST", listing, key, _last(states), found)


def _id(one: Shown) -> str:
    return one.order_id if isinstance(one, ShownOrder) else one.trade_id


def _rank(one: Shown) -> Rank:
    if isinstance(one, ShownOrder):
        return one.created_at, one.order_id
    number = trades.number_of(one.trade_id)
    return (number[1] if number else -1), ""


def _last(states: list[Shown]) -> str:
    return str(states[-1]) if states else "nothing of that id"


def _found(shown: tuple[Shown, ...], key: str) -> str:
    return next((str(one) for one in shown if _id(one) == key), "nothing of it")


def _order(order: OrderState, symbol_id: int) -> ShownOrder:
    return ShownOrder(symbol_id=symbol_id, **{name: getattr(order, name) for name in _OF_ORDER})


def _trade(trade: Trade, created_at: int) -> ShownTrade:
    plain = {name: value for name, value in asdict(trade).items() if name not in _PARTIES}
    return ShownTrade(**plain, taker_side=trade.taker.side, created_at=created_at)


_PARTIES = ("maker", "taker")


def _untrue(code: str, listing: Listing, key: str, expected: str, found: str) -> Break:
    return Break(
        invariant="I15",
        code=code,
        where=f"{key or 'the order of'} in {listing.path}, read by {listing.client}",
        expected=expected,
        found=found,
        at_ns=listing.returned_ns,
        cause="what a client was shown of orders or trades is not what the engine did",
    )
