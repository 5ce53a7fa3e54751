"""Pieces of a byte stream, put together when enough of them have come."""


class Pieces:
    """Keeps what is not whole yet; a long message is joined once, not with every piece of it."""

    __slots__ = ("_kept", "_missing")

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._missing = 0  # bytes without which looking again makes no sense

    def joined(self, data: bytes) -> bytes:
        """Return everything so far, or nothing while too little has come."""
        if not self._kept:
            return data
        self._kept.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return b""
        kept, self._kept = self._kept, []
        return b"".join(kept)

    def keep(self, rest: bytes, needed: int) -> None:
        """Keep `rest`, which is of no use before it has `needed` bytes."""
        if rest:
            self._kept, self._missing = [rest], needed - len(rest)
