"""Following a deployment without disturbing it: events as they are appended, commits as they move.

An event's time is its LogAppendTime, in milliseconds, by the broker's clock. Its rows count as
settled when a committed offset of Settlement's group beyond it is seen, which is after the rows
were acknowledged; committed offsets are asked for every 50 ms. No group is joined.
Brokers gather events for as long before they answer: whoever watches should not cost much.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from scenarios.backends.base import Backend
from scenarios.load.samples import OK, REFUSED, Samples
from system.records import EVENTS, OUTPUTS
from system.records.events import DECIDING

LOOK_S = 0.05
_AT_ONCE = 5_000
_FETCH = 64 * 1024  # no fetch is that large within a look at usual rates
_PATIENCE_S = 2.0
_QUIET_S = 3.0
_MILLISECOND = 10**6
_NOBODY = -1  # a row that follows from an order, and settles no request


class _Event(msgspec.Struct):
    """What of a balance event says whose it is, whether it decides, and how many rows it has."""

    request_id: str
    shard: int
    n: int
    event_type: str = ""  # only of ledger rows
    seq: int = 0

    @property
    def number(self) -> tuple[int, int]:
        """Its number, and in which chain it counts."""
        return self.shard, self.n

    @property
    def decides(self) -> bool:
        """Whether it is the answer to its request."""
        return not self.event_type or self.event_type in DECIDING

    @property
    def rows(self) -> int:
        """How many rows it has: an answer, a ledger row, the list of a user's assets."""
        return self.decides + (self.seq > 0) + (self.seq == 1)


class _Output(msgspec.Struct):
    """What of an engine output says whose it is, and how many rows it has."""

    request_id: str
    symbol_id: int
    output_seq: int
    trades: list[msgspec.Raw]
    orders: list[msgspec.Raw]

    @property
    def number(self) -> tuple[int, int]:
        """Its number, and in which chain it counts."""
        return self.symbol_id, self.output_seq

    @property
    def decides(self) -> bool:
        """What follows from an order is no answer to it."""
        return False

    @property
    def rows(self) -> int:
        """How many rows it has: one of the log, three of each trade, one of each order."""
        return 1 + 3 * len(self.trades) + len(self.orders)


_decode: dict[str, Callable[[bytes], _Event | _Output]] = {
    EVENTS: msgspec.json.Decoder(_Event).decode,
    OUTPUTS: msgspec.json.Decoder(_Output).decode,
}

Place = tuple[str, int]


class Follower:
    """A thread that fills in when each request was decided and settled."""

    def __init__(
        self,
        backend: Backend,
        group: str,
        topics: Sequence[str],
        partitions: int,
        samples: Samples,
        now_ns: Callable[[], int],
        epoch_ns: int,
    ) -> None:
        self.samples = samples
        self.trouble = ""
        self._now_ns = now_ns
        self._epoch_ns = epoch_ns
        self._places = [TopicPartition(t, p, 0) for t in topics for p in range(partitions)]
        self._seen_at_s = time.monotonic()
        self._quiet = len(topics) == 1  # else more may follow from what has settled
        self._clear = 0  # every request below it has come to its end
        self._open: dict[Place, deque[tuple[int, int]]] = {
            (place.topic, place.partition): deque() for place in self._places
        }
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
        self._numbers: dict[tuple[Place, int], int] = {}
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

        Of requests without an answer nobody knows whether an event will come, and of orders that
        rest not what they are going to cause: nothing may have come for a while.
        """
        samples = self.samples
        while self._clear < len(samples) and (
            samples.settled[self._clear] or samples.answer[self._clear] == REFUSED
        ):
            self._clear += 1
        rest = range(self._clear, len(samples))
        if any(self._open.values()) or any(
            samples.answer[number] == OK and not samples.settled[number] for number in rest
        ):
            return False
        if not rest and self._quiet:
            return True
        return time.monotonic() - self._seen_at_s > _QUIET_S

    def take(self, message: Any) -> None:
        """Take in a record of a topic that is followed."""
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - public all the same
                self.trouble = f"the events cannot be followed: {error.str()}"
            return
        place = (message.topic(), message.partition())
        try:
            record = _decode[place[0]](message.value() or b"")
        except msgspec.MsgspecError:
            return  # whoever reconciles will say so
        number = self.samples.by_key.get(record.request_id, _NOBODY)
        if not self._follows(place, *record.number) or number == _NOBODY:
            return
        self._seen_at_s = time.monotonic()
        if record.decides and not self.samples.decided[number]:
            at_ns = message.timestamp()[1] * _MILLISECOND - self._epoch_ns
            self.samples.decided[number] = max(at_ns, self.samples.intended[number])
            self._open[place].append((message.offset(), number))
        else:
            self._open[place].append((message.offset(), _NOBODY))
        self.samples.rows[number] += record.rows

    def settle(self, place: Place, committed: int, now_ns: int) -> None:
        """Note that what lies below a committed offset has settled."""
        samples, waiting = self.samples, self._open[place]
        while waiting and waiting[0][0] < committed:
            _, number = waiting.popleft()
            if number != _NOBODY:
                samples.settled[number] = now_ns
                samples.settled_count += 1

    def _run(self) -> None:
        while not self._ended.is_set():
            for message in self._events.consume(_AT_ONCE, LOOK_S):
                self.take(message)
            self._look()

    def _follows(self, place: Place, chain: int, number: int) -> bool:
        """Whether a record comes next in its chain: copies, and what follows a gap, do not."""
        before = self._numbers.get((place, chain), 0)
        if number == before + 1:
            self._numbers[place, chain] = number
        return number == before + 1

    def _look(self) -> None:
        try:
            found = self._asker.committed(self._places, timeout=_PATIENCE_S)
        except KafkaException:
            return  # a broker is away; the next look may find it
        now = self._now_ns()
        for place in found:
            if place.error is None:
                self.settle((place.topic, place.partition), place.offset, now)
