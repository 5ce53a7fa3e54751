"""Fills: what an engine output must do to the accounts, worked out from what the output says.

Written anew, like the journal's fold: it shares nothing with the program that applies outputs.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from system.records import FEE_USER, EngineOutput, EventType
from system.topics import key_of, partition_of

Sums = dict[int, int]


class Move(NamedTuple):
    """One change of one balance; no two of one output are the same."""

    event_type: EventType
    user_id: int
    asset_id: int
    delta_avail: int
    delta_frozen: int
    ref_id: str


def moves(output: EngineOutput) -> Iterator[Move]:
    """Yield every change that an output causes, on whichever shard; of nothing there is none."""
    for trade in output.trades:
        for party in (trade.maker, trade.taker):
            user, trade_id = party.user_id, trade.trade_id
            yield Move("trade_debit", user, party.paid_asset_id, 0, -party.paid, trade_id)
            asset = party.received_asset_id
            if party.received:
                yield Move("trade_credit", user, asset, party.received, 0, trade_id)
            if party.fee:
                yield Move("fee", FEE_USER, asset, party.fee, 0, trade_id)
    for order in output.orders:
        rest = order.unlocked
        if rest:
            user, asset = order.user_id, order.locked_asset_id
            yield Move("unlock", user, asset, rest, -rest, order.order_id)


class Shards:
    """Which shard has which user."""

    def __init__(self, shards: int, partitions: int) -> None:
        self.shards = max(shards, 1)
        self.partitions = partitions
        self._known: dict[int, int] = {}

    def of(self, user_id: int) -> int:
        """Return the shard, from 1."""
        shard = self._known.get(user_id)
        if shard is None:
            home = partition_of(key_of(user_id), self.partitions)
            shard = self._known[user_id] = home % self.shards + 1
        return shard

    def split(self, output: EngineOutput, shard: int) -> tuple[Counter[Move], Sums]:
        """Return what an output must do on a shard, and what other shards owe, per asset."""
        own: Counter[Move] = Counter()
        owed: Sums = {}
        for move in moves(output):
            if self.of(move.user_id) == shard:
                own[move] += 1
            else:
                delta = move.delta_avail + move.delta_frozen
                owed[move.asset_id] = owed.get(move.asset_id, 0) + delta
        return own, owed
