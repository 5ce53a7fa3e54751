"""The producer id of an idempotent producer, and what its errors mean for the sequences.

Source: rdkafka_idempotence.c, rdkafka_request.c (`rd_kafka_handle_idempotent_Produce_error`).
**Faithful**: nothing is sent before a producer id is there; a retriable error lets a partition
drain before the same batch is built again; a duplicate is a success without offset; an
out-of-order sequence is fatal for the batch at the head of the line and costs a new epoch for a
later one; an epoch is bumped by the client alone, once all partitions have drained; a producer id
is asked for when metadata have come, if a broker is connected then, else half a second later: the
first metadata end the connection that they came by, so the first id takes that long.
**Simplified**: no transactions.
"""

from typing import TYPE_CHECKING, NamedTuple

from sim.kafka.client import codes
from sim.kafka.client.outgoing import Outgoing, Sent
from sim.kafka.entities import InitProducerIdRequest
from sim.kafka.protocol import duration
from sim.kernel import MILLISECOND
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.kafka.client.producer import Producer

_ASK_AGAIN = 500 * MILLISECOND
_NO_TRANSACTION_TIMEOUT_MS = 2**31 - 1
_LAST_EPOCH = 2**15 - 1
_RETRIABLE = frozenset(
    {
        codes.COORDINATOR_LOAD_IN_PROGRESS,
        codes.COORDINATOR_NOT_AVAILABLE,
        codes.NOT_COORDINATOR,
        codes.REQUEST_TIMED_OUT,
        codes.BROKER_NOT_AVAILABLE,
    }
)


class Identity:
    """The producer id and epoch, and whether they may be used now."""

    def __init__(self, producer: "Producer") -> None:
        self._producer = producer
        self.current = (-1, -1)
        self.ready = False
        self._bumping = False
        self._asking = False
        self._timer: Timer | None = None

    def obtain(self) -> None:
        """Ask a connected broker for a producer id, unless there is one; if none is, later."""
        producer = self._producer
        if producer.closed or self._asking or self.current != (-1, -1):
            return
        broker = producer.brokers.up()
        if broker is None:
            producer.brokers.connect()
            self.obtain_later()
            return
        self._asking = True
        request = InitProducerIdRequest(
            transactional_id=None, transaction_timeout=duration(_NO_TRANSACTION_TIMEOUT_MS)
        )
        broker.request(request, self._obtained)

    def obtain_later(self) -> None:
        """Ask half a second from now."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._producer.process.after(_ASK_AGAIN, self.obtain)

    def bump(self) -> None:
        """Let everything in flight be answered, then go on with a new epoch."""
        self.ready = False
        self._bumping = True

    def drained(self) -> None:
        """See whether the new epoch can begin; called after every answer."""
        if not self._bumping or any(queue.in_flight for queue in self._producer.queues):
            return
        self._bumping = False
        producer_id, epoch = self.current
        if epoch == _LAST_EPOCH:
            self.current = (-1, -1)
            self.obtain()
            return
        self.current = (producer_id, epoch + 1)
        self.ready = True
        self._producer.serve_all()

    def _obtained(self, code: int, response: object) -> None:
        self._asking = False
        if response is not None:
            code = int(response.error_code)  # type: ignore[attr-defined]
            if code == 0:
                self.current = (int(response.producer_id), int(response.producer_epoch))  # type: ignore[attr-defined]
                self.ready = True
                self._producer.serve_all()
                return
        if code > 0 and code not in _RETRIABLE:
            self._producer.die(code, "Failed to acquire idempotence PID from broker")
            return
        self.obtain_later()


class Judgement(NamedTuple):
    """What is to happen after an error of a batch."""

    retry: bool = False
    counted: bool = True  # as a retry
    refresh: bool = False
    drain: bool = False
    bump: bool = False
    fatal: bool = False
    delivered: bool = False


_REFRESH = frozenset(
    {
        codes.UNKNOWN_TOPIC_OR_PART,
        codes.LEADER_NOT_AVAILABLE,
        codes.NOT_LEADER,
        codes.BROKER_NOT_AVAILABLE,
        codes.REPLICA_NOT_AVAILABLE,
        codes.TRANSPORT_UNSENT,
    }
)
_REFRESH_AND_COUNT = frozenset({codes.STORAGE_ERROR, codes.TRANSPORT})
_COUNT = frozenset(
    {
        codes.TIMED_OUT,
        codes.REQUEST_TIMED_OUT,
        codes.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        codes.NOT_ENOUGH_REPLICAS,
        codes.INVALID_MSG,
        codes.TIMED_OUT_QUEUE,
    }
)
_PERMANENT = Judgement()


def judge(code: int) -> Judgement:
    """Return what the error of a batch means to any producer."""
    if code in _REFRESH:
        return Judgement(retry=True, counted=False, refresh=True)
    if code in _REFRESH_AND_COUNT:
        return Judgement(retry=True, refresh=True)
    if code in _COUNT:
        return Judgement(retry=True)
    return _PERMANENT


def judge_idempotent(code: int, sent: Sent, queue: Outgoing, *, gapless: bool) -> Judgement:
    """Return what the error of a batch means to an idempotent producer."""
    plain = judge(code)
    if sent.producer_id != queue.producer.identity.current:
        return _PERMANENT  # the id changed meanwhile: nobody knows whether it was written
    if plain.retry:
        return plain._replace(drain=True)
    head = sent.first_sequence - queue.next_ack
    if code == codes.DUPLICATE_SEQUENCE:
        return Judgement(delivered=True)
    if code == codes.OUT_OF_ORDER_SEQUENCE:
        if head > 0:
            return Judgement(retry=True, counted=False, drain=True, bump=True)
        return Judgement(fatal=True)
    if code == codes.UNKNOWN_PRODUCER_ID:
        if head == 0 and sent.messages[0].retries == 0:
            return Judgement(retry=True, counted=False, drain=True, bump=True)
        return Judgement(fatal=True)
    return Judgement(fatal=gapless, bump=not gapless)
