"""Request ids as clients make them: UUID version 7 (RFC 9562) from a clock and a stream."""

import random
from uuid import UUID


def request_id(unix_ms: int, stream: random.Random) -> str:
    """Return a UUIDv7: 48 bits of time, then random bits.

    >>> request_id(1, random.Random(1))[:15]
    '00000000-0001-7'
    """
    value = (unix_ms & (1 << 48) - 1) << 80 | stream.getrandbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(UUID(int=value))
