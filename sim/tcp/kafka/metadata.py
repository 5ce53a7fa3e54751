"""The metadata image on disk: one small file that is replaced whenever the image has changed."""

import uuid
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec

from sim.kafka.cluster.configs import TopicConfig
from sim.kafka.cluster.image import Image, Node, Partition, Topic
from sim.tcp.kafka.journal import replace
from sim.tcp.kafka.segments import Damaged
from sim.tcp.process import Stop

_FILE = "metadata.json"


class TopicState(msgspec.Struct, frozen=True):
    """One topic: its configuration, and leader and leader epoch of each partition."""

    name: str
    topic_id: uuid.UUID
    config: dict[str, str]
    partitions: list[tuple[int, int]]


class ImageState(msgspec.Struct, frozen=True):
    """All that an image knows."""

    cluster_id: str
    nodes: list[tuple[int, str, int]]
    up: dict[int, bool]
    starts: dict[int, int]
    next_producer_id: int
    topics: list[TopicState]
    incarnations: dict[int, str] = {}  # what the controller knows of processes


def snapshot(image: Image, incarnations: dict[int, str]) -> ImageState:
    """Return an image as plain values."""
    return ImageState(
        image.cluster_id,
        [(node.broker_id, node.host, node.port) for node in image.nodes.values()],
        dict(image.up),
        dict(image.starts),
        image.next_producer_id,
        [
            TopicState(
                topic.name,
                topic.topic_id,
                topic.config.given,
                [(each.leader, each.leader_epoch) for each in topic.partitions],
            )
            for topic in image.topics.values()
        ],
        dict(incarnations),
    )


def restore(image: Image, state: ImageState) -> None:
    """Make an image say what `state` says; those who follow it hear of deleted topics."""
    image.cluster_id = state.cluster_id
    image.nodes = {node[0]: Node(*node) for node in state.nodes}
    image.up, image.starts = dict(state.up), dict(state.starts)
    image.next_producer_id = state.next_producer_id
    before = image.topics
    image.topics = {topic.name: _topic(topic) for topic in state.topics}
    for name, topic in before.items():
        if name not in image.topics or image.topics[name].topic_id != topic.topic_id:
            for tell in image.on_deletion:
                tell(name)
    image.version += 1


class ImageFile:
    """Keeps an image durable."""

    def __init__(self, directory: Path, brokers: Sequence[int], *, sync: bool) -> None:
        self.path = directory / _FILE
        self.image = Image(unknown(brokers), Random())
        self.incarnations: dict[int, str] = {}
        self._sync = sync
        self._saved = -1
        if self.path.exists():
            self._load(sorted(brokers))

    def save(self) -> bool:
        """Write the image if it has changed; return whether it had."""
        if self._saved == self.image.version:
            return False
        state = snapshot(self.image, self.incarnations)
        replace(self.path, msgspec.json.encode(state), sync=self._sync)
        self._saved = self.image.version
        return True

    def _load(self, brokers: list[int]) -> None:
        try:
            state = msgspec.json.decode(self.path.read_bytes(), type=ImageState)
        except ValueError as error:
            raise Damaged(f"{self.path} is damaged: {error}") from error
        known = sorted(node[0] for node in state.nodes)
        if known != brokers:
            raise Stop(f"{self.path} was made for the brokers {known}, not for {brokers}")
        restore(self.image, state)
        self.image.up = dict.fromkeys(self.image.up, False)
        self.incarnations.update(state.incarnations)


def unknown(brokers: Sequence[int]) -> list[Node]:
    """Return the brokers of a cluster before they have said where they are."""
    return [Node(broker_id, "", -1) for broker_id in brokers]


def _topic(state: TopicState) -> Topic:
    topic = Topic(state.name, state.topic_id, TopicConfig(state.config))
    for leader, leader_epoch in state.partitions:
        partition = Partition(leader)
        partition.leader_epoch = leader_epoch
        topic.partitions.append(partition)
    return topic
