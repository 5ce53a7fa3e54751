"""Assignors: how the leader of a group shares out partitions, and the bytes it says it in.

Source: rdkafka_range_assignor.c, rdkafka_roundrobin_assignor.c, rdkafka_assignor.c; the bytes are
ConsumerProtocolSubscription and ConsumerProtocolAssignment, version 0 (newer ones are read too).
**Simplified**: no racks.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from functools import cmp_to_key
from typing import NamedTuple

Assignment = dict[str, list[tuple[str, int]]]  # member id -> topics and partitions, in order


class Member(NamedTuple):
    """A member as an assignor sees it."""

    member_id: str
    instance_id: str | None
    topics: tuple[str, ...]


def in_order(members: Sequence[Member]) -> list[Member]:
    """Sort members as all assignors do: by instance id where both have one, else member id."""

    def compare(a: Member, b: Member) -> int:
        left, right = a.member_id, b.member_id
        if a.instance_id and b.instance_id:
            left, right = a.instance_id, b.instance_id
        return (left.encode() > right.encode()) - (left.encode() < right.encode())

    return sorted(members, key=cmp_to_key(compare))


def assign_range(members: Sequence[Member], counts: Mapping[str, int]) -> Assignment:
    """Give every subscribed member a contiguous range of each topic."""
    ordered = in_order(members)
    out: Assignment = {member.member_id: [] for member in ordered}
    eligible = {
        topic: [member.member_id for member in ordered if topic in member.topics]
        for topic in counts
    }

    def compare(a: str, b: str) -> int:
        for left, right in zip(eligible[a], eligible[b], strict=False):
            if left != right:
                return -1 if left < right else 1
        key_a, key_b = (len(eligible[a]), counts[a]), (len(eligible[b]), counts[b])
        return (key_a > key_b) - (key_a < key_b)

    for topic in sorted((t for t in eligible if eligible[t]), key=cmp_to_key(compare)):
        share, extra = divmod(counts[topic], len(eligible[topic]))
        first = 0
        for index, member_id in enumerate(eligible[topic]):
            size = share + (index < extra)
            out[member_id] += [(topic, first + n) for n in range(size)]
            first += size
    return out


def assign_roundrobin(members: Sequence[Member], counts: Mapping[str, int]) -> Assignment:
    """Deal all partitions in turn, skipping members that do not want the topic."""
    ordered = in_order(members)
    out: Assignment = {member.member_id: [] for member in ordered}
    turn = -1
    for topic in sorted(counts):
        if not any(topic in member.topics for member in ordered):
            continue
        for partition in range(counts[topic]):
            turn = (turn + 1) % len(ordered)
            while topic not in ordered[turn].topics:
                turn = (turn + 1) % len(ordered)
            out[ordered[turn].member_id].append((topic, partition))
    return out


ASSIGNORS: dict[str, Callable[[Sequence[Member], Mapping[str, int]], Assignment]] = {
    "range": assign_range,
    "roundrobin": assign_roundrobin,
}


def encode_subscription(topics: Sequence[str]) -> bytes:
    """Return what a member tells the leader."""
    return struct.pack(">hi", 0, len(topics)) + b"".join(map(_text, topics)) + _NO_BYTES


def decode_subscription(data: bytes) -> tuple[str, ...]:
    """Return the topics a member wants."""
    _, count = struct.unpack_from(">hi", data)
    topics, at = [], 6
    for _ in range(count):
        topic, at = _read_text(data, at)
        topics.append(topic)
    return tuple(topics)


def encode_assignment(partitions: Sequence[tuple[str, int]]) -> bytes:
    """Return what the leader tells a member; partitions of one topic stand together."""
    topics: dict[str, list[int]] = {}
    for topic, partition in partitions:
        topics.setdefault(topic, []).append(partition)
    parts = [struct.pack(">hi", 0, len(topics))]
    for topic, numbers in topics.items():
        parts.append(_text(topic))
        parts.append(struct.pack(f">i{len(numbers)}i", len(numbers), *numbers))
    return b"".join(parts) + _NO_BYTES


def decode_assignment(data: bytes) -> list[tuple[str, int]]:
    """Return the partitions a member was given; nothing at all means none."""
    if not data:
        return []
    _, count = struct.unpack_from(">hi", data)
    found, at = [], 6
    for _ in range(count):
        topic, at = _read_text(data, at)
        (size,) = struct.unpack_from(">i", data, at)
        found += [(topic, n) for n in struct.unpack_from(f">{size}i", data, at + 4)]
        at += 4 + 4 * size
    return found


_NO_BYTES = struct.pack(">i", -1)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    (size,) = struct.unpack_from(">h", data, at)
    return data[at + 2 : at + 2 + size].decode(), at + 2 + size
