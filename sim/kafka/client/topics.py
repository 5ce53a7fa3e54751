"""A producer's topics, and reports of what became of messages."""

from collections import deque
from typing import NamedTuple

from sim.kafka.client.metadata import TopicView
from sim.kafka.client.outgoing import Message, Outgoing
from sim.kafka.client.partitioner import Sticky


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
