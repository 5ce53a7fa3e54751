"""A small exchange: shards of UBSCore and an engine, real programs over one Kafka in memory."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from system.records import (
    EVENTS,
    ORDERS,
    Cancel,
    Deposit,
    Kind,
    PlaceOrder,
    Side,
    TimeInForce,
    body_hash,
    decode_event,
    decode_validated,
    order_id,
)
from system.symbols import BY_ID
from system.ubscore.state import State
from tests.system.engine import desk as engine_desk
from tests.system.small_kafka import NOW_MS, PARTITIONS, Broker
from tests.system.ubscore import desk
from tests.system.ubscore.commands import operation, request_id

BTC, USDT = 1, 2
SYMBOL = BY_ID[1]


def deposit(user_id: int, asset_id: int, amount: int, number: int) -> Deposit:
    made = operation("deposit", user_id, asset_id, amount, request_id(NOW_MS, number))
    assert isinstance(made, Deposit)
    return made


def order(
    number: int,
    user_id: int,
    side: Side,
    ticks: int,
    lots: int,
    kind: tuple[Kind, TimeInForce] = ("limit", "gtc"),
    symbol_id: int = 1,
) -> PlaceOrder:
    """An order for `lots` at `ticks`."""
    symbol = BY_ID.get(symbol_id, SYMBOL)
    key = request_id(NOW_MS, number)
    terms = (symbol_id, side, *kind, ticks * symbol.tick, lots * symbol.lot)
    digest = body_hash("orders", user_id, key, *terms)
    return PlaceOrder(
        user_id=user_id,
        request_id=key,
        body_hash=digest,
        order_id=order_id(user_id, key, digest),
        symbol_id=symbol_id,
        side=side,
        kind=kind[0],
        time_in_force=kind[1],
        price=terms[4],
        quantity=terms[5],
    )


def cancel(number: int, user_id: int, of: str) -> Cancel:
    key = request_id(NOW_MS, number)
    digest = body_hash("cancel", user_id, key, of)
    return Cancel(user_id=user_id, request_id=key, body_hash=digest, order_id=of)


class Exchange:
    """Everything that runs, each over a directory of its own."""

    def __init__(self, directory: Path, shards: int = 1, **core: Any) -> None:
        directory.mkdir(exist_ok=True)
        self.broker = Broker()
        self.core = {"shards": shards, **core}
        self.paths = {n: desk.made(directory / f"core-{n}", n, shards) for n in _up_to(shards)}
        (directory / "engine").mkdir()
        self.engine_path = engine_desk.made(directory / "engine")
        self.shards = {n: self._opened(n) for n in _up_to(shards)}
        self.engine = engine_desk.opened(self.engine_path, self.broker)

    def _opened(self, shard: int) -> desk.Desk:
        return desk.opened(self.paths[shard], self.broker, shard=shard, **self.core)

    def restart(self, shard: int) -> None:
        desk.kill(self.shards[shard])
        self.shards[shard] = self._opened(shard)

    def restart_engine(self) -> None:
        engine_desk.kill(self.engine)
        self.engine = engine_desk.opened(self.engine_path, self.broker)

    def settle(self) -> None:
        for _ in range(6):
            for core in self.shards.values():
                for _ in range(3):
                    core.step()
            for _ in range(3):
                self.engine.step()

    def close(self) -> None:
        for core in self.shards.values():
            desk.kill(core)
        engine_desk.kill(self.engine)

    def states(self, shard: int) -> Iterator[State]:
        """The state at every LSN of a shard's whole log, one object that changes."""
        state = State()
        for lsn, body in desk.log_of(self.paths[shard]).records():
            state.apply(lsn, body)
            yield state


def _up_to(count: int) -> range:
    return range(1, count + 1)


def wealth(*states: State) -> dict[int, int]:
    """Per asset, what all accounts hold."""
    held: Counter[int] = Counter()
    for state in states:
        for (_, asset_id), balance in state.balances.items():
            held[asset_id] += balance.avail + balance.frozen
    return dict(held)


def accepted(*states: State) -> dict[int, int]:
    net: Counter[int] = Counter()
    for state in states:
        net.update(state.net)
    return dict(net)


def check_locks(state: State) -> None:
    """I2 and I10: nothing is negative, and frozen is what the open orders have left."""
    left: Counter[tuple[int, int]] = Counter()
    for one in state.standing.orders.values():
        left[one.user_id, one.asset_id] += one.rest
        assert one.open or not one.rest
    for account, balance in state.balances.items():
        assert balance.avail >= 0
        assert balance.frozen == left[account] >= 0


def check_copies(broker: Broker) -> dict[tuple[int, str, int, int], bytes]:
    """Records of one number are equal to the byte; return them by shard, topic, partition, n."""
    found: dict[tuple[int, str, int, int], bytes] = {}
    numbers: dict[tuple[int, str, int], set[int]] = defaultdict(set)
    for topic, decode in ((EVENTS, decode_event), (ORDERS, decode_validated)):
        for partition in range(PARTITIONS):
            for record in broker.logs[topic, partition]:
                one = decode(record.value())
                place = one.shard, topic, partition
                assert found.setdefault((*place, one.n), record.value()) == record.value()
                numbers[place].add(one.n)
    assert all(seen == set(_up_to(len(seen))) for seen in numbers.values())
    return found
