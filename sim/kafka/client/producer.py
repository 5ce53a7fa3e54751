"""The producer: takes messages, finds their partitions, sends batches, hands out reports.

Source: rdkafka_msg.c, rdkafka_topic.c, rdkafka_request.c (`rd_kafka_handle_Produce`), Producer.c.
**Faithful**: `produce` never blocks; a slot of the local queue is free again only when the
delivery report was served; reports are served by `poll` and `flush` alone, in the caller's thread;
messages wait for the metadata of their topic; timeouts are noticed on a grid of one second; an
unknown topic fails after `topic.metadata.propagation.max.ms`; what is still here when the process
dies is lost without a word.
"""

from collections import deque
from typing import Any

from sim.kafka.client import codes, retries, topics
from sim.kafka.client.broker import Broker, next_full_second
from sim.kafka.client.client import Client, Throttle, Trouble
from sim.kafka.client.configuration import Callbacks, Settings
from sim.kafka.client.idempotence import Identity
from sim.kafka.client.inbox import Inbox
from sim.kafka.client.metadata import TopicView
from sim.kafka.client.outgoing import Delivered, Message, Outgoing, Sent
from sim.kafka.client.partitioner import PARTITIONERS, Sticky
from sim.kafka.client.topics import Report, Topic
from sim.kafka.protocol import moment_ms
from sim.kernel import MILLISECOND
from sim.process import Process
from sim.timer import Timer

_NO_DEADLINE = 2**62


class Producer(Client):
    """A producer in one incarnation of a program."""

    def __init__(self, process: Process, settings: Settings, callbacks: Callbacks) -> None:
        super().__init__(process, settings, callbacks)
        self.topics: dict[str, Topic] = {}
        self.queues: list[Outgoing] = []
        self.count = 0  # messages whose report has not been served
        self.bytes = 0
        self.flushing = 0
        self.fatal: tuple[int, str] | None = None
        self.inbox: Inbox[Report | Trouble | Throttle] = Inbox(self.kernel)
        self.born = self.kernel.now
        self._expiry: Timer | None = None
        self._partition = PARTITIONERS[settings.partitioner]
        self.identity = Identity(self)
        if settings.idempotent:
            self.identity.obtain_later()

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        callback: Delivered | None,
        timestamp: int,
        headers: tuple[tuple[str, bytes | None], ...],
    ) -> int:
        """Queue a message; return an error code, 0 if it was taken."""
        settings = self.settings
        settings = self.settings
        size = (len(value) if value else 0) + (len(key) if key else 0)
        if headers:
            size += sum(len(name) + len(content or b"") + 2 for name, content in headers)
        found = self.topics.get(topic) or self._open(topic)
        if (
            self.fatal is not None
            or found.gone
            or size > settings.message_max
            or self.count >= settings.queue_max
            or self.bytes + size > settings.queue_max_bytes
            or (found.count and not -1 <= partition < found.count)
        ):
            return self._refusal(found, size)
        now = self.kernel.now
        if not timestamp:
            timestamp = self.process.host.clock.wall_ns() // MILLISECOND
        deadline = now + settings.message_timeout if settings.message_timeout else _NO_DEADLINE
        message = Message(key, value, headers, timestamp, callback, now, deadline, size)
        self.count += 1
        self.bytes += size
        if self._expiry is None:
            self._plan_expiry(deadline)
        if not found.count:
            found.waiting.append((partition, message))
            return 0
        if partition < 0:
            partition = self.choose(found, key)
        found.queues[partition].add(message)
        return 0

    def _refusal(self, topic: Topic, size: int) -> int:
        """Return why a message cannot be taken, in the library's order."""
        if self.fatal is not None:
            return codes.FATAL
        if size > self.settings.message_max:
            return codes.MSG_SIZE_TOO_LARGE
        full = self.count >= self.settings.queue_max
        if full or self.bytes + size > self.settings.queue_max_bytes:
            return codes.QUEUE_FULL
        return topic.gone or codes.UNKNOWN_PARTITION

    def next_event(self, deadline: int | None) -> Report | Trouble | Throttle | None:
        """Return the next event, waiting for it up to `deadline` (None: for ever)."""
        events = self.inbox.items
        while not events:
            if not self.inbox.wait(deadline):
                return None
        return events.popleft()

    def served(self, message: Message) -> None:
        """Free the slot of a message whose report was served."""
        self.count -= 1
        self.bytes -= message.size

    def serve_all(self) -> None:
        """Let every partition send what it may."""
        for queue in self.queues:
            if queue.messages:
                queue.serve()

    def purge(self, *, in_queue: bool, in_flight: bool) -> None:
        """Give up messages; their reports say so."""
        for queue in self.queues:
            if in_queue:
                self.undelivered(queue, queue.take_out(lambda _: True), codes.PURGE_QUEUE)
            if in_flight:
                for sent in queue.in_flight:
                    if not sent.purged:
                        sent.purged = True
                        self.undelivered(queue, sent.messages, codes.PURGE_INFLIGHT)
        if in_queue:
            for topic in self.topics.values():
                topics.give_up_waiting(self, topic, codes.PURGE_QUEUE)

    def die(self, code: int, text: str) -> None:
        """Take note of a fatal error: nothing is accepted or sent any more.

        What is in flight is not given up: its answers say what became of it.
        """
        if self.fatal is None:
            self.fatal = (code, text)
            self.kernel.trace.record("kafka.fatal", self.process.label, code)
            self.inbox.put(Trouble(code, text, fatal=True))
            self.purge(in_queue=True, in_flight=False)

    def report(self, code: int, text: str) -> None:
        """Queue an error for `error_cb`."""
        self.inbox.put(Trouble(code, text))

    def throttle(self, event: Throttle) -> None:
        """Queue an event for `throttle_cb`."""
        self.inbox.put(event)

    def broker_up(self, broker: Broker) -> None:
        """Send what waited for the connection."""
        super().broker_up(broker)
        for queue in self.queues:
            if queue.leader is broker:
                queue.serve()

    def broker_room(self, broker: Broker) -> None:
        """Build the next request."""
        for queue in self.queues:
            if queue.blocked and queue.leader is broker:
                queue.serve()

    def broker_down(self, broker: Broker, *, first_time: bool) -> None:
        """Connect again if messages wait for the broker."""
        super().broker_down(broker, first_time=first_time)
        for queue in self.queues:
            if queue.leader is broker and queue.messages:
                broker.connect()
                return

    def broker_gone(self, broker: Broker) -> None:
        """Leave its partitions without leader until metadata name one."""
        for queue in self.queues:
            if queue.leader is broker:
                queue.leader = None

    def leaderless(self) -> bool:
        """Whether a partition has no leader, or one that is being connected to."""
        return any(queue.leader is None or queue.leader.connecting for queue in self.queues)

    def metadata_came(self) -> None:
        """Ask for a producer id, if there is none."""
        if self.settings.idempotent:
            self.identity.obtain()

    def topic_seen(self, view: TopicView) -> None:
        """Take partitions and leaders from metadata."""
        topic = self.topics.get(view.name)
        if topic is not None:
            topics.seen(self, topic, view)

    def answered(self, queue: Outgoing, sent: Sent, code: int, response: Any) -> None:
        """Take the answer to a batch, or the news that there will be none."""
        queue.in_flight.remove(sent)
        offset, append_time = -1, -1
        if response is not None:
            part = response.responses[0].partition_responses[0]
            code = int(part.error_code)
            offset, append_time = part.base_offset, moment_ms(part.log_append_time)
        if sent.purged:
            pass
        elif code:
            retries.failed(self, queue, sent, code)
        else:
            self.delivered(queue, sent, offset, append_time)
        if self.settings.idempotent:
            self.identity.drained()
        queue.serve()

    def _open(self, name: str) -> Topic:
        sticky = Sticky(self.random, self.settings.sticky_linger)
        topic = self.topics[name] = Topic(name, sticky, self.kernel.now)
        self.process.after(0, self.metadata.want, (name,))
        return topic

    def delivered(self, queue: Outgoing, sent: Sent, offset: int, append_time: int) -> None:
        """Report a batch as written, and those before it whose answers were lost."""
        if self.settings.idempotent and sent.producer_id == queue.producer_id:
            # An earlier batch whose answer was lost must have been written before this one.
            earlier = queue.take_out(
                lambda message: message.last_in_batch > 0 and message.number < sent.first
            )
            if earlier:
                self.give_report(queue.topic, queue.index, earlier, 0)
            queue.next_ack = (sent.last + 1 - queue.base_number) & 0x7FFFFFFF
        self.give_report(queue.topic, queue.index, sent.messages, 0, offset, append_time)

    def undelivered(self, queue: Outgoing, messages: list[Message], code: int) -> None:
        """Report messages of one partition as failed."""
        if messages:
            self.give_report(queue.topic, queue.index, messages, code)

    def choose(self, topic: Topic, key: bytes | None) -> int:
        """Return the partition for a message that names none."""
        now = self.kernel.now
        return self._partition(key, topic.count, now, topic.sticky, topic.available)

    def give_report(
        self,
        topic: str,
        partition: int,
        messages: list[Message],
        code: int,
        offset: int = -1,
        append_time: int = -1,
    ) -> None:
        if code == codes.TRANSPORT_UNSENT:
            code = codes.TRANSPORT
        self.inbox.put(Report(topic, partition, deque(messages), code, offset, append_time))

    def _plan_expiry(self, deadline: int) -> None:
        if deadline < _NO_DEADLINE:
            at = next_full_second(self.born, deadline)
            self._expiry = self.process.after(at - self.kernel.now, self._expire)

    def _expire(self) -> None:
        """Give up messages that have waited too long; look again when the next one may have."""
        now = self.kernel.now
        self._expiry = None
        nearest = _NO_DEADLINE
        for queue in self.queues:
            late = queue.take_out(lambda message: message.deadline <= now)
            self.undelivered(queue, late, codes.MSG_TIMED_OUT)
            for message in queue.messages:
                nearest = min(nearest, message.deadline)
            for sent in queue.in_flight:
                nearest = min(nearest, sent.messages[0].deadline)
        for topic in self.topics.values():
            while topic.waiting and topic.waiting[0][1].deadline <= now:
                partition, message = topic.waiting.popleft()
                self.give_report(topic.name, partition, [message], codes.MSG_TIMED_OUT)
            if topic.waiting:
                nearest = min(nearest, topic.waiting[0][1].deadline)
        self._plan_expiry(max(nearest, now + 1))
