"""Byte quotas: how long a client that sends or reads too fast must wait (KIP-219).

**Faithful** (`ClientQuotaManager.java`): the rate is taken over eleven windows of one second; the
wait is the time that brings the rate back to the quota; the response says so and the broker reads
nothing more from that connection until the time is over.
**Simplified**: one quota for all clients of a broker, by client id; no request or controller
mutation quotas.
"""

from collections import deque

_WINDOW_MS = 1000
_WINDOWS = 11


class Quota:
    """Bytes per second for each client id; 0 is no limit."""

    __slots__ = ("_limits", "_samples", "bytes_per_second", "throttled")

    def __init__(self, bytes_per_second: int = 0) -> None:
        self.bytes_per_second = bytes_per_second
        self._limits: list[int] = []
        self.throttled = 0  # how many requests had to wait
        self._samples: dict[str | None, deque[tuple[int, int]]] = {}

    def limit(self, bytes_per_second: int) -> None:
        """Set one more limit; the lowest of all holds."""
        self._limits.append(bytes_per_second)
        self.bytes_per_second = min(self._limits)

    def release(self, bytes_per_second: int) -> None:
        """Take back a limit that was set."""
        self._limits.remove(bytes_per_second)
        self.bytes_per_second = min(self._limits, default=0)

    def throttle_ms(self, client_id: str | None, now_ms: int, size: int) -> int:
        """Count `size` bytes of a client; return how long it must wait."""
        if not self.bytes_per_second:
            return 0
        samples = self._samples.setdefault(client_id, deque())
        samples.append((now_ms, size))
        while now_ms - samples[0][0] >= _WINDOW_MS * _WINDOWS:
            samples.popleft()
        window_ms = max(now_ms - samples[0][0], _WINDOW_MS * (_WINDOWS - 1))
        total = sum(size for _, size in samples)
        allowed = self.bytes_per_second * window_ms // 1000
        wait_ms = max(total - allowed, 0) * 1000 // self.bytes_per_second
        self.throttled += wait_ms > 0
        return wait_ms

    def take_back(self, client_id: str | None) -> None:
        """Uncount the last bytes of a client: they were not sent after all."""
        samples = self._samples[client_id]
        time, _ = samples.pop()
        samples.append((time, 0))
