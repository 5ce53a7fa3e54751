"""The journal: a shard's log files as a list of decisions, and the state they add up to.

The fold here is written anew, from what frames mean, and shares nothing with the program's own:
a mistake in one of them shows as a difference.
"""

from collections.abc import Iterator, Mapping

import msgspec

from reports.amounts import money
from system.errors import Stop
from system.records import Event, decode_event
from system.wal.frames import CommandFrame, EngineFrame, OrderFrame, PositionFrame
from system.wal.reader import Torn, read

Account = tuple[int, int]  # user, asset
Balance = tuple[int, int, int]  # avail, frozen, seq

EMPTY: Balance = (0, 0, 0)


class Decision:
    """One command frame, with its output records decoded."""

    __slots__ = ("events", "frame", "lsn", "shard", "unreadable")

    def __init__(self, shard: int, lsn: int, frame: CommandFrame) -> None:
        self.shard = shard
        self.lsn = lsn
        self.frame = frame
        self.events: list[Event] = []
        self.unreadable: list[str] = []
        for output in frame.outputs:
            try:
                self.events.append(decode_event(output.value))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self.unreadable.append(f"output {output.n} of {output.topic}: {error}")

    @property
    def key(self) -> tuple[int, str, str]:
        """The request and the body that were decided."""
        return self.frame.user_id, self.frame.request_id, self.frame.body_hash

    @property
    def accepted(self) -> bool:
        """Whether the command had its effect."""
        return self.frame.decision == "accepted"

    @property
    def rejected(self) -> bool:
        """Whether the command was answered with a reason."""
        return self.frame.decision == "rejected"

    @property
    def place(self) -> str:
        """The frame's place, for people."""
        return f"frame LSN {self.lsn}"


class Journal:
    """A log read to its end. ``damage`` says why it could not be, if it could not.

    ``decisions`` are those about transfers; ``frames`` has all that moved or published anything.
    """

    __slots__ = (
        "damage",
        "decisions",
        "frames",
        "last_lsn",
        "positions",
        "reason",
        "shard",
        "torn",
    )

    def __init__(self, shard: int, files: Mapping[str, bytes]) -> None:
        self.shard = shard
        self.decisions: list[Decision] = []
        self.frames: list[tuple[int, CommandFrame | EngineFrame]] = []
        self.positions: dict[tuple[str, int], int] = {}
        self.torn: Torn | None = None
        self.last_lsn = 0
        self.damage = ""
        self.reason = ""
        try:
            contents = read(files)
            for lsn, body in contents.records():
                self._take(lsn, body)
        except Stop as stop:
            self.damage, self.reason = stop.message, stop.reason
            return
        self.torn = contents.torn
        self.last_lsn = contents.last_lsn

    def _take(self, lsn: int, body: object) -> None:
        if isinstance(body, CommandFrame | EngineFrame):
            self.frames.append((lsn, body))
            if isinstance(body, CommandFrame) and not isinstance(body, OrderFrame):
                self.decisions.append(Decision(self.shard, lsn, body))
            source = body.input
            self.positions[source.topic, source.partition] = source.offset + 1
        elif isinstance(body, PositionFrame):
            for position in body.positions:
                self.positions[position.topic, position.partition] = position.next_offset

    def until(self, lsn: int | None = None) -> Iterator[CommandFrame | EngineFrame]:
        """Yield what was framed, up to an LSN if one is given."""
        return (frame for at, frame in self.frames if lsn is None or at <= lsn)

    def balances(self, up_to_lsn: int | None = None) -> dict[Account, Balance]:
        """Add up all legs, or those up to an LSN."""
        folded: dict[Account, Balance] = {}
        for frame in self.until(up_to_lsn):
            for leg in frame.legs:
                account = leg.user_id, leg.asset_id
                avail, frozen, seq = folded.get(account, EMPTY)
                folded[account] = (avail + leg.delta_avail, frozen + leg.delta_frozen, seq + 1)
        return folded

    def numbers(self, up_to_lsn: int | None = None) -> dict[tuple[str, int], int]:
        """Return the last number given out per output partition."""
        return {
            (output.topic, output.partition): output.n
            for frame in self.until(up_to_lsn)
            for output in frame.outputs
        }

    def inputs(self, up_to_lsn: int | None = None) -> dict[tuple[str, int], int]:
        """Return the next offset per input partition, as of an LSN, from inputs alone."""
        return {
            (frame.input.topic, frame.input.partition): frame.input.offset + 1
            for frame in self.until(up_to_lsn)
        }


def say_balance(balance: Balance, asset_id: int) -> str:
    """Write a balance for people."""
    avail, frozen, seq = balance
    more = f", {money(frozen, asset_id)} frozen" if frozen else ""
    return f"{money(avail, asset_id)}{more} at seq {seq}"
