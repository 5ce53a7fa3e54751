"""The checker of committed offsets: they never run ahead of what is durable."""

from bisect import bisect_left
from collections.abc import Generator

from reports.amounts import seconds
from reports.breaks import Break
from reports.case import Case
from reports.evidence import Commit, TopicRecord
from reports.invariants.durability import NEVER, Durability, rank
from reports.traffic import place_of
from system.records import EVENTS, OPERATIONS, OUTPUTS

Partition = tuple[str, int]


def commits_behind_rows(case: Case) -> Generator[Break, None, int]:
    """I12: rows were durable when their offsets were committed; a log holds what is committed.

    A record beyond a hole is discarded, and the copy that is sent again counts; but no offset
    beyond an open hole may be committed.

    Where nobody saw when rows became durable (a real stage), those of committed offsets must at
    least be there in the end.
    """
    unseen = int(case.about.stage == "real")
    frontiers = _frontiers(case)
    images = _images(case)
    guilty: set[Partition] = set()
    checked = 0
    for commit in case.evidence.commits:
        partition = (commit.topic, commit.partition)
        if partition in guilty:
            continue
        claims = 0
        found: Break | None = None
        if commit.topic == EVENTS or (commit.topic == OUTPUTS and _settles(commit)):
            claims, found = _against_rows(commit, frontiers.get(partition), unseen)
        elif commit.topic == OPERATIONS:
            claims, found = _against_logs(commit, images)
        checked += claims
        if found is not None:
            guilty.add(partition)
            yield found
    return checked


def _settles(commit: Commit) -> bool:
    """Whether it is Settlement's: UBSCore reads the outputs, too, and real runs name the group."""
    return commit.group.startswith("settlement")


class Frontier:
    """Per offset of a partition, when everything up to it was durable (None: nobody saw)."""

    __slots__ = ("_expected", "_firm", "durable", "offsets")

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.durable: list[tuple[int | None, str]] = []
        self._firm: tuple[int | None, str] | None = None  # of what is not discarded
        self._expected: dict[int, int] = {}  # per sender, the number that comes next

    def add(self, record: TopicRecord, number: tuple[int, int], at_ns: int | None) -> None:
        """Take in the next record, the n-th of a sender: `number` is (sender, n)."""
        sender, n = number
        place = place_of(record)
        expected = self._expected.get(sender, 1)
        self.offsets.append(record.offset)
        if n > expected:
            self.durable.append((NEVER, f"{place}, which lies beyond a hole,"))
            return
        self._expected[sender] = max(expected, n + 1)
        if self._firm is None or rank(at_ns) >= rank(self._firm[0]):
            self._firm = (at_ns, place)
        self.durable.append(self._firm)


def _frontiers(case: Case) -> dict[Partition, Frontier]:
    frontiers: dict[Partition, Frontier] = {}
    durability = Durability(case)
    for published in case.published:
        record, event = published.record, published.event
        frontier = frontiers.setdefault((EVENTS, record.partition), Frontier())
        frontier.add(record, (event.shard, event.n), durability.of_event(event))
    for emitted in case.emitted:
        record, output = emitted.record, emitted.output
        frontier = frontiers.setdefault((OUTPUTS, record.partition), Frontier())
        number = (output.symbol_id, output.output_seq)
        frontier.add(record, number, durability.of_output(output))
    return frontiers


def _against_rows(
    commit: Commit, frontier: Frontier | None, unseen: int
) -> tuple[int, Break | None]:
    """Return how many claims were checked (`unseen` if the time is not known), and a break."""
    index = bisect_left(frontier.offsets, commit.offset) if frontier else 0
    if frontier is None or not index:
        return 0, None
    at_ns, place = frontier.durable[index - 1]
    if at_ns is None:
        return unseen, None
    return 1, _ahead(commit, at_ns, f"the rows of {place}") if at_ns > commit.at_ns else None


def _against_logs(
    commit: Commit, images: list[tuple[int, dict[Partition, int]]]
) -> tuple[int, Break | None]:
    claims = 0
    for taken_ns, positions in images:
        if commit.at_ns <= taken_ns:
            claims += 1
            framed = positions.get((commit.topic, commit.partition), 0)
            if commit.offset > framed:
                return claims, _ahead(commit, NEVER, f"frames of offsets from {framed} on")
    return claims, None


def _images(case: Case) -> list[tuple[int, dict[tuple[str, int], int]]]:
    """Return every readable image of a log: when it was taken, and the positions it holds."""
    if len(case.journals) != 1:
        return []  # several shards share the topic; each owns other partitions
    images = [
        (image.taken_ns, journal.positions)
        for image, journal in zip(case.evidence.logs, case.journals, strict=True)
    ]
    images += [
        (restart.started_ns, journal.positions)
        for restart, journal in zip(case.evidence.restarts, case.restarted, strict=True)
    ]
    return [image for image in images if image[1]] if case.log_readable else []


def _ahead(commit: Commit, durable_ns: int, what: str) -> Break:
    when = "never became durable" if durable_ns == NEVER else f"durable at {seconds(durable_ns)}"
    return Break(
        invariant="I12",
        code="COMMIT_AHEAD",
        where=f"{commit.topic}/{commit.partition}, group {commit.group}",
        expected=f"{what} durable before offset {commit.offset} is committed",
        found=f"committed at {seconds(commit.at_ns)}, {when}",
        at_ns=commit.at_ns,
        cause="a crash right after this commit loses what was not durable yet",
    )
