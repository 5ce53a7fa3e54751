"""Spoiled records: what a fault took out of a topic or altered there, and who had to notice.

Senders are judged by what they sent; that readers did not go on over the damage is I18.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from reports.evidence import Damage, Evidence, TopicRecord
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS

_READERS = {
    OPERATIONS: ("ubscore",),
    ORDERS: ("engine",),
    EVENTS: ("settlement",),
    OUTPUTS: ("ubscore", "settlement"),
}
_OWNED = (OPERATIONS, ORDERS)  # each partition has one reader, by its number


def spoiled(evidence: Evidence) -> list[Damage]:
    """Return what befell records of topics."""
    return [d for fault in evidence.faults for d in fault.damage if d.of_record]


def as_sent(evidence: Evidence) -> tuple[TopicRecord, ...]:
    """Return the topics' records, those that were spoiled as they had been acknowledged."""
    damages = spoiled(evidence)
    if not damages:
        return evidence.records
    altered = {(d.file, d.offset): d.expected for d in damages if d.kind == "altered"}
    kept = (replace(r, value=altered.get((_place(r), r.offset), r.value)) for r in evidence.records)
    lost = [_lost(d, evidence.about.epoch_ns) for d in damages if d.kind != "altered"]
    return (*lost, *kept)


def came_again(damage: Damage, evidence: Evidence) -> bool:
    """Say whether a record that is gone stands in the topic once more, and no offset is empty."""
    return damage.kind == "closed_up" and any(
        record.value == damage.expected for record in evidence.records
    )


def unseen(damage: Damage, evidence: Evidence) -> bool:
    """Say whether nothing tells a reader that the record is gone: the log ends before its place.

    An empty offset is told of by the log's end behind it.
    """
    return damage.kind == "closed_up" and not any(
        _place(record) == damage.file and record.offset >= damage.offset
        for record in evidence.records
    )


def readers(damage: Damage, programs: Iterable[str]) -> list[str]:
    """Return those of `programs` that read the partition."""
    topic, partition = _parsed(damage)
    found = sorted(name for name in programs if name.startswith(_READERS.get(topic, ())))
    return [found[partition % len(found)]] if topic in _OWNED and found else found


def _place(record: TopicRecord) -> str:
    return f"{record.topic}[{record.partition}]"


def _parsed(damage: Damage) -> tuple[str, int]:
    topic, _, partition = damage.file.rstrip("]").partition("[")
    return topic, int(partition)


def _lost(damage: Damage, epoch_ns: int) -> TopicRecord:
    topic, partition = _parsed(damage)
    return TopicRecord(
        topic=topic,
        partition=partition,
        offset=damage.offset,
        key=damage.key,
        value=damage.expected,
        timestamp_ms=(epoch_ns + damage.at_ns) // 1_000_000,
    )
