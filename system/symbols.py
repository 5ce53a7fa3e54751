"""Symbols: what is traded for what, in which steps, and how a price becomes a cost.

Inside, a price is in *raw quote units per lot of the base asset*: price 50000.00 of BTC_USDT is
50 USDT a lot (0.001 BTC), which is 5,000,000,000. A tick is the smallest step of the decimal
price, in the same unit. So price x lots is the exact cost, whatever the digits.
"""

from functools import cached_property

import msgspec

from system import assets
from system.assets import MAX_AMOUNT, Asset


class Symbol(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A pair of assets, and the steps and bounds of its orders, in raw integers."""

    id: int
    name: str
    base: Asset
    quote: Asset
    price_digits: int  # digits after the point of a decimal price
    price_max: int = MAX_AMOUNT
    quantity_min: int = 1
    quantity_max: int = MAX_AMOUNT

    def __post_init__(self) -> None:
        if not 0 <= self.base.lot_digits <= self.base.decimals:
            raise ValueError(f"{self.name}: a lot of {self.base.name} is no whole raw unit")
        if self.price_digits < 0 or self._tick_digits < 0:
            raise ValueError(
                f"{self.name}: {self.price_digits} price digits and {self.base.lot_digits} lot"
                f" digits do not make exact costs with {self.quote.decimals} decimals"
            )
        most = min(self.quantity_max, MAX_AMOUNT) // self.lot * self.lot
        if not 1 <= self.quantity_min <= most or self.quantity_max > MAX_AMOUNT:
            raise ValueError(f"{self.name}: no quantity lies within the bounds")
        if not self.tick <= self.price_max <= MAX_AMOUNT:
            raise ValueError(f"{self.name}: no price lies within the bounds")

    @property
    def _tick_digits(self) -> int:
        return self.quote.decimals - self.base.lot_digits - self.price_digits

    @cached_property
    def lot(self) -> int:
        """The step of quantities, in raw base units."""
        return int(10 ** (self.base.decimals - self.base.lot_digits))

    @cached_property
    def tick(self) -> int:
        """The step of prices, in raw quote units per lot."""
        return int(10**self._tick_digits)

    def cost(self, price: int, quantity: int) -> int:
        """Return what `quantity`, a multiple of the lot, costs at `price`, in raw quote units."""
        return price * (quantity // self.lot)


_BTC, _USDT, _ETH = (assets.BY_NAME[name] for name in ("BTC", "USDT", "ETH"))

SYMBOLS = (
    Symbol(
        id=1,
        name="BTC_USDT",
        base=_BTC,
        quote=_USDT,
        price_digits=2,
        price_max=10**7 * 10**5,  # 10,000,000.00 USDT
        quantity_min=10**5,
        quantity_max=10**5 * 10**8,  # 100,000 BTC
    ),
    Symbol(
        id=2,
        name="ETH_USDT",
        base=_ETH,
        quote=_USDT,
        price_digits=2,
        price_max=10**6 * 10**4,  # 1,000,000.00 USDT
        quantity_min=10**4,
        quantity_max=10**6 * 10**8,  # 1,000,000 ETH
    ),
)
BY_NAME = {symbol.name: symbol for symbol in SYMBOLS}
BY_ID = {symbol.id: symbol for symbol in SYMBOLS}


def show_price(price: int, symbol: Symbol) -> str:
    """Return the decimal of a price, with all digits of the symbol."""
    whole, fraction = divmod(price // symbol.tick, 10**symbol.price_digits)
    return f"{whole}.{fraction:0{symbol.price_digits}d}" if symbol.price_digits else f"{whole}"
