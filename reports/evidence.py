"""Evidence: everything a run left behind that can be judged without asking a program's memory.

A stage (a simulated world or a live deployment) collects these records; reconciliation, the
checkers of the invariants and the pages read nothing else. Times are integer nanoseconds since
the start of the world, amounts raw integers, bytes are kept as they were found.
"""

from typing import Literal

from reports.happenings import (
    Damage,
    FaultReceipt,
    LogLine,
    OwedHalt,
    ProcessEvent,
    ProcessEventKind,
    Record,
)
from reports.operations import (
    Answer,
    AnswerStatus,
    Attempt,
    ClientRead,
    Listing,
    Operation,
    OperationKind,
    Outcome,
    ShownOrder,
    ShownTrade,
)
from reports.rows import AccountRow, OrderRow, OutputRow, RequestRow, Row, SideRow, TradeRow

Stage = Literal["simulated", "real"]


class TopicRecord(Record, frozen=True, kw_only=True):
    """A record as it lies in a partition, with the broker's stamps."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_ms: int
    leader_epoch: int = -1


class LogImage(Record, frozen=True, kw_only=True):
    """The files of one UBSCore data directory as a power loss at ``taken_ns`` would leave them."""

    shard: int
    taken_ns: int
    files: dict[str, bytes]


class Dump(Record, frozen=True, kw_only=True):
    """The balances UBSCore wrote on SIGUSR1 (its JSON, byte for byte), and when."""

    shard: int
    process: str
    incarnation: int
    taken_ns: int
    body: bytes


class Restart(Record, frozen=True, kw_only=True):
    """A recovery that was observed: the log it found, and the state it came up with.

    ``log`` is the directory before the program started. ``dumps`` are taken before new input is
    applied: one per recovery, the first from that log, the second from it and what may have come
    in between. So two of them show whether twice equals once.
    """

    shard: int
    process: str
    incarnation: int
    started_ns: int
    log: dict[str, bytes]
    dumps: tuple[bytes, ...]


class Commit(Record, frozen=True, kw_only=True):
    """An offset a consumer group committed; the evidence holds them all, in order of time."""

    group: str
    topic: str
    partition: int
    offset: int
    metadata: str
    at_ns: int


class Sample(Record, frozen=True, kw_only=True):
    """A value of a program's metrics where it changed, as a scrape saw it.

    ``up`` is 1 from the first scrape of an incarnation on, and 0 at the first one without it.
    """

    process: str
    incarnation: int
    at_ns: int
    name: str
    labels: dict[str, str]
    value: float


class About(Record, frozen=True, kw_only=True):
    """What was run: enough to say it in a headline and to run it again.

    ``epoch_ns`` is the true wall-clock time at the start of the world: broker stamps minus it are
    times of the world (give or take a broker's clock skew).
    ``quiescent_ns`` is when the harness saw everything settled (None: never within the bound).
    ``bound_ns`` is what a request in Kafka may take after ``healed_ns``, the end of all faults.
    ``horizon_ms`` is how long request keys have to be remembered (0: nobody said),
    ``fees_ppm`` what makers and takers have to pay (None: nobody said).
    ``servers`` says which back end served a real run; ``unobserved`` what its stage cannot see.
    ``plan_given`` is whether somebody gave the plan of faults: the seed draws another.
    """

    scenario: str
    seed: int
    token: str
    stage: Stage
    versions: dict[str, str]
    servers: str = ""
    unobserved: tuple[str, ...] = ()
    command: str = ""
    plan_given: bool = False
    story: str = ""
    digest: str = ""
    shards: int = 1
    partitions: int = 4
    epoch_ns: int = 0
    events: int = 0
    real_ns: int | None = None
    healed_ns: int = 0
    quiescent_ns: int | None = None
    ended_ns: int = 0
    bound_ns: int = 30_000_000_000
    horizon_ms: int = 0
    fees_ppm: tuple[int, int] | None = None


class Evidence(Record, frozen=True, kw_only=True):
    """All of it. ``unreadable`` names sources that could not be read to their end, and why."""

    about: About
    operations: tuple[Operation, ...] = ()
    answers: tuple[Answer, ...] = ()
    reads: tuple[ClientRead, ...] = ()
    listings: tuple[Listing, ...] = ()
    records: tuple[TopicRecord, ...] = ()
    logs: tuple[LogImage, ...] = ()
    dumps: tuple[Dump, ...] = ()
    restarts: tuple[Restart, ...] = ()
    rows: tuple[Row, ...] = ()
    requests: tuple[RequestRow, ...] = ()
    accounts: tuple[AccountRow, ...] = ()
    outputs: tuple[OutputRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    trades: tuple[TradeRow, ...] = ()
    sides: tuple[SideRow, ...] = ()
    commits: tuple[Commit, ...] = ()
    processes: tuple[ProcessEvent, ...] = ()
    faults: tuple[FaultReceipt, ...] = ()
    owed: tuple[OwedHalt, ...] = ()
    lines: tuple[LogLine, ...] = ()
    samples: tuple[Sample, ...] = ()
    unreadable: tuple[str, ...] = ()


__all__ = [
    "About",
    "AccountRow",
    "Answer",
    "AnswerStatus",
    "Attempt",
    "ClientRead",
    "Commit",
    "Damage",
    "Dump",
    "Evidence",
    "FaultReceipt",
    "Listing",
    "LogImage",
    "LogLine",
    "Operation",
    "OperationKind",
    "OrderRow",
    "Outcome",
    "OutputRow",
    "OwedHalt",
    "ProcessEvent",
    "ProcessEventKind",
    "Record",
    "RequestRow",
    "Restart",
    "Row",
    "Sample",
    "ShownOrder",
    "ShownTrade",
    "SideRow",
    "Stage",
    "TopicRecord",
    "TradeRow",
]
