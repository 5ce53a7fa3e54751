"""Requests of a load with orders: who has no funds deposits, whoever has some trades."""

import random
from collections import deque
from collections.abc import Callable

from scenarios.load.requests import Request, Requests
from scenarios.trading import PRICES, decimal
from system.records import PlaceOrder

_FUNDS = (("BTC", "1000.000"), ("USDT", "50000000.00"), ("ETH", "20000.0000"))
_CANCELS, _TRANSFERS = 0.15, 0.25  # of a funded user's requests, the first within the second
_MARKET, _IOC = 0.15, 0.15
_RECENT = 500  # orders that may be cancelled: most are filled by then
_LOTS_MAX = 60
_SPREAD = 40  # ten-thousandths of the price, so that most orders meet


class Orders(Requests):
    """Draws transfers, orders of both symbols, and cancels."""

    def __init__(self, users: int, stream: random.Random, wall_ms: Callable[[], int]) -> None:
        super().__init__(users, stream, wall_ms)
        self._funded: dict[int, int] = {}
        self._placed: deque[tuple[int, str]] = deque(maxlen=_RECENT)

    def draw(self) -> Request:
        """Return the next one."""
        user_id, kind = self.user(), self.stream.random()
        funded = self._funded.get(user_id, 0)
        if funded < len(_FUNDS):
            self._funded[user_id] = funded + 1
            asset, amount = _FUNDS[funded]
            return self.request("transfer_in", user_id, {"asset": asset, "amount": amount})
        if kind < _CANCELS and self._placed:
            owner, order_id = self.stream.choice(self._placed)
            return self.request("cancel", owner, {"order_id": order_id})
        return super().draw() if kind < _TRANSFERS else self._order(user_id)

    def _order(self, user_id: int) -> Request:
        stream = self.stream
        symbol = stream.choice(tuple(PRICES))
        middle, _, lot_digits = PRICES[symbol]
        cents = middle + stream.randint(-_SPREAD, _SPREAD) * (middle // 10_000)
        market = stream.random() < _MARKET
        terms = {
            "symbol": symbol,
            "side": stream.choice(("buy", "sell")),
            "type": "market" if market else "limit",
            "time_in_force": "ioc" if market or stream.random() < _IOC else "gtc",
            "price": f"{cents // 100}.{cents % 100:02d}",
            "quantity": decimal(stream.randint(1, _LOTS_MAX), lot_digits),
        }
        request = self.request("orders", user_id, terms)
        placed = request.operation()
        assert isinstance(placed, PlaceOrder)
        self._placed.append((user_id, placed.order_id))
        return request
