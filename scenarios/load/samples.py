"""What became of each request of a load, in columns: a million requests take 70 MB.

Times are nanoseconds since the start of the run; 0 says that it has not come to that.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

OK, REFUSED = 1, 2


def _times() -> "array[int]":
    return array("q")


def _small() -> "array[int]":
    return array("h")


@dataclass(slots=True)
class Samples:
    """One row per request, in order of sending; written by the thread that knows."""

    intended: "array[int]" = field(default_factory=_times)  # when it was meant to be sent
    sent: "array[int]" = field(default_factory=_times)  # when the generator came to it
    acknowledged: "array[int]" = field(default_factory=_times)  # 202, or Kafka's own
    decided: "array[int]" = field(default_factory=_times)  # the event was appended
    settled: "array[int]" = field(default_factory=_times)  # a commit that covers it was seen
    answer: "array[int]" = field(default_factory=_small)  # OK, REFUSED; 0: nobody knows
    rows: "array[int]" = field(default_factory=_small)  # rows of the database it takes
    settled_count: int = 0
    by_key: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.intended)

    def begin(self, request_id: str, intended_ns: int, sent_ns: int) -> int:
        """Add a request; return its number."""
        number = len(self.intended)
        for column in (self.acknowledged, self.decided, self.settled, self.answer, self.rows):
            column.append(0)
        self.by_key[request_id] = number
        self.sent.append(sent_ns)
        self.intended.append(intended_ns)
        return number

    def within(self, begin_ns: int, end_ns: int) -> Iterator[int]:
        """Yield the numbers of those that were meant to be sent in a window."""
        return (n for n, at in enumerate(self.intended) if begin_ns <= at < end_ns)

    def settled_within(self, begin_ns: int, end_ns: int) -> Iterator[int]:
        """Yield the numbers of those that settled in a window."""
        return (n for n, at in enumerate(self.settled) if at and begin_ns <= at < end_ns)

    def owed(self) -> Iterator[int]:
        """Yield the numbers of those that were acknowledged and have not settled."""
        answers = zip(self.answer, self.settled, strict=False)
        return (n for n, (answer, settled) in enumerate(answers) if answer == OK and not settled)
