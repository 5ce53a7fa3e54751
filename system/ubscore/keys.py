"""Request keys: the hashes decided under each, remembered until the key's time has passed.

Inside, a key is (request, user): a request id is a UUIDv7 and begins with when it was made, so keys
sort by their age. The same tuples are in the index and in the heaps that know the oldest ones.
"""

import heapq
from collections.abc import Iterable

import msgspec

Key = tuple[str, int]  # request, user

_HASH = 32  # bytes of a hash, which is twice as many digits elsewhere


def made_at_ms(request_id: str) -> int:
    """Return when a request key was made, as its UUIDv7 says."""
    return int(request_id[:8] + request_id[9:13], 16)


class Kept(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Keys at rest, oldest first; beside each the hashes decided under it, the first one first."""

    keys: list[Key]
    hashes: list[bytes]  # 32 bytes each, one behind the other


class Contents(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a snapshot holds of them: by input partition, and those that outlive their time."""

    aging: dict[int, Kept]
    overdue: Kept


class RequestKeys:
    """The request keys of one shard."""

    def __init__(self) -> None:
        self._hashes: dict[Key, bytes] = {}
        self._oldest: dict[int, list[Key]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._hashes

    def hashes(self, user_id: int, request_id: str) -> tuple[str, ...]:
        """Return the body hashes decided under a request key; the first one won it."""
        known = self._hashes.get((request_id, user_id))
        return () if known is None else _parted(known)

    def remember(self, partition: int, user_id: int, request_id: str, body_hash: str) -> None:
        """Keep a decided (key, hash) until its time has passed."""
        key = (request_id, user_id)
        known = self._hashes.get(key)
        if known is None:
            heapq.heappush(self._oldest.setdefault(partition, []), key)
            self._hashes[key] = bytes.fromhex(body_hash)
        else:
            self._hashes[key] = known + bytes.fromhex(body_hash)

    def pass_by(self, partition: int, before_ms: int) -> Key | None:
        """Return a key made before `before_ms` whose time passes with that; None: no more."""
        oldest = self._oldest.get(partition)
        if oldest and made_at_ms(oldest[0][0]) < before_ms:
            return heapq.heappop(oldest)
        return None

    def forget(self, key: Key) -> None:
        """Forget a key whose time has passed."""
        del self._hashes[key]

    def clear(self) -> None:
        """Forget all of them."""
        self._hashes.clear()
        self._oldest.clear()

    def contents(self, overdue: Iterable[Key]) -> Contents:
        """Return them at rest; `overdue` are those whose time has passed all the same."""
        for oldest in self._oldest.values():
            oldest.sort()  # a sorted list is a heap
        aging = {p: self._kept(oldest) for p, oldest in sorted(self._oldest.items())}
        return Contents(aging, self._kept(sorted(overdue)))

    def _kept(self, keys: list[Key]) -> Kept:
        return Kept(keys, [self._hashes[key] for key in keys])

    def resume(self, contents: Contents) -> None:
        """Take over what a snapshot holds."""
        self._hashes = {}
        for kept in (*contents.aging.values(), contents.overdue):
            self._hashes.update(zip(kept.keys, kept.hashes, strict=True))
        self._oldest = {partition: kept.keys for partition, kept in contents.aging.items()}


def _parted(hashes: bytes) -> tuple[str, ...]:
    return tuple(hashes[at : at + _HASH].hex() for at in range(0, len(hashes), _HASH))


# Before format version 4 a snapshot had every key twice: with its hashes, and with its age.
Decided = list[tuple[int, str, tuple[str, ...]]]  # user, request, hashes
Ages = dict[int, list[tuple[int, int, str]]]  # by input partition: when made, user, request


def twice(contents: Contents) -> tuple[Decided, Ages]:
    """Return keys at rest as they were written before."""
    every = (*contents.aging.values(), contents.overdue)
    decided = sorted(
        (user_id, request_id, _parted(hashes))
        for kept in every
        for (request_id, user_id), hashes in zip(kept.keys, kept.hashes, strict=True)
    )
    return decided, {
        partition: sorted(
            (made_at_ms(request_id), user_id, request_id) for request_id, user_id in kept.keys
        )
        for partition, kept in contents.aging.items()
    }


def once(decided: Decided, ages: Ages) -> Contents:
    """Return keys at rest from what was written before."""
    hashes = {
        (request_id, user_id): bytes.fromhex("".join(known))
        for user_id, request_id, known in decided
    }
    aging = {
        partition: sorted((request_id, user_id) for _, user_id, request_id in aged)
        for partition, aged in ages.items()
    }
    kept = {p: Kept(keys, [hashes.pop(key) for key in keys]) for p, keys in aging.items()}
    return Contents(kept, Kept(sorted(hashes), [hashes[key] for key in sorted(hashes)]))
