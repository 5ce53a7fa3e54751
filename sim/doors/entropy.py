"""``random``, ``os.urandom``, ``secrets`` and ``uuid``: all entropy comes from the world's seed.

The module-level functions of `random` act on a generator of the incarnation's own, seeded from
its stream; whatever asks the operating system gets bytes of the same stream. `secrets` and
`random.SystemRandom` stand on `os.urandom`.

**Faithful**: `random.seed` and `random.setstate` of one process do nothing to another; a new
incarnation starts with a generator in a new state.
**Simplified**: the node of `uuid.uuid1` is made of the host's name.
"""

import os
import random
import types
import uuid
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from sim.process import Process, running

_real_urandom = os.urandom
_real_getrandom = os.getrandom
_real_seed = random.Random.seed
_real_uuid1, _real_getnode = uuid.uuid1, uuid.getnode
_GREGORIAN = 0x01B21DD213814000  # from 15 October 1582 to 1970, in units of 100 ns


class _Entropy:
    """The randomness of one incarnation."""

    __slots__ = ("last_time", "random", "stream")

    def __init__(self, process: Process) -> None:
        self.stream = process.stream("entropy")
        self.random = random.Random(self.stream.getrandbits(64))
        self.last_time = 0  # of uuid1


def of(process: Process) -> _Entropy:
    """Return the randomness of `process`."""
    found: _Entropy | None = process.doors.get("entropy")
    if found is None:
        found = process.doors["entropy"] = _Entropy(process)
    return found


def urandom(size: int, /) -> bytes:
    """Stand in for `os.urandom`."""
    process = running()
    if process is None:
        return _real_urandom(size)
    if size < 0:
        raise ValueError("negative argument not allowed")
    return of(process).stream.randbytes(size)


def getrandom(size: int, flags: int = 0) -> bytes:
    """Stand in for `os.getrandom`."""
    return _real_getrandom(size, flags) if running() is None else urandom(size)


def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
    """Stand in for `Random.seed`: without a seed it takes one from the process's stream."""
    process = running() if a is None else None
    if process is not None:
        a = of(process).stream.getrandbits(256)
    _real_seed(self, a, version)


def getnode() -> int:
    """Stand in for `uuid.getnode`."""
    process = running()
    if process is None:
        return _real_getnode()
    digest = blake2b(process.host.name.encode(), digest_size=6).digest()
    return int.from_bytes(digest) | 1 << 40  # multicast: not the address of a real card


def uuid1(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
    """Stand in for `uuid.uuid1`."""
    process = running()
    if process is None:
        return _real_uuid1(node, clock_seq)
    mine = of(process)
    time = max(process.host.clock.wall_ns() // 100 + _GREGORIAN, mine.last_time + 1)
    mine.last_time = time
    if clock_seq is None:
        clock_seq = mine.stream.getrandbits(14)
    fields = (
        time & 0xFFFFFFFF,
        (time >> 32) & 0xFFFF,
        (time >> 48) & 0x0FFF,
        (clock_seq >> 8) & 0x3F,
        clock_seq & 0xFF,
        getnode() if node is None else node,
    )
    return uuid.UUID(fields=fields, version=1)


def _shared(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a stand-in for a function of the module `random`."""

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        process = running()
        if process is None:
            return real(*args, **kwargs)
        return getattr(of(process).random, name)(*args, **kwargs)

    stand_in.__name__ = stand_in.__qualname__ = name
    stand_in.__doc__ = real.__doc__
    stand_in.__wrapped__ = real  # type: ignore[attr-defined]
    return stand_in


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    found: dict[str, object] = {
        "os.getrandom": getrandom,
        "os.urandom": urandom,
        "random.Random.seed": seed,
        "uuid.getnode": getnode,
        "uuid.uuid1": uuid1,
    }
    for name in random.__all__:
        real = getattr(random, name)
        if isinstance(real, types.MethodType | types.BuiltinMethodType):
            found[f"random.{name}"] = _shared(name, real)
    return found
