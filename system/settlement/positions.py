"""Where to begin in an assigned partition, and the state that belongs to that offset.

The commit's metadata holds the consumer's state as of exactly its offset. A partition without a
commit may only be read from its very first record; anything else could silently skip some.
"""

from typing import Any

from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, TopicPartition

from system import marks
from system.config import Kafka
from system.errors import Halt, Unreachable
from system.marks import Marks, Place
from system.numbering import Numbering, decode_metadata
from system.records import OUTPUTS
from system.settlement import chains
from system.settlement.chains import Chains
from system.settlement.config import Work
from system.topics import gap

# A commit refused because the group has moved on: whoever owns the partition now starts from the
# last commit and writes the same rows again.
SUPERSEDED = (
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.FENCED_INSTANCE_ID,
)


class Partition:
    """One assigned partition: its numbering, and how far it may be committed."""

    __slots__ = ("committed", "numbering", "offset", "place", "read_to")

    def __init__(self, place: Place, offset: int, numbering: Numbering | Chains) -> None:
        self.place = place
        self.offset = offset  # everything below is judged; what it held is being settled
        self.committed = offset
        self.read_to = offset  # the offset of the next record to be read
        self.numbering = numbering

    def reads(self, offset: int) -> None:
        """Note that a record was read; halt if one before it is gone from the log."""
        self.goes_on(offset)
        self.read_to = offset + 1

    def goes_on(self, offset: int) -> None:
        """Halt unless all records below `offset`, where the log goes on or ends, were read."""
        if offset > self.read_to:
            raise Halt("input_gap", gap(*self.place, self.read_to, offset))


def find(
    consumer: Any, assigned: list[TopicPartition], kafka: Kafka, work: Work
) -> dict[Place, Partition]:
    """Return the state of each assigned partition as of its committed offset."""
    committed = _committed(consumer, assigned, kafka, work)
    logs = marks.reaching(
        consumer,
        kafka,
        {(found.topic, found.partition): max(found.offset, 0) for found in committed},
        patience_s=work.range_ms_max / 1000,
        pause_s=work.pause_ms_max / 1000,
    )
    return {
        (found.topic, found.partition): _partition(found, logs, work)
        for found in sorted(committed, key=lambda found: (found.topic, found.partition))
    }


def _committed(
    consumer: Any, assigned: list[TopicPartition], kafka: Kafka, work: Work
) -> list[TopicPartition]:
    try:
        committed: list[TopicPartition] = consumer.committed(
            assigned, timeout=kafka.connect_timeout_ms / 1000
        )
    except KafkaException as error:
        raise _untold(kafka, work, error.args[0]) from error
    for found in committed:
        if found.error is not None:
            raise _untold(kafka, work, found.error)
    return committed


def _untold(kafka: Kafka, work: Work, error: KafkaError) -> Unreachable:
    return Unreachable(
        f"Kafka at {kafka.bootstrap} does not tell the committed offsets of group "
        f"{work.group}: {error.str()}"
    )


def _partition(found: TopicPartition, logs: Marks, work: Work) -> Partition:
    place = found.topic, found.partition
    where = f"{found.topic}[{found.partition}]"
    low, high = logs[place]
    if found.offset == OFFSET_INVALID:
        _first_record(low, where)
        return Partition(place, 0, _numbering(found, where, work, committed=False))
    numbering = _numbering(found, where, work, committed=True)
    if not low <= found.offset <= high:
        raise Halt(
            "out_of_range",
            f"{where}: the committed offset {found.offset} is outside {low}..{high}",
        )
    return Partition(place, found.offset, numbering)


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


def _first_record(low: int, where: str) -> None:
    if low != 0:
        raise Halt(
            "no_commit",
            f"{where} begins at offset {low} and the group has no commit there: "
            "what came before was never settled, or the commit is lost",
        )
