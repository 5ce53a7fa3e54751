"""Where to begin in an assigned partition, and the state that belongs to that offset.

The commit's metadata holds the consumer's state as of exactly its offset. A partition without a
commit may only be read from its very first record; anything else could silently skip some.
"""

import time
from typing import Any

from confluent_kafka import OFFSET_INVALID, KafkaException, TopicPartition

from system.config import Kafka
from system.errors import Halt, Unreachable
from system.numbering import Numbering, decode_metadata
from system.records import OUTPUTS
from system.settlement import chains
from system.settlement.chains import Chains
from system.settlement.config import Work

Place = tuple[str, int]  # topic, partition


class Partition:
    """One assigned partition: its numbering, and how far it may be committed."""

    __slots__ = ("committed", "numbering", "offset")

    def __init__(self, offset: int, numbering: Numbering | Chains) -> None:
        self.offset = offset  # everything below is judged; what it held is being settled
        self.committed = offset
        self.numbering = numbering


def find(
    consumer: Any, assigned: list[TopicPartition], kafka: Kafka, work: Work
) -> dict[Place, Partition]:
    """Return the state of each assigned partition as of its committed offset."""
    timeout = kafka.connect_timeout_ms / 1000
    try:
        committed = consumer.committed(assigned, timeout=timeout)
        return {
            (found.topic, found.partition): _partition(consumer, found, work, timeout)
            for found in sorted(committed, key=lambda found: (found.topic, found.partition))
        }
    except KafkaException as error:
        raise Unreachable(
            f"Kafka at {kafka.bootstrap} does not tell the committed offsets of group "
            f"{work.group}: {error.args[0].str()}"
        ) from error


def _partition(consumer: Any, found: TopicPartition, work: Work, timeout: float) -> Partition:
    where = f"{found.topic}[{found.partition}]"
    if found.error is not None:
        raise KafkaException(found.error)
    if found.offset == OFFSET_INVALID:
        _first_record(consumer, found, where, timeout)
        return Partition(0, _numbering(found, where, work, committed=False))
    numbering = _numbering(found, where, work, committed=True)
    _in_range(consumer, found, where, work, timeout)
    return Partition(found.offset, numbering)


def _numbering(
    found: TopicPartition, where: str, work: Work, *, committed: bool
) -> Numbering | Chains:
    """Return the state as of the commit: of symbols' chains, or of UBSCore's numbers."""
    at = f"{where}, offset {found.offset}"
    if found.topic == OUTPUTS:
        links = chains.decode_metadata(found.metadata, at) if committed else {}
        return Chains(where, links, work.hole_ms_max)
    shards = decode_metadata(found.metadata, at) if committed else {}
    return Numbering(where, shards, work.hole_ms_max)


def _first_record(consumer: Any, found: TopicPartition, where: str, timeout: float) -> None:
    low, _ = consumer.get_watermark_offsets(
        TopicPartition(found.topic, found.partition), timeout=timeout
    )
    if low != 0:
        raise Halt(
            "no_commit",
            f"{where} begins at offset {low} and the group has no commit there: "
            "what came before was never settled, or the commit is lost",
        )


def _in_range(consumer: Any, found: TopicPartition, where: str, work: Work, timeout: float) -> None:
    """Halt if the position is outside the log; a new leader may lag for a while."""
    deadline = time.monotonic() + work.range_ms_max / 1000
    while True:
        low, high = consumer.get_watermark_offsets(
            TopicPartition(found.topic, found.partition), timeout=timeout
        )
        if low <= found.offset <= high:
            return
        if found.offset < low or time.monotonic() >= deadline:
            raise Halt(
                "out_of_range",
                f"{where}: the committed offset {found.offset} is outside {low}..{high}",
            )
        time.sleep(work.pause_ms_max / 1000)
