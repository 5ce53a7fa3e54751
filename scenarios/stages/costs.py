"""What a run costs: the processor's time by phase, so that nobody has to guess where it goes."""

import time
from collections.abc import Generator
from contextlib import contextmanager

_OUTSIDE = "between"  # what is no phase of a run


class Costs:
    """Adds up processor time in ns under the name of the phase that goes on.

    >>> costs = Costs()
    >>> costs.begin("world")
    >>> with costs.aside("bodies"):
    ...     costs.phase
    'bodies'
    >>> costs.phase
    'world'
    """

    def __init__(self) -> None:
        self.spent_ns: dict[str, int] = {}
        self.phase = _OUTSIDE
        self._since = time.process_time_ns()

    def begin(self, phase: str) -> None:
        """End the phase that goes on, and begin another."""
        now = time.process_time_ns()
        if self.phase is not _OUTSIDE:
            self.spent_ns[self.phase] = self.spent_ns.get(self.phase, 0) + now - self._since
        self.phase, self._since = phase, now

    def end(self) -> None:
        """End the phase that goes on."""
        self.begin(_OUTSIDE)

    @contextmanager
    def aside(self, phase: str) -> Generator[None]:
        """Count the block as a phase of its own, in the middle of another."""
        before = self.phase
        self.begin(phase)
        try:
            yield
        finally:
            self.begin(before)
