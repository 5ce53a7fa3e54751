"""Terms of an order: read from what a client wrote, and checked at every border. Pure."""

from typing import NamedTuple, get_args

from system import assets, symbols
from system.assets import MAX_AMOUNT, NO_DECIMAL, TEXT_MAX
from system.records import Kind, Side, TimeInForce
from system.symbols import Symbol


class OrderRefused(ValueError):
    """Terms that cannot be taken; `reason` is the code the client sees.

    unknown_symbol, bad_side, bad_type, bad_time_in_force, market_not_ioc, bad_price,
    price_off_tick, price_not_positive, price_too_high, bad_quantity, quantity_off_lot,
    quantity_not_positive, quantity_too_small, quantity_too_large, cost_overflow.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Terms(NamedTuple):
    """What an order says, checked: price in raw quote units per lot, quantity in raw base units."""

    symbol: Symbol
    side: Side
    kind: Kind
    time_in_force: TimeInForce
    price: int
    quantity: int

    @property
    def locked_asset_id(self) -> int:
        """The asset that the order gives, and that is frozen until it does."""
        return self.symbol.quote.id if self.side == "buy" else self.symbol.base.id

    @property
    def lock(self) -> int:
        """How much of it: the cost at the order's own price to buy, the quantity to sell."""
        bought = self.symbol.cost(self.price, self.quantity)
        return bought if self.side == "buy" else self.quantity


def read(
    symbol: str, side: str, kind: str, time_in_force: str | None, price: str, quantity: str
) -> Terms:
    """Return the terms a client wrote: names, and decimals in strings.

    Without a time in force a limit order is gtc, a market order ioc.
    """
    found = symbols.BY_NAME.get(symbol)
    if found is None:
        known = ", ".join(symbols.BY_NAME)
        raise OrderRefused("unknown_symbol", f"{symbol[:TEXT_MAX]!r} is none of {known}")
    _one_of("side", side, Side)
    _one_of("type", kind, Kind)
    lasting = time_in_force or ("ioc" if kind == "market" else "gtc")
    _one_of("time_in_force", lasting, TimeInForce)
    steps = _decimal("price", price, found.price_digits, "price_off_tick")
    lots = _decimal("quantity", quantity, found.base.lot_digits, "quantity_off_lot")
    terms = Terms(found, side, kind, lasting, steps * found.tick, lots * found.lot)  # type: ignore[arg-type]
    check(terms)
    return terms


def check(terms: Terms) -> None:
    """Refuse terms that the symbol does not allow, or whose cost does not fit."""
    symbol, price, quantity = terms.symbol, terms.price, terms.quantity
    if terms.kind == "market" and terms.time_in_force != "ioc":
        raise OrderRefused("market_not_ioc", "a market order is ioc: it never rests in the book")
    if price <= 0:
        raise OrderRefused("price_not_positive", "the price must be above zero")
    if price % symbol.tick:
        raise OrderRefused("price_off_tick", f"{price} is no multiple of the tick {symbol.tick}")
    if price > symbol.price_max:
        most = symbols.show_price(symbol.price_max, symbol)
        raise OrderRefused("price_too_high", f"{symbol.name} is priced at most {most}")
    _check_quantity(symbol, quantity)
    cost = symbol.cost(price, quantity)
    if cost > MAX_AMOUNT:
        most = assets.show(MAX_AMOUNT, symbol.quote)
        raise OrderRefused(
            "cost_overflow",
            f"the order would cost {assets.show(cost, symbol.quote)} {symbol.quote.name};"
            f" at most {most} fit",
        )


def _check_quantity(symbol: Symbol, quantity: int) -> None:
    name = symbol.base.name
    if quantity <= 0:
        raise OrderRefused("quantity_not_positive", "the quantity must be above zero")
    if quantity % symbol.lot:
        raise OrderRefused("quantity_off_lot", f"{quantity} is no multiple of the lot {symbol.lot}")
    if quantity < symbol.quantity_min:
        least = assets.show(symbol.quantity_min, symbol.base)
        raise OrderRefused("quantity_too_small", f"{symbol.name} takes at least {least} {name}")
    if quantity > symbol.quantity_max:
        most = assets.show(symbol.quantity_max, symbol.base)
        raise OrderRefused("quantity_too_large", f"{symbol.name} takes at most {most} {name}")


def _one_of(field: str, value: str, words: object) -> None:
    if value not in get_args(words):
        known = " or ".join(get_args(words))
        raise OrderRefused(f"bad_{field}", f"{value[:TEXT_MAX]!r} is not {known}")


def _decimal(field: str, text: str, digits: int, too_fine: str) -> int:
    """Return `text` as a number of steps of 10^-digits."""
    parts = assets.split(text)
    if parts is None:
        raise OrderRefused(f"bad_{field}", f"{text[:TEXT_MAX]!r} {NO_DECIMAL}")
    whole, fraction = parts
    if len(fraction) > digits:
        raise OrderRefused(too_fine, f"the {field} has at most {digits} digits after the point")
    return int(whole + fraction.ljust(digits, "0"))
