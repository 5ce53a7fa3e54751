"""Packets and links: what rules see of a message on its way, and what they may wish for it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Packet:
    """One message on its way, as rules see it."""

    source: str
    target: str
    protocol: str  # "http", "kafka", "cql", "broker" ...
    kind: str  # "Produce", "ProduceResponse", "EXECUTE", "bytes" ...
    size: int


@dataclass(frozen=True, slots=True)
class Delay:
    """A rule's wish: deliver `delay_ns` later."""

    delay_ns: int


class Sever:
    """A rule's wish: the packet is lost and the connection with it; both sides see a reset."""


Rule = Callable[[Packet], Delay | type[Sever] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Latency between two hosts: `base_ns` plus an exponential part with mean `jitter_ns`."""

    base_ns: int = 60_000
    jitter_ns: int = 40_000
    bytes_per_second: int = 1_000_000_000


class Tally:
    """Counts what a cut held back."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0
