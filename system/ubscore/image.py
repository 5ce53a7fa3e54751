"""The image of a state: what a snapshot holds of it, and the state that it gives."""

from typing import Any

import msgspec

from system.chain import Link
from system.errors import Halt
from system.ubscore import standing
from system.ubscore.state import Balance, State
from system.wal.frames import EpochFrame, MarkFrame, Position

VERSION = 2  # the newest of a snapshot's content; version 1 has nothing about orders


class Image(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
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
    keys: list[tuple[int, str, tuple[str, ...]]]
    ages: dict[int, list[tuple[int, int, str]]]


def encode(state: State) -> bytes:
    """Return the content of a snapshot: equal states give equal bytes."""
    keys, ages = state.keys_at_rest()
    return _encode(
        Image(
            lsn=state.lsn,
            epoch=state.epoch,
            created_at=state.created_at,
            mark=state.mark,
            balances=[(*key, *balance) for key, balance in sorted(state.balances.items())],
            users=sorted(state.users),
            net=_ordered(state.net),
            positions=[position for _, position in sorted(state.positions.items())],
            numbers=[(*place, n) for place, n in sorted(state.numbers.items())],
            links=_ordered(state.links),
            standing=state.standing.contents,
            keys=keys,
            ages=ages,
        )
    )


def version_of(state: State) -> int:
    """Return the lowest version that can express a state."""
    standing = state.standing
    return VERSION if state.links or standing.orders or standing.cancels else 1


def restore(state: State, name: str, content: bytes) -> None:
    """Fill a new state with the content of a snapshot, which passed its checksum."""
    try:
        image = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Halt("snapshot_damaged", f"{name}: whole, but unreadable: {error}") from None
    state.lsn, state.epoch = image.lsn, image.epoch
    state.created_at, state.mark = image.created_at, image.mark
    state.balances = {(user, asset): Balance(*rest) for user, asset, *rest in image.balances}
    state.users = set(image.users)
    state.net = image.net
    state.positions = {(at.topic, at.partition): at for at in image.positions}
    state.numbers = {(topic, partition): n for topic, partition, n in image.numbers}
    state.links = image.links
    state.resume_keys(image.keys, image.ages)
    state.standing.resume(image.standing, state.remembered)


def _ordered(mapping: dict[int, Any]) -> dict[int, Any]:
    return dict(sorted(mapping.items()))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Image).decode
