"""Where partitions begin that were assigned without an offset: at what the group has committed."""

from typing import TYPE_CHECKING

from sim.kafka.client import codes, fetcher
from sim.kafka.client.commits import Offset
from sim.kafka.client.tracked import Tracked
from sim.kafka.client.values import OFFSET_INVALID
from sim.kafka.client.wheel import text_of
from sim.kernel import MILLISECOND

if TYPE_CHECKING:
    from sim.kafka.client.consumer import Consumer

_ASK_AGAIN = 500 * MILLISECOND
_RETRY_QUIETLY = frozenset(
    {
        codes.UNSTABLE_OFFSET_COMMIT,
        codes.COORDINATOR_LOAD_IN_PROGRESS,
        codes.COORDINATOR_NOT_AVAILABLE,
        codes.NOT_COORDINATOR,
    }
)


def from_committed(consumer: "Consumer", query: list[tuple[Tracked, int]]) -> None:
    """Ask for the committed offsets that partitions begin at."""

    def current() -> list[tuple[Tracked, int]]:
        return [(t, v) for t, v in query if t.version == v and t.assigned]

    def answered(code: int, found: dict[tuple[str, int], Offset]) -> None:
        if consumer.closed:
            return
        if code:
            if code > 0 and code not in _RETRY_QUIETLY:
                consumer.failed(code, f"Failed to fetch committed offsets: {text_of(code)}")
            left = current()
            if left:
                consumer.process.after(_ASK_AGAIN, from_committed, consumer, left)
            return
        for tracked, _ in current():
            offset = found[tracked.key]
            tracked.committed = offset.offset if offset.offset >= 0 else OFFSET_INVALID
            fetcher.start(consumer, tracked, tracked.committed)

    left = current()
    if left:
        consumer.commits.fetch([tracked.key for tracked, _ in left], answered)
