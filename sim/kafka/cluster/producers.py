"""What a partition remembers of its idempotent producers (KIP-98; `ProducerAppendInfo.java`).

**Faithful**: the last five batches of a producer are recognised when they come again; an older
epoch is refused; a newer epoch starts at sequence 0; otherwise sequences go on without a hole and
wrap at 2**31; an unknown producer may start anywhere; a producer idle for a day (by the time of
its last batch) is forgotten, when that is looked at every ten minutes, or at a restart; after a
restart only the last batch of each is recognised, as the snapshots on disk have no more
(`ProducerStateManager.java`): what was sent before it comes out of order then.
**Simplified**: there are no snapshots: a restart also forgets producers whose batches retention
has deleted.
"""

from collections import deque
from collections.abc import Iterable

from sim.kafka.batch import CONTROL, Batch
from sim.kafka.entities import ErrorCode

BATCHES_KEPT = 5  # ProducerStateEntry.NUM_BATCHES_TO_RETAIN
_NO_EPOCH = -1  # of a batch with an id and no epoch: whatever comes after one is taken
EXPIRATION_MS = 86_400_000  # producer.id.expiration.ms

_Known = tuple[int, int, int, int]  # first and last sequence, base offset, timestamp


class _Producer:
    __slots__ = ("batches", "epoch", "last_sequence", "last_timestamp")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.batches: deque[_Known] = deque(maxlen=BATCHES_KEPT)
        self.last_sequence = -1
        self.last_timestamp = -1


class Producers:
    """The producers of one partition; with `batches`, as a restart finds them in its log."""

    __slots__ = ("_known",)

    def __init__(self, batches: Iterable[Batch] = ()) -> None:
        self._known: dict[int, _Producer] = {}
        for batch in batches:
            if batch.producer_id >= 0 and not batch.attributes & CONTROL:
                self.appended(batch)
        for producer in self._known.values():
            producer.batches = deque([producer.batches[-1]], maxlen=BATCHES_KEPT)

    def duplicate(self, batch: Batch) -> tuple[int, int] | None:
        """Return offset and timestamp under which `batch` is in the log already, or None."""
        producer = self._known.get(batch.producer_id)
        if producer is None or producer.epoch != batch.producer_epoch:
            return None
        first, last = batch.base_sequence, batch.last_sequence
        for known_first, known_last, offset, timestamp in producer.batches:
            if known_first == first and known_last == last:
                return offset, timestamp
        return None

    def refusal(self, batch: Batch) -> ErrorCode | None:
        """Return why `batch` may not be appended, or None if it may."""
        producer = self._known.get(batch.producer_id)
        if producer is None:
            return None
        if batch.producer_epoch < producer.epoch:
            return ErrorCode.invalid_producer_epoch
        if producer.epoch == _NO_EPOCH:
            return None
        if batch.producer_epoch > producer.epoch:
            expected = 0
        else:
            expected = (producer.last_sequence + 1) & 0x7FFFFFFF
        if batch.base_sequence != expected:
            return ErrorCode.out_of_order_sequence_number
        return None

    def appended(self, batch: Batch) -> None:
        """Remember `batch`, now at its place in the log."""
        producer = self._known.get(batch.producer_id)
        if producer is None or producer.epoch != batch.producer_epoch:
            producer = self._known[batch.producer_id] = _Producer(batch.producer_epoch)
        last = producer.last_sequence = batch.last_sequence
        producer.last_timestamp = batch.max_timestamp
        producer.batches.append((batch.base_sequence, last, batch.base_offset, batch.max_timestamp))

    def expire(self, now_ms: int) -> None:
        """Forget producers whose last batch is a day old."""
        for producer_id, producer in list(self._known.items()):
            if now_ms - producer.last_timestamp >= EXPIRATION_MS:
                del self._known[producer_id]
