"""What brokers and the controller say to each other, and how it looks as bytes.

**Simplified**: Kafka's brokers read the metadata log with Fetch, register with BrokerRegistration,
stay with BrokerHeartbeat and forward in Envelopes (KIP-500, KIP-590, KIP-631); here it is these few
messages, in MessagePack, each behind its length, and the metadata always whole.
"""

import struct
from collections.abc import Iterator
from typing import Any

import msgspec

from sim.machine import Message
from sim.tcp.codec import Codec, Malformed
from sim.tcp.kafka.metadata import ImageState

_LENGTH = struct.Struct(">I")
_LONGEST = 2**28


class Say(msgspec.Struct, frozen=True, tag=True):
    """One message."""

    @property
    def kind(self) -> str:
        """The name of the message."""
        return type(self).__name__

    def fingerprint(self) -> bytes:
        """Return bytes that change with every part of the message."""
        return msgspec.msgpack.encode(self)


class Hello(Say, frozen=True):
    """A broker begins a session; `incarnation` is new with every process."""

    broker_id: int
    host: str
    port: int
    incarnation: str
    cluster_id: str | None  # that of its directory


class Alive(Say, frozen=True):
    """A broker's session goes on."""


class Ask(Say, frozen=True):
    """A broker forwards a client's request: the API's key and the body in the machine's version."""

    number: int
    key: int
    body: bytes


class WantIds(Say, frozen=True):
    """A broker wants a block of producer ids."""


class Welcome(Say, frozen=True):
    """The whole metadata, as it is now."""

    image: ImageState


class Answer(Say, frozen=True):
    """The response to `Ask`."""

    number: int
    body: bytes


class Ids(Say, frozen=True):
    """A block of producer ids."""

    first: int
    end: int


class Unwelcome(Say, frozen=True):
    """A broker cannot be one of this cluster."""

    why: str


_Any = Hello | Alive | Ask | WantIds | Welcome | Answer | Ids | Unwelcome


class LinkCodec(Codec):
    """Either side of a link."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self._buffer = bytearray()
        self._decoder: Any = msgspec.msgpack.Decoder(_Any)

    def decode(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that `data` completes."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(buffer)
            if size > _LONGEST:
                raise Malformed(f"a message of {size} bytes on a link of brokers")
            end = _LENGTH.size + size
            if len(buffer) < end:
                break
            body = bytes(buffer[_LENGTH.size : end])
            del buffer[:end]
            try:
                yield self._decoder.decode(body)
            except msgspec.MsgspecError as error:
                raise Malformed(f"this is no broker of ours: {error}") from error

    def encode(self, message: Message) -> bytes:
        """Return the frame of a message."""
        body = message.fingerprint()
        return _LENGTH.pack(len(body)) + body
