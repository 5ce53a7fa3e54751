"""Altering: what planted bugs do to frames and outputs that were made correctly."""

from collections.abc import Callable

from msgspec.structs import replace

from system.engine.matching import Emitted, Market
from system.records import EngineOutput, LedgerRow, decode_event, encode, seal
from system.settlement.positions import Partition
from system.wal.frames import CommandFrame, EngineFrame, Leg, Output

Frame = CommandFrame | EngineFrame


def altered(frame: Frame, change: Callable[[Leg], Leg]) -> Frame:
    """Return a frame with other legs, chained anew, and with events that agree with them."""
    legs: list[Leg] = []
    shifts: dict[tuple[int, int], tuple[int, int]] = {}
    for leg in frame.legs:
        account = leg.user_id, leg.asset_id
        avail, frozen = shifts.get(account, (0, 0))
        other = change(leg)
        legs.append(replace(other, avail=other.avail + avail, frozen=other.frozen + frozen))
        avail += other.delta_avail - leg.delta_avail
        shifts[account] = avail, frozen + other.delta_frozen - leg.delta_frozen
    left = list(legs)
    outputs = tuple(_with(output, left) for output in frame.outputs)
    return replace(frame, legs=tuple(legs), outputs=outputs)


def _with(output: Output, legs: list[Leg]) -> Output:
    if output.topic != "balance.events":
        return output
    event = decode_event(output.value)
    if not isinstance(event, LedgerRow):
        return output
    leg = legs.pop(0)
    changed = replace(
        event,
        delta_avail=leg.delta_avail,
        delta_frozen=leg.delta_frozen,
        avail=leg.avail,
        frozen=leg.frozen,
    )
    return replace(output, value=encode(changed))


def moved(leg: Leg, avail: int, frozen: int = 0) -> Leg:
    """Return a leg that moves more by these amounts."""
    return replace(
        leg,
        delta_avail=leg.delta_avail + avail,
        delta_frozen=leg.delta_frozen + frozen,
        avail=leg.avail + avail,
        frozen=leg.frozen + frozen,
    )


def nothing(leg: Leg) -> Leg:
    """Return a leg that moves nothing."""
    return moved(leg, -leg.delta_avail, -leg.delta_frozen)


def resealed(market: Market, output: EngineOutput) -> Emitted:
    """Return another output in place of the market's last one, at the end of its chain."""
    value, market.hash = seal(replace(output, hash=""))
    return Emitted(output, value)


class GapsPassedOver(Partition):
    """A partition of Settlement's in which offsets need not follow one another."""

    __slots__ = ()

    def goes_on(self, offset: int) -> None:
        """Take any offset."""
