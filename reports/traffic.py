"""Traffic: the records of the four topics, decoded, each with its place and its time."""

from typing import Protocol

from reports.evidence import TopicRecord
from system.records import (
    Cancel,
    Deposit,
    EngineOutput,
    Event,
    Operation,
    Validated,
    Withdraw,
    decides,
)
from system.symbols import BY_ID

RequestKey = tuple[int, str, str]  # user, request, body hash


class Input:
    """A record of the operations topic."""

    __slots__ = ("at_ns", "command", "key", "record")

    def __init__(self, record: TopicRecord, command: Operation, at_ns: int) -> None:
        self.record = record
        self.command = command
        self.at_ns = at_ns
        self.key: RequestKey = (command.user_id, command.request_id, command.body_hash)

    @property
    def transfer(self) -> bool:
        """Whether money comes in or goes out."""
        return isinstance(self.command, Deposit | Withdraw)

    @property
    def asset_id(self) -> int:
        """The asset it moves or locks; 0 for a cancel and for an unknown symbol."""
        command = self.command
        if isinstance(command, Deposit | Withdraw):
            return command.asset_id
        if isinstance(command, Cancel) or command.symbol_id not in BY_ID:
            return 0
        symbol = BY_ID[command.symbol_id]
        return symbol.quote.id if command.side == "buy" else symbol.base.id

    @property
    def delta(self) -> int:
        """What the command would add to all that the user has; orders add nothing."""
        command = self.command
        if isinstance(command, Deposit):
            return command.amount
        return -command.amount if isinstance(command, Withdraw) else 0


class Placed(Protocol):
    """What lies in a topic, or says where it lay."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


def place_of(record: Placed) -> str:
    """Return a record's place, for people."""
    return f"{record.topic}/{record.partition}@{record.offset}"


class Published:
    """A record of the events topic."""

    __slots__ = ("at_ns", "event", "record")

    def __init__(self, record: TopicRecord, event: Event, at_ns: int) -> None:
        self.record = record
        self.event = event
        self.at_ns = at_ns

    @property
    def place(self) -> str:
        """The record's place, for people."""
        return place_of(self.record)

    def decides(self, key: RequestKey) -> bool:
        """Whether it says what was decided of a request."""
        event = self.event
        return decides(event) and (event.user_id, event.request_id, event.body_hash) == key


class Passed:
    """A record of the orders topic: what UBSCore let through to the engine."""

    __slots__ = ("at_ns", "record", "validated")

    def __init__(self, record: TopicRecord, validated: Validated, at_ns: int) -> None:
        self.record = record
        self.validated = validated
        self.at_ns = at_ns

    @property
    def place(self) -> str:
        """The record's place, for people."""
        return place_of(self.record)


class Emitted:
    """A record of the engine's outputs."""

    __slots__ = ("at_ns", "output", "record")

    def __init__(self, record: TopicRecord, output: EngineOutput, at_ns: int) -> None:
        self.record = record
        self.output = output
        self.at_ns = at_ns

    @property
    def place(self) -> str:
        """The record's place, for people."""
        return place_of(self.record)
