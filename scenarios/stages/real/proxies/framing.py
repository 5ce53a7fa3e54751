"""Framing: how the bytes of a connection fall into messages, and what each is called.

A dialect is one connection's: it remembers which answers are still to come.
"""

from typing import Protocol


class Message:
    """One whole message: the name of its kind, and its bytes as they are passed on."""

    __slots__ = ("content", "kind")

    def __init__(self, kind: str, content: bytes) -> None:
        self.kind = kind
        self.content = content


class Dialect(Protocol):
    """Cuts both directions of one connection into messages, and rewrites addresses in them."""

    def requests(self, buffer: bytearray) -> list[Message]:
        """Take whole messages from the client out of `buffer`."""

    def responses(self, buffer: bytearray) -> list[Message]:
        """Take whole messages from the server out of `buffer`."""


class Plain:
    """No protocol: whatever was read at once is a message, called ``bytes`` (HTTP)."""

    def requests(self, buffer: bytearray) -> list[Message]:
        """Take everything."""
        return _all(buffer)

    def responses(self, buffer: bytearray) -> list[Message]:
        """Take everything."""
        return _all(buffer)


def _all(buffer: bytearray) -> list[Message]:
    content = bytes(buffer)
    buffer.clear()
    return [Message("bytes", content)] if content else []
