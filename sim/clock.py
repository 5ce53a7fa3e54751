"""Clocks of hosts: each has an offset, a drift and, now and then, a step.

**Faithful**: the wall clock may be wrong, drift and step, also backwards; the monotonic clock
drifts alike and never steps (clock_gettime(2)); it restarts near zero at a boot.
**Simplified**: no slewing (adjtime(3)): a correction is a step. No leap seconds.
"""

from collections.abc import Callable

from sim.errors import Unmodelled

_BILLION = 10**9


class Clock:
    """Reads true simulated time through this host's imperfections. All times in nanoseconds."""

    __slots__ = (
        "_anchor_local",
        "_anchor_true",
        "_boot",
        "_drift_ppb",
        "_offset",
        "_true",
        "reads",
    )

    def __init__(
        self, true_ns: Callable[[], int], epoch_ns: int, *, offset_ns: int = 0, drift_ppb: int = 0
    ) -> None:
        self.reads = 0  # how often somebody asked for the time of day
        self._true = true_ns
        self._offset = epoch_ns + offset_ns
        self._drift_ppb = drift_ppb
        self._anchor_true = true_ns()
        self._anchor_local = self._anchor_true
        self._boot = self._anchor_local - 10 * _BILLION

    def wall_ns(self) -> int:
        """Return nanoseconds since 1970, as this host believes."""
        self.reads += 1
        elapsed = self._true() - self._anchor_true
        drift = elapsed * self._drift_ppb // _BILLION
        return self._offset + self._anchor_local + elapsed + drift

    def monotonic_ns(self) -> int:
        """Return nanoseconds since some moment before this host's boot."""
        return self._local() - self._boot

    def step(self, delta_ns: int) -> None:
        """Let the wall clock jump by `delta_ns`, forwards or backwards."""
        self._offset += delta_ns

    def drift_by(self, ppb: int) -> None:
        """Run faster (> 0) or slower by `ppb` parts in 10^9 than before, from now on.

        `Unmodelled` if it would stand still or go back: no timer on it would ever come.
        """
        if self._drift_ppb + ppb <= -_BILLION:
            raise Unmodelled(f"a clock that drifts by {self._drift_ppb + ppb} ppb does not go on")
        self._anchor_local = self._local()
        self._anchor_true = self._true()
        self._drift_ppb += ppb

    def boot(self) -> None:
        """Restart the monotonic clock."""
        self._boot = self._local() - 10 * _BILLION

    def true_delay(self, local_ns: int) -> int:
        """Return how long `local_ns` of this clock last in true time, at least.

        Rounded up: who sleeps for it finds that the time has come, not a nanosecond missing.
        """
        if not self._drift_ppb:
            return local_ns
        return -(-local_ns * _BILLION // (_BILLION + self._drift_ppb))

    def _local(self) -> int:
        elapsed = self._true() - self._anchor_true
        return self._anchor_local + elapsed + elapsed * self._drift_ppb // _BILLION
