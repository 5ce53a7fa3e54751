"""A producer's topics: what metadata say of them, and messages that wait until they do.

Source: rdkafka_topic.c (`rd_kafka_topic_metadata_update`, `rd_kafka_topic_assign_uas`).
"""

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sim.kafka.client import codes
from sim.kafka.client.metadata import TopicView
from sim.kafka.client.outgoing import Message, Outgoing
from sim.kafka.client.partitioner import Sticky

if TYPE_CHECKING:
    from sim.kafka.client.producer import Producer


class Report(NamedTuple):
    """Messages whose fate is known, for the program to hear of."""

    topic: str
    partition: int
    messages: deque[Message]
    code: int
    offset: int  # of the first; -1 if nobody said
    append_time: int  # in ms, of a LogAppendTime topic; else -1


class Topic:
    """A topic that messages were produced to."""

    __slots__ = ("count", "gone", "name", "queues", "since", "sticky", "view", "waiting")

    def __init__(self, name: str, sticky: Sticky, since: int) -> None:
        self.name = name
        self.sticky = sticky
        self.since = since
        self.count = 0  # of partitions; 0 while unknown
        self.gone = 0  # the error code once it is certain that there is no such topic
        self.queues: list[Outgoing] = []
        self.waiting: deque[tuple[int, Message]] = deque()  # (partition wanted, message)
        self.view: TopicView | None = None

    def available(self, partition: int) -> bool:
        """Whether the partition has a leader."""
        return self.queues[partition].leader is not None


def seen(producer: "Producer", topic: Topic, view: TopicView) -> None:
    """Take partitions and leaders from metadata."""
    topic.view = view
    if view.error:
        _missing(producer, topic, view.error)
        return
    topic.gone = 0
    while len(topic.queues) < len(view.partitions):
        queue = Outgoing(producer, topic.name, len(topic.queues))
        topic.queues.append(queue)
        producer.queues.append(queue)
    topic.count = len(view.partitions)
    for queue, partition in zip(topic.queues, view.partitions, strict=False):
        leader = producer.by_id.get(partition.leader)
        if leader is not queue.leader:
            queue.leader = leader
            queue.serve()
    if topic.waiting:
        _assign(producer, topic)


def give_up_waiting(producer: "Producer", topic: Topic, code: int) -> None:
    """Report the messages that wait for metadata as failed."""
    waiting, topic.waiting = topic.waiting, deque()
    for partition, message in waiting:
        producer.give_report(topic.name, partition, [message], code)


def _missing(producer: "Producer", topic: Topic, error: int) -> None:
    """Deal with a topic that the cluster does not know, or not yet."""
    lasting = error in {codes.TOPIC_EXCEPTION, codes.TOPIC_AUTHORIZATION_FAILED}
    since = max(topic.since, producer.born)
    if not lasting and producer.kernel.now - since < producer.settings.propagation:
        return
    unknown = error == codes.UNKNOWN_TOPIC_OR_PART
    topic.gone = codes.UNKNOWN_TOPIC if unknown else error
    topic.count = 0
    for queue in topic.queues:
        producer.undelivered(queue, queue.take_out(lambda _: True), topic.gone)
    give_up_waiting(producer, topic, topic.gone)


def _assign(producer: "Producer", topic: Topic) -> None:
    """Give the messages that waited for metadata their partitions."""
    waiting, topic.waiting = topic.waiting, deque()
    for wanted, message in waiting:
        partition = producer.choose(topic, message.key) if wanted == -1 else wanted
        if not 0 <= partition < topic.count:
            producer.give_report(topic.name, partition, [message], codes.UNKNOWN_PARTITION)
        else:
            topic.queues[partition].add(message)
