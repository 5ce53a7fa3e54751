"""The metadata image: what a Kafka cluster's controller knows of brokers, topics and leaders.

**Faithful**: topic ids (KIP-516), replicas spread over the brokers from a random start, leader
epochs that rise when a broker goes and when it comes back, producer ids handed out in blocks
(KIP-730), names and errors of topics (`ReplicationControlManager.java`, `Topic.java`).
**Simplified**: the metadata quorum is this one object, atomic and never away: a change is seen by
every broker at once; one replica for each partition; no reassignment, so a leader never moves.
"""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from sim.kafka.cluster.configs import ConfigError, TopicConfig
from sim.kafka.entities import ErrorCode
from sim.kafka.protocol import Repeated

_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_PRODUCER_IDS = 1000  # in a block

OFFSETS_PARTITIONS = 50  # offsets.topic.num.partitions


class Refused(Exception):
    """A change that the controller refuses; `code` is Kafka's."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = ErrorCode.unknown_server_error


def refused(code: ErrorCode, message: str = "") -> Refused:
    """Return the exception for `code`."""
    error = Refused(message)
    error.code = code
    return error


class Node(NamedTuple):
    """A broker's name on the network."""

    broker_id: int
    host: str
    port: int


class Partition:
    """Who leads a partition, and for how many elections."""

    __slots__ = ("leader", "leader_epoch")

    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.leader_epoch = 0


class Topic:
    """A topic: partitions by index, and its configuration."""

    __slots__ = ("config", "name", "partitions", "topic_id")

    def __init__(self, name: str, topic_id: uuid.UUID, config: TopicConfig) -> None:
        self.name = name
        self.topic_id = topic_id
        self.config = config
        self.partitions: list[Partition] = []


class Image:
    """Brokers, topics, leaders; shared by all brokers of a cluster."""

    def __init__(self, nodes: Sequence[Node], random: Random) -> None:
        self.nodes = {node.broker_id: node for node in sorted(nodes)}
        self.cluster_id = _url_safe(random.getrandbits(128))
        self.topics: dict[str, Topic] = {}
        self.up: dict[int, bool] = dict.fromkeys(self.nodes, False)
        self.starts: dict[int, int] = dict.fromkeys(self.nodes, 0)
        self.version = 0  # rises with every change
        self._answers: dict[object, Repeated] = {}  # to questions about one version
        self._answered_version = 0
        self.on_deletion: list[Callable[[str], None]] = []  # told the name of a deleted topic
        self._random = random
        self.next_producer_id = 0

    def answer(self, asked: object, make: Callable[[], Any]) -> Repeated:
        """Return the answer to a question about this image, made once per version of it."""
        if self._answered_version != self.version:
            self._answered_version = self.version
            self._answers.clear()
        found = self._answers.get(asked)
        if found is None:
            found = self._answers[asked] = Repeated(make())
        return found

    def find(self, topic: str, partition: int) -> Partition | None:
        """Return a partition, or None."""
        found = self.topics.get(topic)
        if found is None or not 0 <= partition < len(found.partitions):
            return None
        return found.partitions[partition]

    def check_topic(
        self, name: str, partitions: int, replicas: int, config: Mapping[str, str | None]
    ) -> TopicConfig:
        """Return the checked configuration of a new topic, or raise `Refused`."""
        if not legal(name):
            raise refused(ErrorCode.invalid_topic_exception, f"topic name {name!r} is illegal")
        if name in self.topics:
            raise refused(ErrorCode.topic_already_exists, f"Topic '{name}' already exists.")
        if collision := self._collision(name):
            raise refused(
                ErrorCode.invalid_topic_exception,
                f"Topic '{name}' collides with existing topic: {collision}",
            )
        if partitions < 1:
            raise refused(
                ErrorCode.invalid_partitions,
                "Number of partitions was set to an invalid non-positive value.",
            )
        if replicas != 1:
            raise refused(
                ErrorCode.invalid_replication_factor,
                f"replication factor {replicas} is not modelled; it is 1",
            )
        try:
            return TopicConfig(config)
        except ConfigError as error:
            raise refused(ErrorCode.invalid_config, str(error)) from error

    def create_topic(
        self, name: str, config: TopicConfig, partitions: int, leaders: Sequence[int] = ()
    ) -> Topic:
        """Create a topic that `check_topic` has checked."""
        topic = Topic(name, uuid.UUID(int=self._random.getrandbits(128), version=4), config)
        self.topics[name] = topic
        start = self._random.randrange(len(self.nodes))
        self._add_partitions(topic, partitions, leaders, start)
        return topic

    def grow_topic(self, topic: Topic, partitions: int, leaders: Sequence[int] = ()) -> None:
        """Add partitions until there are `partitions`, led by `leaders` if they are given."""
        start = self._random.randrange(len(self.nodes))
        self._add_partitions(topic, partitions - len(topic.partitions), leaders, start)

    def configure_topic(self, topic: Topic, config: TopicConfig) -> None:
        """Give a topic another configuration."""
        topic.config = config
        self.version += 1

    def delete_topic(self, name: str) -> None:
        """Delete a topic that exists."""
        del self.topics[name]
        self.version += 1
        for tell in self.on_deletion:
            tell(name)

    def broker_started(self, broker_id: int) -> None:
        """Register a broker; if it was here before, its partitions get a new leader epoch.

        The one between was that in which they had no leader, since nobody else has a replica.
        """
        self.up[broker_id] = True
        self.starts[broker_id] += 1
        self.version += 1
        if self.starts[broker_id] > 1:
            for topic in self.topics.values():
                for partition in topic.partitions:
                    if partition.leader == broker_id:
                        partition.leader_epoch += 2

    def broker_crashed(self, broker_id: int) -> None:
        """Let a broker be gone; others notice when its session ends."""
        self.up[broker_id] = False
        self.version += 1

    def producer_ids(self) -> range:
        """Hand out a block of producer ids."""
        first = self.next_producer_id
        self.next_producer_id += _PRODUCER_IDS
        self.version += 1
        return range(first, self.next_producer_id)

    def coordinator(self, group: str) -> int:
        """Return the broker that coordinates `group`: the leader of its offsets partition."""
        ids = list(self.nodes)
        partition = (java_hash(group) & 0x7FFFFFFF) % OFFSETS_PARTITIONS
        return ids[partition % len(ids)]

    def _add_partitions(self, topic: Topic, count: int, leaders: Sequence[int], start: int) -> None:
        ids = [broker_id for broker_id in self.nodes if self.up[broker_id]] or list(self.nodes)
        for index in range(count):
            leader = leaders[index] if leaders else ids[(start + index) % len(ids)]
            assert leader in self.nodes
            topic.partitions.append(Partition(leader))
        self.version += 1

    def _collision(self, name: str) -> str | None:
        # Metric names cannot tell '.' from '_', so Kafka refuses such pairs of topics.
        plain = name.replace(".", "_")
        return next((known for known in self.topics if known.replace(".", "_") == plain), None)


def legal(name: str) -> bool:
    """Whether a topic may have this name.

    >>> legal("balance.events"), legal(".."), legal("a/b")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None and name not in (".", "..")


def java_hash(text: str) -> int:
    """Return Java's `String.hashCode`, as a signed number.

    >>> java_hash("settlement")
    73828649
    """
    total = 0
    units = text.encode("utf-16-be")
    for i in range(0, len(units), 2):
        total = (31 * total + (units[i] << 8 | units[i + 1])) & 0xFFFFFFFF
    return total - 2**32 if total >= 2**31 else total


def _url_safe(bits: int) -> str:
    """Return 128 bits as Kafka writes ids: 22 characters of URL-safe base 64."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bits <<= 4
    return "".join(alphabet[bits >> shift & 63] for shift in range(126, -1, -6))
