"""What the parts of a node share: its effects so far, its clock, its timers."""

from collections import deque
from collections.abc import Container, Hashable, Iterator

from sim.machine import Effect, Timer


class Machinery:
    """Collects effects while a node handles one input, and keeps its time.

    `now_ns` is the host's wall clock, which may step; timeouts are measured in `elapsed`, which
    never goes back.
    """

    def __init__(self, elapsed: int, last_id: int = 0) -> None:
        self.now_ns = 0
        self.elapsed = elapsed
        self.effects: list[Effect] = []
        self.last_id = last_id

    def advance(self, now_ns: int) -> None:
        """Begin to handle an input at `now_ns`."""
        if now_ns > self.now_ns:
            self.elapsed += now_ns - self.now_ns if self.now_ns else 0
        self.now_ns = now_ns

    def do(self, effect: Effect) -> None:
        """Add an effect."""
        self.effects.append(effect)

    def flush(self) -> list[Effect]:
        """Return the effects since the last time."""
        effects, self.effects = self.effects, []
        return effects

    def alarm(self, key: Hashable, at_elapsed: int) -> None:
        """Have the node fired with `key` at a moment of `elapsed`."""
        self.effects.append(Timer(key, self.now_ns + at_elapsed - self.elapsed))

    def new_id(self) -> int:
        """Return a number that was not used before."""
        self.last_id += 1
        return self.last_id


class Deadlines:
    """Timeouts of equal length: a queue with one timer, instead of a timer each."""

    __slots__ = ("_armed", "_queue", "delay_ns", "key")

    def __init__(self, key: Hashable, delay_ns: int) -> None:
        self.key = key
        self.delay_ns = delay_ns
        self._queue: deque[tuple[int, int]] = deque()
        self._armed = False

    def add(self, machinery: Machinery, id_: int) -> None:
        """Let `id_` expire after the delay."""
        at = machinery.elapsed + self.delay_ns
        self._queue.append((at, id_))
        if not self._armed:
            self._armed = True
            machinery.alarm(self.key, at)

    def expired(self, machinery: Machinery, pending: Container[int]) -> Iterator[int]:
        """Yield what has expired and is still pending; set the timer for the next."""
        queue = self._queue
        while queue and (queue[0][0] <= machinery.elapsed or queue[0][1] not in pending):
            at, id_ = queue.popleft()
            if at <= machinery.elapsed and id_ in pending:
                yield id_
        self._armed = bool(queue)
        if queue:
            machinery.alarm(self.key, queue[0][0])
