"""Faults of links: cuts, delays, losses, and answers that never come."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sim.bounds import demand
from sim.faults.base import Fault, HostFault, Receipt
from sim.kernel import MILLISECOND
from sim.packet import Delay, Packet, Sever
from sim.world import World


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """One direction is cut: what `source` sends to `target` waits until it heals."""

    source: str
    target: str

    @property
    def targets(self) -> tuple[str, ...]:
        """Both hosts."""
        return (self.source, self.target)

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Cut on entry, heal on exit."""
        receipt = Receipt(self.targets)
        with world.network.cut(self.source, self.target) as tally:
            try:
                yield receipt
            finally:
                if tally.held:
                    receipt.bite("packets held", tally.held)


@dataclass(frozen=True, slots=True)
class Isolate(Fault):
    """Every link between `hosts` and the rest is cut, in both directions."""

    hosts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.hosts:
            raise ValueError("hosts=(): name one")

    @property
    def targets(self) -> tuple[str, ...]:
        """The hosts that are alone."""
        return self.hosts

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Cut on entry, heal on exit."""
        receipt = Receipt(self.targets)
        with ExitStack() as cuts:
            tallies = []
            for inside in self.hosts:
                for outside in world.hosts:
                    if outside not in self.hosts:
                        tallies.append(cuts.enter_context(world.network.cut(inside, outside)))
                        tallies.append(cuts.enter_context(world.network.cut(outside, inside)))
            try:
                yield receipt
            finally:
                held = sum(tally.held for tally in tallies)
                if held:
                    receipt.bite("packets held", held)


@dataclass(frozen=True, slots=True)
class SlowLink(HostFault):
    """Everything to and from `host` takes up to `delay_ms` longer, drawn for each message."""

    delay_ms: int

    def __post_init__(self) -> None:
        demand(self, 0, None, "delay_ms")

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Delay for as long as the block lasts."""
        receipt = Receipt(self.targets)
        draw = world.kernel.stream("faults.links").random

        def slow(packet: Packet) -> Delay | None:
            if self.host not in (packet.source, packet.target):
                return None
            receipt.bite("packets delayed")
            return Delay(int(draw() * self.delay_ms * MILLISECOND))

        with world.network.rule(slow):
            yield receipt


@dataclass(frozen=True, slots=True)
class Lossy(HostFault):
    """`percent` of the segments to and from `host` are lost; TCP sends them again, later."""

    percent: int

    def __post_init__(self) -> None:
        demand(self, 0, 100, "percent")

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Lose for as long as the block lasts."""
        receipt = Receipt(self.targets)
        draw = world.kernel.stream("faults.links").random

        def lose(packet: Packet) -> Delay | None:
            if self.host not in (packet.source, packet.target):
                return None
            delay, timeout = 0, 200 * MILLISECOND
            while draw() * 100 < self.percent and timeout < 60_000 * MILLISECOND:
                delay += timeout
                timeout *= 2
            if not delay:
                return None
            receipt.bite("segments lost")
            return Delay(delay)

        with world.network.rule(lose):
            yield receipt


@dataclass(frozen=True, slots=True)
class LoseRequest(Fault):
    """The next `count` messages of `message` to `target` are lost with their connections.

    `message` is the name of a request of Kafka or of a frame of CQL (``Produce``, ``EXECUTE``);
    ``bytes`` are what has none, as HTTP. `target` may be a glob. The server never sees them; the
    client sees a reset.
    """

    target: str
    message: str
    count: int = 1

    def __post_init__(self) -> None:
        demand(self, 1, None, "count")

    @property
    def targets(self) -> tuple[str, ...]:
        """The host that should have received."""
        return (self.target,)

    @property
    def kind(self) -> str:
        """Counted per kind of message, or of host where messages have none."""
        return f"LoseRequest({_counted(self.message, self.target)})"

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Lose until `count` are lost or the block ends."""
        receipt = Receipt(self.targets)

        def lose(packet: Packet) -> type[Sever] | None:
            wanted = packet.kind == self.message and fnmatchcase(packet.target, self.target)
            if not wanted or receipt.bites >= self.count:
                return None
            receipt.bite("requests lost")
            return Sever

        with world.network.rule(lose):
            yield receipt


@dataclass(frozen=True, slots=True)
class LoseResponse(Fault):
    """The next `count` messages of `message` from `source` are lost with their connections.

    `message` is named as there (``ProduceResponse``, ``RESULT``), `source` may be a glob. The
    server has done what was asked; the client sees a reset and cannot know.
    """

    source: str
    message: str
    count: int = 1

    def __post_init__(self) -> None:
        demand(self, 1, None, "count")

    @property
    def targets(self) -> tuple[str, ...]:
        """The host whose answers are lost."""
        return (self.source,)

    @property
    def kind(self) -> str:
        """Counted per kind of message, or of host where messages have none."""
        return f"LoseResponse({_counted(self.message, self.source)})"

    @contextmanager
    def injected(self, world: World) -> Generator[Receipt]:
        """Lose until `count` are lost or the block ends."""
        receipt = Receipt(self.targets)

        def lose(packet: Packet) -> type[Sever] | None:
            wanted = fnmatchcase(packet.source, self.source) and packet.kind == self.message
            if not wanted or receipt.bites >= self.count:
                return None
            receipt.bite("responses lost")
            return Sever

        with world.network.rule(lose):
            yield receipt


def _counted(message: str, host: str) -> str:
    return host.partition("-")[0] if message == "bytes" else message
