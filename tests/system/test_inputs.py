"""The input of a program, read with the real client from the simulated broker on a real port."""

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sim.kafka.cluster.log import Log
from sim.kafka.cluster.settings import Settings
from system import kafka
from system.config import Kafka
from system.errors import Halt
from system.inputs import Inputs, Patience
from system.log import Log as Lines
from system.wal.frames import Position
from tests.sim.kafka.cluster.on_tcp import TcpCluster

COUNT = 6


@pytest.fixture(scope="module")
def cluster() -> Iterator[TcpCluster]:
    cluster = TcpCluster(Settings(), brokers=1)
    yield cluster
    cluster.stop()


class Reading:
    """A topic of one partition with six records, and what reads it."""

    def __init__(self, cluster: TcpCluster, topic: str) -> None:
        self.cluster = cluster
        self.topic = topic
        self.judged = 0
        plain: dict[str, Any] = {"bootstrap.servers": cluster.bootstrap, "log_level": 0}
        admin = AdminClient(plain)
        (made,) = admin.create_topics([NewTopic(topic, 1, 1)]).values()
        made.result(10)
        self.producer = Producer({**plain, "linger.ms": 0})
        for number in range(COUNT):
            self.send(number)
        where = Kafka(bootstrap=cluster.bootstrap)
        consumer = Consumer(kafka.consumer(where, "test", "test"))
        patience = Patience(1000, 1000)
        self.inputs = Inputs(consumer, where, patience, lambda *_: self.judged, Lines("test"))

    def send(self, number: int) -> None:
        self.producer.produce(self.topic, b"%d" % number, b"k", 0)
        assert self.producer.flush(10) == 0

    def lose(self, offset: int) -> None:
        async def lose() -> None:
            log: Log = self.cluster.cluster.partition_log(self.topic, 0)
            log.lose(offset)

        asyncio.run_coroutine_threadsafe(lose(), self.cluster.loop).result(10)

    def rot(self, offset: int) -> None:
        async def rot() -> None:
            log: Log = self.cluster.cluster.partition_log(self.topic, 0)
            log.alter(offset, b"9", stale=True)

        asyncio.run_coroutine_threadsafe(rot(), self.cluster.loop).result(10)

    def scan(self, first: int = 0, end: int = COUNT) -> list[bytes | None]:
        return [m.value() for m in self.inputs.scan(self.topic, {0: first}, {0: end})]

    def take(self, until: Callable[[list[Message]], bool]) -> list[Message]:
        taken: list[Message] = []
        while not until(taken):
            more = self.inputs.take(COUNT, 1.0)
            self.judged += len(more)
            taken += more
        return taken

    def close(self) -> None:
        self.inputs.consumer.close()


@pytest.fixture
def reading(cluster: TcpCluster, request: pytest.FixtureRequest) -> Iterator[Reading]:
    name = re.sub("[^a-z0-9]", ".", request.node.name)[-100:]
    reading = Reading(cluster, name)
    yield reading
    reading.close()


def test_a_sound_log_is_read_to_its_end(reading: Reading) -> None:
    assert reading.scan() == [b"0", b"1", b"2", b"3", b"4", b"5"]
    assert reading.scan(2, 4) == [b"2", b"3"]


@pytest.mark.parametrize("offset", [0, 3, COUNT - 1])
def test_an_empty_offset_is_a_halt_that_names_it(reading: Reading, offset: int) -> None:
    reading.lose(offset)

    with pytest.raises(Halt) as halt:
        reading.scan()

    assert halt.value.reason == "output_gap"
    where = f"{reading.topic}[0], offset {offset}: records are missing, the log goes on at"
    assert halt.value.message.startswith(f"{where} {offset + 1};")


def test_records_missing_at_the_end_are_counted(reading: Reading) -> None:
    reading.lose(COUNT - 2)
    reading.lose(COUNT - 1)

    with pytest.raises(Halt, match=f"offsets {COUNT - 2} .. {COUNT - 1}"):
        reading.scan()


def test_what_is_not_looked_at_may_be_empty(reading: Reading) -> None:
    reading.lose(1)
    reading.lose(COUNT - 1)

    assert reading.scan(2, COUNT - 1) == [b"2", b"3", b"4"]


def test_the_record_before_a_position_must_be_there(reading: Reading) -> None:
    reading.lose(3)

    with pytest.raises(Halt) as halt:
        reading.inputs.compare(reading.topic, {0: Position(reading.topic, 0, 4, 0, 0, 0, 0)})

    assert halt.value.reason == "input_gap"


def test_a_record_missing_at_the_end_is_missed_before_another_comes(reading: Reading) -> None:
    reading.lose(COUNT - 1)
    reading.inputs.start({(reading.topic, 0): Position(reading.topic, 0, 0, 0, 0, 0, 0)})

    taken = reading.take(lambda taken: len(taken) == COUNT - 1)
    with pytest.raises(Halt, match=rf"\[0\], offset {COUNT - 1}: records are missing") as halt:
        reading.take(lambda _: False)

    assert [message.value() for message in taken] == [b"0", b"1", b"2", b"3", b"4"]
    assert halt.value.reason == "input_gap"


def test_a_flipped_bit_is_never_taken_for_what_was_acknowledged(reading: Reading) -> None:
    reading.rot(2)
    reading.inputs.start({(reading.topic, 0): Position(reading.topic, 0, 0, 0, 0, 0, 0)})

    with pytest.raises(Halt, match=rf"{reading.topic}\[0\], offset 2: .* failed CRC32C") as live:
        reading.take(lambda _: False)
    with pytest.raises(Halt) as looking:
        reading.scan()

    assert [live.value.reason, looking.value.reason] == ["record_damaged"] * 2


def test_the_end_of_a_log_is_no_gap_and_no_record(reading: Reading) -> None:
    reading.inputs.start({(reading.topic, 0): Position(reading.topic, 0, 0, 0, 0, 0, 0)})

    reading.take(lambda taken: len(taken) == COUNT)
    for _ in range(3):
        assert reading.inputs.take(COUNT, 0.6) == []
    reading.send(COUNT)
    (last,) = reading.take(lambda taken: bool(taken))

    assert last.offset() == COUNT
