"""Which shard has which user, by the logs at hand."""

from collections.abc import Iterable, Iterator, Mapping

from reports.fills import Move, moves
from system.records import EngineOutput
from system.topics import key_of, partition_of

_KNOWN_MAX = 100_000  # users


class Homes:
    """`logs` names, per shard whose log is at hand, the partitions it decides."""

    def __init__(self, logs: Mapping[int, Iterable[int]], partitions: int) -> None:
        self.partitions = partitions
        self._known: dict[int, int] = {}
        self._owners = {p: shard for shard, owned in logs.items() for p in owned}

    def of(self, user_id: int) -> int:
        """Return the shard of a user; 0 if its log is not at hand."""
        shard = self._known.get(user_id)
        if shard is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            home = partition_of(key_of(user_id), self.partitions)
            shard = self._known[user_id] = self._owners.get(home, 0)
        return shard

    def concerned(self, output: EngineOutput) -> dict[int, list[Move]]:
        """Return what an output does on each shard at hand that has to take it in."""
        found: dict[int, list[Move]] = {}
        for move in moves(output):
            shard = self.of(move.user_id)
            if shard:
                found.setdefault(shard, []).append(move)
        if output.outcome != "placed":  # a cancel ends where its user is, whatever it found
            shard = self.of(output.user_id)
            if shard:
                found.setdefault(shard, [])
        return found


def net(these: Iterable[Move]) -> Iterator[tuple[int, int, int]]:
    """Yield, per asset, by how much changes alter what is held, and how many they are."""
    sums: dict[int, tuple[int, int]] = {}
    for move in these:
        amount, count = sums.get(move.asset_id, (0, 0))
        delta = move.delta_avail + move.delta_frozen
        sums[move.asset_id] = amount + delta, count + 1
    for asset, (amount, count) in sorted(sums.items()):
        yield asset, amount, count
