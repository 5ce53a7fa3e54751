"""Trading workloads: users fund their accounts, then place and cancel orders that often meet."""

import random
from dataclasses import dataclass
from typing import Literal

from scenarios.workloads import MILLISECOND, SECOND, Intent, Order, Workload

Style = Literal["mixed", "race"]

# symbol -> where its price begins, and the smallest steps of price and quantity, as decimals
PRICES = {"BTC_USDT": (50_000_00, 2, 3), "ETH_USDT": (3_000_00, 2, 4)}
_FUNDS = (("BTC", "2.000"), ("USDT", "150000.00"), ("ETH", "40.0000"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading(Workload):
    """Users deposit, then trade over `lasts_ns`: limit, IOC and market orders, cancels, transfers.

    `race`: prices stand still, so that orders meet at once, and most cancels come as their order
    is filled. `impatience` is the share of requests whose client asks again before an answer can
    have come; `again` the share that is repeated after it was acknowledged.
    """

    users: int = 6
    operations: tuple[int, int] = (30, 50)
    symbols: tuple[str, ...] = ("BTC_USDT",)
    lasts_ns: int = 7 * SECOND
    funding_ns: int = SECOND
    style: Style = "mixed"
    impatience: float = 0.2
    again: float = 0.1
    again_ns_max: int = 2 * SECOND
    clients: int = 2

    def intents(self, stream: random.Random) -> tuple[Intent, ...]:
        """Draw the deposits, then the day."""
        users = range(1001, 1001 + self.users)
        drawn = [self._deposit(stream, user, *fund) for user in users for fund in _FUNDS]
        count = stream.randint(*self.operations)
        times = sorted(stream.randrange(self.funding_ns, self.lasts_ns) for _ in range(count))
        placed: list[tuple[int, str]] = []
        drawn += [self._action(stream, at, stream.choice(users), placed) for at in times]
        return tuple(sorted(drawn, key=lambda intent: (intent.at_ns, intent.client)))

    def _deposit(self, stream: random.Random, user: int, asset: str, amount: str) -> Intent:
        return Intent(
            client=f"user-{user}/0",
            at_ns=stream.randrange(max(self.funding_ns // 2, 1)),
            route="transfer_in",
            user_id=user,
            asset=asset,
            amount=amount,
            attempts=30,
        )

    def _action(
        self, stream: random.Random, at: int, user: int, placed: list[tuple[int, str]]
    ) -> Intent:
        draw = stream.random()
        cancels = 0.4 if self.style == "race" else 0.2
        if placed and draw < cancels:
            return self._cancel(stream, at, user, placed)
        if draw < cancels + 0.08 and self.style != "race":
            return self._withdraw(stream, at, user)
        return self._order(stream, at, user, placed)

    def _order(
        self, stream: random.Random, at: int, user: int, placed: list[tuple[int, str]]
    ) -> Intent:
        name = stream.choice(self.symbols)
        middle, _, lot_digits = PRICES[name]
        spread = 0 if self.style == "race" else stream.randint(-40, 40)
        kind = stream.choices(("limit", "market"), (0.85, 0.15))[0]
        lasting = "ioc" if kind == "market" or stream.random() < 0.15 else "gtc"
        side = stream.choice(("buy", "sell"))
        bound = 0 if kind == "limit" else (60 if side == "buy" else -60)
        cents = middle + (spread + bound) * (middle // 10_000)
        lots = stream.randint(1, 60) if stream.random() < 0.95 else stream.randint(2_000, 90_000)
        label = f"order-{len(placed) + 1}"
        placed.append((user, label))
        order = Order(
            symbol=name,
            side=side,
            kind=kind,
            time_in_force=lasting,
            price=f"{cents // 100}.{cents % 100:02d}",
            quantity=decimal(lots, lot_digits),
        )
        return self._intent(stream, at, user, "place_order", order=order, label=label)

    def _cancel(
        self, stream: random.Random, at: int, user: int, placed: list[tuple[int, str]]
    ) -> Intent:
        """Cancel one of the last orders of whoever it is, now and then somebody else's."""
        owner, label = stream.choice(placed[-8:])
        if stream.random() < 0.93:
            user = owner
        soon = stream.randrange(300 * MILLISECOND) if self.style == "race" else 0
        return self._intent(stream, at + soon, user, "cancel", label=label)

    def _withdraw(self, stream: random.Random, at: int, user: int) -> Intent:
        asset, amount = stream.choice((("BTC", "0.00012345"), ("USDT", "999.99"), ("ETH", "0.5")))
        return self._intent(stream, at, user, "transfer_out", asset=asset, amount=amount)

    def _intent(
        self, stream: random.Random, at: int, user: int, route: str, **more: object
    ) -> Intent:
        hurry = stream.random() < self.impatience
        return Intent(
            client=f"user-{user}/{stream.randrange(self.clients)}",
            at_ns=at,
            route=route,  # type: ignore[arg-type]
            user_id=user,
            patience_ns=stream.randint(2, 300) * MILLISECOND if hurry else 5 * SECOND,
            attempts=30,
            again_ns=stream.randint(1, self.again_ns_max) if stream.random() < self.again else 0,
            looks=self._looks(stream),
            **more,  # type: ignore[arg-type]
        )

    def _looks(self, stream: random.Random) -> tuple[str, ...]:
        """Return what a client looks at before it asks for something; mostly nothing."""
        draw = stream.random()
        shares = (("balances", 0.1), ("orders", 0.18), (stream.choice(self.symbols), 0.24))
        return next(((what,) for what, below in shares if draw < below), ())


def decimal(steps: int, digits: int) -> str:
    """Return so many of the smallest steps as a client writes them."""
    whole, fraction = divmod(steps, 10**digits)
    return f"{whole}.{fraction:0{digits}d}"
