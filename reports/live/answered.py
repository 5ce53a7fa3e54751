"""What clients are told: every decision in the events must stand in `requests`, and no other.

A row may hold three *facts*, each written by an event of its own: what was decided, how an accepted
cancel ended, and that a late retry expired.
Facts are folded into a fixed number of buckets by their request. Rows newer than the cut cannot
be told apart by themselves: a bucket that differs is sound if some of the later events' facts,
added to its fold, give what the table holds.
"""

from array import array
from itertools import combinations

from reports.facts import Fact, fact_of, facts_of
from reports.live.folds import MASK, hash_tuple
from reports.live.sources import Answer
from system.records import Event

BUCKETS = 1 << 16
_SUBSETS_OF = 12  # later facts in one bucket; with more of them the bucket is read again


def bucket_of(fact: Fact) -> int:
    """Return the bucket of a fact's request."""
    return hash(fact[:2]) % BUCKETS


def made_at_ms(request_id: str) -> int:
    """Return when the client made a key (its first 48 bits); 0 if it is none of ours."""
    try:
        return int(request_id.replace("-", "")[:12], 16)
    except ValueError:
        return 0


class Answers:
    """Folds of the events' facts before the cut, of the table's, and the later events' facts."""

    def __init__(self) -> None:
        self.asked = array("Q", bytes(8 * BUCKETS))
        self.told = array("Q", bytes(8 * BUCKETS))
        self.later: dict[int, list[int]] = {}
        self.checked = 0
        self.since_ms = 0  # keys made before it may have been answered by events long gone

    def counts(self, fact: Fact) -> bool:
        """Whether the retained events must hold this fact if it is true."""
        return not self.since_ms or made_at_ms(fact[1]) >= self.since_ms

    def decided(self, event: Event) -> None:
        """Take in an event before the cut."""
        fact = fact_of(event)
        if fact is not None and self.counts(fact):
            self._add(self.asked, fact)

    def decided_later(self, event: Event) -> None:
        """Take in an event after the cut: its answer may be there or not."""
        fact = fact_of(event)
        if fact is not None and self.counts(fact):
            self.later.setdefault(bucket_of(fact), []).append(hash_tuple(fact))

    def answered(self, row: Answer) -> None:
        """Take in a row of the table."""
        self.checked += 1
        for fact in facts_of(row):
            if self.counts(fact):
                self._add(self.told, fact)

    def suspects(self) -> set[int]:
        """Return the buckets that no selection of later facts explains."""
        if self.asked == self.told:
            return set()
        return {
            bucket
            for bucket in range(BUCKETS)
            if self.asked[bucket] != self.told[bucket] and not self._explained(bucket)
        }

    def _explained(self, bucket: int) -> bool:
        later = self.later.get(bucket, [])
        if len(later) > _SUBSETS_OF:
            return False
        wanted = (self.told[bucket] - self.asked[bucket]) & MASK
        return any(
            sum(chosen) & MASK == wanted
            for size in range(1, len(later) + 1)
            for chosen in combinations(later, size)
        )

    @staticmethod
    def _add(folds: "array[int]", fact: Fact) -> None:
        bucket = bucket_of(fact)
        folds[bucket] = (folds[bucket] + hash_tuple(fact)) & MASK
