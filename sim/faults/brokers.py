"""Faults of brokers: quotas that throttle clients, replicas that are not in sync."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sim.bounds import demand
from sim.faults.base import Fault, Receipt
from sim.kafka.cluster.broker import Broker
from sim.kafka.cluster.state import State
from sim.world import World


@contextmanager
def at_every_broker(
    world: World, asked: Callable[[State], list[Any]], one: Callable[..., object]
) -> Generator[None]:
    """Have every broker ask `one`, too, among those that are `asked`, until the block ends."""
    machines = [server.machine for host in world.hosts.values() for server in host.servers]
    lists = [asked(machine.state) for machine in machines if isinstance(machine, Broker)]
    for each in lists:
        each.append(one)
    try:
        yield
    finally:
        for each in lists:
            each.remove(one)


@dataclass(frozen=True, slots=True)
class Throttle(Fault):
    """`broker` lets no client have more than `bytes_per_second` (quotas, KIP-13 and KIP-219)."""

    broker: str
    bytes_per_second: int

    def __post_init__(self) -> None:
        demand(self, 1, None, "bytes_per_second")

    @property
    def targets(self) -> tuple[str, ...]:
        """The broker."""
        return (self.broker,)

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Set both quotas; on exit take them back."""
        receipt = Receipt(self.targets)
        machine = world.server(self.broker).machine
        assert isinstance(machine, Broker)
        quotas = (machine.state.produce_quota, machine.state.fetch_quota)
        before = sum(quota.throttled for quota in quotas)
        for quota in quotas:
            quota.limit(self.bytes_per_second)
        try:
            yield receipt
        finally:
            for quota in quotas:
                quota.release(self.bytes_per_second)
            throttled = sum(quota.throttled for quota in quotas) - before
            if throttled:
                receipt.bite("requests throttled", throttled)


@dataclass(frozen=True, slots=True)
class ShrinkIsr(Fault):
    """The next `count` batches for `topic` find fewer replicas in sync than ``acks=all`` asks for.

    Each is refused with NOT_ENOUGH_REPLICAS, and nothing of it is kept; who sent it may repeat it.
    """

    topic: str
    count: int = 1

    def __post_init__(self) -> None:
        demand(self, 1, None, "count")

    @property
    def targets(self) -> tuple[str, ...]:
        """The topic."""
        return (self.topic,)

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Refuse until the block ends."""
        receipt = Receipt(self.targets)

        def lacks(topic: str) -> bool:
            if topic != self.topic or receipt.bites >= self.count:
                return False
            receipt.bite("batches refused")
            return True

        with at_every_broker(world, lambda state: state.short_of_replicas, lacks):
            yield receipt
