"""An error that a consumer's `poll` returns in place of a message."""

from typing import NamedTuple

from sim.kafka.client.tracked import Tracked


class Failure(NamedTuple):
    """An error that `poll` returns as a message."""

    code: int
    text: str
    tracked: Tracked | None
    offset: int
    version: int

    @property
    def outdated(self) -> bool:
        """Whether it is about an assignment or position that is no more."""
        return self.tracked is not None and self.version != self.tracked.version
