"""The native protocol's notations (specification v4, section 3): read from bytes, made to bytes."""

import ipaddress
import struct
from collections.abc import Iterable

from sim.tcp.codec import Malformed

SHORT_MAX = 2**16 - 1

_int = struct.Struct(">i")
_short = struct.Struct(">H")
_long = struct.Struct(">q")


class Reader:
    """Reads one body from its beginning; what is missing is `Malformed`."""

    __slots__ = ("at", "content", "end")

    def __init__(self, content: bytes, at: int, end: int) -> None:
        self.content = content
        self.at = at
        self.end = end

    def _take(self, size: int, what: str) -> int:
        start = self.at
        if size > self.end - start:
            raise Malformed(f"{what} of {size} bytes where {self.end - start} are left")
        self.at = start + size
        return start

    def byte(self) -> int:
        """Read a [byte]."""
        return self.content[self._take(1, "a byte")]

    def short(self) -> int:
        """Read a [short]."""
        found: int = _short.unpack_from(self.content, self._take(2, "a short"))[0]
        return found

    def integer(self) -> int:
        """Read an [int]."""
        found: int = _int.unpack_from(self.content, self._take(4, "an int"))[0]
        return found

    def long(self) -> int:
        """Read a [long]."""
        found: int = _long.unpack_from(self.content, self._take(8, "a long"))[0]
        return found

    def short_bytes(self) -> bytes:
        """Read a [short bytes]."""
        size = self.short()
        start = self._take(size, "bytes")
        return self.content[start : self.at]

    def string(self) -> str:
        """Read a [string]."""
        return _text(self.short_bytes())

    def long_string(self) -> str:
        """Read a [long string]."""
        size = self.integer()
        if size < 0:
            raise Malformed(f"a string of {size} bytes")
        start = self._take(size, "a string")
        return _text(self.content[start : self.at])

    def sized(self) -> tuple[int, bytes | None]:
        """Read a [bytes] or [value]: its length as sent, and the bytes unless that is negative."""
        size = self.integer()
        if size < 0:
            return size, None
        start = self._take(size, "a value")
        return size, self.content[start : self.at]

    def string_list(self) -> tuple[str, ...]:
        """Read a [string list]."""
        return tuple([self.string() for _ in range(self.short())])

    def string_map(self) -> dict[str, str]:
        """Read a [string map]."""
        found = {}
        for _ in range(self.short()):
            name = self.string()
            found[name] = self.string()
        return found

    def skip_bytes_map(self) -> None:
        """Read over a [bytes map]."""
        for _ in range(self.short()):
            self.short_bytes()
            self.sized()

    def finish(self) -> None:
        """Refuse bytes that nothing asked for."""
        if self.at != self.end:
            raise Malformed(f"{self.end - self.at} bytes after the end of the body")


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"a string is no UTF-8: {error}") from None


def short(number: int) -> bytes:
    """Return a [short]."""
    return _short.pack(number)


def integer(number: int) -> bytes:
    """Return an [int]."""
    return _int.pack(number)


def short_bytes(content: bytes) -> bytes:
    """Return a [short bytes]."""
    return _short.pack(len(content)) + content


def string(text: str) -> bytes:
    """Return a [string], cut where it is longer than one can be."""
    content = text.encode()
    if len(content) > SHORT_MAX:
        content = content[:SHORT_MAX].decode(errors="ignore").encode()
    return _short.pack(len(content)) + content


def sized(content: bytes | None) -> bytes:
    """Return a [bytes] or [value]; None is null."""
    return b"\xff\xff\xff\xff" if content is None else _int.pack(len(content)) + content


def string_multimap(pairs: Iterable[tuple[str, Iterable[str]]]) -> bytes:
    """Return a [string multimap]."""
    listed = [(name, list(values)) for name, values in pairs]
    parts = [_short.pack(len(listed))]
    for name, values in listed:
        parts.append(string(name))
        parts.append(string_list(values))
    return b"".join(parts)


def string_list(texts: Iterable[str]) -> bytes:
    """Return a [string list]."""
    listed = list(texts)
    return b"".join([_short.pack(len(listed)), *map(string, listed)])


def inet(address: str, port: int) -> bytes:
    """Return an [inet]."""
    packed = ipaddress.ip_address(address).packed
    return bytes((len(packed),)) + packed + _int.pack(port)
