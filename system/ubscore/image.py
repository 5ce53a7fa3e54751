"""The image of a state: what a snapshot holds of it, and the state that it gives."""

from typing import Any

import msgspec

from system.chain import Link
from system.errors import Halt
from system.formats import COMPACT, ORDERS, TRANSFERS
from system.snapshots import Snapshot
from system.ubscore import standing
from system.ubscore.keys import Ages, Contents, Decided, once, twice
from system.ubscore.state import Balance, State
from system.wal.frames import EpochFrame, MarkFrame, Position

VERSION = COMPACT  # the newest of a snapshot's content; version 1 has nothing about orders


class _Image(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A state at rest, as of an LSN; everything that has an order is in it."""

    lsn: int
    epoch: EpochFrame
    created_at: int
    mark: MarkFrame
    balances: list[tuple[int, int, int, int, int]]
    users: list[int]
    net: dict[int, int]
    positions: list[Position]
    numbers: list[tuple[str, int, int]]
    links: dict[int, Link]
    standing: standing.Contents


class Compact(_Image, frozen=True):
    """Version 4: every request key once."""

    keys: Contents


class Wide(_Image, frozen=True):
    """Versions 1 and 2: every request key with its hashes, and again with its age."""

    keys: Decided
    ages: Ages


def encode(state: State, version: int = VERSION) -> bytes:
    """Return the content of a snapshot: equal states give equal bytes."""
    overdue = [(request_id, user_id) for user_id, request_id in state.standing.overdue]
    remembered = state.keys.contents(overdue)
    rest = (
        state.lsn,
        state.epoch,
        state.created_at,
        state.mark,
        sorted((*key, b.avail, b.frozen, b.seq) for key, b in state.balances.items()),
        sorted(state.users),
        _ordered(state.net),
        [position for _, position in sorted(state.positions.items())],
        [(*place, n) for place, n in sorted(state.numbers.items())],
        _ordered(state.links),
        state.standing.contents,
    )
    if version >= COMPACT:
        return _encode(Compact(*rest, remembered))
    return _encode(Wide(*rest, *twice(remembered)))


def version_of(state: State, newest: int) -> int:
    """Return the version to write a state in, if no newer one than `newest` is agreed on.

    The compact one has nothing that others could not express, and is half as large.
    """
    if newest >= COMPACT:
        return COMPACT
    standing = state.standing
    return ORDERS if state.links or standing.orders or standing.cancels else TRANSFERS


def restore(state: State, snapshot: Snapshot) -> None:
    """Fill a new state with the content of a snapshot, which passed its checksum."""
    try:
        if snapshot.version >= COMPACT:
            image: _Image = (compact := _decode(snapshot.state))
            remembered = compact.keys
        else:
            image = wide = _decode_wide(snapshot.state)
            remembered = once(wide.keys, wide.ages)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Halt("snapshot_damaged", f"{snapshot.name}: whole, but unreadable: {error}") from None
    state.lsn, state.epoch = image.lsn, image.epoch
    state.created_at, state.mark = image.created_at, image.mark
    state.balances = {(user, asset): Balance(*rest) for user, asset, *rest in image.balances}
    state.users = set(image.users)
    state.net = image.net
    state.positions = {(at.topic, at.partition): at for at in image.positions}
    state.numbers = {(topic, partition): n for topic, partition, n in image.numbers}
    state.links = image.links
    state.keys.resume(remembered)
    state.standing.resume(image.standing, state.keys)


def _ordered(mapping: dict[int, Any]) -> dict[int, Any]:
    return dict(sorted(mapping.items()))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Compact).decode
_decode_wide = msgspec.msgpack.Decoder(Wide).decode
