"""The leader epochs of one partition's log (`LeaderEpochFileCache.java`, KIP-101, KIP-279)."""


class LeaderEpochs:
    """Which leader wrote which offsets: each epoch with its first one, both ascending."""

    __slots__ = ("_first",)

    def __init__(self) -> None:
        self._first: list[tuple[int, int]] = []

    @property
    def newest(self) -> int:
        """The epoch that began last; -1 if there was none yet."""
        return self._first[-1][0] if self._first else -1

    def begin(self, epoch: int, end: int) -> None:
        """Note that `epoch` begins where the log ends now; one that wrote nothing is forgotten."""
        if epoch > self.newest:
            while self._first and self._first[-1][1] >= end:
                self._first.pop()
            self._first.append((epoch, end))

    def start_at(self, start: int) -> None:
        """Forget what ended before `start`, where the log begins now."""
        last = len(self._first) - 1
        self._first = [
            (epoch, max(first, start))
            for at, (epoch, first) in enumerate(self._first)
            if at == last or self._first[at + 1][1] > start
        ]

    def at(self, offset: int) -> int:
        """Return the epoch that `offset` belongs to; -1 if there was none yet."""
        return max((epoch for epoch, first in self._first if first <= offset), default=-1)

    def end_of(self, epoch: int, end: int) -> tuple[int, int]:
        """Return the newest epoch up to `epoch` and where it ended, in a log that ends at `end`."""
        if epoch == -1 or epoch > self.newest:
            return -1, -1
        if epoch == self.newest:
            return epoch, end
        below = [known for known, _ in self._first if known <= epoch]
        ended = next(first for known, first in self._first if known > epoch)
        return (below[-1] if below else epoch), ended
