"""What holds for every decision of a shard; whatever of it has a say is written into the frame."""

from typing import NamedTuple

from system.formats import NEWEST
from system.records import FEE_USER, MAX_AMOUNT
from system.topics import key_of, partition_of

_HOMES_MAX = 100_000


class Home(NamedTuple):
    """Where the records about a user or a symbol lie; all topics have the same partitions."""

    partition: int
    key: bytes
    mine: bool  # of a user: whether it belongs to this shard


class Terms:
    """The shard, its horizon, its fees, who belongs to it, and the newest format it may read."""

    def __init__(
        self,
        shard: int,
        shards: int,
        horizon_ms: int,
        *,
        partitions: int = 4,
        maker_ppm: int = 1000,
        taker_ppm: int = 1500,
        formats: int = NEWEST,
    ) -> None:
        self.shard = shard
        self.shards = shards
        self.horizon_ms = horizon_ms
        self.partitions = partitions
        self.maker_ppm = maker_ppm
        self.taker_ppm = taker_ppm
        self.formats = formats
        self._homes: dict[int, Home] = {}
        self.fees = self.home(FEE_USER).mine

    @property
    def net_max(self) -> int:
        """The most of an asset a shard may hold: then no sum over all shards can overflow."""
        return MAX_AMOUNT // self.shards

    def owns(self, partition: int) -> bool:
        """Say whether a partition of the topics keyed by user is this shard's."""
        return partition % self.shards == self.shard - 1

    def home(self, about: int) -> Home:
        """Return where a user or a symbol belongs."""
        found = self._homes.get(about)
        if found is None:
            if len(self._homes) >= _HOMES_MAX:
                self._homes.clear()
            key = key_of(about)
            partition = partition_of(key, self.partitions)
            found = self._homes[about] = Home(partition, key, self.owns(partition))
        return found
