"""Servers as state machines: (message, now) -> messages, timers and state changes.

A broker or a database node is a plain object without kernel, thread, clock or socket; it can be
copied and tested alone. `sim.host.Server` drives one on a simulated host; anything else that can
carry messages and keep timers (a TCP shell) can drive the same object.
"""

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from sim.trace import Field


class Message(Protocol):
    """What travels on a connection between machines: an object instead of its bytes."""

    @property
    def kind(self) -> str:
        """The name of the message in its protocol, e.g. ``Produce``."""

    def fingerprint(self) -> bytes:
        """Return bytes that change with every part of the content."""


class Send(NamedTuple):
    """Send `message` on `connection`."""

    connection: int
    message: Message


class Dial(NamedTuple):
    """Connect to the machine called `peer`; answered by `Machine.dialled`."""

    peer: str
    tag: Hashable


class Timer(NamedTuple):
    """Call `Machine.fired` with `key` at `at_ns` of the host's clock; replaces an earlier one."""

    key: Hashable
    at_ns: int


class Cancel(NamedTuple):
    """Forget the timer with `key`."""

    key: Hashable


class Disconnect(NamedTuple):
    """Close `connection`."""

    connection: int


class Record:
    """A state change, for the digest of the run.

    `subject` is what it happened to, for whoever makes it durable; it is no part of the digest.
    """

    __slots__ = ("fields", "kind", "subject")

    def __init__(self, kind: str, *fields: Field, subject: Any = None) -> None:
        self.kind = kind
        self.fields = fields
        self.subject = subject


Effect = Send | Dial | Timer | Cancel | Disconnect | Record
Effects = Iterable[Effect]


@runtime_checkable
class Machine(Protocol):
    """A server. `now_ns` is always its host's wall clock, which may be wrong or step."""

    def started(self, now_ns: int) -> Effects:
        """Begin, or begin again after `crashed`: reload what is durable."""

    def crashed(self, *, power_loss: bool) -> None:
        """Forget everything volatile; on `power_loss` also what was not synced."""

    def connected(self, now_ns: int, connection: int, peer: str) -> Effects:
        """Take a connection that `peer` (a host name) opened."""

    def dialled(self, now_ns: int, tag: Hashable, connection: int | None) -> Effects:
        """Take the answer to a `Dial`: a connection, or None if it failed."""

    def received(self, now_ns: int, connection: int, message: Message) -> Effects:
        """Take one message."""

    def disconnected(self, now_ns: int, connection: int) -> Effects:
        """Learn that the other side is gone, or that the network says so."""

    def fired(self, now_ns: int, key: Hashable) -> Effects:
        """Learn that the timer `key` has run out."""
