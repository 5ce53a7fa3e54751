"""The journal: a shard's log files as a list of steps, and the state they add up to.

The fold here is written anew, from what frames mean, and shares nothing with the program's own:
a mistake in one of them shows as a difference.
"""

from collections.abc import Mapping

import msgspec

from reports.amounts import money
from system.errors import Stop
from system.records import (
    EVENTS,
    EngineOutput,
    Event,
    Validated,
    decode_event,
    decode_output,
    decode_validated,
)
from system.wal.frames import AnyBody, CommandFrame, EngineFrame, Output, PositionFrame
from system.wal.reader import Torn, read

Account = tuple[int, int]  # user, asset
Balance = tuple[int, int, int]  # avail, frozen, seq

EMPTY: Balance = (0, 0, 0)


class Step:
    """One frame with effects, its output records decoded."""

    __slots__ = ("events", "frame", "lsn", "shard", "unreadable", "validated")
    frame: CommandFrame | EngineFrame

    def __init__(self, shard: int, lsn: int, frame: CommandFrame | EngineFrame) -> None:
        self.shard = shard
        self.lsn = lsn
        self.frame = frame
        self.events: list[Event] = []
        self.validated: list[Validated] = []
        self.unreadable: list[str] = []
        for output in frame.outputs:
            try:
                self._decode(output)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self.unreadable.append(f"output {output.n} of {output.topic}: {error}")

    def _decode(self, output: Output) -> None:
        if output.topic == EVENTS:
            self.events.append(decode_event(output.value))
        else:
            self.validated.append(decode_validated(output.value))

    @property
    def place(self) -> str:
        """The frame's place, for people."""
        return f"frame LSN {self.lsn}"


class Applied(Step):
    """An engine output, and all it did on this shard."""

    __slots__ = ("output",)
    frame: EngineFrame

    def __init__(self, shard: int, lsn: int, frame: EngineFrame) -> None:
        super().__init__(shard, lsn, frame)
        self.output: EngineOutput | None = None
        try:
            self.output = decode_output(frame.value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.unreadable.append(f"the engine output in it: {error}")


class Decision(Step):
    """A command and its decision."""

    __slots__ = ()
    frame: CommandFrame

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


class Journal:
    """A log read to its end. ``damage`` says why it could not be, if it could not."""

    __slots__ = ("bodies", "damage", "last_lsn", "positions", "reason", "shard", "steps", "torn")

    def __init__(self, shard: int, files: Mapping[str, bytes]) -> None:
        self.shard = shard
        self.bodies: list[tuple[int, AnyBody]] = []
        self.steps: list[Decision | Applied] = []
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

    def _take(self, lsn: int, body: AnyBody) -> None:
        self.bodies.append((lsn, body))
        if isinstance(body, CommandFrame | EngineFrame):
            self.steps.append(
                Decision(self.shard, lsn, body)
                if isinstance(body, CommandFrame)
                else Applied(self.shard, lsn, body)
            )
            source = body.input
            self.positions[source.topic, source.partition] = source.offset + 1
        elif isinstance(body, PositionFrame):
            for position in body.positions:
                self.positions[position.topic, position.partition] = position.next_offset

    @property
    def decisions(self) -> list[Decision]:
        """The commands, in the order in which they were decided."""
        return [step for step in self.steps if isinstance(step, Decision)]

    @property
    def applied(self) -> list[Applied]:
        """The engine outputs, in the order in which they were taken in."""
        return [step for step in self.steps if isinstance(step, Applied)]

    def balances(self, up_to_lsn: int | None = None) -> dict[Account, Balance]:
        """Add up the legs of all frames, or of those up to an LSN."""
        folded: dict[Account, Balance] = {}
        for step in self.steps:
            if up_to_lsn is not None and step.lsn > up_to_lsn:
                break
            for leg in step.frame.legs:
                account = leg.user_id, leg.asset_id
                avail, frozen, seq = folded.get(account, EMPTY)
                folded[account] = (avail + leg.delta_avail, frozen + leg.delta_frozen, seq + 1)
        return folded

    def numbers(self, up_to_lsn: int | None = None) -> dict[tuple[str, int], int]:
        """Return the last number given out per output partition."""
        return {
            (output.topic, output.partition): output.n
            for step in self.steps
            if up_to_lsn is None or step.lsn <= up_to_lsn
            for output in step.frame.outputs
        }

    def inputs(self, up_to_lsn: int | None = None) -> dict[tuple[str, int], int]:
        """Return the next offset per input partition, as of an LSN, from effects alone."""
        return {
            (step.frame.input.topic, step.frame.input.partition): step.frame.input.offset + 1
            for step in self.steps
            if up_to_lsn is None or step.lsn <= up_to_lsn
        }


def say_balance(balance: Balance, asset_id: int) -> str:
    """Write a balance for people."""
    avail, frozen, seq = balance
    more = f", {money(frozen, asset_id)} frozen" if frozen else ""
    return f"{money(avail, asset_id)}{more} at seq {seq}"
