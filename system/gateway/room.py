"""Room: how many requests of one kind may be under way at once."""

from prometheus_client import Gauge

from system.gateway.refusals import overloaded


class Room:
    """A block that so many may be in at once; more are refused at the door with 429."""

    def __init__(self, most: int, what: str, gauge: Gauge) -> None:
        self.inside = 0
        self._most = most
        self._what = what
        self._gauge = gauge

    def __enter__(self) -> None:
        """Come in, or be refused."""
        if self.inside >= self._most:
            raise overloaded(self.inside, self._what)
        self.inside += 1
        self._gauge.inc()

    def __exit__(self, *_: object) -> None:
        """Leave."""
        self.inside -= 1
        self._gauge.dec()
