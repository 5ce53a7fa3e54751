"""A world in miniature for the tests of the kernel and the network."""

from collections.abc import Callable

import pytest

from sim.clock import Clock
from sim.disk import Disk
from sim.host import Host
from sim.kernel import Kernel
from sim.network import Network


class Bench:
    """A kernel, a network and hosts by name."""

    def __init__(self, seed: int = 1, *, keep_trace: bool = False) -> None:
        self.kernel = Kernel(seed, keep_trace=keep_trace)
        self.network = Network(self.kernel)

    def host(self, name: str) -> Host:
        if name not in self.network.hosts:
            clock = Clock(lambda: self.kernel.now, 10**18)
            disk = Disk("posix", self.kernel.stream(f"{name}/disk"))
            Host(self.kernel, self.network, name, clock, disk)
        return self.network.hosts[name]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    return Bench
