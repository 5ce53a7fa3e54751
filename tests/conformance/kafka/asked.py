"""What a client has asked a broker: each API's requests in order, by the fields that matter."""

from collections.abc import Callable
from typing import Any

from sim.kafka.protocol import Request, milliseconds

Asked = dict[str, list[Any]]

# Both ask for these by their own clocks: that they are asked is compared, how often is not.
_BY_THE_CLOCK = {"Metadata", "Heartbeat"}


def _produce(body: Any) -> Any:
    return [body.acks, milliseconds(body.timeout)] + [
        [topic.name, part.index, [[b.count, b.base_sequence] for b in part.records or ()]]
        for topic in body.topic_data
        for part in topic.partition_data
    ]


def _fetch(body: Any) -> Any:
    head = [milliseconds(body.max_wait), body.min_bytes, body.max_bytes, body.isolation_level]
    return head + [
        [topic.topic, part.partition, part.fetch_offset, part.partition_max_bytes]
        for topic in body.topics
        for part in topic.partitions
    ]


def _join(body: Any) -> Any:
    times = [milliseconds(body.session_timeout), milliseconds(body.rebalance_timeout)]
    return [
        *times,
        body.protocol_type,
        [each.name for each in body.protocols],
        bool(body.member_id),
    ]


def _list_offsets(body: Any) -> Any:
    return [body.isolation_level] + [
        [topic.name, part.partition_index, part.timestamp]
        for topic in body.topics
        for part in topic.partitions
    ]


def _commit(body: Any) -> Any:
    return [body.generation_id_or_member_epoch] + [
        [topic.name, part.partition_index, part.committed_offset, part.committed_metadata]
        for topic in body.topics
        for part in topic.partitions
    ]


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "Produce": _produce,
    "Fetch": _fetch,
    "JoinGroup": _join,
    "SyncGroup": lambda body: [body.generation_id, bool(body.assignments)],
    "ListOffsets": _list_offsets,
    "OffsetCommit": _commit,
    "OffsetFetch": lambda body: [[t.name, list(t.partition_indexes)] for t in body.topics or ()],
    "FindCoordinator": lambda body: [body.key, body.key_type],
    "InitProducerId": lambda body: [body.transactional_id, body.producer_id],
    "CreateTopics": lambda body: [
        [t.name, t.num_partitions, t.replication_factor, len(t.configs)] for t in body.topics
    ],
    "CreatePartitions": lambda body: [[t.name, t.count] for t in body.topics],
    "DeleteTopics": lambda body: list(body.topic_names),
}


class Watch:
    """Notes the requests that a broker is sent; repetitions of one are noted once."""

    def __init__(self, broker: Any) -> None:
        self.asked: Asked = {}
        self._receive = broker.received
        broker.received = self._received

    def _received(self, now_ns: int, connection: int, message: Request) -> Any:
        fields = _FIELDS.get(message.kind)
        mine = self.asked.setdefault(message.kind, [])
        entry = fields(message.body) if fields else []
        if message.kind in _BY_THE_CLOCK:
            mine[:] = [entry]
        elif not mine or mine[-1] != entry:
            mine.append(entry)
        return self._receive(now_ns, connection, message)
