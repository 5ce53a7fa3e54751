"""Who asks an exchange for what: of a hundred commands some sixty are orders near the price.

Twenty are cancels, the rest deposits of users who join, withdrawals, retries, and orders that
nobody can pay. Prices walk, and each symbol keeps a number of orders open. Settlement has not
committed the last hundredth of it all, though its rows are written: they are newer than the cut.
"""

import random
from collections import deque
from collections.abc import Callable
from pathlib import Path

from scenarios.reconciling.bench.exchange import PARTITIONS, SHARDS, Exchange
from scenarios.reconciling.bench.written import Writing
from system.records import (
    Cancel,
    Deposit,
    Operation,
    PlaceOrder,
    Side,
    Withdraw,
    body_hash,
    order_id,
)
from system.symbols import SYMBOLS, Symbol

ROWS_PER_USER = 100
OPEN = 2_000  # orders of a symbol that are open at a time
LATE = 100  # of so many rows one is not committed yet
FUNDS = 10**15
_FIRST_USER = 1_001
_AWAY = 20  # ticks from the price


class Crowd:
    """Users who join one after the other, and what they have in the books."""

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self.exchange = exchange
        self.draw = random.Random(seed)
        self.users = 0
        self.prices = {symbol.id: 10**4 * symbol.tick for symbol in SYMBOLS}
        self.placed: dict[int, deque[tuple[int, str]]] = {s.id: deque() for s in SYMBOLS}
        self.made = 0
        self._last: Operation | None = None

    def act(self) -> None:
        """Have somebody do something."""
        if self.users * ROWS_PER_USER <= self.exchange.writing.rows:
            self._join()
        symbol = self.draw.choice(SYMBOLS)
        orders = self.placed[symbol.id]
        drawn = self.draw.random()
        if len(orders) > OPEN or (orders and drawn < 0.2):
            self._give_up(symbol, orders)
        elif drawn < 0.22 and self._last is not None:
            self.exchange.take(self._last)
        elif drawn < 0.24:
            self._move(Withdraw, self._user(), symbol.quote.id, self.draw.randrange(1, 10**6))
        else:
            self._order(symbol, poor=drawn < 0.25)

    def _join(self) -> None:
        user = _FIRST_USER + self.users
        for asset in sorted({asset.id for s in SYMBOLS for asset in (s.base, s.quote)}):
            self._move(Deposit, user, asset, FUNDS)
        self.users += 1

    def _user(self) -> int:
        """Draw a user; those who joined early trade most."""
        return _FIRST_USER + int(self.users * self.draw.random() ** 2)

    def _request(self) -> str:
        self.made += 1
        stamp = f"{self.exchange.now_ms:012x}"
        return f"{stamp[:8]}-{stamp[8:]}-7000-8000-{self.made:012x}"

    def _move(self, kind: type[Deposit] | type[Withdraw], user: int, asset: int, raw: int) -> None:
        request = self._request()
        name = "transfer_in" if kind is Deposit else "transfer_out"
        hashed = body_hash(name, user, request, asset, raw)
        self._take(
            kind(user_id=user, request_id=request, body_hash=hashed, asset_id=asset, amount=raw)
        )

    def _order(self, symbol: Symbol, *, poor: bool) -> None:
        draw, user, request = self.draw, self._user(), self._request()
        side: Side = draw.choice(("buy", "sell"))
        price = self.prices[symbol.id] = self.prices[symbol.id] + draw.choice((-1, 1)) * symbol.tick
        away = draw.randrange(-_AWAY, _AWAY // 2) * symbol.tick
        lots = 10**7 if poor else draw.randrange(1, 50)
        ioc = away > 0 and draw.random() < 0.25
        price += away if side == "buy" else -away
        body = (symbol.id, side, "limit", "ioc" if ioc else "gtc", price, lots * symbol.lot)
        hashed = body_hash("place_order", user, request, *body)
        made = order_id(user, request, hashed)
        self._take(
            PlaceOrder(
                user_id=user,
                request_id=request,
                body_hash=hashed,
                order_id=made,
                symbol_id=symbol.id,
                side=side,
                kind="limit",
                time_in_force="ioc" if ioc else "gtc",
                price=price,
                quantity=lots * symbol.lot,
            )
        )
        if made in self.exchange.markets[symbol.id].book.orders:
            self.placed[symbol.id].append((user, made))

    def _give_up(self, symbol: Symbol, orders: deque[tuple[int, str]]) -> None:
        """Cancel an order of any age; one in ten is sent too late, if the order is closed."""
        orders.rotate(self.draw.randrange(len(orders)))
        user, order = orders.popleft()
        is_open = order in self.exchange.markets[symbol.id].book.orders
        if is_open or self.draw.random() < 0.1:
            self._cancel(user, order)

    def _cancel(self, user: int, order: str) -> None:
        request = self._request()
        hashed = body_hash("cancel", user, request, order)
        self._take(Cancel(user_id=user, request_id=request, body_hash=hashed, order_id=order))

    def _take(self, command: Operation) -> None:
        self._last = command
        self.exchange.take(command)


def make(
    folder: Path, rows: int, seed: int = 1, kind: Callable[[Writing], Exchange] = Exchange
) -> None:
    """Make up an exchange of some ledger rows, and write it into a folder."""
    with Writing(folder, SHARDS, PARTITIONS) as writing:
        exchange = kind(writing)
        crowd = Crowd(exchange, seed)
        while writing.rows < rows - rows // LATE:
            crowd.act()
        exchange.commit()
        while writing.rows < rows:
            crowd.act()
        writing.finish(exchange.cut())
