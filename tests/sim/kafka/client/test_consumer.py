"""Positions, commits and resets of a consumer with partitions of its own."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)

from sim.moments import Moment
from tests.sim.kafka.client.tank import Tank, now, sleep

MakeTank = Callable[..., Tank]


@pytest.fixture
def ten(tank: Tank) -> Tank:
    """Return a tank with ten records in the only partition."""
    tank.fill("t", 10)
    return tank


def consumer(tank: Tank, **conf: Any) -> Consumer:
    usual = {"group_id": "g", "auto_offset_reset": "earliest"}
    return Consumer(tank.conf(**{**usual, **conf}))


def committed(tank: Tank) -> int | None:
    found = tank.cluster.committed("g").get(("t", 0))
    return None if found is None else found.offset


def test_messages_come_in_order_with_what_the_producer_gave_them(tank: Tank) -> None:
    def body() -> None:
        producer = Producer(tank.conf())
        producer.produce("t", b"v", "k", headers=[("a", "b"), ("c", None)], timestamp=1772442000123)
        producer.produce("t", None, b"")
        producer.flush()
        reader = consumer(tank)
        reader.assign([TopicPartition("t", 0, OFFSET_BEGINNING)])
        first, second = reader.poll(5), reader.poll(5)
        assert first is not None
        assert second is not None
        assert (first.topic(), first.partition(), first.offset()) == ("t", 0, 0)
        assert (first.key(), first.value()) == (b"k", b"v")
        assert first.headers() == [("a", b"b"), ("c", None)]
        assert first.timestamp() == (1, 1772442000123)
        assert (first.leader_epoch(), first.error()) == (0, None)
        assert (second.key(), second.value(), second.headers()) == (b"", None, None)
        assert reader.position([TopicPartition("t", 0)])[0].offset == 2

    tank.run(body)


def test_the_brokers_time_replaces_that_of_producers_where_the_topic_says_so(
    make_tank: MakeTank,
) -> None:
    tank = make_tank(config={"message.timestamp.type": "LogAppendTime"})

    def body() -> None:
        producer = Producer(tank.conf())
        stamps: list[Any] = []
        producer.produce("t", timestamp=5, on_delivery=lambda _, m: stamps.append(m.timestamp()))
        producer.flush()
        reader = consumer(tank)
        reader.assign([TopicPartition("t", 0, 0)])
        message = reader.poll(5)
        assert message is not None
        assert stamps == [message.timestamp()]
        assert message.timestamp()[0] == 2
        assert message.timestamp()[1] // 1000 == tank.world.epoch_ns // 10**9

    tank.run(body)


def test_auto_commit_loses_what_was_handed_out_and_not_processed(ten: Tank) -> None:
    def body() -> None:
        reader = consumer(ten)
        reader.assign([TopicPartition("t", 0)])
        assert len(reader.consume(10, 2)) == 10
        sleep(6)  # the program is still busy with the first when it is killed
        ten.kernel.kill(ten.process(), 0)
        sleep(1)

    ten.launch(body)
    ten.kernel.run(10 * 10**9)
    assert committed(ten) == 10


@pytest.mark.parametrize("part", [0.0, 1.0])
def test_only_what_was_stored_is_committed_and_a_crash_can_come_before_it_or_after(
    ten: Tank, part: float
) -> None:
    def body() -> None:
        reader = consumer(ten, enable_auto_offset_store=False)
        reader.assign([TopicPartition("t", 0)])
        messages = reader.consume(10, 2)
        reader.store_offsets(message=messages[3])
        sleep(6)
        assert committed(ten) == 4
        reader.commit(message=messages[6], asynchronous=False)

    moment = Moment(process="app", door="kafka.commit", part=part)
    ten.world.moments.arm(moment, lambda process: ten.kernel.kill(process, 0))
    ten.launch(body)
    ten.kernel.run(20 * 10**9)
    assert committed(ten) == (7 if part else 4)


def test_a_manual_commit_is_rewound_by_what_was_stored_when_the_consumer_closes(
    ten: Tank,
) -> None:
    def body() -> None:
        reader = consumer(ten, enable_auto_offset_store=False)
        reader.assign([TopicPartition("t", 0)])
        messages = reader.consume(10, 2)
        reader.store_offsets(message=messages[2])
        reader.commit(message=messages[8], asynchronous=False)
        assert committed(ten) == 9
        with pytest.raises(KafkaException, match="_NO_OFFSET"):
            reader.commit(asynchronous=False)  # nothing is stored beyond what was committed
        reader.close()

    ten.run(body)
    assert committed(ten) == 3


def test_results_of_commits_come_back_as_each_kind_of_call_says(ten: Tank) -> None:
    def body() -> None:
        seen: list[Any] = []

        def on_commit(error: Any, offsets: Any) -> None:
            seen.append((error and error.name(), [(o.offset, o.error) for o in offsets]))

        reader = consumer(ten, enable_auto_commit=False, on_commit=on_commit)
        reader.assign([TopicPartition("t", 0)])
        with pytest.raises(ValueError, match="mutually exclusive"):
            reader.commit(message=reader.poll(2), offsets=[])  # type: ignore[call-overload]
        answer = reader.commit(offsets=[TopicPartition("t", 0, 7, "why")], asynchronous=False)
        assert [(o.offset, o.error) for o in answer] == [(7, None)]
        mixed = [TopicPartition("t", 0, 8), TopicPartition("nope", 0, 1)]
        errors = [
            o.error and o.error.name() for o in reader.commit(offsets=mixed, asynchronous=False)
        ]
        assert errors == [None, "UNKNOWN_TOPIC_OR_PART"]
        with pytest.raises(KafkaException) as caught:
            reader.commit(offsets=[TopicPartition("nope", 0, 1)], asynchronous=False)
        assert caught.value.args[0].name() == "UNKNOWN_TOPIC_OR_PART"
        assert seen == []
        assert reader.commit(offsets=[TopicPartition("t", 0, 3)]) is None
        assert reader.commit(offsets=[]) is None
        assert seen == []
        sleep(1)
        reader.pause([TopicPartition("t", 0)])
        assert reader.poll(1) is None
        assert sorted(seen, key=repr) == [("_NO_OFFSET", []), (None, [(3, None)])]
        (found,) = reader.committed([TopicPartition("t", 0)])
        assert (found.offset, found.metadata) == (3, None)
        (unknown,) = reader.committed([TopicPartition("t", 9)])
        assert unknown.offset == -1001

    ten.run(body)


def test_a_commit_waits_for_its_coordinator_and_a_lost_answer_is_asked_for_again(
    ten: Tank,
) -> None:
    def body() -> float:
        reader = consumer(ten, enable_auto_commit=False)
        reader.assign([TopicPartition("t", 0, 0)])
        reader.commit(offsets=[TopicPartition("t", 0, 4)], asynchronous=False)
        ten.crash_broker("kafka-1", at=0, lasts=8)
        sleep(1)
        reader.commit(offsets=[TopicPartition("t", 0, 5)], asynchronous=False)
        return now()

    with ten.losing("OffsetCommitResponse"):
        assert ten.run(body) > 8
    assert committed(ten) == 5


def test_a_pause_holds_back_what_was_fetched_and_outlives_the_assignment(ten: Tank) -> None:
    def body() -> None:
        reader = consumer(ten)
        mine = TopicPartition("t", 0, 0)
        reader.assign([mine])
        assert [m.offset() for m in reader.consume(2, 2)] == [0, 1]
        reader.pause([mine])
        assert reader.poll(2) is None
        reader.resume([mine])
        assert [m.offset() for m in reader.consume(2, 2)] == [2, 3]
        reader.pause([mine])
        reader.unassign()
        reader.assign([mine])
        assert reader.poll(5) is None
        reader.resume([mine])
        message = reader.poll(5)
        assert message is not None
        assert message.offset() == 0

    ten.run(body)


def test_a_seek_drops_what_was_fetched_before(ten: Tank) -> None:
    def body() -> None:
        reader = consumer(ten)
        with pytest.raises(KafkaException, match="_UNKNOWN_PARTITION"):
            reader.seek(TopicPartition("t", 0, 1))
        reader.assign([TopicPartition("t", 0, 0)])
        assert [m.offset() for m in reader.consume(5, 2)] == [0, 1, 2, 3, 4]
        reader.seek(TopicPartition("t", 0, 8))
        assert [m.offset() for m in reader.consume(5, 2)] == [8, 9]
        reader.seek(TopicPartition("t", 0, OFFSET_END))
        assert reader.consume(5, 2) == []
        reader.seek(TopicPartition("t", 0, -2003))  # three before the end
        assert [m.offset() for m in reader.consume(5, 2)] == [7, 8, 9]

    ten.run(body)


def test_consume_waits_for_all_messages_or_all_the_time(ten: Tank) -> None:
    def body() -> None:
        reader = consumer(ten)
        reader.assign([TopicPartition("t", 0, 0)])
        begun = now()
        assert len(reader.consume(10, 5)) == 10
        assert now() - begun < 1
        reader.seek(TopicPartition("t", 0, 4))
        begun = now()
        assert len(reader.consume(10, 5)) == 6
        assert now() - begun == pytest.approx(5)
        assert reader.consume(0, 0) == []

    ten.run(body)


@pytest.mark.parametrize("policy", ["earliest", "latest", "error"])
def test_an_offset_that_is_gone_is_reset_as_configured(ten: Tank, policy: str) -> None:
    ten.cluster.delete_records("t", 0, 6)

    def body() -> list[Any]:
        reader = consumer(ten, auto_offset_reset=policy, enable_partition_eof=True)
        reader.assign([TopicPartition("t", 0, 2)])
        seen: list[Any] = []
        while (message := reader.poll(2)) is not None:
            error = message.error()
            seen.append(error.name() if error else message.offset())
        return seen

    assert (
        ten.run(body)
        == {
            "earliest": [6, 7, 8, 9, "_PARTITION_EOF"],
            "latest": ["_PARTITION_EOF"],
            "error": ["_AUTO_OFFSET_RESET"],
        }[policy]
    )


@pytest.mark.parametrize("checks", [False, True])
def test_a_checksum_that_does_not_hold_is_told_of_if_it_is_looked_at(
    ten: Tank, checks: bool
) -> None:
    log = ten.cluster.partition_log("t", 0)
    damaged = next(batch.base_offset for batch in log.batches() if batch.last_offset >= 4)
    log.alter(4, b"other", stale=True)

    def body() -> list[Any]:
        reader = consumer(ten, auto_offset_reset="error", check_crcs=checks)
        reader.assign([TopicPartition("t", 0, 0)])
        seen: list[Any] = []
        began = now()
        while (message := reader.poll(2)) is not None and now() - began < 2.2:
            error = message.error()
            seen.append((error.name(), message.offset()) if error else message.value())
        return seen

    seen = ten.run(body)
    if checks:
        assert len(seen) > damaged + 1
        assert set(seen[damaged:]) == {("_BAD_MSG", damaged)}
    else:
        assert seen[4] == b"other"
        assert len(seen) == 10


def test_without_a_committed_offset_the_policy_decides(ten: Tank) -> None:
    def first(policy: str, group: str) -> Any:
        reader = consumer(ten, auto_offset_reset=policy, group_id=group)
        reader.assign([TopicPartition("t", 0)])
        message = reader.poll(3)
        error = message.error() if message else None
        return error.name() if error else message and message.offset()

    def body() -> list[Any]:
        reader = consumer(ten, group_id="known")
        reader.commit(offsets=[TopicPartition("t", 0, 5)], asynchronous=False)
        return [
            first("earliest", "a"),
            first("latest", "b"),
            first("error", "c"),
            first("error", "known"),
        ]

    assert ten.run(body) == [0, None, "_AUTO_OFFSET_RESET", 5]


def test_times_of_partitions_that_nobody_knows_come_back_with_an_error_each(
    make_tank: MakeTank,
) -> None:
    tank = make_tank({"t": 1})

    def body() -> list[tuple[int, str | None]]:
        asked = [TopicPartition("t", 0, 5), TopicPartition("t", 7, 6), TopicPartition("nope", 0, 7)]
        found = consumer(tank).offsets_for_times(asked, 5)
        return [
            (p.offset, p.error.name() if isinstance(p.error, KafkaError) else None) for p in found
        ]

    assert tank.run(body) == [(-1, None), (6, "_UNKNOWN_PARTITION"), (7, "UNKNOWN_TOPIC_OR_PART")]


def test_ends_and_times_are_asked_of_the_leaders(make_tank: MakeTank) -> None:
    tank = make_tank({"t": 2}, brokers=2)

    def body() -> None:
        producer = Producer(tank.conf())
        for n in range(5):
            producer.produce("t", partition=0, timestamp=1772442000000 + 10 * n)
        producer.flush()
        reader = consumer(tank)
        assert reader.get_watermark_offsets(TopicPartition("t", 0)) == (0, 5)
        assert reader.get_watermark_offsets(TopicPartition("t", 1)) == (0, 0)
        assert reader.get_watermark_offsets(TopicPartition("t", 0), cached=True) == (-1001, -1001)
        asked = [TopicPartition("t", 0, 1772442000015), TopicPartition("t", 1, 0)]
        assert [p.offset for p in reader.offsets_for_times(asked, 5)] == [2, -1]
        for logical, expected in ((OFFSET_BEGINNING, [0, 0]), (OFFSET_END, [5, 0])):
            asked = [TopicPartition("t", 0, logical), TopicPartition("t", 1, logical)]
            assert [p.offset for p in reader.offsets_for_times(asked, 5)] == expected
        with pytest.raises(KafkaException, match="_INVALID_ARG"):
            reader.offsets_for_times([], 5)
        with pytest.raises(KafkaException, match="_UNKNOWN_PARTITION"):
            reader.get_watermark_offsets(TopicPartition("t", 7), timeout=2)
        for unknown in (TopicPartition("t", 7, 5), TopicPartition("nope", 0, 5)):
            with pytest.raises(KafkaException, match="_UNKNOWN_PARTITION"):
                reader.offsets_for_times([unknown], 5)
        reader.assign([TopicPartition("t", 0, 0)])
        reader.consume(5, 2)
        assert reader.get_watermark_offsets(TopicPartition("t", 0), cached=True) == (0, 5)

    tank.run(body)


def test_fetches_go_on_after_their_broker_was_away(ten: Tank) -> None:
    ten.crash_broker("kafka-1", at=2, lasts=20)

    def body() -> None:
        reader = consumer(ten)
        reader.assign([TopicPartition("t", 0, 0)])
        assert len(reader.consume(5, 1)) == 5
        sleep(5)
        producer = Producer(ten.conf())
        producer.produce("t", b"new")
        assert [m.value() for m in reader.consume(6, 60)][-2:] == [b"9", b"new"]
        assert 20 < now() < 40
        assert producer.flush() == 0

    ten.run(body)


def test_a_message_lost_in_a_crash_at_poll_was_or_was_not_stored(ten: Tank) -> None:
    seen = []

    def body() -> None:
        reader = consumer(ten)
        reader.assign([TopicPartition("t", 0, 0)])
        while True:
            message = reader.poll(1)
            assert message is not None
            seen.append(message.offset())

    moment = Moment(process="app", door="kafka.poll", ordinal=3, subject="t")
    ten.world.moments.arm(moment, lambda process: ten.kernel.kill(process, 0))
    ten.launch(body)
    ten.kernel.run(ten.kernel.now + 5 * 10**9)
    assert seen == [0, 1]


def test_a_closed_consumer_refuses_everything(ten: Tank) -> None:
    def body() -> None:
        reader = consumer(ten)
        reader.close()
        reader.close()
        for call in (
            reader.poll,
            reader.consume,
            reader.assignment,
            reader.memberid,
            reader.commit,
        ):
            with pytest.raises(RuntimeError, match="Consumer closed"):
                call()
        with pytest.raises(RuntimeError, match="Handle has been closed"):
            reader.list_topics()

    ten.run(body)
