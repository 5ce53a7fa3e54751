"""A Kafka cluster: its brokers, one metadata image, and a view from outside for evidence.

The methods here are not Kafka's protocol: a harness uses them to lay out topics before a run and
to read what is in the logs after it, without a client and without taking simulated time.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from sim.kafka.batch import Batch
from sim.kafka.cluster.broker import Broker
from sim.kafka.cluster.group import Commit
from sim.kafka.cluster.image import Image, Node, Topic
from sim.kafka.cluster.log import Log, LogRecord
from sim.kafka.cluster.settings import Settings


class Cluster:
    """Brokers by host name; `image` is what they all know.

    >>> nodes = [Node(1, "kafka-1", 9092), Node(2, "kafka-2", 9092)]
    >>> cluster = Cluster(nodes, Random(7))
    >>> topic = cluster.create_topic("balance.events", partitions=2)
    >>> cluster.end_offset("balance.events", 1)
    0
    """

    def __init__(
        self, nodes: Sequence[Node], random: Random, settings: Settings | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.image = Image(nodes, random)
        self.brokers: dict[str, Broker] = {
            node.host: Broker(node.broker_id, self.image, self.settings, random)
            for node in self.image.nodes.values()
        }

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        config: Mapping[str, str | None] | None = None,
        leaders: Sequence[int] = (),
    ) -> Topic:
        """Create a topic at once; `leaders` are broker ids by partition. `Refused` as in Kafka."""
        checked = self.image.check_topic(name, partitions, 1, config or {})
        return self.image.create_topic(name, checked, partitions, leaders)

    def leader(self, topic: str, partition: int) -> str:
        """Return the host whose broker leads a partition."""
        found = self.image.topics[topic].partitions[partition]
        return self.image.nodes[found.leader].host

    def coordinator(self, group: str) -> str:
        """Return the host whose broker coordinates a group."""
        return self.image.nodes[self.image.coordinator(group)].host

    def log(self, topic: str, partition: int) -> Iterator[LogRecord]:
        """Yield the records of a partition, from the log start."""
        return self.partition_log(topic, partition).records()

    def batches(self, topic: str, partition: int) -> Iterator[Batch]:
        """Yield the batches of a partition, from the log start."""
        return self.partition_log(topic, partition).batches()

    def start_offset(self, topic: str, partition: int) -> int:
        """Return the log start of a partition."""
        return self.partition_log(topic, partition).start

    def end_offset(self, topic: str, partition: int) -> int:
        """Return the offset that the next record of a partition gets."""
        return self.partition_log(topic, partition).end

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Let a partition's log start at `before`, as retention does."""
        self.partition_log(topic, partition).delete_until(before)

    def groups(self) -> list[str]:
        """Return the names of all groups that a coordinator knows."""
        return sorted(name for broker in self.brokers.values() for name in broker.state.groups)

    def committed(self, group: str) -> dict[tuple[str, int], Commit]:
        """Return what a group has committed: (topic, partition) -> offset and metadata."""
        found = self.brokers[self.coordinator(group)].state.groups.get(group)
        return {} if found is None else dict(sorted(found.commits.items()))

    def partition_log(self, topic: str, partition: int) -> Log:
        """Return the log of a partition where its leader keeps it."""
        found = self.image.topics[topic].partitions[partition]
        state = self.brokers[self.image.nodes[found.leader].host].state
        return state.log(topic, partition, found)
