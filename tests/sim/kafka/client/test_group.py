"""Groups: who has which partitions when, and what that does to commits."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from sim.errors import Unmodelled
from tests.sim.kafka.client.tank import Tank, now, sleep

MakeTank = Callable[..., Tank]
QUICK = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 1000}


class Member:
    """A program that consumes as part of a group and notes what happens."""

    def __init__(self, tank: Tank, name: str, **conf: Any) -> None:
        self.tank = tank
        self.name = name
        self.conf = {"group_id": "g", "auto_offset_reset": "earliest", "client_id": name, **conf}
        self.events: list[tuple[Any, ...]] = []  # (what, partitions or error)
        self.times: list[float] = []
        self.values: list[bytes | None] = []
        self.consumer: Consumer | None = None

    def note(self, *event: Any) -> None:
        self.events.append(event)
        self.times.append(round(now(), 1))

    def open(self, topics: tuple[str, ...] = ("t",)) -> Consumer:
        self.consumer = Consumer(self.tank.conf(**self.conf))
        self.consumer.subscribe(
            list(topics),
            on_assign=lambda _, parts: self.note("assign", [p.partition for p in parts]),
            on_revoke=lambda _, parts: self.note("revoke", [p.partition for p in parts]),
            on_lost=lambda _, parts: self.note("lost", [p.partition for p in parts]),
        )
        return self.consumer

    def serve(self, until: float) -> None:
        assert self.consumer is not None
        while now() < until:
            message = self.consumer.poll(0.5)
            if message is None:
                continue
            error = message.error()
            if error is not None:
                self.note("error", error.name())
            else:
                self.values.append(message.value())

    def live(self, until: float) -> Callable[[], None]:
        """Return a program that polls until then and closes."""

        def body() -> None:
            consumer = self.open()
            self.serve(until)
            consumer.close()

        return body


def test_partitions_move_when_members_come_and_go(make_tank: MakeTank) -> None:
    tank = make_tank({"t": 4}, brokers=3)
    a, b = Member(tank, "a"), Member(tank, "b")
    tank.launch(a.live(40), name="a")
    tank.launch(b.live(20), name="b", at=8)
    tank.finish("a", "b")
    assert a.events == [
        ("assign", [0, 1, 2, 3]),
        ("revoke", [0, 1, 2, 3]),
        ("assign", [0, 1]),
        ("revoke", [0, 1]),
        ("assign", [0, 1, 2, 3]),
        ("revoke", [0, 1, 2, 3]),
    ]
    assert b.events == [("assign", [2, 3]), ("revoke", [2, 3])]
    assert a.times[3] - b.times[1] <= 3  # a heartbeat after b has left


def test_a_rebalance_takes_back_messages_that_consume_has_already_collected(
    make_tank: MakeTank,
) -> None:
    tank = make_tank({"t": 2})
    tank.fill("t", 10)
    a, b = Member(tank, "a"), Member(tank, "b")

    def body() -> list[Any]:
        consumer = a.open()
        first = consumer.consume(100, 20)
        a.serve(now() + 10)
        consumer.close()
        return [message.value() for message in first]

    tank.launch(body, name="a")
    tank.launch(b.live(60), name="b", at=5)
    taken = tank.finish("a", "b")
    assert len(set(a.events[1][1])) == 2
    assert len(taken) == len(set(taken)) < 10  # those fetched before the rebalance were dropped
    seen = sorted([*taken, *a.values, *b.values])
    assert seen == sorted(b"%d" % n for n in range(10))


def test_a_member_that_does_not_poll_loses_its_partitions_and_may_not_commit(
    make_tank: MakeTank,
) -> None:
    tank = make_tank({"t": 1})
    tank.fill("t", 10)
    slow = Member(
        tank, "slow", **QUICK, max_poll_interval_ms=10_000, enable_auto_offset_store=False
    )

    def body() -> str:
        consumer = slow.open()
        message = consumer.poll(5)
        assert message is not None
        sleep(15)
        with pytest.raises(KafkaException) as caught:
            consumer.commit(message=message, asynchronous=False)
        slow.serve(now() + 5)
        return str(caught.value.args[0].name())

    assert tank.run(body) == "UNKNOWN_MEMBER_ID"
    assert slow.events == [
        ("assign", [0]),
        ("error", "_MAX_POLL_EXCEEDED"),
        ("lost", [0]),
        ("assign", [0]),
    ]
    assert slow.values == [b"%d" % n for n in range(10)]  # the first comes again


def test_a_killed_members_partitions_move_after_its_session_and_messages_come_twice(
    make_tank: MakeTank,
) -> None:
    tank = make_tank({"t": 1})
    tank.fill("t", 5)
    a, c = Member(tank, "a", **QUICK), Member(tank, "c", **QUICK)
    tank.launch(a.live(60), name="a")
    tank.launch(c.live(40), name="c", at=4)
    tank.after(3.5, lambda: tank.kernel.kill(tank.process("a"), 0))
    tank.finish("c")
    assert a.values == c.values == [b"%d" % n for n in range(5)]
    assert 8 <= c.times[0] <= 11


def test_a_frozen_member_hears_that_it_was_thrown_out(make_tank: MakeTank) -> None:
    tank = make_tank({"t": 2}, brokers=2)
    a, b = Member(tank, "a", **QUICK), Member(tank, "b", **QUICK)
    tank.launch(a.live(40), name="a")
    tank.launch(b.live(40), name="b", at=1)
    tank.after(10, lambda: tank.kernel.pause(tank.process("a")))
    tank.after(25, lambda: tank.kernel.resume(tank.process("a")))
    tank.finish("a", "b")
    assert [event for event, at in zip(a.events, a.times, strict=True) if 10 < at < 35] == [
        ("lost", [0]),
        ("assign", [0]),
    ]
    assert ("assign", [0, 1]) in b.events


def test_a_group_survives_its_coordinator(make_tank: MakeTank) -> None:
    tank = make_tank({"t": 1}, brokers=1)
    a = Member(tank, "a")
    tank.launch(a.live(60), name="a")
    tank.crash_broker("kafka-1", at=5, lasts=10)
    tank.finish("a")
    assert a.events == [("assign", [0]), ("revoke", [0])]


@pytest.mark.parametrize("kind", ["JoinGroup", "SyncGroup", "JoinGroupResponse", "Heartbeat"])
def test_a_lost_message_delays_a_rebalance_and_no_more(make_tank: MakeTank, kind: str) -> None:
    tank = make_tank({"t": 2})
    a, b = Member(tank, "a", **QUICK), Member(tank, "b", **QUICK)
    tank.launch(a.live(80), name="a")
    tank.launch(b.live(60), name="b", at=5)
    with tank.losing(kind, 2) as left:
        tank.finish("a", "b")
    assert left == [0]
    held = [e for e, at in zip(b.events, b.times, strict=True) if e[0] == "assign" and at < 55]
    assert held[-1] == ("assign", [1])
    assert a.events[-2:] == [("assign", [0, 1]), ("revoke", [0, 1])]


def test_a_topic_that_appears_later_is_found_and_its_absence_told_once(
    make_tank: MakeTank,
) -> None:
    tank = make_tank({})
    a = Member(tank, "a")
    tank.launch(a.live(30), name="a")
    tank.after(10, tank.cluster.create_topic, "t", 2)
    tank.finish("a")
    assert a.events[:2] == [("error", "UNKNOWN_TOPIC_OR_PART"), ("assign", [0, 1])]
    assert 10 < a.times[1] < 13


def test_leaving_partitions_to_the_program_does_what_its_callback_says(tank: Tank) -> None:
    tank.fill("t", 5)

    def body() -> list[Any]:
        consumer = Consumer(tank.conf(group_id="g", auto_offset_reset="latest"))
        seen: list[Any] = []

        def on_assign(mine: Consumer, parts: list[TopicPartition]) -> None:
            seen.append((mine is consumer, mine.assignment()))
            for part in parts:
                part.offset = 3
            mine.assign(parts)

        consumer.subscribe(["t"], on_assign=on_assign)
        seen += [message.offset() for message in consumer.consume(2, 10)]
        metadata = consumer.consumer_group_metadata()
        assert metadata.startswith(b"CGMDv2:\1\0\0\0g\0rdkafka-")
        consumer.unsubscribe()
        assert consumer.poll(1) is None
        assert consumer.assignment() == []
        assert consumer.memberid() is None
        return seen

    assert tank.run(body) == [(True, []), 3, 4]


def test_an_exception_in_a_callback_comes_out_of_poll_and_the_partitions_are_assigned_anyway(
    tank: Tank,
) -> None:
    def body() -> None:
        consumer = Consumer(tank.conf(group_id="g"))

        def on_assign(_: Any, parts: Any) -> None:
            raise ZeroDivisionError

        consumer.subscribe(["t"], on_assign=on_assign)
        with pytest.raises(ZeroDivisionError):
            consumer.poll(10)
        assert [p.partition for p in consumer.assignment()] == [0]

    tank.run(body)


def test_a_pattern_is_refused(tank: Tank) -> None:
    def body() -> None:
        Consumer(tank.conf(group_id="g")).subscribe(["^t.*"])

    tank.launch(body)
    with pytest.raises(Unmodelled, match="pattern"):
        tank.finish("app")
