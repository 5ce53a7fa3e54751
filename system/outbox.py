"""The outbox: carries finished records to Kafka, in order, until each is acknowledged.

The log is the outbox's memory; this is the part of it that Kafka has not confirmed yet. After any
delivery error the producer is given up, because what it still holds or has on the wire is
unknown: a new one sends everything again from the first unacknowledged record, in order, and
acknowledgements beyond that record are forgotten. Consumers drop the copies by their numbers.
"""

import time
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from system.log import Log
from system.origin import Origin
from system.tracing import Headers
from system.wal.frames import Delivered, MarkFrame, Output

RETRY_S = 0.1
RETRY_MAX_S = 5.0
QUEUE_FULL_S = 0.1
UNKNOWN = Origin()


class Unacknowledged(msgspec.Struct, gc=False, eq=False):
    """A record on its way."""

    lsn: int
    output: Output
    headers: Headers | None
    acknowledged: bool = False
    offset: int = -1


class Outbox:
    """Publishes the records of durable frames; `mark` says how far Kafka has confirmed them."""

    def __init__(self, settings: dict[str, Any], log: Log) -> None:
        self.settings = settings
        self.log = log
        self.waiting: deque[Unacknowledged] = deque()
        self.failure: str | None = None
        self.attempt = 0  # counts producers; reports to an older one mean nothing any more
        self._producer: Producer | None = None
        self._through = 0
        self._delivered: dict[tuple[str, int], tuple[int, int]] = {}  # n and offset of the last
        self._delay_s = RETRY_S
        self._retry_at_s = 0.0

    # -- what recovery fills in ----------------------------------------------------------------

    def keep(self, lsn: int, outputs: Iterable[Output], origin: Origin = UNKNOWN) -> None:
        """Remember a durable frame's records without sending them yet."""
        self._through = lsn
        headers = origin.headers()
        self.waiting.extend([Unacknowledged(lsn, output, headers) for output in outputs])

    def acknowledged(self, mark: MarkFrame) -> None:
        """Take over a mark from the log."""
        while self.waiting and self.waiting[0].lsn <= mark.lsn:
            self.waiting.popleft()
        self._delivered = {(d.topic, d.partition): (d.n, d.offset) for d in mark.delivered}

    @property
    def mark(self) -> MarkFrame:
        """How far everything is acknowledged: may lag behind Kafka, never leads it."""
        lsn = self.waiting[0].lsn - 1 if self.waiting else self._through
        delivered = [Delivered(*place, *last) for place, last in self._delivered.items()]
        return MarkFrame(lsn, tuple(delivered))

    # -- sending -------------------------------------------------------------------------------

    def open(self) -> None:
        """Start sending with a producer of its own, from the first unacknowledged record on."""
        self.attempt += 1
        self.failure = None
        self._producer = self.connect()
        self.resend()

    def connect(self) -> Producer:
        """Return a new producer."""
        return Producer(self.settings)

    def resend(self) -> None:
        """Send everything that is waiting, as it stands in the log."""
        for record in list(self.waiting):
            record.acknowledged = False
            self.send(record)

    def publish(self, lsn: int, outputs: Iterable[Output], origin: Origin = UNKNOWN) -> None:
        """Send the records of a durable frame."""
        self._through = lsn
        headers = origin.headers()
        for output in outputs:
            record = Unacknowledged(lsn, output, headers)
            self.waiting.append(record)
            self.send(record)

    def send(self, record: Unacknowledged) -> None:
        """Hand a record to the producer; while it is broken the record just waits its turn."""
        output = record.output
        report = partial(self.report, self.attempt, record)
        while self.failure is None and self._producer is not None:
            try:
                self._producer.produce(
                    output.topic,
                    output.value,
                    output.key,
                    output.partition,
                    headers=record.headers,
                    on_delivery=report,
                )
            except BufferError:  # the local queue is full: reports must be served first
                self._producer.poll(QUEUE_FULL_S)
            except KafkaException as error:
                self.failed(str(error))
            else:
                return

    def report(
        self, attempt: int, record: Unacknowledged, error: KafkaError | None, message: Message
    ) -> None:
        """Take a delivery report."""
        if attempt != self.attempt:
            return
        if error is not None:
            self.failed(str(error))
        elif self.failure is None:
            offset = message.offset()
            self.confirmed(record, -1 if offset is None else offset)

    def confirmed(self, record: Unacknowledged, offset: int) -> None:
        """Note an acknowledgement, and advance over the acknowledged prefix."""
        record.acknowledged = True
        record.offset = offset
        while self.waiting and self.waiting[0].acknowledged:
            first = self.waiting.popleft()
            output = first.output
            if first.offset >= 0:  # unknown for a repeat the broker recognised: the last one stays
                self._delivered[output.topic, output.partition] = output.n, first.offset
            self._delay_s = RETRY_S

    def failed(self, why: str) -> None:
        """Note that a delivery failed: nothing this producer still does counts."""
        if self.failure is None:
            self.failure = why
            self._retry_at_s = time.monotonic() + self._delay_s
            self._delay_s = min(self._delay_s * 2, RETRY_MAX_S)
            self.log.warning("delivery_failed", detail=why, waiting=len(self.waiting))

    # -- tending -------------------------------------------------------------------------------

    def poll(self, timeout_s: float = 0.0) -> None:
        """Serve delivery reports, and replace a broken producer when its time has come."""
        if self._producer is None:
            return
        try:
            self._producer.poll(timeout_s)
        except KafkaException as error:
            self.failed(str(error))
        if self.failure is not None and time.monotonic() >= self._retry_at_s:
            self.discard()
            self.open()
            self.log.info("resent", records=len(self.waiting), attempt=self.attempt)

    def discard(self) -> None:
        """Give up the producer with all that it holds or has on the wire."""
        producer, self._producer = self._producer, None
        self.attempt += 1
        if producer is not None:
            producer.purge()
            producer.close()

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything is acknowledged; return whether it was."""
        deadline_s = time.monotonic() + timeout_s
        while self.waiting and (left_s := deadline_s - time.monotonic()) > 0:
            self.poll(min(left_s, QUEUE_FULL_S))
        return not self.waiting
