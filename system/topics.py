"""The topics: names, settings, and which partition a key belongs to.

Offsets of these topics have no holes between a log's start and its end. Retention only moves the
start, in the order of offsets; no topic is compacted (`cleanup.policy` is ``delete``), and nobody
writes to one in transactions, whose markers and aborted records take offsets that no reader sees.
So an offset at which there is nothing held a record that is gone, and whoever reads there stops.
"""

from system.config import Topics
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS

PARTITIONER = "murmur2_random"
ALL = (OPERATIONS, EVENTS, ORDERS, OUTPUTS)


def settings(topics: Topics) -> dict[str, str]:
    """Return the broker-side settings every topic of the exchange is created with."""
    return {
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(topics.min_insync),
        "retention.ms": str(topics.retention_ms),
        "unclean.leader.election.enable": "false",
    }


def key_of(user_id: int) -> bytes:
    """Return the record key of a user: decimal ASCII."""
    return b"%d" % user_id


def gap(topic: str, partition: int, expected: int, found: int) -> str:
    """Say of an offset that there is no record at it, though the log goes on at `found`."""
    lost = f"offset {expected}" if found == expected + 1 else f"offsets {expected} .. {found - 1}"
    return (
        f"{topic}[{partition}], {lost}: records are missing, the log goes on at {found}; topics of"
        " the exchange are neither compacted nor written in transactions"
    )


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that the `murmur2_random` partitioner gives to a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Return MurmurHash2 with Kafka's seed, as 32 unsigned bits."""
    factor = 0x5BD1E995
    mask = 0xFFFFFFFF
    size = len(data)
    value = 0x9747B28C ^ size
    for start in range(0, size - 3, 4):
        word = int.from_bytes(data[start : start + 4], "little") * factor & mask
        word = (word ^ word >> 24) * factor & mask
        value = (value * factor & mask) ^ word
    if size & 3:
        value = (value ^ int.from_bytes(data[size & ~3 :], "little")) * factor & mask
    value = (value ^ value >> 13) * factor & mask
    return value ^ value >> 15
