"""Workloads: what clients want, drawn from a seeded stream before the run begins."""

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

MILLISECOND, SECOND = 10**6, 10**9

Route = Literal["transfer_in", "transfer_out", "place_order", "cancel"]

NINE = tuple(
    (user, asset, amount)
    for user in (1001, 1002, 1003)
    for asset, amount in (("BTC", "10000"), ("USDT", "1000000"), ("ETH", "100000"))
)
OPENING = tuple(
    (user, asset, amount)
    for user in (1001, 1002, 1003)
    for asset, amount in (("BTC", "100"), ("USDT", "10000000"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an order says, as a client writes it."""

    symbol: str
    side: str
    kind: str
    time_in_force: str
    price: str
    quantity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One thing a client wants, once, however often it has to ask.

    A transfer has `asset` and `amount`, an order its `order`; `label` names the order placed, or
    the one to cancel.

    `at_ns` counts from the start of the workload; a client does one thing after the other.
    `patience_ns` is how long it waits for one answer before it asks again with the same key.
    `again_ns`: even after an acknowledgement it repeats the request that much later (0: never).
    `looks` is what it looks at before: its balances, its orders, or trades, by their symbol's name.
    """

    client: str
    at_ns: int
    route: Route
    user_id: int
    asset: str = ""
    amount: str = ""
    order: Order | None = None
    label: str = ""
    patience_ns: int = 5 * SECOND
    attempts: int = 10
    again_ns: int = 0
    looks: tuple[str, ...] = ()


class Workload(ABC):
    """Draws the intents of a run."""

    __slots__ = ()

    @abstractmethod
    def intents(self, stream: random.Random) -> tuple[Intent, ...]:
        """Return what clients will want, in order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NineDeposits(Workload):
    """Three users deposit BTC, USDT and ETH; with `opening`, onto balances of an earlier day."""

    opening: bool = False
    every_ns: int = 20 * MILLISECOND

    def intents(self, stream: random.Random) -> tuple[Intent, ...]:
        """Return nine deposits, each user a client, all three at work at once."""
        deposits = (*OPENING, *NINE) if self.opening else NINE
        started: dict[int, int] = {}
        drawn = []
        for user, asset, amount in deposits:
            at = started.get(user, 0)
            started[user] = at + self.every_ns
            drawn.append(
                Intent(
                    client=f"user-{user}",
                    at_ns=at + stream.randrange(self.every_ns // 4),
                    route="transfer_in",
                    user_id=user,
                    asset=asset,
                    amount=amount,
                )
            )
        return tuple(sorted(drawn, key=lambda intent: (intent.at_ns, intent.client)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomTransfers(Workload):
    """Deposits and withdrawals of several users, some of them impatient, over `lasts_ns`.

    `reads` is the share of requests before which the client looks at its balances.
    """

    users: int = 5
    operations: tuple[int, int] = (35, 60)
    lasts_ns: int = 8 * SECOND
    reads: float = 0.3

    def intents(self, stream: random.Random) -> tuple[Intent, ...]:
        """Draw the operations; withdrawals now and then exceed what is there."""
        count = stream.randint(*self.operations)
        impatient = stream.random()
        times = sorted(stream.randrange(self.lasts_ns) for _ in range(count))
        return tuple(self._intent(stream, at, impatient) for at in times)

    def _intent(self, stream: random.Random, at: int, impatient: float) -> Intent:
        user = 1001 + stream.randrange(self.users)
        out = stream.random() < 0.35
        hurry = stream.random() < impatient
        return Intent(
            client=f"user-{user}/{stream.randrange(2)}",
            at_ns=at,
            route="transfer_out" if out else "transfer_in",
            user_id=user,
            asset=stream.choice(("BTC", "USDT", "ETH")),
            amount=f"{stream.randint(1, 900)}.{stream.randrange(100):02d}",
            patience_ns=stream.randint(2, 300) * MILLISECOND if hurry else 5 * SECOND,
            attempts=30,
            again_ns=stream.randint(1, 3000) * MILLISECOND if stream.random() < 0.25 else 0,
            looks=("balances",) if stream.random() < self.reads else (),
        )
