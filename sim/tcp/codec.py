"""How a protocol plugs into a shell: bytes of one connection to messages, and back."""

from collections.abc import Callable, Iterable

from sim.machine import Message


class Malformed(ValueError):
    """The other side breaks the protocol; its connection is closed after `farewell`."""

    farewell = b""


class Codec:
    """Turns bytes of one connection into messages and back; derive from it."""

    def __init__(self, peer: str | None = None) -> None:
        self.peer = peer  # the name of the other side; None if `decode` has yet to learn it
        self.greeting = b""  # what the side that dialled says first
        self.again: Message | None = None  # set by `encode`: the machine is to take this next

    def decode(self, data: bytes) -> Iterable[Message]:
        """Yield the messages that `data` completes; `Malformed` ends the connection."""
        raise NotImplementedError

    def encode(self, message: Message) -> bytes:
        """Return the bytes of `message`."""
        raise NotImplementedError

    def busy(self) -> bool:
        """Whether nothing more is to be read until an answer has been sent."""
        return False


MakeCodec = Callable[[str], Codec]  # is given the address of the other side
