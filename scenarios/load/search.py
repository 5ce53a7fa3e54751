"""The search for the highest rate that holds a bound: double until it fails, then halve the gap."""

from dataclasses import dataclass


@dataclass(slots=True)
class Search:
    """Feed it trials: `rate` is what to try next, None when it is known closely enough.

    `closeness` is the ratio of the lowest rate that failed to the highest that held at which the
    search ends; `lowest` is where it gives up.
    """

    rate: float | None
    closeness: float = 1.1
    lowest: float = 1.0
    held: float = 0.0
    failed: float = float("inf")

    def tried(self, *, held: bool) -> None:
        """Take in what the trial at `rate` came to, and choose the next rate."""
        assert self.rate is not None, "the search has ended"
        if held:
            self.held = max(self.held, self.rate)
        else:
            self.failed = min(self.failed, self.rate)
        self.rate = self._next()

    @property
    def ended(self) -> str:
        """Why the search has ended."""
        if not self.held:
            return (
                f"{self.failed:,.1f}/s did not hold, and nothing below {self.lowest:g}/s is tried"
            )
        percent = round(100 * (self.closeness - 1))
        return (
            f"{self.held:,.1f}/s held and {self.failed:,.1f}/s did not: rates less than {percent} %"
            " apart are not told from each other"
        )

    def _next(self) -> float | None:
        if self.failed == float("inf"):
            return self.held * 2
        if not self.held:
            lower = self.failed / 2
            return lower if lower >= self.lowest else None
        if self.failed / self.held <= self.closeness:
            return None
        return float((self.failed * self.held) ** 0.5)
