"""What a consumed record says of itself: where it lies, when the broker appended it."""

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, Message

from system.errors import Halt
from system.topics import partition_of

OUT_OF_RANGE = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001 - all of these are public
TRUNCATED = KafkaError._LOG_TRUNCATION  # noqa: SLF001
END_OF_PARTITION = KafkaError._PARTITION_EOF  # noqa: SLF001
OUTSIDE_THE_LOG = (OUT_OF_RANGE, TRUNCATED)


def append_time_ms(message: Message) -> int:
    """Return when the broker appended the record; a producer's clock would prove nothing."""
    kind, milliseconds = message.timestamp()
    if kind != TIMESTAMP_LOG_APPEND_TIME:
        raise Halt(
            "no_append_time",
            f"{where(message)} has no LogAppendTime; "
            "set message.timestamp.type=LogAppendTime on the topic",
        )
    return milliseconds


def partition(message: Message) -> int:
    """Return the partition of a record."""
    found = message.partition()
    assert found is not None, "a consumed record has a partition"
    return found


def offset(message: Message) -> int:
    """Return the offset of a record."""
    found = message.offset()
    assert found is not None, "a consumed record has an offset"
    return found


def where(message: Message) -> str:
    """Return topic, partition and offset for people."""
    return f"{message.topic()}[{message.partition()}], offset {message.offset()}"


def refuse_damaged(message: Message, error: KafkaError) -> None:
    """Halt on a batch whose checksum does not hold: which of its records is wrong is not known."""
    if error.code() == KafkaError._BAD_MSG:  # noqa: SLF001 - public all the same
        raise Halt("record_damaged", f"{where(message)}: {error.str()}")


def misplaced(message: Message, key: bytes, partitions: int) -> str | None:
    """Say why a record about `key` does not belong where it lies; None if it does."""
    if message.key() != key:
        return f"the record is about {key!r}, its key is {message.key()!r}"
    if partition_of(key, partitions) != message.partition():
        return f"key {key!r} belongs to another partition"
    return None
