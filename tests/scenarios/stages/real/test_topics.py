"""Topics read on and on: how far they were read, also where the last offsets hold no record."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError

from scenarios.stages.real import topics
from scenarios.stages.real.topics import Topics
from system.records import OUTPUTS

END = KafkaError(KafkaError._PARTITION_EOF)


class Consumer:
    """Hands out what it was given."""

    def __init__(self, _: object) -> None:
        self.waiting: list[Any] = []

    def assign(self, places: object) -> None:
        pass

    def consume(self, *_: object) -> list[Any]:
        given, self.waiting = self.waiting, []
        return given


def message(offset: int, error: KafkaError | None = None) -> Any:
    values = {
        "topic": OUTPUTS,
        "partition": 1,
        "offset": offset,
        "error": error,
        "key": b"1",
        "value": b"{}",
        "headers": None,
        "timestamp": (2, 7),
        "leader_epoch": 0,
    }
    return SimpleNamespace(**{name: lambda value=value: value for name, value in values.items()})


def test_the_end_counts_where_the_last_offsets_hold_no_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topics, "Consumer", Consumer)
    backend = SimpleNamespace(brokers=(), kafka_options={})
    reader = Topics(cast("Any", backend), 2)
    given = cast("Consumer", reader._consumer).waiting

    given += [message(0), message(1)]
    reader.drain()
    assert reader.position(OUTPUTS, 1) == 2

    cast("Consumer", reader._consumer).waiting += [message(4, END)]
    assert reader.drain() == {(OUTPUTS, 1)}
    assert reader.position(OUTPUTS, 1) == 4
    assert [record.offset for record in reader.all()] == [0, 1]
    assert reader.position(OUTPUTS, 0) == 0
