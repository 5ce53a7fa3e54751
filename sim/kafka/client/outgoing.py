"""Messages on their way out: one partition's queue, its batches in flight, its sequences.

Source: rdkafka_broker.c (`rd_kafka_producer_serve_toppar`), rdkafka_msgset_writer.c,
rdkafka_request.c (`rd_kafka_ProduceRequest`). **Faithful**: a batch leaves when its first message
has lingered, when it is full, or during a flush; messages to be retried stand at the front, in
their old order, and hold back what is behind them until their backoff is over; one more request
may be built than the broker takes (`queue.buffering.backpressure.threshold`), so a retry can be
overtaken even with `max.in.flight=1`; with idempotence a failed batch is built again with the same
messages, after everything in flight has been answered.
"""

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.kafka.batch import Batch
from sim.kafka.client.broker import Broker
from sim.kafka.entities import PartitionProduceData, ProduceRequest, TopicProduceData
from sim.kafka.protocol import duration
from sim.kernel import MILLISECOND
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.kafka.client.producer import Producer

_HEADER = 61  # of a batch
_RECORD = 10  # about what a small record needs besides key, value and headers
_FOR_EVER = 2**31 * MILLISECOND
_LAST_CHANCE = 100 * MILLISECOND  # for a message that timed out just now

Delivered = Callable[[Any, Any], Any]


class Message:
    """One message that the program handed over."""

    __slots__ = (
        "callback",
        "deadline",
        "enqueued",
        "headers",
        "key",
        "last_in_batch",
        "number",
        "retries",
        "retry_at",
        "size",
        "timestamp",
        "value",
    )

    def __init__(  # noqa: PLR0913, PLR0917  (made for every message)
        self,
        key: bytes | None,
        value: bytes | None,
        headers: tuple[tuple[str, bytes | None], ...],
        timestamp: int,
        callback: Delivered | None,
        enqueued: int,
        deadline: int,
        size: int,
    ) -> None:
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
        self.callback = callback
        self.enqueued = enqueued
        self.deadline = deadline
        self.size = size
        self.number = 0  # in its partition, from 1
        self.last_in_batch = 0  # the number of the last message of the batch it was sent in
        self.retries = 0
        self.retry_at = 0


class Sent:
    """A batch in flight."""

    __slots__ = ("first", "first_sequence", "last", "messages", "producer_id", "purged")

    def __init__(
        self, messages: list[Message], producer_id: tuple[int, int], first_sequence: int
    ) -> None:
        self.messages = messages
        self.first = messages[0].number
        self.last = messages[-1].number
        self.producer_id = producer_id
        self.first_sequence = first_sequence
        self.purged = False


class Outgoing:
    """The messages of one partition that are not delivered yet."""

    def __init__(self, producer: "Producer", topic: str, index: int) -> None:
        self.producer = producer
        self.topic = topic
        self.index = index
        self.leader: Broker | None = None
        self.messages: deque[Message] = deque()
        self.bytes = 0
        self.in_flight: deque[Sent] = deque()
        self.blocked = False  # by requests that wait for the leader
        self.last_number = 0
        self._timer: Timer | None = None
        self._timer_at = 0
        # Idempotence: the id the sequences belong to and the message that has sequence 0.
        self.producer_id = (-1, -1)
        self.base_number = 1
        self.next_ack = 0
        self.draining = False

    def add(self, message: Message) -> None:
        """Take one more message; see that it leaves in time."""
        self.last_number += 1
        message.number = self.last_number
        messages = self.messages
        messages.append(message)
        self.bytes += message.size + _RECORD
        settings = self.producer.settings
        count = len(messages)
        if count == 1 and not self.blocked:
            flushing = self.producer.flushing
            self._serve_at(0 if flushing else message.enqueued + settings.linger)
        elif count == settings.batch_max or self.bytes >= settings.batch_max_bytes:
            self._serve_at(0)

    def again(self, messages: Iterable[Message]) -> None:
        """Take messages back that are to be sent once more; they keep their place."""
        back = list(messages)
        self.bytes += sum(message.size + _RECORD for message in back)
        waiting = self.messages
        if waiting and back and waiting[0].number < back[-1].number:
            back = sorted([*back, *waiting], key=lambda message: message.number)
            waiting.clear()
        waiting.extendleft(reversed(back))

    def take_out(self, which: Callable[[Message], bool]) -> list[Message]:
        """Remove messages that have not been sent, or are to be sent again; return them."""
        out = [message for message in self.messages if which(message)]
        if out:
            self.messages = deque(message for message in self.messages if not which(message))
            self.bytes = sum(message.size + _RECORD for message in self.messages)
        return out

    def serve(self) -> None:
        """Send what may be sent now, and come back when more may be."""
        self.blocked = False
        producer, leader = self.producer, self.leader
        if leader is None or not self.messages or producer.closed:
            return
        if not leader.up:
            leader.connect()
            return
        now = producer.kernel.now
        while self.messages:
            if producer.settings.backpressure - len(leader.queue) <= 0:
                self.blocked = True
                return
            first = self.messages[0]
            if first.retry_at > now:
                self._serve_at(first.retry_at)
                return
            if not self._lingered(first, now):
                self._serve_at(first.enqueued + producer.settings.linger)
                return
            if producer.settings.idempotent and not self._may_send(first):
                return
            self._send(leader, now)

    def _lingered(self, first: Message, now: int) -> bool:
        settings = self.producer.settings
        return (
            first.enqueued + settings.linger <= now
            or first.retries > 0
            or first.last_in_batch > 0
            or self.producer.flushing > 0
            or len(self.messages) >= settings.batch_max
            or self.bytes >= settings.batch_max_bytes
        )

    def _may_send(self, first: Message) -> bool:
        identity = self.producer.identity
        if not identity.ready or (self.draining and self.in_flight):
            return False
        self.draining = False
        if self.producer_id != identity.current:
            if self.in_flight:
                return False
            self.producer_id = identity.current
            self.base_number = first.number
            self.next_ack = 0
        return True

    def _send(self, leader: Broker, now: int) -> None:
        producer = self.producer
        settings = producer.settings
        batch = self._cut(now)
        sequence = -1
        if settings.idempotent:
            sequence = (batch[0].number - self.base_number) & 0x7FFFFFFF
        sent = Sent(batch, self.producer_id, sequence)
        for message in batch:
            message.last_in_batch = sent.last
        self.in_flight.append(sent)
        records = tuple([(m.key, m.value, m.headers, m.timestamp) for m in batch])
        data = Batch(records, *self.producer_id, sequence)
        request = ProduceRequest(
            acks=settings.acks,
            timeout=duration(settings.request_timeout_ms),
            topic_data=(
                TopicProduceData(
                    name=self.topic,
                    partition_data=(PartitionProduceData(index=self.index, records=(data,)),),
                ),
            ),
        )
        left = batch[0].deadline - now if settings.message_timeout else _FOR_EVER
        limit = min(left if left > 0 else _LAST_CHANCE, settings.socket_timeout)
        answered = partial(producer.answered, self, sent)
        leader.request(request, answered, limit, silent=settings.acks == 0)

    def _cut(self, now: int) -> list[Message]:
        """Take the next batch off the queue."""
        settings = self.producer.settings
        messages = self.messages
        last = messages[0].last_in_batch if settings.idempotent else 0
        batch: list[Message] = []
        size = _HEADER
        while messages and len(batch) < settings.batch_max:
            message = messages[0]
            if batch and (message.retry_at > now or (last and message.number > last)):
                break
            size += message.size + _RECORD
            if batch and size > settings.batch_max_bytes:
                break
            self.bytes -= message.size + _RECORD
            batch.append(messages.popleft())
        return batch

    def _serve_at(self, at: int) -> None:
        at = max(at, self.producer.kernel.now)
        timer = self._timer
        if timer is not None and timer.pending:
            if self._timer_at <= at:
                return
            timer.cancel()
        self._timer_at = at
        process = self.producer.process
        self._timer = process.after(at - process.kernel.now, self.serve)
