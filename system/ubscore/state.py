"""UBSCore's state: the fold of its log, and nothing else.

Every change goes through `apply`, live and after a crash alike, so recovery cannot differ from
what was decided. Nothing here reads a clock or a setting.
"""

from collections.abc import Iterable

import msgspec

from system.chain import Link
from system.errors import Halt
from system.records import EVENTS
from system.topics import key_of, partition_of
from system.ubscore.keys import RequestKeys
from system.ubscore.standing import Cancelling, Order, Standing
from system.wal import frames
from system.wal.frames import (
    AnyBody,
    CommandFrame,
    EngineFrame,
    EpochFrame,
    Input,
    Leg,
    LinkFrame,
    MarkFrame,
    OrderFrame,
    Output,
    Position,
    PositionFrame,
)

ACCEPTED, REJECTED, DUPLICATE = "accepted", "rejected", "duplicate"
EXPIRED = "expired"


class Balance(msgspec.Struct, frozen=True, gc=False):
    """What an account holds of one asset, and the sequence of its last ledger row."""

    avail: int = 0
    frozen: int = 0
    seq: int = 0

    def moved(self, delta_avail: int, delta_frozen: int) -> "Balance":
        """Return what the next ledger row leaves."""
        return Balance(self.avail + delta_avail, self.frozen + delta_frozen, self.seq + 1)


EMPTY = Balance()


class State:
    """Balances, orders, request keys, input positions and output numbers of one shard."""

    def __init__(self) -> None:
        self.lsn = 0
        self.epoch = EpochFrame(counter=0, bits="")
        self.created_at = 0
        self.mark = MarkFrame(lsn=0, delivered=())
        self.balances: dict[tuple[int, int], Balance] = {}
        self.users: set[int] = set()  # only ever asked for membership
        self.net: dict[int, int] = {}  # per asset: accepted deposits minus withdrawals
        self.positions: dict[tuple[str, int], Position] = {}
        self.numbers: dict[tuple[str, int], int] = {}
        self.links: dict[int, Link] = {}  # per symbol: the last output as of the framed positions
        self.standing = Standing()
        self.keys = RequestKeys()

    # -- questions -----------------------------------------------------------------------------

    def balance(self, user_id: int, asset_id: int) -> Balance:
        """Return what a user holds of an asset."""
        return self.balances.get((user_id, asset_id), EMPTY)

    def position(self, topic: str, partition: int) -> Position:
        """Return where an input partition goes on."""
        known = self.positions.get((topic, partition))
        return known or Position(topic, partition, 0, -1, 0, 0, 0)

    def hashes(self, user_id: int, request_id: str) -> tuple[str, ...]:
        """Return the body hashes decided under a request key; the first one won it."""
        return self.keys.hashes(user_id, request_id)

    def number(self, partition: int, topic: str = EVENTS) -> int:
        """Return the number of the last record made for an output partition."""
        return self.numbers.get((topic, partition), 0)

    def pending(self, user_id: int, request_id: str) -> bool:
        """Say whether a request is an accepted cancel without outcome."""
        return (user_id, request_id) in self.standing.cancels

    def links_of(self, partition: int, partitions: int) -> dict[int, Link]:
        """Return the symbols of one of the outputs' partitions, as of its position."""
        return {
            symbol_id: link
            for symbol_id, link in self.links.items()
            if partition_of(key_of(symbol_id), partitions) == partition
        }

    # -- the fold ------------------------------------------------------------------------------

    def apply(self, lsn: int, body: AnyBody) -> None:
        """Take in one frame."""
        if isinstance(body, OrderFrame):
            self._command(body)
            if body.decision == ACCEPTED:
                self._stand(body)
        elif isinstance(body, CommandFrame):
            self._command(body)
        elif isinstance(body, EngineFrame):
            self._engine(body)
        elif isinstance(body, MarkFrame):
            self.mark = body
        elif isinstance(body, EpochFrame):
            self._epoch(lsn, body)
        else:
            self._positions(body)
        self.lsn = lsn

    def _command(self, frame: CommandFrame) -> None:
        partition = frame.input.partition
        self._pass(frame.input, frame.time_ms, frame.forget_ms)
        self.created_at = frame.created_at
        self._forget(partition, frame.forget_ms)
        if frame.decision != DUPLICATE and frame.reason != EXPIRED:
            self.keys.remember(partition, frame.user_id, frame.request_id, frame.body_hash)
        self._effects(frame.legs, frame.outputs)

    def _stand(self, frame: OrderFrame) -> None:
        user_id, request_id = frame.user_id, frame.request_id
        if frame.legs:
            (lock,) = frame.legs
            asset_id, amount = lock.asset_id, lock.delta_frozen
            order = Order(user_id, request_id, frame.symbol_id, asset_id, amount)
            self.standing.place(frame.order_id, order)
        else:
            cancelling = Cancelling(frame.order_id, frame.body_hash)
            self.standing.cancel((user_id, request_id), cancelling)

    def _engine(self, frame: EngineFrame) -> None:
        self._pass(frame.input)
        self.created_at = frame.created_at
        self._effects(frame.legs, frame.outputs)
        for change in frame.changes:
            self.standing.change(change)
        if frame.ended is not None and self.standing.end(frame.ended):
            user_id, request_id = frame.ended
            self.keys.forget((request_id, user_id))
        self._link(frame.links)

    def _pass(self, source: Input, time_ms: int = 0, forget_ms: int = 0) -> None:
        self.positions[source.topic, source.partition] = Position(
            source.topic,
            source.partition,
            source.offset + 1,
            source.leader_epoch,
            source.crc,
            time_ms,
            forget_ms,
        )

    def _effects(self, legs: Iterable[Leg], outputs: Iterable[Output]) -> None:
        for leg in legs:
            self._leg(leg)
        for output in outputs:
            key = (output.topic, output.partition)
            if output.n != self.numbers.get(key, 0) + 1:
                raise Halt("log_inconsistent", f"{key} has no output before number {output.n}")
            self.numbers[key] = output.n

    def _link(self, links: Iterable[frames.Link]) -> None:
        for link in links:
            self.links[link.symbol_id] = Link(link.output_seq, link.hash)

    def _forget(self, partition: int, before_ms: int) -> None:
        """Drop the keys made before `before_ms`: from now on they are expired."""
        while (key := self.keys.pass_by(partition, before_ms)) is not None:
            request_id, user_id = key
            if self.standing.forget((user_id, request_id)):
                self.keys.forget(key)

    def _leg(self, leg: Leg) -> None:
        key = (leg.user_id, leg.asset_id)
        before = self.balances.get(key, EMPTY)
        after = Balance(leg.avail, leg.frozen, leg.seq)
        if after != before.moved(leg.delta_avail, leg.delta_frozen):
            raise Halt("log_inconsistent", f"row {leg.seq} of {key} does not follow {before}")
        if after.avail < 0 or after.frozen < 0:
            raise Halt("log_inconsistent", f"row {leg.seq} of {key} leaves {after}")
        self.balances[key] = after
        self.users.add(leg.user_id)
        if leg.event_type in ("deposit", "withdraw"):
            self.net[leg.asset_id] = self.net.get(leg.asset_id, 0) + leg.delta_avail

    def _epoch(self, lsn: int, body: EpochFrame) -> None:
        if body.counter != self.epoch.counter + 1:
            raise Halt(
                "log_inconsistent",
                f"epoch {body.counter} at LSN {lsn} does not follow {self.epoch.counter}",
            )
        self.epoch = body

    def _positions(self, body: PositionFrame) -> None:
        for position in body.positions:
            self.positions[position.topic, position.partition] = position
        if isinstance(body, LinkFrame):
            self._link(body.links)
