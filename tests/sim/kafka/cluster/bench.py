"""One broker on a bench: requests in, answers out, its clock and timers in the test's hands."""

from collections.abc import Hashable, Iterable
from random import Random
from typing import Any

from sim.kafka.batch import Batch, Record
from sim.kafka.cluster.cluster import Cluster
from sim.kafka.cluster.image import Node
from sim.kafka.cluster.settings import Settings
from sim.kafka.entities import (
    FetchPartition,
    FetchRequest,
    FetchTopic,
    HeartbeatRequest,
    JoinGroupRequest,
    JoinGroupRequestProtocol,
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
    OffsetFetchRequest,
    PartitionData,
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    SyncGroupRequest,
    SyncGroupRequestAssignment,
    TopicProduceData,
)
from sim.kafka.protocol import Request, Response, duration
from sim.machine import Cancel, Disconnect, Effect, Machine, Send, Timer
from sim.machine import Record as Change

START_MS = 1_700_000_000_000


class Bench:
    """A cluster of one broker with the topic ``t``."""

    def __init__(
        self, config: dict[str, str | None] | None = None, settings: Settings | None = None
    ) -> None:
        self.cluster = Cluster([Node(1, "kafka-1", 9092)], Random(7), settings)
        self.broker = self.cluster.brokers["kafka-1"]
        self.machine: Machine = self.broker
        self.now_ms = START_MS
        self.timers: dict[Hashable, int] = {}
        self.answers: dict[int, list[Any]] = {}
        self.changes: list[Change] = []
        self.closed: list[int] = []
        self.connections = 0
        self.take(self.broker.started(self.now_ns))
        self.cluster.create_topic("t", 2, config)

    @property
    def now_ns(self) -> int:
        return self.now_ms * 1_000_000

    def connect(self) -> int:
        self.connections += 1
        self.answers[self.connections] = []
        self.take(self.broker.connected(self.now_ns, self.connections, "ubscore-1"))
        return self.connections

    def send(self, connection: int, body: Any, client_id: str = "c") -> None:
        request = Request(len(self.answers[connection]), client_id, body)
        self.take(self.broker.received(self.now_ns, connection, request))

    def ask(self, body: Any) -> Any:
        """Send on a connection of its own and return the answer, which must come at once."""
        connection = self.connect()
        self.send(connection, body)
        (answer,) = self.answers[connection]
        return answer

    def take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                assert isinstance(effect.message, Response)
                self.answers[effect.connection].append(effect.message.body)
            elif isinstance(effect, Timer):
                self.timers[effect.key] = effect.at_ns
            elif isinstance(effect, Cancel):
                self.timers.pop(effect.key, None)
            elif isinstance(effect, Disconnect):
                self.closed.append(effect.connection)
            elif isinstance(effect, Change):
                self.changes.append(effect)

    def pass_ms(self, ms: int) -> None:
        """Let time pass and the timers fire that are due."""
        until = self.now_ns + ms * 1_000_000
        while self.timers:
            key = min(self.timers, key=lambda key: self.timers[key])
            if self.timers[key] > until:
                break
            at_ns = self.timers.pop(key)
            self.now_ms = at_ns // 1_000_000
            self.take(self.broker.fired(at_ns, key))
        self.now_ms = until // 1_000_000

    def crash(self) -> None:
        self.timers.clear()
        self.broker.crashed(power_loss=True)
        self.take(self.broker.started(self.now_ns))

    def produce(
        self, *batches: Batch, acks: int = -1, partition: int = 0, topic: str = "t"
    ) -> PartitionProduceResponse:
        answer = self.ask(produce_request(*batches, acks=acks, partition=partition, topic=topic))
        return answer.responses[0].partition_responses[0]

    def fetch(self, offset: int, **limits: int) -> PartitionData:
        return self.ask(fetch_request(offset, wait_ms=0, **limits)).responses[0].partitions[0]

    def offset_at(self, timestamp: int) -> tuple[int, int]:
        wanted = ListOffsetsPartition(partition_index=0, timestamp=timestamp)
        topic = ListOffsetsTopic(name="t", partitions=(wanted,))
        answer = self.ask(ListOffsetsRequest(replica_id=-1, isolation_level=0, topics=(topic,)))
        found = answer.topics[0].partitions[0]
        return found.offset, found.timestamp

    def values(self, partition: int = 0) -> list[bytes | None]:
        return [record.value for record in self.cluster.log("t", partition)]

    def commit(
        self, offset: int, member: str = "", generation: int = -1, metadata: str | None = None
    ) -> str:
        part = OffsetCommitRequestPartition(
            partition_index=0, committed_offset=offset, committed_metadata=metadata
        )
        request = OffsetCommitRequest(
            group_id="g",
            generation_id_or_member_epoch=generation,
            member_id=member,
            group_instance_id=None,
            topics=(OffsetCommitRequestTopic(name="t", partitions=(part,)),),
        )
        return str(self.ask(request).topics[0].partitions[0].error_code.name)

    def committed(self) -> tuple[int, str]:
        answer = self.ask(OffsetFetchRequest(group_id="g", topics=None))
        if not answer.topics:
            return -1, ""
        part = answer.topics[0].partitions[0]
        return part.committed_offset, part.metadata

    def heartbeat(self, member: str, generation: int) -> str:
        request = HeartbeatRequest(
            group_id="g", generation_id=generation, member_id=member, group_instance_id=None
        )
        return str(self.ask(request).error_code.name)


def batch(*values: bytes, pid: int = -1, epoch: int = -1, sequence: int = -1) -> Batch:
    records: list[Record] = [(b"k", value, (), START_MS) for value in values]
    return Batch(tuple(records), pid, epoch, sequence)


def produce_request(
    *batches: Batch, acks: int = -1, partition: int = 0, topic: str = "t"
) -> ProduceRequest:
    data = PartitionProduceData(index=partition, records=batches)
    return ProduceRequest(
        acks=acks,
        timeout=duration(30_000),
        topic_data=(TopicProduceData(name=topic, partition_data=(data,)),),
    )


def fetch_request(
    offset: int, wait_ms: int = 500, min_bytes: int = 1, max_bytes: int = 10**6, epoch: int = -1
) -> FetchRequest:
    wanted = FetchPartition(
        partition=0,
        fetch_offset=offset,
        partition_max_bytes=max_bytes,
        current_leader_epoch=epoch,
    )
    return FetchRequest(
        max_wait=duration(wait_ms),
        min_bytes=min_bytes,
        max_bytes=max_bytes,
        topics=(FetchTopic(topic="t", partitions=(wanted,)),),
        forgotten_topics_data=(),
    )


def join_request(
    member: str = "", *, session_ms: int = 10_000, rebalance_ms: int = 60_000
) -> JoinGroupRequest:
    return JoinGroupRequest(
        group_id="g",
        session_timeout=duration(session_ms),
        rebalance_timeout=duration(rebalance_ms),
        member_id=member,
        group_instance_id=None,
        protocol_type="consumer",
        protocols=(JoinGroupRequestProtocol(name="range", metadata=b"m"),),
    )


def sync_request(member: str, generation: int, assignments: dict[str, bytes]) -> SyncGroupRequest:
    return SyncGroupRequest(
        group_id="g",
        generation_id=generation,
        member_id=member,
        group_instance_id=None,
        assignments=tuple(
            SyncGroupRequestAssignment(member_id=name, assignment=assignment)
            for name, assignment in assignments.items()
        ),
    )
