"""Settlement as a whole: the real client library against a broker on a TCP port."""

import time
from collections.abc import Generator
from threading import Thread

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, Producer

from system import database, exits, messages
from system.config import Kafka
from system.database import Scylla
from system.errors import Unreachable
from system.records import EVENTS, Event, encode
from system.settlement import Settlement
from system.settlement.config import Config, Work
from system.settlement.program import TOPICS
from system.topics import key_of, partition_of
from tests.system.broker import PARTITIONS, broker, committed
from tests.system.settlement.test_ledger import row
from tests.system.tables import Tables

PATIENCE_S = 15.0


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    found = Tables()
    monkeypatch.setattr(database, "connect", lambda _: found)
    # librdkafka's mock broker stamps CreateTime whatever the topic says
    monkeypatch.setattr(messages, "TIMESTAMP_LOG_APPEND_TIME", TIMESTAMP_CREATE_TIME)
    return found


@pytest.fixture
def kafka() -> Generator[tuple[str, Producer]]:
    with broker() as found:
        for topic in TOPICS:
            found[1].list_topics(topic, timeout=5)  # the mock broker creates it
        yield found


def program(bootstrap: str, connect_timeout_ms: int = 5_000) -> Settlement:
    return Settlement(
        Config(
            kafka=Kafka(bootstrap=bootstrap, connect_timeout_ms=connect_timeout_ms),
            scylla=Scylla(contact_points=("nowhere",)),
            settlement=Work(poll_ms=50, pause_ms=1),
        )
    )


def publish(producer: Producer, *events: Event) -> None:
    for event in events:
        producer.produce(EVENTS, encode(event), key_of(event.user_id))
    assert producer.flush(10) == 0


def settled(bootstrap: str, tables: Tables, rows: int) -> None:
    """Run Settlement until the tables hold so many rows, then stop it."""
    settlement = program(bootstrap)
    codes: list[int] = []
    thread = Thread(target=lambda: codes.append(settlement.run()))
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while sum(map(len, tables.ledger.values())) < rows and time.monotonic() < deadline:
        time.sleep(0.01)
    settlement.stop()
    thread.join(PATIENCE_S)
    assert codes == [exits.OK]


def test_rows_are_settled_once_across_a_restart_and_nothing_is_committed_beyond_a_hole(
    tables: Tables, kafka: tuple[str, Producer]
) -> None:
    bootstrap, producer = kafka
    where = partition_of(key_of(1001), PARTITIONS)
    first, second, third, fourth = (row(n, 1001, 1, n, 5, 5 * n) for n in (1, 2, 3, 4))

    publish(producer, first, second, first, fourth)  # a duplicate, and one beyond a hole
    settled(bootstrap, tables, rows=2)
    before = committed(bootstrap, "settlement", EVENTS)
    publish(producer, third, fourth)
    settled(bootstrap, tables, rows=4)

    assert before == {where: (3, '{"v":1,"shards":{"1":[3,1,"0000000000000000"]}}')}
    assert committed(bootstrap, "settlement", EVENTS)[where][0] == 6
    inserted = [values[2] for statement, values in tables.sent if "balance_ledger (" in statement]
    assert inserted == [1, 2, 3, 4]
    assert {key: len(rows) for key, rows in tables.ledger.items()} == {(1001, 1): 4}


def test_without_kafka_it_names_the_address_and_lets_go_of_the_database(tables: Tables) -> None:
    with pytest.raises(Unreachable, match=r"Kafka at 127.0.0.1:1 does not answer within 300 ms"):
        program("127.0.0.1:1", connect_timeout_ms=300).run()

    assert tables.closed
