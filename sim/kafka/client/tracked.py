"""One partition as a consumer tracks it: where it fetches, what it handed out, what it stored.

Source: rdkafka_partition.c, rdkafka_offset.c. **Faithful**: a version that rises with every
assign, seek and pause makes all that was fetched before worthless; the program's pause outlives
assignments; stored offsets are forgotten at assign and unassign.
"""

from typing import TYPE_CHECKING

from sim.kafka.client.values import OFFSET_INVALID

if TYPE_CHECKING:
    from sim.kafka.batch import Batch


class Tracked:
    """A partition that the consumer has, or once had, to do with."""

    __slots__ = (
        "active",
        "assigned",
        "backoff_until",
        "committed",
        "end_seen",
        "epoch",
        "high",
        "index",
        "leader",
        "low",
        "next_epoch",
        "next_offset",
        "paused",
        "position",
        "queued",
        "queued_bytes",
        "start",
        "stored",
        "stored_epoch",
        "stored_metadata",
        "suspended",
        "topic",
        "version",
    )

    def __init__(self, topic: str, index: int) -> None:
        self.topic = topic
        self.index = index
        self.assigned = False
        self.active = False  # it is known where to fetch
        self.paused = False  # by the program
        self.suspended = False  # by a rebalance under way
        self.version = 0
        self.start = OFFSET_INVALID  # what the program asked for
        self.next_offset = OFFSET_INVALID
        self.next_epoch = -1
        self.position = OFFSET_INVALID  # behind the last message handed out
        self.stored = OFFSET_INVALID
        self.stored_epoch = -1
        self.stored_metadata: str | None = None
        self.committed = OFFSET_INVALID
        self.queued = 0
        self.queued_bytes = 0
        self.backoff_until = 0
        self.end_seen = OFFSET_INVALID  # where the end was last reported
        self.low = OFFSET_INVALID
        self.high = OFFSET_INVALID
        self.leader = -1
        self.epoch = -1

    @property
    def key(self) -> tuple[str, int]:
        """Topic and partition."""
        return self.topic, self.index

    @property
    def wants(self) -> bool:
        """Whether messages are to be fetched."""
        return self.active and not self.paused and not self.suspended

    def barrier(self) -> None:
        """Make everything fetched so far worthless."""
        self.version += 1
        self.queued = self.queued_bytes = 0

    def fetch_from(self, offset: int) -> None:
        """Go on fetching at `offset`."""
        self.next_offset = offset
        self.next_epoch = -1
        self.end_seen = OFFSET_INVALID
        self.active = True

    def stop(self) -> None:
        """Fetch no more."""
        self.barrier()
        self.active = False
        self.assigned = False
        self.suspended = False
        self.forget_stored()

    def begin(self, offset: int) -> None:
        """Be assigned, to begin at `offset` or where it stands for."""
        self.barrier()
        self.assigned = True
        self.active = False
        self.suspended = False
        self.start = offset
        self.position = OFFSET_INVALID
        self.committed = OFFSET_INVALID
        self.backoff_until = 0
        self.end_seen = OFFSET_INVALID
        self.forget_stored()

    def hold(self, *, program: bool) -> None:
        """Pause, for the program or for a rebalance."""
        if program:
            self.paused = True
        else:
            self.suspended = True
        self.barrier()

    def go_on(self, *, program: bool) -> None:
        """Resume: what had been fetched and not handed out is fetched again."""
        if program:
            self.paused = False
        else:
            self.suspended = False
        if self.wants:
            self.barrier()
            if self.position >= 0:
                self.fetch_from(self.position)
            elif self.start >= 0:
                self.fetch_from(self.start)

    def forget_stored(self) -> None:
        """Have nothing stored for a commit."""
        self.stored = OFFSET_INVALID
        self.stored_epoch = -1
        self.stored_metadata = None

    def handed_out(self, offset: int, epoch: int, *, store: bool) -> None:
        """Note that the program has been given the message at `offset`."""
        self.position = offset + 1
        if store:
            self.stored = offset + 1
            self.stored_epoch = epoch
            self.stored_metadata = None


class Chunk:
    """Records of one batch that wait to be handed out."""

    __slots__ = ("at", "batch", "bytes_each", "tracked", "version")

    def __init__(self, tracked: Tracked, batch: "Batch", at: int) -> None:
        self.tracked = tracked
        self.version = tracked.version
        self.batch = batch
        self.at = at  # the index of the next record
        self.bytes_each = batch.size // batch.count
        tracked.queued += batch.count - at
        tracked.queued_bytes += (batch.count - at) * self.bytes_each
