import copy

import pytest

from sim.kafka.batch import Batch
from sim.kafka.cluster.image import Refused
from sim.kafka.entities import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
    DescribeConfigsRequest,
    DescribeConfigsResource,
    MetadataRequest,
    MetadataRequestTopic,
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from sim.kafka.protocol import duration
from tests.sim.kafka.cluster.bench import START_MS, Bench, batch, fetch_request, produce_request

HOUR_MS = 3_600_000


def test_batches_come_back_whole_with_their_place_in_the_log() -> None:
    bench = Bench()
    bench.produce(batch(b"a", b"b"))
    bench.produce(batch(b"c"))

    part = bench.fetch(1)

    assert [(b.base_offset, b.leader_epoch, b.count) for b in part.records] == [
        (0, 0, 2),
        (2, 0, 1),
    ]
    assert (part.high_watermark, part.last_stable_offset, part.log_start_offset) == (3, 3, 0)


def test_the_first_batch_comes_however_big_and_then_what_fits() -> None:
    bench = Bench()
    for _ in range(3):
        bench.produce(batch(b"x" * 500))

    assert len(bench.fetch(0, max_bytes=10).records) == 1
    assert len(bench.fetch(0, max_bytes=1_200).records) == 2


def test_a_fetch_without_data_waits_for_data_or_its_time() -> None:
    bench = Bench()
    connection = bench.connect()
    bench.send(connection, fetch_request(0))
    bench.send(connection, MetadataRequest(topics=(), **_AUTO))
    assert bench.answers[connection] == []  # what comes behind a parked request waits too
    bench.pass_ms(500)
    first, second = bench.answers[connection]
    assert first.responses[0].partitions[0].records == ()
    assert second.topics == ()

    bench.send(connection, fetch_request(0))
    bench.pass_ms(100)
    bench.produce(batch(b"a"))
    assert bench.answers[connection][-1].responses[0].partitions[0].records[0].count == 1
    assert not any(key[0] == "fetch" for key in bench.timers if isinstance(key, tuple))


def test_a_fetch_waits_until_it_has_min_bytes() -> None:
    bench = Bench()
    connection = bench.connect()
    bench.send(connection, fetch_request(0, min_bytes=150))
    bench.produce(batch(b"a"))
    assert bench.answers[connection] == []
    bench.produce(batch(b"b" * 100))

    assert len(bench.answers[connection][0].responses[0].partitions[0].records) == 2


def test_a_fetch_outside_the_log_is_out_of_range() -> None:
    bench = Bench()
    bench.produce(batch(b"a", b"b", b"c"))
    bench.cluster.delete_records("t", 0, 2)

    assert bench.fetch(1).error_code.name == "offset_out_of_range"
    assert bench.fetch(4).error_code.name == "offset_out_of_range"
    assert bench.fetch(2).error_code.name == "none"
    assert bench.values() == [b"c"]


@pytest.mark.parametrize(
    ("config", "sent", "error"),
    [
        ({"max.message.bytes": "100"}, batch(b"x" * 100), "message_too_large"),
        ({"min.insync.replicas": "2"}, batch(b"x"), "not_enough_replicas"),
        ({}, Batch(((None, b"x", (), START_MS + HOUR_MS + 1),)), "invalid_timestamp"),
        (
            {"message.timestamp.before.max.ms": "1000"},
            Batch(((None, b"x", (), START_MS - 1001),)),
            "invalid_timestamp",
        ),
        ({}, Batch(()), "invalid_record"),
    ],
)
def test_a_bad_batch_is_refused(config: dict[str, str | None], sent: Batch, error: str) -> None:
    bench = Bench(config)

    assert bench.produce(sent).error_code.name == error
    assert bench.values() == []


def test_acks_decide_about_replicas_and_answers() -> None:
    bench = Bench({"min.insync.replicas": "2"})
    assert bench.produce(batch(b"a"), acks=1).error_code.name == "none"
    assert bench.produce(batch(b"a"), acks=7).error_code.name == "invalid_required_acks"

    connection = bench.connect()
    bench.send(connection, produce_request(batch(b"b"), acks=0))
    assert (bench.answers[connection], bench.closed) == ([], [])
    bench.send(connection, produce_request(batch(b"c"), acks=0, topic="nowhere"))
    assert (bench.answers[connection], bench.closed) == ([], [connection])
    assert bench.values() == [b"a", b"b"]


def test_unknown_partitions_are_not_made_up() -> None:
    bench = Bench()

    unknown = "unknown_topic_or_partition"
    assert bench.produce(batch(b"a"), topic="nowhere").error_code.name == unknown
    assert bench.produce(batch(b"a"), partition=9).error_code.name == unknown
    wanted = MetadataRequestTopic(topic_id=None, name="nowhere")
    answer = bench.ask(MetadataRequest(topics=(wanted,), **_AUTO))
    assert answer.topics[0].error_code.name == unknown
    assert list(bench.cluster.image.topics) == ["t"]


def test_log_append_time_is_the_brokers() -> None:
    bench = Bench({"message.timestamp.type": "LogAppendTime"})
    bench.pass_ms(5)
    answer = bench.produce(batch(b"a"))

    assert answer.log_append_time.timestamp() * 1000 == START_MS + 5
    (record,) = bench.cluster.log("t", 0)
    assert record.timestamp_ms == START_MS + 5
    assert Batch.decode(bench.fetch(0).records[0].encode()).max_timestamp == START_MS + 5


def test_offsets_are_found_by_time_even_if_time_goes_back() -> None:
    bench = Bench()
    for at in (10, 30, 20, 40):
        bench.produce(Batch(((None, b"x", (), START_MS + at),)))

    assert bench.offset_at(START_MS + 15) == (1, START_MS + 30)
    assert bench.offset_at(START_MS + 35) == (3, START_MS + 40)
    assert bench.offset_at(START_MS + 41) == (-1, -1)
    assert [bench.offset_at(special)[0] for special in (-2, -1, -3)] == [0, 4, 3]


def test_retention_deletes_whole_segments_by_time_and_by_size() -> None:
    by_time = Bench({"retention.ms": "60000", "segment.ms": "30000"})
    by_size = Bench({"retention.bytes": "400", "segment.bytes": "300"})
    for bench in (by_time, by_size):
        for _ in range(8):
            bench.produce(Batch(((None, b"x" * 80, (), bench.now_ms),)))
            bench.pass_ms(20_000)
        bench.pass_ms(145_000)  # the check comes every five minutes

    assert by_time.cluster.start_offset("t", 0) == 8
    assert 0 < by_size.cluster.start_offset("t", 0) < 8
    assert by_size.fetch(0).error_code.name == "offset_out_of_range"


def test_a_restart_bumps_the_leader_epoch_and_fences_the_old_one() -> None:
    bench = Bench()
    bench.produce(batch(b"a"))
    bench.crash()
    bench.produce(batch(b"b"))

    assert [record.leader_epoch for record in bench.cluster.log("t", 0)] == [0, 2]
    old = bench.ask(fetch_request(0, wait_ms=0, epoch=0)).responses[0].partitions[0]
    assert old.error_code.name == "fenced_leader_epoch"
    part = OffsetForLeaderPartition(partition=0, leader_epoch=0)
    asked = OffsetForLeaderTopic(topic="t", partitions=(part,))
    answer = bench.ask(OffsetForLeaderEpochRequest(topics=(asked,)))
    assert answer.topics[0].partitions[0].end_offset == 1


@pytest.mark.parametrize(("passed_ms", "start"), [(59_000, 0), (60_000, 2)])
def test_records_that_were_deleted_come_back_unless_a_minute_has_passed(
    passed_ms: int, start: int
) -> None:
    bench = Bench()
    for value in (b"a", b"b", b"c"):
        bench.produce(batch(value))
    wanted = DeleteRecordsPartition(partition_index=0, offset=2)
    topic = DeleteRecordsTopic(name="t", partitions=(wanted,))
    bench.ask(DeleteRecordsRequest(topics=(topic,), timeout=duration(1000)))
    assert bench.fetch(0).error_code.name == "offset_out_of_range"
    bench.pass_ms(passed_ms)
    bench.crash()

    assert bench.cluster.start_offset("t", 0) == start
    assert bench.fetch(start).error_code.name == "none"


def test_a_throttled_connection_is_not_read_until_its_time_is_over() -> None:
    bench = Bench()
    bench.broker.state.produce_quota.bytes_per_second = 100
    connection = bench.connect()
    bench.send(connection, produce_request(batch(b"x" * 2000)))
    bench.send(connection, produce_request(batch(b"y")))

    (answer,) = bench.answers[connection]
    assert answer.throttle_time.total_seconds() > 10
    assert len(bench.values()) == 1
    bench.pass_ms(60_000)
    assert len(bench.answers[connection]) == 2


def test_a_deleted_topic_begins_anew_when_made_again() -> None:
    bench = Bench()
    bench.produce(batch(b"a"))
    first = bench.cluster.image.topics["t"].topic_id
    bench.cluster.image.delete_topic("t")
    bench.cluster.create_topic("t")

    assert bench.produce(batch(b"b")).base_offset == 0
    assert bench.cluster.image.topics["t"].topic_id != first


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("u", {"retention.mss": "1"}, "Unknown topic config name: retention.mss"),
        ("u", {"retention.ms": "soon"}, "Invalid value soon for configuration retention.ms"),
        ("u", {"cleanup.policy": "compact"}, "only the default, delete, is modelled"),
        ("u", {"segment.bytes": "1"}, "between 14"),
        ("t", {}, "already exists"),
        ("a/b", {}, "is illegal"),
    ],
)
def test_a_topic_that_kafka_refuses_says_why(
    name: str, config: dict[str, str | None], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        Bench().cluster.create_topic(name, 1, config)


def test_configurations_are_described_with_their_source() -> None:
    bench = Bench({"retention.ms": "5000"})
    resource = DescribeConfigsResource(
        resource_type=2, resource_name="t", configuration_keys=("retention.ms", "segment.ms")
    )
    answer = bench.ask(DescribeConfigsRequest(resources=(resource,)))

    configs = answer.results[0].configs
    assert [(c.name, c.value, c.config_source) for c in configs] == [
        ("retention.ms", "5000", 1),
        ("segment.ms", "604800000", 5),
    ]


def test_a_copy_of_a_cluster_goes_its_own_way() -> None:
    bench = Bench()
    bench.produce(batch(b"a"))
    other = copy.deepcopy(bench)
    other.produce(batch(b"b"))

    assert (bench.values(), other.values()) == ([b"a"], [b"a", b"b"])


_AUTO = {"allow_auto_topic_creation": True, "include_topic_authorized_operations": False}
