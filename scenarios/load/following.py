"""Following a deployment without disturbing it: events as they are appended, commits as they move.

An event's time is its LogAppendTime, in milliseconds, by the broker's clock. Its rows count as
settled when a committed offset of Settlement's group beyond it is seen, which is after the rows
were acknowledged; committed offsets are asked for every 50 ms. No group is joined.
Brokers gather events for as long before they answer: whoever watches should not cost much.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from scenarios.backends.base import Backend
from scenarios.load.samples import OK, REFUSED, Samples
from system.records import EVENTS

LOOK_S = 0.05
_AT_ONCE = 5_000
_FETCH = 64 * 1024  # no fetch is that large within a look at usual rates
_PATIENCE_S = 2.0
_QUIET_S = 3.0
_MILLISECOND = 10**6


class _Decision(msgspec.Struct):
    """What of an event says which request it decides, and how many rows it has."""

    request_id: str
    seq: int = 0


_decode = msgspec.json.Decoder(_Decision).decode


def rows_of(seq: int) -> int:
    """Return how many rows an event has: its answer, a ledger row, the list of a user's assets."""
    return 1 + (seq > 0) + (seq == 1)


class Follower:
    """A thread that fills in when each request was decided and settled."""

    def __init__(
        self,
        backend: Backend,
        group: str,
        partitions: int,
        samples: Samples,
        now_ns: Callable[[], int],
        epoch_ns: int,
    ) -> None:
        self.samples = samples
        self.trouble = ""
        self._now_ns = now_ns
        self._epoch_ns = epoch_ns
        self._places = [TopicPartition(EVENTS, p, 0) for p in range(partitions)]
        self._decided_at_s = time.monotonic()
        self._clear = 0  # every request below it has come to its end
        self._open: list[deque[tuple[int, int]]] = [deque() for _ in range(partitions)]
        settings: dict[str, Any] = {
            "bootstrap.servers": backend.bootstrap,
            "client.id": "wavetank-load",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": round(1000 * LOOK_S),
            "fetch.min.bytes": _FETCH,
            "log_level": 0,
            **backend.kafka_options,
        }
        self._events = Consumer({**settings, "group.id": "wavetank-load"})
        self._asker = Consumer({**settings, "group.id": group})
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._events.assign(self._places)
        self._thread.start()

    def close(self) -> None:
        """Stop, and let go of the connections."""
        if self._ended.is_set():
            return
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(2 * _PATIENCE_S)
        self._events.close()
        self._asker.close()

    @property
    def caught_up(self) -> bool:
        """Whether everything that was acknowledged, and every event seen, has settled.

        Of requests without an answer nobody knows whether an event will come: none may have come
        for a while.
        """
        samples = self.samples
        while self._clear < len(samples) and (
            samples.settled[self._clear] or samples.answer[self._clear] == REFUSED
        ):
            self._clear += 1
        rest = range(self._clear, len(samples))
        if any(self._open) or any(
            samples.answer[number] == OK and not samples.settled[number] for number in rest
        ):
            return False
        return not rest or time.monotonic() - self._decided_at_s > _QUIET_S

    def _run(self) -> None:
        while not self._ended.is_set():
            for message in self._events.consume(_AT_ONCE, LOOK_S):
                self._take(message)
            self._look()

    def _take(self, message: Any) -> None:
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - public all the same
                self.trouble = f"the events cannot be followed: {error.str()}"
            return
        try:
            event = _decode(message.value() or b"")
        except msgspec.MsgspecError:
            return  # whoever reconciles will say so
        number = self.samples.by_key.get(event.request_id)
        if number is None:
            return
        if not self.samples.decided[number]:
            at_ns = message.timestamp()[1] * _MILLISECOND - self._epoch_ns
            self.samples.decided[number] = max(at_ns, self.samples.intended[number])
            self.samples.rows[number] = rows_of(event.seq)
            self._decided_at_s = time.monotonic()
            self._open[message.partition()].append((message.offset(), number))

    def _look(self) -> None:
        try:
            found = self._asker.committed(self._places, timeout=_PATIENCE_S)
        except KafkaException:
            return  # a broker is away; the next look may find it
        now = self._now_ns()
        for place in found:
            if place.error is None:
                self._settle(self._open[place.partition], place.offset, now)

    def _settle(self, waiting: deque[tuple[int, int]], committed: int, now_ns: int) -> None:
        samples = self.samples
        while waiting and waiting[0][0] < committed:
            _, number = waiting.popleft()
            samples.settled[number] = now_ns
            samples.settled_count += 1
