"""A record that cannot be read, or lies wrong, halts and says where it lies."""

import pytest
from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    Message,
)
from msgspec.structs import replace

from system import messages
from system.errors import Halt
from system.records import EVENTS, encode
from system.settlement import reader
from system.topics import partition_of
from tests.system.settlement.test_ledger import row

PARTITIONS = 4
EVENT = row(1, 1001, 1, 1, 5, 5)
HOME = partition_of(b"1001", PARTITIONS)


def message(
    key: bytes, value: bytes, partition: int = HOME, kind: int = TIMESTAMP_LOG_APPEND_TIME
) -> Message:
    return Message(
        topic=EVENTS, partition=partition, offset=7, key=key, value=value, timestamp=(kind, 1_000)
    )


def test_an_event_is_read_with_the_brokers_time() -> None:
    found = message(b"1001", encode(EVENT))

    assert reader.event(found, PARTITIONS) == EVENT
    assert messages.append_time_ms(found) == 1_000


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (message(b"1001", b"{"), "undecodable"),
        (message(b"1001", b'{"type":"\xff"}'), "undecodable"),
        (message(b"1001", encode(EVENT).replace(b'"v":1', b'"v":3')), "undecodable"),
        (message(b"1001", encode(EVENT).replace(b'"seq":1', b'"sequence":1')), "undecodable"),
        (message(b"1002", encode(EVENT)), "wrong_key"),
        (message(b"1001", encode(EVENT), partition=(HOME + 1) % PARTITIONS), "wrong_partition"),
    ],
)
def test_a_record_that_is_not_an_event_of_this_partition_halts(found: Message, reason: str) -> None:
    with pytest.raises(Halt, match=r"balance.events\[\d\], offset 7") as stop:
        reader.event(found, PARTITIONS)

    assert stop.value.reason == reason


def test_an_event_of_a_version_not_agreed_on_halts() -> None:
    lock = replace(row(1, 1001, 1, 1, 5, 5), event_type="lock", v=2)
    found = message(b"1001", encode(lock))

    with pytest.raises(Halt, match=r"balance.events\[\d\], offset 7.*has agreed on 1") as stop:
        reader.event(found, PARTITIONS, 1)

    assert (stop.value.reason, reader.event(found, PARTITIONS, 2)) == ("undecodable", lock)


def test_a_record_without_the_brokers_time_halts_and_says_what_to_set() -> None:
    with pytest.raises(Halt, match=r"set message.timestamp.type=LogAppendTime"):
        messages.append_time_ms(message(b"1001", b"", kind=TIMESTAMP_CREATE_TIME))
