"""Keys: request ids as clients make them (UUID version 7, RFC 9562), and the operator's API key."""

import hashlib
import random
from uuid import UUID

OPERATOR_KEY = "operator-key"


def request_id(unix_ms: int, stream: random.Random) -> str:
    """Return a UUIDv7: 48 bits of time, then random bits.

    >>> request_id(1, random.Random(1))[:15]
    '00000000-0001-7'
    """
    value = (unix_ms & (1 << 48) - 1) << 80 | stream.getrandbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(UUID(int=value))


def key_hash(key: str) -> str:
    """Return an API key as configurations hold it."""
    return hashlib.sha256(key.encode()).hexdigest()
