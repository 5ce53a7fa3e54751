import importlib
import struct
from random import Random
from typing import Any

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kio.schema.join_group.v2.request import JoinGroupRequestProtocol

from sim.kafka import entities
from sim.kafka.batch import HEADER_SIZE, Batch
from sim.kafka.cluster.cluster import Cluster
from sim.kafka.cluster.image import Node
from sim.kafka.cluster.settings import Settings
from sim.kafka.errors import BatchError, UnknownCodec
from sim.kafka.protocol import APIS, ZERO, Request, Response, duration
from sim.machine import Send
from sim.tcp.codec import Malformed
from sim.tcp.kafka.codec import KafkaCodec
from sim.tcp.kafka.versions import RANGES, spoken
from tests.sim.tcp.kafka.wire import answer, frame

LIMIT = 10_000


def codec() -> KafkaCodec:
    return KafkaCodec("127.0.0.1", LIMIT)


def entity(name: str, version: int, **values: Any) -> Any:
    return spoken(APIS[name].key, version).request(**values)


def produce(version: int, batch: bytes, acks: int = -1) -> bytes:
    kind = spoken(0, version).request
    schema = importlib.import_module(kind.__module__)
    part = schema.PartitionProduceData(index=0, records=batch)
    data = schema.TopicProduceData(name="t", partition_data=(part,))
    values = {"transactional_id": None, "acks": acks, "topic_data": (data,)}
    return frame(kind(**values, timeout=duration(1000)))


def compressed(codec_number: int) -> bytes:
    batch = Batch.decode(BATCH)
    body = bytes(cramjam.zstd.compress(BATCH[HEADER_SIZE:]))
    batch._body, batch._records, batch._size, batch.attributes = body, None, -1, codec_number
    return batch.encode()


SOME_JOIN: dict[str, Any] = {
    "group_id": "g",
    "session_timeout": duration(10_000),
    "rebalance_timeout": duration(0),
    "member_id": "",
    "protocol_type": "consumer",
    "protocols": (JoinGroupRequestProtocol(name="range", metadata=b""),),
}
BATCH = Batch(((b"k", b"v", (), 5),)).encode()


def records(data: bytes) -> Any:
    (request,) = codec().decode(data)
    assert isinstance(request, Request)
    return request.body.topic_data[0].partition_data[0].records


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_frames_may_be_cut_anywhere(seed: int) -> None:
    random, reader = Random(seed), codec()
    data = b"".join(
        frame(
            entity(
                "Metadata",
                12,
                topics=None,
                allow_auto_topic_creation=True,
                include_topic_authorized_operations=False,
            ),
            i,
        )
        for i in range(4)
    )

    found, at = [], 0
    while at < len(data):
        size = random.randint(1, 80)
        found += list(reader.decode(data[at : at + size]))
        at += size

    assert [request.correlation_id for request in found if isinstance(request, Request)] == [
        0,
        1,
        2,
        3,
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (struct.pack(">i", LIMIT + 1), "10001 bytes"),
        (struct.pack(">i", -1), "-1 bytes"),
        (struct.pack(">ihhi", 8, 99, 0, 1), "no API with the key 99"),
        (struct.pack(">ihhi", 8, 3, 13, 1), "version 13 of Metadata"),
        (struct.pack(">ihhi", 8, 0, 2, 1), "version 2 of Produce"),
        (struct.pack(">ihhih", 10, 3, 12, 1, 5), "malformed Metadata"),
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(data: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        list(codec().decode(data))


def test_an_unknown_version_of_api_versions_is_told_the_known_ones() -> None:
    reader, cluster = codec(), Cluster([Node(1, "kafka-1", 9092)], Random(1))
    cluster.brokers["kafka-1"].connected(0, 1, "me")

    (request,) = reader.decode(struct.pack(">ihhih", 10, 18, 99, 7, -1))
    (effect,) = cluster.brokers["kafka-1"].received(0, 1, request)

    assert isinstance(effect, Send)
    correlation_id, body = answer(reader.encode(effect.message), "ApiVersions", 0)
    assert (correlation_id, body.error_code) == (7, entities.ErrorCode.unsupported_version)
    assert [(key.api_key, key.max_version) for key in body.api_keys] == [(18, 3)]


def test_every_version_that_is_offered_is_understood_and_answered() -> None:
    for key, (api, lowest, highest) in RANGES.items():
        for version in range(lowest, highest + 1):
            speech = spoken(key, version)
            assert speech.request.__version__ == speech.response.__version__ == version
            assert speech.request.__api_key__ == api.key


def asked(name: str, version: int, cluster: Cluster, **values: Any) -> Any:
    """Return the body of the answer to one request."""
    reader, broker = codec(), cluster.brokers["kafka-1"]
    broker.connected(0, 1, "me")
    (request,) = reader.decode(frame(entity(name, version, **values)))
    (effect,) = (each for each in broker.received(0, 1, request) if isinstance(each, Send))
    return answer(reader.encode(effect.message), name, version)[1]


def test_metadata_says_the_same_in_every_version() -> None:
    cluster = Cluster([Node(1, "kafka-1", 9092)], Random(1))
    cluster.brokers["kafka-1"].started(0)
    cluster.create_topic("t", 2)

    for version in range(13):
        everything: dict[str, Any] = {"topics": () if version == 0 else None}
        if version >= 4:
            everything["allow_auto_topic_creation"] = False
        if 8 <= version <= 10:
            everything["include_cluster_authorized_operations"] = False
        if version >= 8:
            everything["include_topic_authorized_operations"] = False
        body = asked("Metadata", version, cluster, **everything)
        (topic,) = body.topics
        assert (topic.name, len(topic.partitions)) == ("t", 2)
        assert [(each.host, each.port) for each in body.brokers] == [("kafka-1", 9092)]


def test_old_finders_of_coordinators_ask_for_groups() -> None:
    cluster = Cluster([Node(1, "kafka-1", 9092)], Random(1))
    cluster.brokers["kafka-1"].started(0)

    assert asked("FindCoordinator", 0, cluster, key="g").node_id == 1


def test_a_member_of_old_joins_with_the_id_it_is_given() -> None:
    settings = Settings(group_initial_rebalance_delay_ms=0)
    cluster = Cluster([Node(1, "kafka-1", 9092)], Random(1), settings)
    broker, reader = cluster.brokers["kafka-1"], codec()
    broker.started(0)
    broker.connected(0, 1, "me")
    protocol = entity("JoinGroup", 2, **SOME_JOIN)

    (request,) = reader.decode(frame(protocol))
    assert reader.busy()
    (first,) = (each for each in broker.received(0, 1, request) if isinstance(each, Send))
    assert reader.encode(first.message) == b""
    assert reader.again is not None
    effects = list(broker.received(0, 1, reader.again))
    effects += broker.fired(0, ("join", "g"))
    (second,) = (each for each in effects if isinstance(each, Send))

    body = answer(reader.encode(second.message), "JoinGroup", 2)[1]
    assert (body.error_code, body.generation_id) == (entities.ErrorCode.none, 1)
    assert not reader.busy()


def test_batches_come_as_they_are_and_unsound_ones_say_why() -> None:
    assert [batch.encode() for batch in records(produce(10, BATCH))] == [BATCH]
    assert [batch.codec for batch in records(produce(7, compressed(4)))] == [4]
    assert isinstance(records(produce(3, compressed(4))), UnknownCodec)
    assert isinstance(records(produce(10, BATCH[:-1] + b"?")), BatchError)


def test_nothing_answers_acks_0() -> None:
    reader = codec()

    (request,) = reader.decode(produce(9, BATCH, acks=0))

    assert isinstance(request, Request)
    assert request.body.acks == 0
    for _ in range(200):
        list(reader.decode(produce(9, BATCH, acks=0)))
    assert not reader.busy()


def test_old_fetchers_get_no_zstd() -> None:
    body = {"throttle_time": ZERO, "error_code": entities.ErrorCode.none, "session_id": 0}
    for version, expected in ((9, "unsupported_compression_type"), (10, "none")):
        reader = codec()
        values = {
            "max_wait": ZERO,
            "min_bytes": 0,
            "max_bytes": 9,
            "isolation_level": 0,
            "session_id": 0,
            "session_epoch": -1,
            "topics": (),
            "forgotten_topics_data": (),
            "replica_id": -1,
        }
        list(reader.decode(frame(entity("Fetch", version, **values))))
        part = entities.PartitionData(
            partition_index=0,
            error_code=entities.ErrorCode.none,
            high_watermark=1,
            last_stable_offset=1,
            log_start_offset=0,
            aborted_transactions=(),
            records=(Batch.decode(compressed(4)),),
        )
        topic = entities.FetchableTopicResponse(topic="t", partitions=(part,))
        response = Response(1, entities.FetchResponse(responses=(topic,), **body))
        _, read = answer(reader.encode(response), "Fetch", version)
        assert read.responses[0].partitions[0].error_code.name == expected


def test_too_many_requests_ahead_are_not_read() -> None:
    reader = codec()
    one = frame(entity("ListGroups", 0))

    list(reader.decode(one * 99))
    assert not reader.busy()
    list(reader.decode(one))

    assert reader.busy()
