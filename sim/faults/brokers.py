"""Faults of brokers: quotas that throttle clients."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sim.faults.base import Fault, Receipt
from sim.kafka.cluster.broker import Broker
from sim.world import World


@dataclass(frozen=True, slots=True)
class Throttle(Fault):
    """`broker` lets no client have more than `bytes_per_second` (quotas, KIP-13 and KIP-219)."""

    broker: str
    bytes_per_second: int

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
