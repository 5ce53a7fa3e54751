"""Partitioners: which partition a message goes to, bit by bit as librdkafka computes it.

Source: rdkafka_msg.c (`rd_kafka_msg_partitioner_*`), rdmurmur2.c, rdfnv1a.c; the hashes are the
library's own functions. **Faithful**: keys hash alike; the sticky partition of keyless messages
is kept for `sticky.partitioning.linger.ms`. **Simplified**: the random numbers come from the
process's stream instead of the C library.
"""

import random
from collections.abc import Callable
from zlib import crc32

from sim.kafka.client.wheel import real

_murmur2: Callable[[bytes, int], int] = real.murmur2
_fnv1a: Callable[[bytes, int], int] = real.fnv1a

Available = Callable[[int], bool]


class Sticky:
    """Keeps one random partition for a while, for messages of one topic without a key."""

    __slots__ = ("_chosen_at", "_linger", "_partition", "_random")

    def __init__(self, rng: random.Random, linger_ns: int) -> None:
        self._random = rng
        self._linger = linger_ns
        self._partition = -1
        self._chosen_at = 0

    def any(self, count: int, available: Available) -> int:
        """Return a random partition; once more if the first has no leader."""
        chosen = int(self._random.random() * count)
        if not available(chosen):
            chosen = int(self._random.random() * count)
        return chosen

    def keyless(self, count: int, now: int, available: Available) -> int:
        """Return the partition for a message without a key."""
        if self._linger <= 0:
            return self.any(count, available)
        if (
            not 0 <= self._partition < count
            or now - self._chosen_at > self._linger
            or not available(self._partition)
        ):
            self._partition = self.any(count, available)
            self._chosen_at = now
        return self._partition


Partitioner = Callable[[bytes | None, int, int, Sticky, Available], int]


def _consistent_random(
    key: bytes | None, count: int, now: int, sticky: Sticky, available: Available
) -> int:
    return crc32(key) % count if key else sticky.keyless(count, now, available)


def _consistent(
    key: bytes | None, count: int, _now: int, _sticky: Sticky, _available: Available
) -> int:
    return crc32(key or b"") % count


def _murmur2_random(
    key: bytes | None, count: int, now: int, sticky: Sticky, available: Available
) -> int:
    return sticky.keyless(count, now, available) if key is None else _murmur2(key, count)


def _murmur2_always(
    key: bytes | None, count: int, _now: int, _sticky: Sticky, _available: Available
) -> int:
    return _murmur2(key or b"", count)


def _fnv1a_random(
    key: bytes | None, count: int, now: int, sticky: Sticky, available: Available
) -> int:
    return sticky.keyless(count, now, available) if key is None else _fnv1a(key, count)


def _fnv1a_always(
    key: bytes | None, count: int, _now: int, _sticky: Sticky, _available: Available
) -> int:
    return _fnv1a(key or b"", count)


def _random(key: bytes | None, count: int, now: int, sticky: Sticky, available: Available) -> int:
    if key is None:
        return sticky.keyless(count, now, available)
    return sticky.any(count, available)


PARTITIONERS: dict[str, Partitioner] = {
    "consistent_random": _consistent_random,
    "consistent": _consistent,
    "murmur2_random": _murmur2_random,
    "murmur2": _murmur2_always,
    "fnv1a_random": _fnv1a_random,
    "fnv1a": _fnv1a_always,
    "random": _random,
}
