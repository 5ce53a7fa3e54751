"""The pace of reading: a bucket of tokens, so that a deployment hardly notices its reader."""

import time
from collections.abc import Callable


class Pace:
    """At most `rate` things a second over any longer while, and bursts of a tenth of that."""

    def __init__(
        self,
        rate: float,
        now_s: Callable[[], float] = time.monotonic,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate = rate
        self.burst = rate / 10
        self.tokens = self.burst
        self.now_s = now_s
        self.sleep_s = sleep_s
        self.at_s = now_s()

    def take(self, count: int) -> None:
        """Account for things that were read; wait until that many are allowed."""
        now_s = self.now_s()
        self.tokens = min(self.tokens + (now_s - self.at_s) * self.rate, self.burst) - count
        self.at_s = now_s
        if self.tokens < 0:
            self.sleep_s(-self.tokens / self.rate)
