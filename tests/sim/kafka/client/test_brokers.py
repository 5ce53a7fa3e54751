"""Whom a client connects to, when, and what it does once nobody is left."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.conformance.kafka.asked import Watch
from tests.sim.kafka.client.tank import Tank, now, sleep

MakeTank = Callable[..., Tank]


def reported(tank: Tank, *, after: float, **conf: Any) -> float:
    """Return when a message is reported that a producer made at once sends `after` seconds."""

    def body() -> float:
        times: list[float] = []
        producer = Producer(tank.conf(**conf))
        sleep(after)
        producer.produce("t", b"v", on_delivery=lambda *_: times.append(now()))
        assert producer.flush(60) == 0
        return times[0]

    return float(tank.run(body))


def test_a_client_connects_and_asks_for_metadata_before_it_is_used(tank: Tank) -> None:
    watch = Watch(tank.cluster.brokers["kafka-1"])

    def body() -> None:
        producer = Producer(tank.conf())
        sleep(1)
        del producer

    tank.run(body)
    assert list(watch.asked) == ["Metadata"]


@pytest.mark.parametrize("brokers", [1, 3])
def test_the_first_producer_id_takes_half_a_second_from_the_first_metadata_on(
    make_tank: MakeTank, brokers: int
) -> None:
    tank = make_tank({"t": 1}, brokers=brokers)
    assert 0.5 < reported(tank, after=0, enable_idempotence=True) < 0.55


def test_a_producer_that_was_there_for_a_while_has_its_id(tank: Tank) -> None:
    assert 2 < reported(tank, after=2, enable_idempotence=True) < 2.05


def test_without_idempotence_nobody_waits_for_an_id(tank: Tank) -> None:
    assert reported(tank, after=0) < 0.05


def test_with_all_brokers_lost_leaders_are_asked_for_on_full_seconds(tank: Tank) -> None:
    def body() -> list[float]:
        times: list[float] = []
        producer = Producer(tank.conf())
        producer.produce("t", b"before")
        producer.flush()
        tank.crash_broker("kafka-1", at=0, lasts=0.7)
        sleep(0.1)
        producer.produce("t", b"after", on_delivery=lambda *_: times.append(now()))
        producer.flush()
        return times

    (at,) = tank.run(body)
    assert 2 < at < 2.05  # one for the connection, one for the metadata


def test_with_another_broker_left_nobody_goes_back_to_the_bootstrap_servers(
    make_tank: MakeTank,
) -> None:
    tank = make_tank({"t": 2}, brokers=2)

    def body() -> list[float]:
        producer = Producer(tank.conf())
        for partition in (0, 1):
            producer.produce("t", b"before", partition=partition)
        producer.flush()
        tank.crash_broker("kafka-1", at=0, lasts=0.7)
        sleep(0.1)
        times: list[float] = []
        for partition in (0, 1):
            producer.produce(
                "t", b"after", partition=partition, on_delivery=lambda *_: times.append(now())
            )
        producer.flush()
        return times

    soon, later = tank.run(body)
    assert soon < 0.2
    assert 0.7 < later < 2


def test_a_consumer_reads_on_after_all_brokers_were_lost(tank: Tank) -> None:
    tank.fill("t", 4)

    def body() -> list[bytes | None]:
        consumer = Consumer(tank.conf(group_id="g", max_poll_interval_ms=300_000))
        consumer.assign([TopicPartition("t", 0, 0)])
        read = [message.value() for message in consumer.consume(2, 10)]
        tank.crash_broker("kafka-1", at=0, lasts=3)
        sleep(1)
        producer = Producer(tank.conf())
        producer.produce("t", b"new")
        producer.flush()
        read += [message.value() for message in consumer.consume(3, 30)]
        consumer.close()
        return read

    assert tank.run(body) == [b"0", b"1", b"2", b"3", b"new"]
